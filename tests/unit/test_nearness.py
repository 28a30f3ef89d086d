"""Addresses that may be somebody else's from here: nothing is dialled there."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.core.errors import NotFound
from safe_auto_updater.core.model import Action, Change, Image, Step
from safe_auto_updater.core.ports import CheckState, Subject
from safe_auto_updater.core.updater import Work
from safe_auto_updater.platforms.docker.nearness import Nearness
from safe_auto_updater.platforms.docker.own import Own
from safe_auto_updater.platforms.docker.self_id import OwnId
from safe_auto_updater.platforms.docker.subject import subject_of
from safe_auto_updater.platforms.probes.http import HttpCheck
from safe_auto_updater.platforms.probes.tcp import TcpCheck

ASSET = "docker:nas/web"
HOSTS = {"HostConfig": {"NetworkMode": "host"}}
BRIDGED = {"HostConfig": {"NetworkMode": "shop"}}
INSIDE, OUTSIDE = Own(OwnId("a" * 64, True), Path("/s")), Own(None, Path("/s"))


class Engine:
    """An engine of this name, which may be rootless, and may know the container that we run in."""

    name = "nas"

    def __init__(
        self, name: str = "nas", us: Any = None, options: tuple[str, ...] = (), host: str = ""
    ) -> None:
        self.host = host or "unix:///var/run/docker.sock"
        self._us, self._info = us, {"Name": name, "SecurityOptions": list(options)}

    def get(self, path: str) -> Any:
        if path == "/info":
            return self._info
        if self._us is None:
            raise NotFound(path)
        return self._us


HERE = socket.gethostname()
PLACES = [
    (OUTSIDE, Engine(HERE), BRIDGED, None),
    (OUTSIDE, Engine(HERE), HOSTS, None),
    (OUTSIDE, Engine("nas"), BRIDGED, "engine nas runs on another machine"),
    (OUTSIDE, Engine(HERE, host="ssh://nas"), HOSTS, "engine nas runs on another machine"),
    (OUTSIDE, Engine(HERE, options=("name=seccomp", "name=rootless")), BRIDGED, "is rootless"),
    (INSIDE, Engine(us=BRIDGED), BRIDGED, None),
    (INSIDE, Engine(us=BRIDGED), HOSTS, "it uses its host's network, and the program runs in a"),
    (INSIDE, Engine(us=HOSTS), HOSTS, None),
    (INSIDE, Engine(), BRIDGED, "in a container that engine nas does not know"),
]


@pytest.mark.parametrize(("own", "engine", "container", "told"), PLACES)
def test_addresses_mean_the_container_only_where_its_network_is_ours(
    own: Own, engine: Any, container: Any, told: str | None
) -> None:
    why = Nearness(own).elsewhere(engine, container)
    assert why == told or (told is not None and why is not None and told in why)


def test_what_may_be_another_s_is_not_dialled_and_a_name_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        far = Subject(ASSET, "web", ("127.0.0.1",), elsewhere="engine nas is far away")
        checks = (TcpCheck(port), HttpCheck(f"http://{{address}}:{port}/"))
        results = [check.check(far) for check in checks]
        named = TcpCheck(port, "127.0.0.1").check(far)
    assert {one.state for one in results} == {CheckState.UNKNOWN}
    assert all("engine nas is far away; name a host in the check" in r.detail for r in results)
    assert named.state is CheckState.PASSED


def test_container_on_a_network_without_ipv4_has_its_other_address() -> None:
    step = Step(ASSET, Action.UPDATE, (), (Change(ASSET, "web", Image("web:1"), None, "minor"),))
    networks = {"six": {"IPAddress": "", "GlobalIPv6Address": "fd00::2"}}
    container = {**BRIDGED, "NetworkSettings": {"Networks": networks}}
    assert subject_of(Work("u", step, {}), container).addresses == ("fd00::2",)
