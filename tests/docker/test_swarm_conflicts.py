"""Somebody else writes the same Swarm service at the same time: their word stays, and is told."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from lab.behaviours import SECOND
from safe_auto_updater.core.errors import StepFailed
from safe_auto_updater.core.model import Action, Change, Image, Step, UpdaterKind
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.policy import Settings
from safe_auto_updater.core.updater import Facts, Work
from safe_auto_updater.platforms.docker.containers import Containers
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.images import Images
from safe_auto_updater.platforms.docker.swarm.services import Services as OurServices
from safe_auto_updater.platforms.docker.swarm.updater import SwarmUpdater
from tests.docker.swarm.kit import UPDATE, Services, pinned
from tests.lab_kit import World, eventually
from tests.sau_kit import Said, Sau

pytestmark = pytest.mark.swarm

# Fails once, where somebody left word.
STUMBLES = "if [ -e /flag/word ]; then rm /flag/word; exit 1; fi; exec /lab/start"
WORD = ["/bin/sh", "-c", "echo > /flag/word"]
ENV = {"TaskTemplate": {"ContainerSpec": {"Env": ["SOMEBODY=1"]}}}


class Verbs:
    """Our verbs on one service, one by one, so that somebody can come in between."""

    def __init__(self, world: World, services: Services, **spec: Any) -> None:
        old, new = world.publish("1.0.0"), world.publish("1.1.0")
        self.old, self.new = pinned(old), pinned(new)
        spec = {"UpdateConfig": UPDATE | {"Monitor": 5 * SECOND}} | spec
        self.name = services.create(self.old, **spec)
        asset = f"docker:local/{self.name}"
        change = Change(
            asset,
            self.name,
            Image(old.reference, "1.0.0", old.digest),
            Image(new.reference, "1.1.0", new.digest),
            "minor",
        )
        self.work = Work(
            "u1", Step(asset, Action.UPDATE, changes=(change,), updater=UpdaterKind.SWARM)
        )
        engine = DockerEngine(world.lab.docker_host)
        self.updater = SwarmUpdater(
            OurServices(engine, lambda host: {}),
            Containers(engine),
            Images(engine, lambda host: {}),
            Settings(),
            time.sleep,
        )

    def do(self, *verbs: str) -> Facts:
        """These verbs in turn; the facts are kept, as the journal keeps them."""
        for verb in verbs:
            facts = json.loads(json.dumps(getattr(self.updater, verb)(self.work)))
            self.work = self.work.with_facts(facts)
        return self.work.facts

    def fails(self, verb: str) -> StepFailed:
        """How a verb fails."""
        with pytest.raises(StepFailed) as caught:
            self.do(verb)
        return caught.value


@pytest.fixture
def verbs(world: World, services: Services) -> Verbs:
    return Verbs(world, services)


@pytest.mark.parametrize("verb", ["stage", "apply"])
def test_change_after_the_snapshot_stops_us(verbs: Verbs, services: Services, verb: str) -> None:
    verbs.do("prepare", "precheck", "snapshot")
    services.change(**ENV)
    error = verbs.fails(verb)
    assert error.cause is Cause.CONFLICT
    assert "TaskTemplate.ContainerSpec.Env" in str(error)
    assert "SOMEBODY" not in str(error)
    assert services.image() == verbs.old


def test_apply_and_rollback_may_be_repeated(verbs: Verbs, services: Services) -> None:
    verbs.do("prepare", "precheck", "snapshot", "stage", "apply")
    version = services.get()["Spec"]
    verbs.do("apply", "apply")
    assert services.get()["Spec"] == version
    assert services.image() == verbs.new
    verbs.do("rollback", "rollback", "confirm")
    assert services.spec() == verbs.work.facts["snapshot"]["service"]["Spec"]
    eventually(lambda: services.settled() and services.running() == [verbs.old] * 2, 60)


def test_rollback_of_what_was_never_applied_changes_nothing(
    verbs: Verbs, services: Services
) -> None:
    verbs.do("prepare", "precheck", "snapshot", "stage")
    before = services.get()
    verbs.do("rollback", "confirm", "clean")
    assert services.get() == before


def test_scaling_meanwhile_stays_and_is_no_conflict(verbs: Verbs, services: Services) -> None:
    verbs.do("prepare", "precheck", "snapshot")
    services.scale(3)
    eventually(services.settled, 30)
    verbs.do("stage", "apply")
    services.scale(1)
    verbs.do("rollback", "confirm")
    assert services.image() == verbs.old
    assert services.spec()["Mode"] == {"Replicated": {"Replicas": 1}}


def test_way_back_that_the_engine_takes_back_is_gone_again(
    world: World, services: Services
) -> None:
    flag = world.volume("flag")
    mount = {"Type": "volume", "Source": flag, "Target": "/flag"}
    stumbles = {"Command": ["/bin/sh", "-c", STUMBLES], "Mounts": [mount]}
    verbs = Verbs(world, services, container=stumbles)
    verbs.do("prepare", "precheck", "snapshot", "stage", "apply")
    services.scale(1)  # so what the engine remembers is no longer the snapshot
    eventually(lambda: services.settled() and services.running() == [verbs.new], 60)
    world.run(verbs.old, "word", Entrypoint=WORD, HostConfig={"Binds": [f"{flag}:/flag"]})

    verbs.do("rollback", "confirm")

    assert services.running() == [verbs.old]
    failed = [task for task in services.tasks() if task["Status"]["State"] == "failed"]
    assert [task["Spec"]["ContainerSpec"]["Image"] for task in failed] == [verbs.old]


def test_their_image_is_left_alone_on_the_way_back(verbs: Verbs, services: Services) -> None:
    verbs.do("prepare", "precheck", "snapshot", "stage", "apply")
    theirs = verbs.new.replace(":1.1.0@", ":1.1.0-theirs@")
    services.set_image(theirs)
    error = verbs.fails("rollback")
    assert error.cause is Cause.CONFLICT
    assert "sau release" in str(error)
    assert services.image() == theirs


def test_their_setting_stays_and_is_told_when_the_image_goes_back(
    verbs: Verbs, services: Services
) -> None:
    verbs.do("prepare", "precheck", "snapshot", "stage", "apply")
    services.change(**ENV)
    verbs.do("rollback")
    assert services.image() == verbs.old
    assert verbs.fails("confirm").evidence == {"differences": ["TaskTemplate.ContainerSpec.Env"]}


def test_candidate_that_the_manager_cannot_find_is_the_registrys_fault(
    verbs: Verbs, services: Services
) -> None:
    (change,) = verbs.work.step.changes
    nowhere = Image(change.current.reference, "1.0.0", f"sha256:{'0' * 64}")
    step = Step(change.asset, Action.UPDATE, changes=(Change(*_of(change), nowhere, "minor"),))
    with pytest.raises(StepFailed, match="cannot find") as caught:
        verbs.updater.prepare(Work("u2", step))
    assert caught.value.cause is Cause.REGISTRY


def _of(change: Change) -> tuple[str, str, Image]:
    return change.asset, change.container, change.current


def while_it_is_rolled_out(sau: Sau, services: Services, act: Any) -> Said:
    """Somebody acts in the middle of an update."""
    running = sau.start("apply", "--yes")
    eventually(lambda: ":1.1.0@" in services.image(), 90)
    act()
    out, err = running.communicate(timeout=150)
    return Said(running.returncode, out, err)


def test_service_that_is_scaled_in_the_middle_is_updated_all_the_same(
    world: World, services: Services, sau: Sau
) -> None:
    services.create(pinned(world.publish("1.0.0")))
    new = pinned(world.publish("1.1.0"))
    said = while_it_is_rolled_out(sau, services, lambda: services.scale(3))
    assert said.update["outcome"] == "succeeded", said
    assert services.running() == [new] * 3


def test_rollback_by_somebody_in_the_middle_blames_no_image(
    world: World, services: Services, sau: Sau
) -> None:
    services.create(pinned(world.publish("1.0.0")))
    before = services.spec()
    world.publish("1.1.0")
    said = while_it_is_rolled_out(sau, services, services.go_back)
    assert (said.code, said.update["outcome"], said.update["cause"]) == (
        3, "rolled_back", "conflict",
    ), said  # fmt: skip
    assert services.spec() == before
    eventually(services.settled, 30)
    assert sau("plan").step(f"{world.prefix}-web")["action"] == "update"


def test_update_by_somebody_in_the_middle_calls_a_human(
    world: World, services: Services, sau: Sau
) -> None:
    services.create(pinned(world.publish("1.0.0")))
    theirs = pinned(world.publish("0.9.0"))
    world.publish("1.1.0")
    said = while_it_is_rolled_out(sau, services, lambda: services.set_image(theirs))
    assert (said.code, said.update["outcome"], said.update["cause"]) == (
        4, "inconsistent", "conflict",
    ), said  # fmt: skip
    assert services.image() == theirs
    assert sau("plan").step(f"{world.prefix}-web")["action"] == "hold"


def test_saved_plan_is_refused_when_the_service_has_changed(
    world: World, services: Services, sau: Sau
) -> None:
    services.create(pinned(world.publish("1.0.0")), replicas=1)
    other = pinned(world.publish("1.0.1"))
    world.publish("1.1.0")
    saved = str(world.state_dir / "plan.json")
    sau("plan", "--save", saved)
    services.set_image(other)
    eventually(lambda: services.state() == "completed", 60)
    before = services.get()
    assert sau("apply", "--plan", saved, "--yes").code != 0
    assert services.get() == before
