"""What must hold while an update goes on: signals, slow starts, shared images, what is kept."""

from __future__ import annotations

import pytest

from lab.behaviours import HEALTHCHECK, SECOND
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau


def test_stop_signal_and_stop_timeout_of_the_container_are_honoured(world: World, sau: Sau) -> None:
    volume = world.volume("data")
    settings = {
        "HostConfig": {"Binds": [f"{volume}:/data"]},
        "Env": ["STOP_SECONDS=12"],
        "StopTimeout": 25,
        "StopSignal": "SIGUSR1",
    }
    world.publish("1.1.0")
    world.run(world.publish("1.0.0", behaviour="slow_stop").reference, **settings)

    assert sau("apply", "--yes").update["outcome"] == "succeeded"

    looked = world.call("GET", f"/containers/{world.prefix}-web/archive?path=/data/clean-stop")
    assert looked  # 404 is an error: the file is there, so the old one ended by itself
    assert world.get("web")["Config"]["StopSignal"] == "SIGUSR1"


def test_container_that_ignores_its_stop_signal_is_still_replaced(world: World, sau: Sau) -> None:
    world.publish("1.1.0")
    world.run(world.publish("1.0.0", behaviour="ignore_term").reference, StopTimeout=1)

    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    assert world.text("web") == "1.1.0"


def test_slow_but_healthy_start_is_waited_for(world: World, sau: Sau) -> None:
    check = {**HEALTHCHECK, "Retries": 1, "StartPeriod": 60 * SECOND}
    world.publish("1.1.0", behaviour="ready_late", healthcheck=check, env={"READY_AFTER": "8"})
    world.run(world.publish("1.0.0", healthcheck=HEALTHCHECK).reference)
    eventually(lambda: world.health("web") == "healthy")
    # The configured timeout is shorter than the start period: the longer one counts.
    sau.config.write_text(sau.config.read_text().replace("timeout: 15s", "timeout: 5s"))

    said = sau("apply", "--yes")

    assert said.update["outcome"] == "succeeded"
    assert world.text("web") == "1.1.0"


def test_health_is_judged_by_a_check_that_only_the_new_image_has(world: World, sau: Sau) -> None:
    world.publish("1.1.0", healthcheck=HEALTHCHECK)
    world.run(world.publish("1.0.0").reference)

    said = sau("apply", "--yes", json_output=False)

    assert said.code == 0
    assert "not proven" not in said.out


def test_one_shot_container_that_ends_with_exit_code_0_succeeds(world: World, sau: Sau) -> None:
    world.publish("1.1.0", behaviour="one_shot")
    label = {"safe-auto-updater.one-shot": "true"}
    world.run(world.publish("1.0.0").reference, Labels=label)

    said = sau("apply", "--yes")

    assert said.update["outcome"] == "succeeded"
    state = world.get("web")["State"]
    assert (state["Status"], state["ExitCode"]) == ("exited", 0)


def test_service_that_ends_with_exit_code_0_has_failed(world: World, sau: Sau) -> None:
    world.publish("1.1.0", behaviour="one_shot")
    old = world.run(world.publish("1.0.0").reference)

    assert sau("apply", "--yes").update["outcome"] == "rolled_back"
    assert world.text(old) == "1.0.0"


def test_image_that_failed_on_one_container_is_not_tried_on_the_next(
    world: World, sau: Sau
) -> None:
    good = world.publish("1.0.0").reference
    a, b = world.run(good, "a"), world.run(good, "b")
    third = world.run(good, "c", Labels={"safe-auto-updater.policy": "none"})
    before = {one: world.get(one)["State"]["StartedAt"] for one in (b, third)}
    world.publish("1.1.0", behaviour="crash")

    said = sau("apply", "--yes")

    assert said.code == 3
    assert said.update["asset"].endswith("-a")
    assert world.ids() == {a, b, third}
    assert {one: world.get(one)["State"]["StartedAt"] for one in (b, third)} == before
    assert "failed on" in sau("plan").step(f"{world.prefix}-b")["reasons"][0]


def test_users_own_containers_with_telling_names_are_never_touched(world: World, sau: Sau) -> None:
    reference = world.publish("1.0.0").reference
    names = ["web_old", "web-previous", "web.old", "web-new", "web_1"]
    own = {world.run(reference, name, Labels={"safe-auto-updater.policy": "none"}): name
           for name in names}  # fmt: skip
    started = {one: world.get(one)["State"]["StartedAt"] for one in own}
    world.run(reference)
    world.publish("1.1.0")

    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    assert {one: world.get(one)["State"]["StartedAt"] for one in own} == started


@pytest.mark.parametrize("suffix", [".sau-next", ".sau-previous"])
def test_foreign_container_under_one_of_our_names_aborts_and_is_left_alone(
    world: World, sau: Sau, suffix: str
) -> None:
    reference = world.publish("1.0.0").reference
    old = world.run(reference)
    theirs = world.create(reference, f"web{suffix}")
    world.publish("1.1.0")

    said = sau("apply", "--yes", f"{world.prefix}-web")

    assert (said.code, said.update["outcome"], said.update["cause"]) == (1, "aborted", "conflict")
    assert "in the way" in said.update["error"]
    assert world.ids() == {old, theirs}


def test_create_that_the_engine_refuses_never_stops_the_old_container(
    world: World, sau: Sau
) -> None:
    reference = world.publish("1.0.0").reference
    source = world.create(reference, "source")
    old = world.run(reference, HostConfig={"VolumesFrom": [f"{world.prefix}-source"]})
    world.call("DELETE", f"/containers/{source}")  # what the old one was made from is gone
    started = world.get(old)["State"]["StartedAt"]
    world.publish("1.1.0")

    said = sau("apply", "--yes")

    assert (said.code, said.update["outcome"]) == (1, "aborted")
    assert "cannot be created" in said.update["error"]
    assert world.get(old)["State"]["StartedAt"] == started
    assert world.ids() == {old}


def test_version_that_failed_by_its_settings_is_tried_again_with_others(
    world: World, sau: Sau
) -> None:
    reference = world.publish("1.0.0").reference
    source = world.create(reference, "source")
    old = world.run(reference, HostConfig={"VolumesFrom": [f"{world.prefix}-source"]})
    world.call("DELETE", f"/containers/{source}")
    world.publish("1.1.0")
    assert sau("apply", "--yes").update["cause"] == "config"
    waits = sau("plan").step(f"{world.prefix}-web")
    assert (waits["action"], waits["hold_rules"]) == ("hold", ["memory"]), waits

    world.call("DELETE", f"/containers/{old}?force=1")
    world.run(reference)

    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    assert sau("status").json["quarantine"] == []


def test_pull_that_fails_inside_its_stream_changes_nothing(world: World, sau: Sau) -> None:
    old = world.run(world.publish("1.0.0").reference)
    world.publish("1.1.0", version=world.prefix)  # a layer that no other image has
    lose_last_layer(world, "1.1.0")
    started = world.get(old)["State"]["StartedAt"]

    said = sau("apply", "--yes")

    assert (said.code, said.update["outcome"], said.update["cause"]) == (1, "aborted", "registry")
    assert world.get(old)["State"]["StartedAt"] == started
    assert world.ids() == {old}
    assert sau("plan").step(f"{world.prefix}-web")["action"] == "update"


def lose_last_layer(world: World, tag: str) -> None:
    """Take the image's own layer away from the registry: the manifest still names it."""
    import httpx2

    base = f"http://{world.lab.registry}/v2/{world.name}"
    accept = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
    layers = httpx2.get(f"{base}/manifests/{tag}", headers=accept).json()["layers"]
    gone = httpx2.delete(f"{base}/blobs/{layers[-1]['digest']}")
    assert gone.status_code == 202


def image_ids(world: World) -> set[str]:
    return {i["Id"] for i in world.call("GET", "/images/json?all=1")} & world._image_ids


def test_replaced_image_is_kept_for_the_way_back_and_goes_with_the_next(
    world: World, sau: Sau
) -> None:
    one = world.publish("1.0.0")
    world.run(one.reference)
    two = world.publish("1.1.0")
    sau("apply", "--yes")
    assert image_ids(world) == {world.id_of(one), world.id_of(two)}
    three = world.publish("1.2.0")
    sau("apply", "--yes")
    assert image_ids(world) == {world.id_of(two), world.id_of(three)}


def test_replaced_image_that_another_container_uses_or_a_user_tagged_stays(
    world: World, sau: Sau
) -> None:
    one = world.publish("1.0.0")
    world.run(one.reference)
    world.run(one.reference, "other", Labels={"safe-auto-updater.policy": "none"})
    two = world.publish("1.1.0")
    sau("apply", "--yes")
    world.call("POST", f"/images/{world.id_of(two)}/tag?repo={world.repository}&tag=mine")
    three = world.publish("1.2.0")
    sau("apply", "--yes")
    four = world.publish("1.3.0")
    sau("apply", "--yes")
    assert image_ids(world) == {
        world.id_of(one),
        world.id_of(two),
        world.id_of(three),
        world.id_of(four),
    }


def test_bad_image_that_was_pulled_for_nothing_is_removed_again(world: World, sau: Sau) -> None:
    one = world.publish("1.0.0")
    world.run(one.reference)
    world.publish("1.1.0", behaviour="crash")
    sau("apply", "--yes")
    assert image_ids(world) == {world.id_of(one)}


def test_a_bad_image_is_not_updated_and_rolled_back_for_ever(world: World, sau: Sau) -> None:
    old = world.run(world.publish("1.0.0").reference)
    world.publish("1.1.0", behaviour="crash")
    outcomes = [[u["outcome"] for u in sau("apply", "--yes").json["updates"]] for _ in range(3)]
    assert outcomes == [["rolled_back"], [], []]
    assert world.get(old)["State"]["Running"]


def test_hold_until_and_release(world: World, sau: Sau) -> None:
    world.run(world.publish("1.0.0").reference)
    world.publish("1.1.0")
    assert sau("hold", "web", "--until", "1h", "--reason", "big day").code == 0
    assert "big day" in sau("plan").step(f"{world.prefix}-web")["reasons"][0]
    assert sau("status").json["holds"][0]["reason"] == "big day"
    sau("release", "web")
    assert sau("hold", "web", "--until", "1s").code == 0
    eventually(lambda: sau("plan").step(f"{world.prefix}-web")["action"] == "update")
    sau("hold", "--all")
    assert sau("apply", "--yes").json["updates"] == []
    sau("release", "--all")
    assert sau("apply", "--yes").update["outcome"] == "succeeded"
