"""Every way in which a new version can be bad ends with the original container running."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from lab.behaviours import HEALTHCHECK
from tests.lab_kit import World
from tests.sau_kit import Sau

FAILS_AT_ONCE = {**HEALTHCHECK, "Test": ["CMD", "/bin/false"], "Retries": 2}
TCP = '\n    checks: [{match: {asset: "*/*-web"}, type: tcp, port: 8080}]'

# met between two starts or while it runs again: only the first tells how it ended
ENDED = r"code 1$|crash loop: restarted once"
# what the new image does, how long it is watched for, more settings; outcome, exit code, cause
BAD: dict[str, tuple[Mapping[str, Any], str, tuple[str, int, str], str]] = {
    "crashes at once": (
        {"behaviour": "crash"}, "stable_for: 2s", ("rolled_back", 3, "image"), ENDED,
    ),
    "crashes after three seconds": (
        {"behaviour": "crash_later"}, "stable_for: 5s", ("rolled_back", 3, "image"), ENDED,
    ),
    "never gets healthy": (
        {"behaviour": "unhealthy"}, "stable_for: 5s", ("rolled_back", 3, "image"), "healthcheck",
    ),
    "has a HEALTHCHECK that fails": (
        {"healthcheck": FAILS_AT_ONCE}, "stable_for: 5s", ("rolled_back", 3, "image"),
        "healthcheck",
    ),
    "names a program that is not there": (
        {"entrypoint": ("/no/such/program",)}, "stable_for: 5s", ("rolled_back", 3, "image"),
        "cannot be started",
    ),
}  # fmt: skip


@pytest.mark.parametrize("policy", ["no", "always"])
@pytest.mark.parametrize("what", BAD)
def test_bad_image_leaves_the_original_container_and_is_not_tried_again(
    world: World, sau: Sau, what: str, policy: str
) -> None:
    recipe, health, (outcome, code, cause), why = BAD[what]
    sau.configure(health)
    world.publish("1.0.0")
    restart = {"RestartPolicy": {"Name": policy}}
    old = world.run(f"{world.repository}:1.0.0", HostConfig=restart)
    before = world.get(old)
    world.publish("1.1.0", **recipe)

    said = sau("apply", "--yes")

    assert said.code == code
    assert (said.update["outcome"], said.update["cause"]) == (outcome, cause)
    assert re.search(why, said.update["error"])
    assert world.ids() == {old}
    assert world.text(old) == "1.0.0"
    after = world.get(old)
    assert [after[key] for key in ("Name", "Config", "HostConfig")] == [
        before[key] for key in ("Name", "Config", "HostConfig")
    ]
    again = sau("apply", "--yes")
    assert (again.code, again.json["updates"]) == (0, [])
    held = sau("plan").step(f"{world.prefix}-web")
    assert held["action"] == "hold"
    assert "quarantined" in held["reasons"][0]
    world.publish("1.1.1")
    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    assert world.text("web") == "1.1.1"


def test_port_taken_by_another_process_blames_the_platform_and_quarantines_nothing(
    world: World, sau: Sau
) -> None:
    world.publish("1.0.0")
    world.publish("1.1.0")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    binding = {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}
    network = world.network("net")
    old = world.run(
        f"{world.repository}:1.0.0",
        HostConfig={"PortBindings": binding, "NetworkMode": network},
        ExposedPorts={"8080/tcp": {}},
    )
    before = world.get(old)["NetworkSettings"]

    # Whoever listens for the port takes it the moment the old container lets it go.
    def refused() -> bool:
        """Whether the engine could not start what bears the name now."""
        state = next((c for c in (world.get(i) for i in world.ids()) if c["Id"] != old), None)
        return state is not None and "already in use" in state["State"]["Error"]

    thief = Thief(port, refused)
    with thief:
        said = sau("apply", "--yes")

    assert thief.had_it, said
    assert (said.code, said.update["outcome"], said.update["cause"]) == (
        3, "rolled_back", "platform",
    ), said.update["error"]  # fmt: skip
    assert world.ids() == {old}
    assert world.text(old) == "1.0.0"
    after = world.get(old)["NetworkSettings"]
    assert after["Ports"] == before["Ports"]
    assert after["Networks"][network]["IPAddress"] == before["Networks"][network]["IPAddress"]
    assert sau("plan").step(f"{world.prefix}-web")["action"] == "update"


class Thief:
    """Takes a port as soon as it is free, and keeps it until it has done its harm."""

    def __init__(self, port: int, done: Callable[[], bool]) -> None:
        self.port, self.had_it, self._done = port, False, done

    def __enter__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._steal)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _steal(self) -> None:
        while not self._over.is_set() and not self.had_it:
            with socket.socket() as mine:
                try:
                    mine.bind(("127.0.0.1", self.port))
                    mine.listen()
                except OSError:
                    self._over.wait(0.001)
                    continue
                self.had_it = True
                while not self._over.is_set() and not self._done():
                    self._over.wait(0.02)
