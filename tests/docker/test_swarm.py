"""Swarm services: by the engine's own rolling update, whose verdict is awaited and remembered."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from lab.behaviours import HEALTHCHECK, SECOND
from tests.docker.swarm.kit import UPDATE, Services, pinned
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau

pytestmark = pytest.mark.swarm

SHOP = "detection:\n  rules:\n    - {match: {asset: '*'}, group: shop}\n"
GOOD_ONLY = (
    "stable_for: 1s, checks: [{match: {asset: '*'}, type: command, command: "
    "[/bin/sh, -c, 'grep -q good /lab/behaviour || exit 127']}]"
)


def test_service_is_updated_and_nothing_of_it_but_the_image_changes(
    world: World, services: Services, sau: Sau
) -> None:
    services.create(
        pinned(world.publish("1.0.0", healthcheck=HEALTHCHECK)),
        Labels={"safe-auto-updater.policy": "minor"},
        UpdateConfig=UPDATE | {"Monitor": 5 * SECOND, "Order": "start-first"},
        container={"Env": ["KEPT=1"]},
    )
    before = services.spec()
    new = pinned(world.publish("1.1.0", healthcheck=HEALTHCHECK))

    (asset,) = sau("scan").json["assets"]
    said = sau("apply", "--yes")

    assert (asset["kind"], asset["managed_by"]) == ("service", "swarm")
    assert (asset["status"], asset["health"]) == ("running", "healthy")
    assert (said.code, said.update["outcome"]) == (0, "succeeded"), said
    before["TaskTemplate"]["ContainerSpec"]["Image"] = new
    assert services.spec() == before
    assert services.running() == [new, new]
    assert sau("plan").step(f"{world.prefix}-web")["action"] == "none"


BAD: dict[str, tuple[Mapping[str, Any], str]] = {
    "crashes": ({"behaviour": "crash"}, "non-zero exit"),
    "never gets healthy": ({"behaviour": "unhealthy"}, "unhealthy"),
    "names a program that is not there": ({"entrypoint": ("/no/such/program",)}, "no such file"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_image_is_taken_back_by_the_engine_and_not_tried_again(
    world: World, services: Services, sau: Sau, what: str
) -> None:
    recipe, why = BAD[what]
    check = {"Interval": SECOND // 4, "Retries": 2, "Timeout": SECOND}
    services.create(
        pinned(world.publish("1.0.0")),
        UpdateConfig=UPDATE | {"Monitor": 2 * SECOND},
        container={"Healthcheck": check},
    )
    before = services.spec()
    world.publish("1.1.0", **recipe)

    said = sau("apply", "--yes")

    assert (said.code, said.update["outcome"], said.update["cause"]) == (
        3,
        "rolled_back",
        "image",
    ), said.update["error"]
    assert "the engine took it back" in said.update["error"]
    assert why in said.update["error"]
    assert services.spec() == before
    assert set(services.running()) == {before["TaskTemplate"]["ContainerSpec"]["Image"]}
    assert services.settled()
    assert sau("apply", "--yes").json["updates"] == []
    assert "quarantined" in sau("plan").step(f"{world.prefix}-web")["reasons"][0]


def test_image_that_ends_after_the_engines_verdict_is_taken_back_by_us(
    world: World, services: Services, sau: Sau
) -> None:
    sau.configure("stable_for: 8s")
    services.create(pinned(world.publish("1.0.0")), replicas=1)
    before = services.spec()
    world.publish("1.1.0", behaviour="crash_later")

    said = sau("apply", "--yes")

    assert (said.code, said.update["outcome"], said.update["cause"]) == (
        3,
        "rolled_back",
        "image",
    ), said.update["error"]
    assert "after the update was completed" in said.update["error"]
    assert services.spec() == before
    assert services.settled()


# The new image notes that it was here; the old one then fails once.
STUMBLES = (
    "if grep -q crash /lab/behaviour; then echo > /flag/new; exit 1; fi; "
    "if [ -e /flag/new ]; then rm /flag/new; exit 1; fi; exec /lab/start"
)


def test_way_back_that_the_engine_stops_half_way_is_gone_to_its_end(
    world: World, services: Services, sau: Sau
) -> None:
    flag = {"Type": "volume", "Source": world.volume("flag"), "Target": "/flag"}
    services.create(
        pinned(world.publish("1.0.0")),
        replicas=1,
        container={"Command": ["/bin/sh", "-c", STUMBLES], "Mounts": [flag]},
        RollbackConfig={"Monitor": 3 * SECOND, "FailureAction": "pause"},
    )
    before = services.spec()
    world.publish("1.1.0", behaviour="crash")

    said = sau("apply", "--yes", timeout_s=150)

    assert (said.code, said.update["outcome"], said.update["cause"]) == (
        3,
        "rolled_back",
        "image",
    ), said.update["error"]
    assert services.spec() == before
    assert services.settled()


def test_configured_check_has_its_word(world: World, services: Services, sau: Sau) -> None:
    sau.configure(GOOD_ONLY)
    services.create(pinned(world.publish("1.0.0")), replicas=1)
    before = services.spec()
    world.publish("1.1.0", behaviour="slow_stop", env={"STOP_SECONDS": "0"})

    said = sau("apply", "--yes", timeout_s=150)

    assert (said.code, said.update["outcome"]) == (3, "rolled_back"), said
    assert "command" in said.update["error"]
    assert services.spec() == before


def test_service_scaled_to_zero_is_applied_and_nobody_can_say_more(
    world: World, services: Services, sau: Sau
) -> None:
    services.create(pinned(world.publish("1.0.0")), replicas=0)
    new = pinned(world.publish("1.1.0"))

    said = sau("apply", "--yes")

    assert (said.code, said.update["outcome"]) == (0, "unverified"), said
    assert services.image() == new
    services.scale(1)
    eventually(lambda: services.running() == [new], 30)
    taken_back = sau("rollback", f"{world.prefix}-web", "--yes")
    assert taken_back.update["outcome"] == "succeeded"
    assert ":1.0.0@" in services.image()


def test_global_service_is_updated(world: World, services: Services, sau: Sau) -> None:
    services.create(pinned(world.publish("1.0.0")), replicas=1, Mode={"Global": {}})
    new = pinned(world.publish("1.1.0"))
    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    assert services.running() == [new]


def test_new_content_behind_the_same_tag_is_pinned(
    world: World, services: Services, sau: Sau
) -> None:
    services.create(pinned(world.publish("stable")), replicas=1)
    new = pinned(world.publish("stable", version="two"))
    said = sau("apply", "--yes")
    assert said.update["outcome"] == "succeeded", said
    assert services.image() == new


def test_update_is_taken_back_by_a_human_and_the_version_it_left_is_held(
    world: World, services: Services, sau: Sau
) -> None:
    services.create(pinned(world.publish("1.0.0")), replicas=1)
    before = services.spec()
    world.publish("1.1.0")
    sau("apply", "--yes")

    said = sau("rollback", f"{world.prefix}-web", "--yes")

    assert (said.code, said.update["outcome"]) == (0, "succeeded"), said
    assert services.spec() == before
    assert "a human took 1.1.0 back" in sau("plan").step(f"{world.prefix}-web")["reasons"][0]


def test_slow_health_check_of_a_version_that_broke_keeps_nobody_on_it(
    world: World, services: Services, sau: Sau
) -> None:
    services.create(pinned(world.publish("1.0.0")), replicas=1)
    before = services.spec()
    world.publish("1.1.0", healthcheck=HEALTHCHECK)
    assert sau("apply", "--yes").code == 0
    world.publish("1.2.0")
    step = sau("plan").step(f"{world.prefix}-web")
    assert "monitor of 1 s is too short" in step["reasons"][0], "no way forward"

    said = sau("rollback", f"{world.prefix}-web", "--yes")

    assert (said.code, said.update["outcome"]) == (0, "succeeded"), said
    assert services.spec() == before


def test_two_services_of_a_group_go_back_together(
    world: World, services: Services, sau: Sau
) -> None:
    sau.configure(extra=SHOP)
    for name in ("web", "db"):
        services.create(pinned(world.publish("1.0.0", name)), name, replicas=1)
    before = [services.get(f"{world.prefix}-{name}")["Spec"] for name in ("web", "db")]
    world.publish("1.1.0", "web")
    world.publish("1.1.0", "db", behaviour="crash")

    said = sau("apply", "--yes")

    assert (said.code, said.update["outcome"]) == (3, "rolled_back"), said
    after = [services.get(f"{world.prefix}-{name}")["Spec"] for name in ("web", "db")]
    assert after == before


def test_a_group_of_a_service_and_a_container_is_held(
    world: World, services: Services, sau: Sau
) -> None:
    sau.configure(extra=SHOP)
    old = world.publish("1.0.0")
    services.create(pinned(old), replicas=1)
    world.run(old.reference, "db")
    world.publish("1.1.0")
    (step,) = [one for one in sau("plan").json["steps"] if one["action"] == "hold"]
    assert "need different updaters" in " ".join(step["reasons"])


def test_slow_service_is_waited_for_at_its_own_pace(
    world: World, services: Services, sau: Sau
) -> None:
    """Time between the tasks is the engine's to take, and not a lack of health."""
    sau.config.write_text(sau.config.read_text().replace("timeout: 15s", "timeout: 2s"))
    config = UPDATE | {"Delay": 3 * SECOND}
    services.create(pinned(world.publish("1.0.0")), UpdateConfig=config)
    world.publish("1.1.0")
    began = time.monotonic()
    said = sau("apply", "--yes")
    assert said.update["outcome"] == "succeeded", said
    assert time.monotonic() - began > 4
