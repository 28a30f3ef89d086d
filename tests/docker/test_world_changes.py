"""Somebody else acts in the middle of an update: it ends by the table, nothing foreign touched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from safe_auto_updater.core.events import Event
from safe_auto_updater.engine.journal import Record
from tests.docker.fidelity import kit
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau

Deed = Callable[[World, str], None]


def when(phase: str, deed: Callable[[], None]) -> Callable[[Event], None]:
    """A listener that does something as soon as an update has entered a phase."""

    def listener(event: Event) -> None:
        if event.kind == "phase" and event.message == phase:
            deed()

    return listener


def meanwhile(world: World, phase: str, deed: Deed, **recipe: object) -> tuple[str, Record]:
    """Update web from 1.0.0 to 1.1.0 while `deed` is done in `phase`: the old ID, the journal."""
    old = world.run(world.publish("1.0.0").reference)
    new = world.publish("1.1.0", **recipe)
    record = kit.update(world, when(phase, lambda: deed(world, world.id_of(new))), soak="1s")
    return old, record


def prune_image(world: World, image: str) -> None:
    world.call("DELETE", f"/images/{image}?force=1")


def remove_container(world: World, _: str) -> None:
    world.call("DELETE", f"/containers/{world.prefix}-web?force=1")


def limit_memory(world: World, _: str) -> None:
    body = {"Memory": 64 << 20, "MemorySwap": 128 << 20}
    world.call("POST", f"/containers/{world.prefix}-web/update", body)


def take_the_name(world: World, _: str) -> None:
    reference = f"{world.repository}:1.0.0"
    url = f"/containers/create?name={world.prefix}-web.sau-next"
    world.call("POST", url, {"Image": reference})


UNTOUCHED = {
    "the image is pruned between pull and create": ("STAGE", prune_image),
    "the container's settings are changed before it is staged": ("STAGE", limit_memory),
    "somebody takes the staged name": ("STAGE", take_the_name),
}


@pytest.mark.parametrize("what", UNTOUCHED)
def test_old_container_is_not_touched_when(world: World, what: str) -> None:
    phase, deed = UNTOUCHED[what]
    old, record = meanwhile(world, phase, deed)
    before = record.facts["snapshot"]["container"]["State"]["StartedAt"]

    assert record.rows[-1].name == "ABORTED", record.facts
    assert record.cause == "conflict"
    found = world.get(old)["State"]
    assert (found["Running"], found["StartedAt"]) == (True, before)
    assert world.text(old) == "1.0.0"


def test_a_crash_looping_version_can_be_taken_back(world: World, sau: Sau) -> None:
    world.run(world.publish("1.0.0").reference, HostConfig={"RestartPolicy": {"Name": "always"}})
    world.publish("1.1.0", behaviour="crash_later", env={"CRASH_AFTER": "6"})
    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    eventually(lambda: world.get("web")["RestartCount"] > 1, timeout_s=60)

    said = sau("rollback", f"{world.prefix}-web")

    assert said.update["outcome"] == "succeeded"
    assert world.text("web") == "1.0.0"


def test_a_version_that_somebody_stopped_for_its_damage_can_be_taken_back(
    world: World, sau: Sau
) -> None:
    world.run(world.publish("1.0.0").reference)
    world.publish("1.1.0")
    assert sau("apply", "--yes").code == 0
    world.call("POST", f"/containers/{world.prefix}-web/stop")
    assert world.get("web")["State"]["ExitCode"] == 0

    said = sau("rollback", f"{world.prefix}-web", "--yes")

    assert said.code == 0, said.out + said.err
    assert eventually(lambda: world.text("web")) == "1.0.0"


def test_container_that_somebody_makes_anew_between_plan_and_turn_is_judged_anew(
    world: World,
) -> None:
    reference = world.publish("1.0.0").reference
    world.run(reference, "a")
    world.run(reference, "b")
    world.publish("1.1.0")

    def forbid() -> None:
        world.call("DELETE", f"/containers/{world.prefix}-b?force=1")
        world.run(reference, "b", Labels={"safe-auto-updater.enable": "false"})

    with kit.app(world, when("COMMIT", forbid)) as program:
        plan, _ = program.cycle.plan([])
        (done,) = program.cycle.execute(plan, lambda: False)
    assert done.asset.endswith("-a")
    assert world.get(f"{world.prefix}-b")["Config"]["Image"] == reference


def test_a_copy_of_our_container_is_never_taken_for_ours(world: World) -> None:
    """`docker commit` copies the label; somebody's copy and its data must not be removed."""
    old = world.run(world.publish("1.0.0").reference)
    world.publish("1.1.0", behaviour="unhealthy")
    copies: list[str] = []

    def copy_and_remove() -> None:
        name = f"{world.prefix}-web"
        world.call("POST", f"/commit?container={name}&repo={world.repository}&tag=copy")
        body = {"Image": f"{world.repository}:copy", "Volumes": {"/scratch": {}}}
        url = f"/containers/create?name={world.prefix}-copy"
        copies.append(world.call("POST", url, body)["Id"])
        world.call("POST", f"/containers/{copies[0]}/start")
        world.call("DELETE", f"/containers/{name}?force=1")

    record = kit.update(world, when("VERIFY", copy_and_remove), soak="1s")

    assert record.rows[-1].name == "ROLLED_BACK"
    assert world.ids() == {old, *copies}
    assert world.get(copies[0])["State"]["Running"]


FORBIDDEN: dict[str, dict[str, object]] = {
    "a policy label": {"Labels": {"safe-auto-updater.policy": "none"}},
    "enable=false": {"Labels": {"safe-auto-updater.enable": "false"}},
    "--rm": {"HostConfig": {"AutoRemove": True}},
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_container_that_is_made_anew_during_the_pull_is_judged_anew(
    world: World, what: str
) -> None:
    reference = world.publish("1.0.0").reference
    world.run(reference)
    world.publish("1.1.0")

    def replace() -> None:
        world.call("DELETE", f"/containers/{world.prefix}-web?force=1")
        world.run(reference, **FORBIDDEN[what])

    record = kit.update(world, when("PREPARE", replace))

    assert (record.rows[-1].name, record.cause) == ("ABORTED", "conflict")
    assert "no longer as it was planned" in record.facts["failure"]["error"]
    assert world.get("web")["Config"]["Image"] == reference


def test_name_that_somebody_takes_is_found_before_anything_is_stopped(world: World) -> None:
    reference = world.publish("1.0.0").reference
    world.run(reference)
    world.publish("1.1.0", behaviour="unhealthy")

    def take() -> None:
        name = f"{world.prefix}-web"
        world.call("POST", f"/containers/{name}/rename?name={world.prefix}-mine")
        world.run(reference)

    record = kit.update(world, when("VERIFY", take), soak="1s")

    assert record.rows[-1].name == "INCONSISTENT"
    assert "has the name" in record.facts["trouble"]["error"]
    assert world.get(f"{world.prefix}-mine")["State"]["Running"]
    assert world.text("web") == "1.0.0"


def test_container_that_is_removed_before_the_check_is_aborted(world: World) -> None:
    _, record = meanwhile(world, "PRECHECK", remove_container)
    assert (record.rows[-1].name, record.cause) == ("ABORTED", "conflict")
    assert world.ids() == set()


def test_new_container_that_somebody_removes_brings_the_old_one_back(world: World) -> None:
    old, record = meanwhile(world, "VERIFY", remove_container)
    assert (record.rows[-1].name, record.cause) == ("ROLLED_BACK", "conflict")
    assert world.ids() == {old}
    assert world.text(old) == "1.0.0"
    (step,) = kit.plan(world).updates  # no fault of the image: nothing is quarantined
    assert step.changes[0].candidate is not None


def remove_parked(world: World, _: str) -> None:
    world.call("DELETE", f"/containers/{world.prefix}-web.sau-previous")


def test_old_container_that_somebody_removes_is_not_missed_by_a_good_update(world: World) -> None:
    _, record = meanwhile(world, "VERIFY", remove_parked)
    assert record.rows[-1].name == "SUCCEEDED"
    assert world.text("web") == "1.1.0"


def test_way_back_that_somebody_removed_stops_and_calls_a_human(world: World) -> None:
    _, record = meanwhile(world, "VERIFY", remove_parked, behaviour="unhealthy")

    assert record.rows[-1].name == "INCONSISTENT"
    told = record.facts["trouble"]["error"]
    assert f"removed by somebody; the new one, {world.prefix}-web, runs and was left" in told
    assert world.get("web")["Id"] == record.facts["new_id"]  # left as it is
    world.publish("1.2.0")
    (step,) = kit.plan(world).steps
    assert (step.action, "sau release" in step.reasons[0]) == ("hold", True)
