"""`sau run` on a real engine: what it updates by itself, and what it leaves to a person."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from safe_auto_updater.core.outcome import Outcome
from safe_auto_updater.platforms.docker.marks import MARK, STAGED
from tests.docker.kill.hitting import update_when
from tests.docker.service_kit import ENABLED, Service
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau

pytestmark = pytest.mark.any_engine


def two_versions(world: World, *names: str) -> None:
    """Containers on 1.0.0 where 1.1.0 is to be had; the first may be updated by itself."""
    world.publish("1.0.0")
    world.publish("1.1.0")
    for number, name in enumerate(names):
        world.run(f"{world.repository}:1.0.0", name, **(ENABLED if number == 0 else {}))


def in_phase(sau: Sau) -> str:
    """Where its newest update is; empty where it has none."""
    return next((row.name for record in sau.journal()[:1] for row in record.rows[-1:]), "")


def ended(sau: Sau) -> bool:
    """Whether there is an update, and all have ended."""
    return bool(sau.journal()) and all(record.outcome for record in sau.journal())


def often(sau: Sau, soak: str = "stable_for: 1s", more: str = "", every: str = "2s") -> None:
    sau.configure(soak, f"{more}detection:\n  interval: {every}\n")


def test_what_is_labelled_is_updated_and_the_rest_is_told_once(
    world: World, sau: Sau, service: Service
) -> None:
    two_versions(world, "web", "other")
    often(sau)
    service.start()
    eventually(lambda: ended(sau), 60)
    assert world.text("web") == "1.1.0"
    service.next_cycle()
    service.next_cycle()
    assert world.text("other") == "1.0.0"
    (told,) = service.events("available")
    assert told["asset"] is not None
    assert told["asset"].endswith("other")
    assert "1.0.0 -> 1.1.0" in told["message"]
    assert len(sau.journal()) == 1


@pytest.mark.parametrize(("mode", "updated"), [("all", 2), ("none", 0)])
def test_whom_it_may_update_is_configured(
    world: World, sau: Sau, service: Service, mode: str, updated: int
) -> None:
    two_versions(world, "web", "other")
    often(sau, more=f"  unattended: {mode}\n")
    service.start("--once")
    assert service.ended() == 0
    assert len(sau.journal()) == updated
    assert len(service.events("available")) == 2 - updated


def test_what_a_person_approves_is_done_at_once(world: World, sau: Sau, service: Service) -> None:
    two_versions(world, "labelled", "web")
    often(sau, every="1h", more="  unattended: none\n")
    service.start()
    eventually(lambda: service.cycles() == 1, 60)
    assert sau("approve", "web").code == 0
    eventually(lambda: service.cycles() == 2, 60)
    assert [one["details"]["assets"] for one in service.events("cycle")] == [2, 1], "of web alone"
    assert (world.text("web"), world.text("labelled")) == ("1.1.0", "1.0.0")


def test_person_is_let_in_between_two_updates(world: World, sau: Sau, service: Service) -> None:
    names = ("a", "b", "c", "d", "web")
    two_versions(world, *names)
    often(sau, "stable_for: 4s", more="  unattended: all\n", every="1h")
    service.start()
    eventually(lambda: bool(sau.journal()), 30)

    said = sau("apply", "--yes", "web")

    assert said.update["outcome"] == "succeeded", said
    assert "The service is at work" in said.err
    eventually(lambda: len([r for r in sau.journal() if r.outcome]) == len(names), 90)
    assert {record.outcome for record in sau.journal()} == {Outcome.SUCCEEDED}
    order = [record.asset.rpartition("-")[2] for record in sau.journal()][::-1]
    assert order[-1] != "web", f"after the one under way, before the others: {order}"


def test_only_one_service_has_a_state_folder(world: World, sau: Sau, service: Service) -> None:
    two_versions(world, "web")
    often(sau)
    service.start()
    second = sau("run", json_output=False)
    assert second.code == 5, second
    assert "another actor is at work" in second.err


def test_bad_configuration_is_refused_and_the_old_one_holds(
    world: World, sau: Sau, service: Service
) -> None:
    two_versions(world, "web")
    often(sau, every="1h", more="  unattended: none\n")
    service.start()
    eventually(lambda: service.cycles() == 1, 60)
    good = sau.config.read_text()
    sau.config.write_text(good + "nonsense: 1\n")
    service.signal(signal.SIGHUP)
    eventually(lambda: bool(service.events("warning")), 30)
    (refused,) = service.events("warning")
    assert "nonsense: unknown key" in refused["message"]
    assert "the old one holds" in refused["message"]

    sau.config.write_text(good.replace("unattended: none", "unattended: all").replace("1h", "2s"))
    service.signal(signal.SIGHUP)
    eventually(lambda: ended(sau), 60)
    assert world.text("web") == "1.1.0"


def test_asked_to_end_it_undoes_what_is_not_seen_well_in_time(
    world: World, sau: Sau, service: Service
) -> None:
    two_versions(world, "web")
    (before,) = world.ids()
    often(sau, "stable_for: 14s", more="  stop_grace: 1s\n")
    service.start()
    eventually(lambda: len(world.ids()) == 2 and in_phase(sau) == "VERIFY", 60)
    service.signal(signal.SIGTERM)
    assert service.ended() == 0
    (record,) = sau.journal()
    assert record.outcome is Outcome.ROLLED_BACK
    assert "the program is to end" in record.facts["failure"]["error"]
    assert world.ids() == {before}
    assert world.text("web") == "1.0.0"
    (step,) = sau("plan").json["steps"]
    assert step["action"] == "update", "it is no fault of the version"


def test_asked_to_end_it_lets_an_update_end_that_has_time(
    world: World, sau: Sau, service: Service
) -> None:
    two_versions(world, "web", "zoo")
    often(sau, "stable_for: 3s", more="  unattended: all\n  stop_grace: 1m\n")
    service.start()
    eventually(lambda: in_phase(sau) == "VERIFY", 60)
    service.signal(signal.SIGTERM)
    assert service.ended() == 0
    assert [record.outcome for record in sau.journal()] == [Outcome.SUCCEEDED]


def test_killed_it_recovers_first_when_it_starts(world: World, sau: Sau, service: Service) -> None:
    two_versions(world, "web")
    often(sau, "stable_for: 14s")
    service.start()
    eventually(lambda: in_phase(sau) == "VERIFY", 60)
    service.signal(signal.SIGKILL)
    service.ended()
    often(sau, "stable_for: 1s", every="1h")
    service.start()
    eventually(lambda: sau.journal()[0].outcome is Outcome.SUCCEEDED, 60)
    assert len(sau.journal()) == 1


def test_container_that_the_engine_made_too_late_stands_in_no_later_cycles_way(
    world: World, sau: Sau, service: Service
) -> None:
    """Its update was aborted while the engine was still at it, as with much in a volume."""
    two_versions(world, "web")
    often(sau)
    aborted = update_when(
        sau,
        "STAGE",
        lambda: world.call("POST", f"/containers/{world.prefix}-web/update", {"CpuShares": 512}),
    )
    assert aborted.outcome is Outcome.ABORTED
    late = {"Image": f"{world.repository}:1.0.0", "Labels": {MARK: aborted.id}}
    world.call("POST", f"/containers/create?name={world.prefix}-web{STAGED}", late)
    service.start("--once")
    assert service.ended() == 0
    assert [record.outcome for record in sau.journal()] == [Outcome.SUCCEEDED, Outcome.ABORTED]
    assert world.text("web") == "1.1.0"


def test_source_that_does_not_answer_is_told_once_and_when_it_is_back(
    world: World, sau: Sau, service: Service, tmp_path: Path
) -> None:
    socket = tmp_path / "engine.sock"
    two_versions(world, "web")
    often(sau)
    engine = f"inventory:\n  docker: [{{name: local, host: 'unix://{socket}'}}]\n"
    sau.config.write_text(sau.config.read_text().replace("inventory:\n", engine))
    service.start()
    service.next_cycle()
    service.next_cycle()
    assert len(service.events("warning")) == 1, service.events("warning")
    socket.symlink_to(world.lab.docker_host.removeprefix("unix://"))
    eventually(lambda: ended(sau), 60)
    assert world.text("web") == "1.1.0"
    eventually(lambda: any("is seen again" in one["message"] for one in service.events("service")))
