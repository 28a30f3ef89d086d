"""Engines elsewhere: by TLS, by ssh, by Docker contexts; several at once; ways that break."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.docker.compose_kit import Project, program
from tests.docker.remote_kit import (
    Attic,
    Authority,
    Sshd,
    Way,
    free_port,
    rootless_engine,
    second_engine,
    ssh_server,
    with_engines,
)
from tests.docker.service_kit import Service
from tests.lab_kit import Lab, World, eventually
from tests.sau_kit import SOAK, Said, Sau
from tests.watching_kit import Watching

__all__ = ["program"]


@pytest.fixture(scope="module")
def attic(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attic]:
    """A second engine, which wants certificates."""
    with second_engine(lab, tmp_path_factory.mktemp("attic")) as one:
        yield one


@pytest.fixture(scope="module")
def sshd(attic: Attic, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """An ssh server on whose side `docker` means the second engine."""
    with ssh_server(tmp_path_factory.mktemp("ssh"), attic.lab.docker_host) as one:
        yield one


@pytest.fixture
def away(attic: Attic, world: World) -> Iterator[World]:
    """The test's sandbox on the second engine, under the same names."""
    mine = World(attic.lab, world.prefix, world.state_dir)
    yield mine
    mine.clean()


@pytest.fixture
def web(away: World) -> str:
    """A container on the second engine; a good and a crashing version are newer."""
    away.publish("1.0.0")
    return away.run(f"{away.repository}:1.0.0", HostConfig={"RestartPolicy": {"Name": "always"}})


@pytest.fixture(
    params=["tls", "ssh", "ssh with a path", "context", "context by ssh", "environment"]
)
def reached(
    request: pytest.FixtureRequest,
    sau: Sau,
    attic: Attic,
    sshd: Sshd,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Sau:
    """The program, which reaches the second engine in one of all ways."""
    monkeypatch.setenv("PATH", f"{sshd.commands}:{os.environ['PATH']}")
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    match request.param:
        case "tls":
            with_engines(sau, attic.at(attic.port))
        case "ssh":
            with_engines(sau, {"name": "attic", "host": sshd.host()})
        case "ssh with a path":
            host = sshd.host(str(attic.lab.socket))
            with_engines(sau, {"name": "attic", "host": host})
        case "context":
            names = {"ca_file": "ca", "cert_file": "cert", "key_file": "key"}
            files = [f"{names[key]}={path}" for key, path in attic.files.items()]
            make_context("up-there", ",".join([f"host={attic.host}", *files]))
            with_engines(sau, {"name": "attic", "context": "up-there"})
        case "context by ssh":
            make_context("up-there", f"host={sshd.host()}")
            subprocess.run(["docker", "context", "use", "up-there"], check=True)
        case "environment":
            certs = tmp_path / "certs"
            certs.mkdir()
            for key, path in attic.files.items():
                (certs / f"{key.removesuffix('_file')}.pem").symlink_to(path)
            monkeypatch.setenv("DOCKER_HOST", attic.host)
            monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
            monkeypatch.setenv("DOCKER_CERT_PATH", str(certs))
    return sau


def make_context(name: str, docker: str) -> None:
    subprocess.run(["docker", "context", "create", name, "--docker", docker], check=True)


def test_whole_update_and_the_way_back(away: World, web: str, reached: Sau) -> None:
    away.publish("1.1.0")

    said = reached("apply", "--yes")

    assert said.code == 0, said.err
    assert said.update["outcome"] == "succeeded"
    assert away.text("web") == "1.1.0"
    said = reached("rollback", "web", "--yes")
    assert said.code == 0, said.err
    assert away.text("web") == "1.0.0"
    assert len(away.ids()) == 1


@pytest.mark.parametrize("reached", ["tls", "ssh"], indirect=True)
def test_bad_version_is_rolled_back_to_the_same_container(
    away: World, web: str, reached: Sau
) -> None:
    away.publish("1.1.0", behaviour="crash")

    said = reached("apply", "--yes")

    assert said.code == 3, said.err
    assert said.update["outcome"] == "rolled_back"
    assert away.ids() == {web}
    assert eventually(lambda: away.http("web")) == "1.0.0"


@pytest.mark.parametrize("reached", ["tls", "ssh"], indirect=True)
def test_service_hears_of_what_changes_there(away: World, reached: Sau, service: Service) -> None:
    watching = Watching(service, lambda: None)
    watching.start()
    ways = ["ssh"] if "ssh:" in text(reached) else []
    eventually(lambda: children(service.pid) == ways, 60)  # of the cycle none is left
    image = away.publish("1.0.0").reference
    for name in ("first", "second"):
        away.run(image, name)
        eventually(lambda name=name: watching.seen(f"{away.prefix}-{name}"), 90)  # type: ignore[misc]
    eventually(lambda: children(service.pid) == ways, 60)
    reached.config.write_text(text(reached).replace("watch: true", "watch: false"))
    service.signal(signal.SIGHUP)
    eventually(lambda: children(service.pid) == [], 60)
    assert service.events("warning") == []


def text(sau: Sau) -> str:
    return sau.config.read_text()


def children(pid: int) -> list[str]:
    """The programs that a process runs, by any of its threads."""
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    ids = [child for thread in threads for child in still(thread).split()]
    return [name for child in ids if (name := still(Path(f"/proc/{child}/comm")).strip())]


def still(path: Path) -> str:
    """What a file of a process says; nothing where that has just ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return path.read_text()
    return ""


def test_rootless_engine_is_an_engine(
    lab: Lab, sau: Sau, world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with rootless_engine(lab) as there:
        own = World(there, world.prefix, world.state_dir)
        make_context("rootless", f"host={there.docker_host}")
        with_engines(sau, {"name": "mine", "context": "rootless"})
        own.publish("1.0.0")
        own.run(f"{own.repository}:1.0.0", HostConfig={"NetworkMode": "none"})
        own.publish("1.1.0")
        said = sau("apply", "--yes")
        assert said.update["outcome"] == "succeeded", said.update["error"]
        assert runs(own) == "1.1.0"
        assert sau("rollback", "web", "--yes").code == 0
        assert runs(own) == "1.0.0"
        sau("release", "web")
        own.publish("1.2.0", behaviour="crash")
        before = own.ids()
        said = sau("apply", "--yes")
        assert said.update["outcome"] == "rolled_back", said.update["error"]
        assert own.ids() == before
        assert runs(own) == "1.0.0"
        own.clean()


def runs(world: World) -> str:
    """The tag that a container runs, which nothing can be asked over a network."""
    found = world.get("web")
    assert found["State"]["Running"]
    return str(found["Config"]["Image"]).rpartition(":")[2]


NEXT, PREVIOUS = "web.sau-next", "web.sau-previous"


ALWAYS = {("tls", "staged", "good"), ("ssh", "parked", "good"), ("tls", "started", "crash")}
BREAKS = [
    pytest.param(*one, marks=() if one in ALWAYS else pytest.mark.every_instant)
    for one in product(("tls", "ssh"), ("staged", "parked", "started"), ("good", "crash"))
]


@pytest.mark.parametrize(("by", "seen", "behaviour"), BREAKS)
def test_way_that_breaks_in_an_update_is_waited_for(
    away: World,
    web: str,
    sau: Sau,
    attic: Attic,
    sshd: Sshd,
    monkeypatch: pytest.MonkeyPatch,
    by: str,
    seen: str,
    behaviour: Any,
) -> None:
    away.publish("1.1.0", behaviour=behaviour)
    with Way(attic.port if by == "tls" else sshd.port) as way:
        sshd.trust(way.port)
        monkeypatch.setenv("PATH", f"{sshd.commands}:{os.environ['PATH']}")
        ssh = {"name": "attic", "host": sshd.host(port=way.port)}
        with_engines(sau, attic.at(way.port) if by == "tls" else ssh)
        running = sau.start("apply", "--yes")
        eventually(lambda: reached_stage(away, seen), 30)
        way.cut()
        time.sleep(1.5)
        way.resume()
        out, err = running.communicate(timeout=90)
        said = Said(running.returncode, out, err)
    assert "Traceback" not in err
    outcome = said.update["outcome"]
    assert outcome in ("succeeded", "rolled_back", "aborted"), err
    assert (outcome == "succeeded") <= (behaviour == "good")
    assert len(away.ids()) == 1, "nothing is left over"
    assert (away.ids() == {web}) == (outcome != "succeeded")
    expected = "1.1.0" if outcome == "succeeded" else "1.0.0"
    assert eventually(lambda: away.http("web")) == expected
    assert sau("recover").code == 0


def reached_stage(away: World, seen: str) -> bool:
    listed = away.call("GET", "/containers/json?all=1")
    found = {name: one["State"] for one in listed for name in one["Names"]}
    new, parked = f"/{away.prefix}-{NEXT}", f"/{away.prefix}-{PREVIOUS}"
    match seen:
        case "staged":
            return new in found
        case "parked":
            return parked in found
        case _:
            return parked in found and found.get(f"/{away.prefix}-web") == "running"


def test_same_name_on_two_engines_is_two_assets(
    world: World, away: World, web: str, sau: Sau, attic: Attic
) -> None:
    world.run(f"{world.repository}:1.0.0")
    world.publish("1.1.0")
    local = {"name": "local", "host": world.lab.docker_host}
    with_engines(sau, local, attic.at(attic.port))
    name = f"{world.prefix}-web"

    steps = sau("plan").json["steps"]
    assert [s["asset"] for s in steps] == [f"docker:attic/{name}", f"docker:local/{name}"]
    ambiguous = sau("apply", name, "--yes")
    assert ambiguous.code == 2
    assert f"docker:attic/{name}, docker:local/{name}" in ambiguous.err
    assert sau("apply", f"attic/{name}", "--yes").code == 0
    assert (away.text("web"), world.text("web")) == ("1.1.0", "1.0.0")
    assert sau("apply", "--yes").update["asset"] == f"docker:local/{name}"
    assert sau("rollback", f"docker:attic/{name}", "--yes").code == 0
    assert (away.text("web"), world.text("web")) == ("1.0.0", "1.1.0")


def test_file_of_the_same_name_here_is_not_that_of_another_machine(
    world: World, away: World, program: Path, tmp_path: Path, sau: Sau, attic: Attic
) -> None:
    project = Project(away, program, tmp_path / "shop")
    away.publish("1.0.0")
    text = f"services: {{web: {{image: '{away.repository}:1.0.0'}}}}\n"
    project.write(text)
    project.up()
    away.publish("1.1.0")
    before = away.ids()
    sau.configure(SOAK, 'detection: {rules: [{match: {asset: "*"}, compose: update-file}]}\n')
    with Way(attic.port, "127.0.0.2") as way:
        there = attic.at(attic.port) | {"host": f"tcp://127.0.0.2:{way.port}"}
        with_engines(sau, there)
        step = sau("plan").step(f"{away.prefix}-web-1")
        assert step["action"] == "hold"
        assert "its files are where engine attic runs" in "; ".join(step["reasons"])
        assert sau("apply", "--yes").json["updates"] == []
    assert (project.read(), away.ids()) == (text, before)


def test_one_dead_engine_keeps_no_other_waiting(world: World, sau: Sau) -> None:
    world.publish("1.0.0")
    world.run(f"{world.repository}:1.0.0")
    world.publish("1.1.0")
    dead = {"name": "dead", "host": f"tcp://127.0.0.1:{free_port()}"}
    with_engines(sau, dead, {"name": "local", "host": world.lab.docker_host})

    said = sau("scan")
    assert said.code == 1
    (failure,) = said.json["failures"]
    assert failure["source"] == "docker:dead"
    assert dead["host"] in failure["error"] and "does it listen there?" in failure["error"]
    assert [a["name"] for a in said.json["assets"]] == [f"{world.prefix}-web"]
    said = sau("apply", "--yes")
    assert said.update["outcome"] == "succeeded", said.err
    assert world.text("web") == "1.1.0"
    assert sau("rollback", "web", "--yes").code == 0
    assert sau("doctor").code == 1


def test_engine_that_dies_with_its_update_open_keeps_no_other_waiting(
    world: World, away: World, web: str, sau: Sau, attic: Attic
) -> None:
    world.run(f"{world.repository}:1.0.0")
    world.publish("1.1.0")
    local = f"docker:local/{world.prefix}-web"
    with Way(attic.port) as way:
        with_engines(sau, attic.at(way.port), {"name": "local", "host": world.lab.docker_host})
        killed_in_the_middle(sau, away, "attic")
        way.cut()
        applied = sau("apply", local, "--yes")
        outcomes = {one["asset"]: one["outcome"] for one in applied.json["updates"]}
        assert outcomes[local] == "succeeded", applied.err
        assert outcomes[f"docker:attic/{world.prefix}-web"] == "unfinished"
        assert applied.code == 4, "somebody has to look after the other one"
        assert world.text("web") == "1.1.0"

        world.publish("1.2.0")
        killed_in_the_middle(sau, world, "local")
        waiting = sau.start("recover")
        eventually(lambda: not reached_stage(world, "parked"), 60)
        assert reached_stage(away, "parked")
        way.resume()
        out, err = waiting.communicate(timeout=90)
    assert waiting.returncode == 0, err
    for one, where, old, new in zip(
        json.loads(out)["updates"],
        (away, world),
        ("1.0.0", "1.1.0"),
        ("1.1.0", "1.2.0"),
        strict=True,
    ):
        expected = {"succeeded": new, "rolled_back": old}[one["outcome"]]
        assert eventually(lambda where=where: where.http("web")) == expected
        assert len(where.ids()) == 1


def killed_in_the_middle(sau: Sau, where: World, engine: str) -> None:
    """An update of which the new version runs, and nobody looks after it."""
    running = sau.start("apply", f"docker:{engine}/{where.prefix}-web", "--yes")
    eventually(lambda: reached_stage(where, "started"), 30)
    running.kill()
    running.communicate()


def told(sau: Sau, entry: dict[str, Any]) -> str:
    """Why an engine could not be scanned."""
    with_engines(sau, entry)
    said = sau("scan")
    assert said.code == 1, said.out
    (failure,) = said.json["failures"]
    assert failure["source"] == f"docker:{entry['name']}"
    assert entry["host"] in failure["error"]
    return str(failure["error"])


def test_tls_that_proves_nothing_is_refused_with_the_remedy(
    sau: Sau, attic: Attic, tmp_path: Path
) -> None:
    entry = attic.at(attic.port)
    stranger = Authority(tmp_path / "stranger")
    cert, key = stranger.signed("sau")
    plain = sau.config.read_text()
    for change, fact in (
        ({"ca_file": str(stranger.ca)}, "its certificate is not accepted"),
        ({"cert_file": None, "key_file": None}, "set cert_file and key_file"),
        ({"cert_file": str(cert), "key_file": str(key)}, "cert_file"),
        ({"cert_file": str(cert)}, "do not fit together"),
        ({"ca_file": "/nowhere/ca.pem"}, "ca_file /nowhere/ca.pem cannot be read: No such file"),
        ({"ca_file": "/etc/hostname"}, "ca_file /etc/hostname holds no certificate"),
        ({"host": f"tcp://localhost:{attic.port}"}, "not valid for 'localhost'"),
    ):
        sau.config.write_text(plain)
        changed = {k: v for k, v in (entry | change).items() if v is not None}
        assert fact in told(sau, changed), change


def test_tls_and_plain_are_not_mixed_up(sau: Sau, attic: Attic, world: World) -> None:
    plain = sau.config.read_text()
    assert "set ca_file" in told(sau, {"name": "attic", "host": attic.host})
    sau.config.write_text(plain)
    with Way(world.lab.socket) as way:
        assert "speaks no TLS" in told(sau, attic.at(way.port))


def test_ssh_that_does_not_get_in_says_why(
    sau: Sau, attic: Attic, sshd: Sshd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", f"{sshd.commands}:{os.environ['PATH']}")
    plain = sau.config.read_text()
    with Way(sshd.port) as unknown:
        for host, fact in (
            (sshd.host(port=unknown.port), "Host key verification failed"),
            (sshd.host(port=free_port()), "Connection refused"),
            (sshd.host("/nowhere.sock"), "/nowhere.sock"),
            (sshd.host().replace("root@", "nobody@"), "Permission denied"),
        ):
            sau.config.write_text(plain)
            found = told(sau, {"name": "attic", "host": host})
            assert f"ssh says: {fact}" in found or fact in found, found
            assert "ask for nothing" in found
    monkeypatch.setenv("PATH", str(tmp_path))
    sau.config.write_text(plain)
    assert "install openssh-client" in told(sau, {"name": "attic", "host": sshd.host()})
