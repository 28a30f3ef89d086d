"""Somebody has flushed the firewall rules that the engine relies on."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from tests.docker.kill.hitting import update_when
from tests.lab_kit import World, eventually, fetch
from tests.sau_kit import Sau

pytestmark = pytest.mark.engine_crash
PUBLISHED = {"PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18080"}]}}


def flush() -> None:
    """As `iptables -F` does by a firewall's reload: rules and chains of the engine are gone."""
    for table in ("filter", "nat"):
        for action in ("-F", "-X"):
            subprocess.run(["iptables", "-t", table, action], check=False, capture_output=True)


def restart_engine(world: World) -> None:
    """What an operator does about it: the engine makes its rules anew."""
    world.lab.crash_engine()
    world.lab.start_engine()


def started(world: World, **body: Any) -> str:
    """A container with a newer image at the registry; the engine has its rules."""
    restart_engine(world)
    old = world.publish("1.0.0", version="old")
    world.publish("1.1.0", version="new")
    container = world.run(old.reference, HostConfig={"RestartPolicy": {"Name": "always"}, **body})
    eventually(lambda: world.get("web")["State"]["Running"])
    return container


@pytest.mark.parametrize("at", ["STAGE", "APPLY"])
def test_published_container_comes_back_once_the_engine_was_restarted(
    world: World, sau: Sau, at: str
) -> None:
    old = started(world, **PUBLISHED)

    record = update_when(sau, at, flush)

    assert record.outcome is None, "neither given up nor done"
    assert record.rows[-1].name == "ROLLBACK"
    assert "restart the engine" in record.facts["waited"]
    restart_engine(world)
    said = sau("recover")
    assert said.code == 0, said.out
    assert said.update["outcome"] == "rolled_back"
    assert world.get("web")["Id"] == old
    assert world.ids() == {old}
    assert fetch("http://127.0.0.1:18080/") == "old"


def test_container_without_ports_does_not_care(world: World, sau: Sau) -> None:
    started(world)
    record = update_when(sau, "APPLY", flush)
    assert record.outcome is not None and record.outcome.value == "succeeded"
