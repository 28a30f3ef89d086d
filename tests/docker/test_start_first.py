"""Start-first: somebody who is well has the name at every moment, on the way forward and back."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.behaviours import HEALTHCHECK, SECOND
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau

START_FIRST = {"safe-auto-updater.strategy": "start-first"}
QUICK = HEALTHCHECK | {"Interval": SECOND // 10}
PORT = 8088


class Service:
    """A container with an alias on a network, behind a reverse proxy."""

    def __init__(self, world: World, **newer: Any) -> None:
        self.world = world
        old = world.publish("1.0.0", version="old", healthcheck=QUICK)
        world.publish("1.1.0", **({"version": "new", "healthcheck": QUICK} | newer))
        self.network = world.network("front")
        endpoint = {self.network: {"Aliases": ["shop"]}}
        world.run(
            old.reference,
            Labels=START_FIRST,
            HostConfig={"NetworkMode": self.network, "Init": True},
            NetworkingConfig={"EndpointsConfig": endpoint},
        )
        eventually(lambda: world.health("web") == "healthy")
        self.before = world.get("web")


class Requests:
    """GETs one after the other through the proxy; what went wrong is kept."""

    def __init__(self, url: str) -> None:
        self.answers: list[str] = []
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def end(self) -> list[str]:
        """All answers, in order."""
        self._stop.set()
        self._thread.join()
        return self.answers

    def _ask(self) -> None:
        while not self._stop.is_set():
            try:
                with urllib.request.urlopen(self._url, timeout=5) as answer:
                    self.answers.append(answer.read().decode().strip())
            except (OSError, urllib.error.URLError) as error:
                self.answers.append(f"LOST: {error}")
            time.sleep(0.005)


@pytest.fixture
def proxied(world: World) -> Iterator[Callable[[Service], Requests]]:
    """Begin to ask a service through a proxy in a container's network namespace."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(service: Service) -> Requests:
        side = world.publish("1", name="proxy").reference
        body = {"Cmd": ["/bin/busybox", "sleep", "1000"], "Entrypoint": []}
        world.run(side, "proxy", HostConfig={"NetworkMode": service.network}, **body)
        inside = world.get("proxy")
        script = str(Path(__file__).with_name("reverse_proxy.py"))
        enter = ["nsenter", f"--net=/proc/{inside['State']['Pid']}/ns/net"]
        started.append(subprocess.Popen([*enter, sys.executable, script, "shop", str(PORT)]))
        address = inside["NetworkSettings"]["Networks"][service.network]["IPAddress"]
        requests = Requests(f"http://{address}:{PORT}/")
        eventually(lambda: "old" in requests.answers)
        requests.answers.clear()
        return requests

    yield begin
    for process in started:
        process.kill()
        process.wait()


def test_no_request_is_lost_behind_a_reverse_proxy(
    world: World, sau: Sau, proxied: Callable[[Service], Requests]
) -> None:
    service = Service(world)
    requests = proxied(service)

    said = sau("apply", "--yes", f"{world.prefix}-web")

    answers = requests.end()
    assert said.code == 0, said.out + said.err
    assert set(answers) == {"old", "new"}, f"of {len(answers)}"
    assert answers[-1] == "new"
    assert said.update["downtime_s"] == 0


BROKEN = {
    "crashes": {"behaviour": "crash"},
    "is never healthy": {"behaviour": "unhealthy"},
    "cannot start": {"entrypoint": ("/nothing",)},
    "ends later, and nothing watches it": {"behaviour": "crash_later", "healthcheck": None},
}


@pytest.mark.parametrize("how", BROKEN)
def test_new_one_that_is_not_well_never_replaces_the_old_one(
    world: World, sau: Sau, proxied: Callable[[Service], Requests], how: str
) -> None:
    service = Service(world, **BROKEN[how])
    requests = proxied(service)
    sau.configure("stable_for: 6s", extra="detection: {approval: none}\n")

    said = sau("apply", "--yes", f"{world.prefix}-web")

    answers = requests.end()
    assert said.update["outcome"] == "rolled_back", said.out
    assert not [answer for answer in answers if answer.startswith("LOST")]
    now = world.get("web")
    assert now["Id"] == service.before["Id"]
    assert now["State"]["StartedAt"] == service.before["State"]["StartedAt"]
    assert said.update["downtime_s"] == 0
    assert len(world.ids()) == 2, "nothing is left over but the proxy"


def test_one_that_fails_after_it_took_over_gives_back_without_a_gap(
    world: World, sau: Sau, proxied: Callable[[Service], Requests]
) -> None:
    service = Service(world)
    requests = proxied(service)
    # Well at the first look, which lets it take over, and never again.
    once = "/bin/busybox grep -q old /lab/www/index.html || { [ ! -e /seen ] && echo > /seen; }"
    check = f'{{match: {{asset: "*"}}, type: command, command: [/bin/sh, -c, "{once}"]}}'
    sau.configure(f"stable_for: 1s, checks: [{check}]")

    said = sau("apply", "--yes", f"{world.prefix}-web")

    answers = requests.end()
    assert said.update["outcome"] == "rolled_back", said.out
    assert set(answers) == {"old", "new"}, f"of {len(answers)}"
    assert answers[-1] == "old"
    assert world.get("web")["Id"] == service.before["Id"]
    assert len(world.ids()) == 2, "nothing is left over but the proxy"


def test_one_that_somebody_stopped_stays_so_where_going_back_by_hand_fails(
    world: World, sau: Sau
) -> None:
    Service(world)
    name = f"{world.prefix}-web"
    assert sau("apply", "--yes", name).code == 0
    world.call("POST", f"/containers/{name}/stop")
    stopped = world.get("web")
    never = '{match: {asset: "*"}, type: command, command: [/bin/busybox, "false"]}'
    sau.configure(f"stable_for: 1s, checks: [{never}]")

    said = sau("rollback", "--yes", name)

    assert (said.code, said.update["outcome"]) == (3, "rolled_back"), said
    now = world.get("web")
    assert (now["Id"], now["State"]) == (stopped["Id"], stopped["State"])
    assert world.ids() == {stopped["Id"]}


EXCLUSIVE: dict[str, tuple[dict[str, Any], str]] = {
    "port": ({"PortBindings": {"8080/tcp": [{"HostPort": "0"}]}}, "it publishes port 8080/tcp"),
    "volume": ({"Binds": ["VOLUME:/data"]}, "it writes to /data"),
    "host network": ({"NetworkMode": "host"}, "it uses the host's network"),
    "default bridge": ({}, "it is on the default bridge"),
}


@pytest.mark.parametrize("what", EXCLUSIVE)
def test_what_two_cannot_have_at_once_holds_the_update(world: World, sau: Sau, what: str) -> None:
    host, told = EXCLUSIVE[what]
    old = world.publish("1.0.0")
    world.publish("1.1.0")
    if "Binds" in host:
        host = {"Binds": [host["Binds"][0].replace("VOLUME", world.volume("data"))]}
    world.run(old.reference, Labels=START_FIRST, HostConfig=host)

    step = sau("plan").step(f"{world.prefix}-web")

    assert (step["action"], step["hold_rules"]) == ("hold", ["strategy"])
    assert told in step["reasons"][0]
