"""Not ours to touch: what other programs own, and what this program itself lives on."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docker.remote_kit import free_port, with_engines
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau

CLONE = Path(__file__).parents[2]
PYTHON = Path(sys.executable)
RARE = pytest.mark.every_instant


def with_a_newer_version(world: World, name: str, **body: Any) -> str:
    """A container of an image of its own, and a newer image for it."""
    old = world.publish("1.0.0", name=name)
    world.publish("1.1.0", name=name)
    return world.run(old.reference, name, **body)


def seen(sau: Sau, name: str) -> dict[str, Any]:
    (asset,) = [one for one in sau("scan").json["assets"] if one["name"].endswith(name)]
    found: dict[str, Any] = asset
    return found


def test_container_of_another_program_is_seen_and_never_updated(world: World, sau: Sau) -> None:
    old = with_a_newer_version(world, "core", Labels={"supervisor_managed": ""})
    asset = seen(sau, "core")
    assert asset["managed_by"] == "home-assistant-supervisor"
    assert [one["rule"] for one in asset["obstacles"]] == ["foreign"]
    sau.configure(extra='detection: {rules: [{match: {asset: "*-core"}, enable: true}]}\n')

    said = sau("apply", "core", "--yes")

    assert (said.code, said.json["updates"]) == (0, [])
    step = sau("plan").step(f"{world.prefix}-core")
    assert step["action"] == "hold"
    assert step["reasons"] == [
        "it belongs to Home Assistant Supervisor: update it in Home Assistant, under Settings"
    ]
    assert step["changes"][0]["candidate"]["version"] == "1.1.0"
    assert world.ids() == {old}


def test_label_that_the_image_brought_makes_nobody_an_owner(world: World, sau: Sau) -> None:
    mine = {"supervisor_managed": "", "coolify.managed": "true"}
    old = world.publish("1.0.0", labels=mine)
    world.publish("1.1.0", labels=mine)
    world.run(old.reference)
    assert sau("apply", "--yes").update["outcome"] == "succeeded"


@pytest.mark.parametrize("by", ["label", pytest.param("rule", marks=RARE), "nobody"])
def test_operator_may_update_what_its_owner_only_made(world: World, sau: Sau, by: str) -> None:
    labels = {"casaos": "casaos"}
    if by == "label":
        labels["safe-auto-updater.enable"] = "true"
    if by == "rule":
        rule = f'{{match: {{asset: "*/{world.prefix}-app"}}, enable: true}}'
        sau.configure(extra=f"detection: {{rules: [{rule}]}}\n")
    with_a_newer_version(world, "app", Labels=labels)
    said = sau("apply", "--yes")
    if by == "nobody":
        assert said.json["updates"] == []
        assert "it belongs to CasaOS or ZimaOS" in sau("plan").out
        return
    assert said.update["outcome"] == "succeeded"
    assert seen(sau, "app")["managed_by"] == "casaos"
    assert sau("rollback", "app", "--yes").code == 0


def beside_the_clone(world: World, *more: str) -> dict[str, Any]:
    """Mounts with which a container runs this clone's own Python and programs."""
    see = world.lab.seen_by_engine
    shown = [Path("/usr"), PYTHON.resolve().parents[1], CLONE]
    binds = [f"{see(path)}:{path}:ro" for path in dict.fromkeys(shown)]
    binds += [f"{see(Path('/usr/lib'))}:/lib:ro", f"{see(Path('/usr/lib64'))}:/lib64:ro"]
    return {"Binds": [*binds, *more]}


def proxy(world: World, **host: Any) -> str:
    """A container that passes everything on to the engine, from its port 2375."""
    script = (
        f"import sys; sys.path.insert(0, '{CLONE}'); import pathlib, time; "
        "from tests.docker.remote_kit import Way; "
        "Way(pathlib.Path('/engine.sock'), '0.0.0.0', 2375); time.sleep(100000)"
    )
    mounts = beside_the_clone(world, f"{world.lab.socket}:/engine.sock")
    return with_a_newer_version(
        world,
        "proxy",
        Entrypoint=[str(PYTHON), "-c", script],
        ExposedPorts={"2375/tcp": {}},
        HostConfig=mounts | host,
    )


@pytest.mark.usefixtures("no_watchtower")
@pytest.mark.parametrize(
    "way", ["published", pytest.param("address", marks=RARE), pytest.param("network", marks=RARE)]
)
def test_proxy_that_we_speak_through_is_never_updated_and_all_else_is(
    world: World, sau: Sau, way: str
) -> None:
    port = free_port()
    network = world.network("private")
    host: dict[str, Any] = {"NetworkMode": network} if way == "network" else {}
    if way == "published":
        host = {"PortBindings": {"2375/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}}
    old = proxy(world, **host)
    with_a_newer_version(world, "app")
    (end,) = world.get(old)["NetworkSettings"]["Networks"].values()
    address = f"127.0.0.1:{port}" if way == "published" else f"{end['IPAddress']}:2375"
    with_engines(sau, {"name": "local", "host": f"tcp://{address}"})
    eventually(lambda: sau("doctor").code == 0)

    said = sau("apply", "--yes")

    assert said.update["outcome"] == "succeeded", said.err
    assert said.update["asset"].endswith("-app")
    assert old in world.ids()
    step = sau("plan").step(f"{world.prefix}-proxy")
    assert step["action"] == "hold"
    assert f"the program speaks to the engine through it, at tcp://{address}" in step["reasons"][0]
    assert [one["rule"] for one in seen(sau, "proxy")["obstacles"]] == ["proxy"]


def inside(world: World, tmp_path: Path, *words: str, network: str) -> str:
    """`sau` in a container of its own; what it says is written to `tmp_path`."""
    sau = PYTHON.parent / "sau"
    command = f"{sau} --config {tmp_path}/sau.yml --state /state --output json {' '.join(words)}"
    script = f"{command} >{tmp_path}/out 2>{tmp_path}/err; echo $? >{tmp_path}/code; sleep 100000"
    mounts = beside_the_clone(
        world, f"{world.lab.socket}:/var/run/docker.sock", f"{tmp_path}:{tmp_path}"
    )
    return with_a_newer_version(
        world,
        "sau",
        Entrypoint=["/bin/busybox", "sh", "-c", script],
        Env=["HOME=/", "PATH=/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE=1"],
        HostConfig=mounts | {"NetworkMode": network, "Tmpfs": {"/state": ""}},
    )


def test_own_container_is_never_updated_and_all_else_is(
    world: World, sau: Sau, tmp_path: Path
) -> None:
    with_a_newer_version(world, "app")
    with_engines(sau, {"name": "local", "host": "unix:///var/run/docker.sock"})

    own = inside(world, tmp_path, "apply", "--yes", network="host")

    said, told = ended(tmp_path)
    assert [update["outcome"] for update in said["updates"]] == ["succeeded"], told
    assert world.text("app") == "1.1.0"
    assert own in world.ids()
    assert "this is the program's own container and cannot hand over to a new one" in told
    assert "Update it from outside" in told


def test_what_our_own_container_shares_is_never_updated(
    world: World, sau: Sau, tmp_path: Path
) -> None:
    vpn = with_a_newer_version(world, "vpn")
    with_a_newer_version(world, "app")
    with_engines(sau, {"name": "local", "host": "unix:///var/run/docker.sock"})

    inside(world, tmp_path, "scan", network=f"container:{vpn}")

    said, _ = ended(tmp_path)
    rules = {
        asset["name"].rpartition("-")[2]: [(o["rule"], o["reason"]) for o in asset["obstacles"]]
        for asset in said["assets"]
    }
    assert rules["app"] == []
    assert [rule for rule, _ in rules["vpn"]] == ["self"]
    assert "the program's own container, uses its network" in rules["vpn"][0][1]


def ended(tmp_path: Path) -> tuple[dict[str, Any], str]:
    """What the program inside said, once it has ended well."""
    eventually(lambda: (tmp_path / "code").exists(), 60)
    told = (tmp_path / "err").read_text()
    assert (tmp_path / "code").read_text().strip() == "0", told
    said: dict[str, Any] = json.loads((tmp_path / "out").read_text())
    return said, told
