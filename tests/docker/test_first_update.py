"""The main job with no configuration to speak of: plan, apply, tell the story, take it back."""

from __future__ import annotations

import json
import time

from tests.lab_kit import World
from tests.sau_kit import Sau


def four_versions(world: World) -> str:
    """web:1.0.0 runs; 1.0.1, 1.1.0 and 2.0.0 are in the registry."""
    for version in ("1.0.0", "1.0.1", "1.1.0", "2.0.0"):
        world.publish(version)
    return world.run(f"{world.repository}:1.0.0")


def everything(world: World, since: float) -> tuple[str, list[str]]:
    """The engine's images, and its events about this world since an instant."""
    images = world.call("GET", "/images/json?all=1&digests=1")
    mine = [i for i in images if any(world.prefix in str(r) for r in i["RepoDigests"] or ())]
    until = time.time()
    events = world.call("GET", f"/events?since={since:.9f}&until={until:.9f}")
    lines = events if isinstance(events, list) else [events] if events else []
    told = [json.dumps(e) for e in lines if world.prefix in json.dumps(e)]
    return json.dumps(mine, sort_keys=True), told


def test_plan_takes_the_newest_minor_and_says_why_not_the_major(world: World, sau: Sau) -> None:
    four_versions(world)
    time.sleep(1)  # events count whole seconds
    since = time.time()
    before, _ = everything(world, since)

    said = sau("plan")

    step = said.step(f"{world.prefix}-web")
    (change,) = step["changes"]
    assert said.code == 0
    assert step["action"] == "update"
    assert change["candidate"]["version"] == "1.1.0"
    assert change["bump"] == "minor"
    assert change["rejected"] == [{"tag": "2.0.0", "reason": "major, policy is minor"}]
    assert (step["risk"]["level"], step["reversibility"]) == ("automatic", "R0")
    after, events = everything(world, since)
    assert after == before
    assert events == []


def test_apply_runs_the_new_version_and_the_journal_tells_it(world: World, sau: Sau) -> None:
    old = four_versions(world)

    said = sau("apply", "--yes")

    assert said.code == 0
    assert said.update["outcome"] == "succeeded"
    assert world.text("web") == "1.1.0"
    assert world.ids() == {said.update["new_id"]}
    assert said.update["old_id"] == old
    assert 0 < said.update["downtime_s"] < 60
    (listed,) = sau("history").json["updates"]
    (shown,) = sau("show", listed["id"][:5]).json["updates"]
    assert shown == listed == said.update
    names = [phase["name"] for phase in shown["phases"]]
    assert names == [
        "PREPARE",
        "PRECHECK",
        "SNAPSHOT",
        "STAGE",
        "APPLY",
        "VERIFY",
        "COMMIT",
        "SUCCEEDED",
    ]


def test_rollback_takes_a_finished_update_back_and_holds_what_it_left(
    world: World, sau: Sau
) -> None:
    four_versions(world)
    done = sau("apply", "--yes").update

    said = sau("rollback", done["id"])

    assert said.code == 0
    assert said.update["outcome"] == "succeeded"
    assert said.update["undoes"] == done["id"]
    assert world.text("web") == "1.0.0"
    assert world.get("web")["Config"]["Image"] == f"{world.repository}:1.0.0"
    held = sau("plan").step(f"{world.prefix}-web")
    assert held["action"] == "hold"
    assert "a human took 1.1.0 back" in held["reasons"][0]
    assert sau("rollback", done["id"]).code == 2
    assert sau("release", "web").code == 0
    assert sau("plan").step(f"{world.prefix}-web")["action"] == "update"


def test_a_version_newer_than_the_one_taken_back_may_follow(world: World, sau: Sau) -> None:
    four_versions(world)
    sau("rollback", sau("apply", "--yes").update["id"])
    world.publish("1.2.0")

    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    assert world.text("web") == "1.2.0"


def test_dry_run_prints_the_plan_and_changes_nothing(world: World, sau: Sau) -> None:
    old = four_versions(world)
    time.sleep(1)
    since = time.time()
    before, _ = everything(world, since)

    said = sau("apply", "--dry-run")

    after, events = everything(world, since)
    assert said.code == 0
    assert said.step(f"{world.prefix}-web")["action"] == "update"
    assert (after, events, world.ids()) == (before, [], {old})
    assert sau("history").json["updates"] == []


def test_apply_without_a_terminal_needs_yes(world: World, sau: Sau) -> None:
    old = four_versions(world)

    said = sau("apply")

    assert said.code == 2
    assert "--yes" in said.err
    assert world.ids() == {old}


def test_moved_tag_is_a_digest_change_of_the_same_reference(world: World, sau: Sau) -> None:
    world.publish("latest", version="first")
    world.run(f"{world.repository}:latest")
    assert sau("plan").step(f"{world.prefix}-web")["action"] == "none"
    world.publish("latest", version="second")

    said = sau("apply", "--yes")

    assert said.update["outcome"] == "succeeded"
    assert said.update["changes"][0]["bump"] == "digest"
    assert world.text("web") == "second"
    assert world.get("web")["Config"]["Image"] == f"{world.repository}:latest"
    assert sau("plan").step(f"{world.prefix}-web")["action"] == "none"
