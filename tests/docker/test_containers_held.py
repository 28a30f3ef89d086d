"""Containers that are seen, judged and left alone, each with its reason."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab.behaviours import HEALTHCHECK
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau


def two_versions(world: World, **recipe: Any) -> str:
    """1.0.0 and 1.1.0 in the registry; the reference of the first."""
    world.publish("1.1.0", **recipe)
    return world.publish("1.0.0", **recipe).reference


def held(sau: Sau, name: str = "web") -> str:
    """The one reason why this container is held, from the plan; `apply` holds too."""
    step = sau("plan").step(f"{sau.world.prefix}-{name}")
    assert step["action"] == "hold", step
    said = sau("apply", "--yes", name)
    assert (said.code, said.json["updates"]) == (0, [])
    (reason,) = step["reasons"]
    return str(reason)


def test_container_that_would_remove_itself_is_held(world: World, sau: Sau) -> None:
    old = world.run(two_versions(world), HostConfig={"AutoRemove": True})
    assert "--rm" in held(sau)
    assert world.ids() == {old}


BUILT = {"com.docker.compose.project": "shop", "com.docker.compose.service": "front"}
COMPOSE = {**BUILT, "com.docker.compose.config-hash": "0a1b"}


def test_compose_service_is_held_for_a_new_tag_and_updated_for_new_content(
    world: World, sau: Sau
) -> None:
    world.run(two_versions(world), Labels=COMPOSE)
    assert "its Compose file has to name the new tag" in held(sau)
    world.publish("1.0.0", version="1.0.0 again")
    sau.configure(extra="detection: {policy: digest}\n")

    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    assert world.text("web") == "1.0.0 again"
    assert COMPOSE.items() <= world.get("web")["Config"]["Labels"].items()


def test_container_of_an_image_that_compose_built_is_no_service(world: World, sau: Sau) -> None:
    world.run(two_versions(world, labels=BUILT))
    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    assert world.text("web") == "1.1.0"


def test_swarm_task_is_held(world: World, sau: Sau) -> None:
    world.run(two_versions(world), Labels={"com.docker.swarm.service.name": "front"})
    assert "Swarm service front" in held(sau)


def test_stopped_container_stays_stopped(world: World, sau: Sau) -> None:
    old = world.run(two_versions(world))
    world.call("POST", f"/containers/{old}/stop")
    assert "stays as it is" in held(sau)
    assert world.get(old)["State"]["Status"] == "exited"


def test_paused_container_is_reported_and_left_paused(world: World, sau: Sau) -> None:
    old = world.run(two_versions(world))
    world.call("POST", f"/containers/{old}/pause")
    assert "paused" in held(sau)
    assert world.get(old)["State"]["Status"] == "paused"
    world.call("POST", f"/containers/{old}/unpause")


def test_container_that_is_unhealthy_before_is_held_unless_a_rule_lets_it_be_fixed(
    world: World, sau: Sau
) -> None:
    world.publish("1.1.0", healthcheck=HEALTHCHECK)
    world.run(world.publish("1.0.0", behaviour="unhealthy").reference)
    eventually(lambda: world.health("web") == "unhealthy")
    assert "unhealthy before the update" in held(sau)
    sau.configure(extra='detection: {rules: [{match: {asset: "*"}, fix_forward: true}]}\n')

    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    assert world.text("web") == "1.1.0"


def test_fix_forward_that_fails_still_brings_the_same_old_container_back(
    world: World, sau: Sau
) -> None:
    world.publish("1.1.0", behaviour="crash")
    old = world.run(world.publish("1.0.0", behaviour="unhealthy").reference)
    eventually(lambda: world.health("web") == "unhealthy")
    sau.configure(extra='detection: {rules: [{match: {asset: "*"}, fix_forward: true}]}\n')

    assert sau("apply", "--yes").update["outcome"] == "rolled_back"
    assert world.ids() == {old}
    assert world.text(old) == "1.0.0"


def test_configured_check_that_fails_before_the_update_aborts_it(world: World, sau: Sau) -> None:
    old = world.run(two_versions(world))
    sau.configure(
        'checks: [{match: {asset: "*"}, type: http, url: "http://{address}:8080/no-such-page"}]',
    )

    said = sau("apply", "--yes", timeout_s=120)

    assert (said.code, said.update["outcome"], said.update["cause"]) == (1, "aborted", "conflict")
    assert "before the update it is not healthy" in said.update["error"]
    assert world.ids() == {old}


def test_image_built_here_is_never_replaced_by_a_public_namesake(world: World, sau: Sau) -> None:
    reference = two_versions(world)
    base = world.create(reference, "base")
    name = f"{world.repository}-local"
    world.call("POST", f"/commit?container={base}&repo={name}&tag=1.0.0")
    world.publish("9.9.9", name="web-local")  # the public namesake
    world.call("POST", f"/containers/create?name={world.prefix}-own", {"Image": f"{name}:1.0.0"})
    world.call("POST", f"/containers/{world.prefix}-own/start")

    step = sau("plan").step(f"{world.prefix}-own")

    assert step["action"] == "none"
    assert step["reasons"][0].startswith("built here")


def test_the_updaters_own_container_is_held(world: World, sau: Sau) -> None:
    """The program runs inside a container: the host's Python is mounted into a lab image."""
    tree = Path(sys.executable).resolve().parents[1]
    shared = [Path("/lib"), Path("/lib64"), Path("/usr/lib"), tree, Path(sys.prefix).parent.parent]
    binds = [f"{world.lab.seen_by_engine(path)}:{path}:ro" for path in shared if path.exists()]
    socket = world.lab.socket
    own = world.run(
        two_versions(world),
        HostConfig={"Binds": [*binds, f"{socket}:{socket}"], "NetworkMode": "host"},
        Env=[f"DOCKER_HOST=unix://{socket}", "PORT=18080", "HOME=/"],
    )
    shown = subprocess.run(
        ["docker", "exec", own, *[w for w in sau.command if "--" not in w][:1], "--state", "/state",
         "plan", "--output", "json"],
        capture_output=True, text=True, check=False,
        env=os.environ | {"DOCKER_HOST": f"unix://{socket}"},
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert "the program's own container and cannot hand over to a new one" in shown.stdout
    assert "its state folder /state is on no volume; it uses the host's network" in shown.stdout
