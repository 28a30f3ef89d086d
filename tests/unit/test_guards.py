"""Everything that can hold an update: each guard has its row, all that say no are told, by whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.core import guards, planning
from safe_auto_updater.core.case import Case, FileEdit, Veto
from safe_auto_updater.core.memory import Approved, Blocked, Failed, Hold, Memory
from safe_auto_updater.core.model import (
    PIPELINE,
    Action,
    Asset,
    Change,
    Health,
    Image,
    ImageUse,
    Obstacle,
    Status,
    Step,
)
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.phases import Phase
from safe_auto_updater.core.policy import AssetPolicy, Keys, Rule, Settings, resolve
from safe_auto_updater.core.promql import Incident, NoAnswer, Sample, Samples
from safe_auto_updater.core.risk import Bands, Reversibility, Risk
from safe_auto_updater.core.spelling import (
    Approval,
    ComposeChange,
    DockerUpdaters,
    Pipeline,
    Strategy,
)
from safe_auto_updater.core.versions import Bump, PolicyLevel
from safe_auto_updater.core.windows import parse_freeze, parse_window
from safe_auto_updater.engine.decisions import Decisions
from safe_auto_updater.engine.journal import Journal
from safe_auto_updater.engine.memory import remember
from safe_auto_updater.engine.state import open_state
from tests.clock import FakeClock

WEB = "docker:local/web"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()  # a Tuesday
OLD = Image("web:1.0.0", "1.0.0", "sha256:old")
NEW = Image("web:1.1.0", "1.1.0", "sha256:new", "sha256:content")
MOVED = Image("web:latest", "2.0.0", "sha256:new", "sha256:content")
FOUND = Change(WEB, "web", OLD, NEW, "minor", first_seen=NOW - 3600)
LEAPT = replace(MOVED, version="3.0.0")
BEHIND = Change(WEB, "web", replace(OLD, reference="web:latest"), MOVED, "digest", behind="major")
SAME_TAG = Change(WEB, "web", OLD, replace(OLD, digest="sha256:new"), "digest")
LOSES = Obstacle("x", "it would lose its data", only_by="watchtower")
ASSET = Asset(
    WEB, "docker", "container", "web", (ImageUse("web", OLD),), Status.RUNNING, Health.HEALTHY
)
WITH_DATA = replace(ASSET, obstacles=(LOSES,))
MENDED = Obstacle("failed", "it has failed", yields_to_fix_forward=True)
MEMORY = Memory(now=NOW)
EDIT = FileEdit("compose.yml:3: image: web:1.0.0 -> web:1.1.0")
CALM = Incident("*/web", "up == 0", Samples(()))
BUSY = replace(CALM, answer=Samples((Sample('up{job="a"}', "0"),)))
SILENT = Incident("*", "up == 0", NoAnswer("http://p: no answer within 5 s"))
PINNED = replace(
    FOUND,
    current=replace(OLD, reference="web:1.0.0@sha256:old"),
    candidate=replace(NEW, reference="web:1.1.0@sha256:new"),
)
TOOK_BACK = replace(
    MEMORY, holds=(Hold(WEB, "went back", 1.0, content="sha256:built", reference="web:1.1.0"),)
)
FAILED = Failed(WEB, "web", "sha256:content", Cause.IMAGE, "u1", "it crashed")
BY_CONFIG = replace(FAILED, cause=Cause.CONFIG, reason="no such mount", configuration="then")
CONFIGURED = replace(ASSET, configuration="then")


def ruled(*rules: Rule, labels: dict[str, str] | None = None, **default: Any) -> AssetPolicy:
    keys = Keys(**{"policy": PolicyLevel.MINOR, **default})
    named = {f"safe-auto-updater.{key}": value for key, value in (labels or {}).items()}
    return resolve(Settings(default=keys, rules=rules), WEB, named)


def by_watchtower(**keys: Any) -> AssetPolicy:
    default = Keys(policy=PolicyLevel.MINOR, docker_updater=DockerUpdaters.WATCHTOWER, **keys)
    return resolve(Settings(default=default, watchtower_host="local"), WEB, {})


def scored(score: int, *blockers: str) -> Risk:
    return Risk(score, blockers, (), Reversibility.R2)


def case(**given: Any) -> Case:
    return Case(
        **{"asset": ASSET, "changes": (FOUND,), "policy": ruled(), "memory": MEMORY, **given}
    )


# what stands in the way, the guard that says no, and what it says
ROWS: list[tuple[dict[str, Any], str, str]] = [
    ({"policy": ruled(labels={"policy": "mnior"})}, "label",
     "label safe-auto-updater.policy='mnior': not a policy; use one of none, digest, patch, minor, "
     "major"),
    ({"policy": ruled(labels={"policy": "x" * 6000})}, "label",
     f"label safe-auto-updater.policy='{'x' * 99}... (6002 characters): not a policy; use one of "
     "none, digest, patch, minor, major"),
    ({"policy": ruled(labels={"polcy": "minor"})}, "label",
     "label safe-auto-updater.polcy: unknown; did you mean policy?"),
    ({"changes": (replace(BEHIND, candidate=LEAPT),),
      "policy": ruled(policy=PolicyLevel.MAJOR, walk=Bump.MAJOR)}, "policy",
     "web:latest goes from 1.0.0 to 3.0.0, over what is walked one major at a time: first take "
     "those between by their own tags (default)"),
    ({"policy": ruled(Rule("*/web", enable=False))}, "disabled",
     "switched off by enable=false (rule */web)"),
    ({"policy": ruled(labels={"enable": "false"})}, "disabled",
     "switched off by enable=false (label)"),
    ({"asset": replace(ASSET, obstacles=(Obstacle("x", "it removes itself"),))}, "obstacle",
     "it removes itself"),
    ({"edits": (EDIT,)}, "compose",
     "compose.yml:3: image: web:1.0.0 -> web:1.1.0 in its Compose project, then `docker compose up "
     "-d`; with compose set to update-file this program does both (default: hold)"),
    ({"edits": (FileEdit(None, "compose.yml is gone"),)}, "compose",
     "its Compose file has to name the new tag, then `docker compose up -d`; where is not clear: "
     "compose.yml is gone"),
    ({"edits": (replace(EDIT, refusal="it may not be written"),),
      "policy": ruled(Rule("*/web", compose=ComposeChange.UPDATE_FILE))}, "compose",
     "its Compose file is not edited (rule */web): it may not be written"),
    ({"policy": ruled(Rule("*/web", pipeline=Pipeline.HOLD)),
      "asset": replace(ASSET, managed_by=PIPELINE)}, "pipeline",
     "`kubectl apply` made it: change its manifest instead (pipeline: hold, by rule */web)"),
    ({"policy": ruled(Rule("*/web", after_update=("/warm-up",))),
      "asset": replace(ASSET, kind="service")}, "hooks",
     "after_update (rule */web): hooks run in a container, and a Swarm service is several; take "
     "them away"),
    ({"policy": ruled(Rule("*/web", group="shop")),
      "asset": replace(ASSET, platform="kubernetes", kind="Deployment")}, "group",
     "group shop (rule */web): workloads do not move as one yet; take it away"),
    ({"policy": ruled(Rule("*/web", strategy=Strategy.START_FIRST)),
      "asset": replace(ASSET, exclusive=("it publishes port 80/tcp", "it writes to /data"))},
     "strategy",
     "start-first (rule */web) is not possible: it publishes port 80/tcp; it writes to /data. Set "
     "strategy to stop-first"),
    ({"policy": ruled(labels={"docker-updater": "watchtower"}), "changes": (SAME_TAG,)}, "label",
     "docker_updater is watchtower (label), and execution.watchtower is not configured"),
    ({"policy": replace(by_watchtower(), level=PolicyLevel.MAJOR)}, "watchtower",
     'Watchtower changes no tags: exclude_tags "*" follows the tag that it has, docker_updater '
     "native takes the newer one"),
    ({"policy": by_watchtower(group="shop"), "changes": (SAME_TAG,)}, "watchtower",
     "Watchtower moves nothing as one: group shop needs our own updater"),
    ({"policy": by_watchtower(strategy=Strategy.START_FIRST), "changes": (SAME_TAG,)},
     "watchtower", "Watchtower knows no strategy start-first"),
    ({"policy": by_watchtower(), "changes": (SAME_TAG,), "asset": WITH_DATA}, "watchtower",
     "it would lose its data"),
    ({"memory": replace(MEMORY, holds=(Hold(WEB, "big day", 1.0),))}, "memory", "held: big day"),
    ({"memory": replace(MEMORY, holds=(Hold("*", "big day", 1.0),))}, "memory", "held: big day"),
    ({"memory": replace(MEMORY, holds=(Hold(WEB, "went back", 1.0, content="sha256:content"),))},
     "memory", "this version is held: went back"),
    ({"memory": TOOK_BACK}, "memory", "this version is held: went back"),
    ({"memory": TOOK_BACK, "changes": (PINNED,)}, "memory", "this version is held: went back"),
    ({"memory": replace(MEMORY, blocked=(Blocked(WEB, "u1", "interrupted"),))}, "memory",
     "interrupted"),
    ({"memory": replace(MEMORY, quarantine=(FAILED,))}, "memory",
     "quarantined: this content failed here before (u1: it crashed); a newer version may follow, "
     "`sau release` tries it again"),
    ({"memory": replace(MEMORY, quarantine=(BY_CONFIG,)), "asset": CONFIGURED}, "memory",
     "quarantined: this content failed here before (u1: no such mount); a newer version may "
     "follow, `sau release` tries it again, and so does another configuration"),
    ({"asset": replace(ASSET, status=Status.EXITED)}, "status",
     "exited: a container that does not run stays as it is"),
    ({"asset": replace(ASSET, kind="release", status=Status.CREATED)}, "status",
     "created: a release that does not run stays as it is"),
    ({"asset": replace(ASSET, obstacles=(MENDED,))}, "obstacle", "it has failed"),
    ({"asset": replace(ASSET, platform="helm", kind="release"),
      "policy": ruled(Rule("*/web", group="shop"))}, "group",
     "group shop (rule */web): releases do not move as one yet; take it away"),
    ({"asset": replace(ASSET, status=Status.PAUSED)}, "status",
     "paused; an update would have to start it. Unpause it first"),
    ({"asset": replace(ASSET, status=Status.RESTARTING)}, "status",
     "restarting in a loop before the update (rule fix_forward would allow it)"),
    ({"asset": replace(ASSET, health=Health.UNHEALTHY)}, "unhealthy",
     "unhealthy before the update (rule fix_forward would allow it)"),
    ({"changes": (BEHIND,)}, "policy",
     "web:latest goes from 1.0.0 to 2.0.0: major, policy is minor (default)"),
    ({"changes": (BEHIND,), "policy": ruled(Rule("*/web", policy=PolicyLevel.PATCH))}, "policy",
     "web:latest goes from 1.0.0 to 2.0.0: major, policy is patch (rule */web)"),
    ({"changes": (replace(BEHIND, behind="unknown"),), "policy": ruled(policy=PolicyLevel.MAJOR)},
     "policy", "nobody can say that web:latest moves on: it goes back, or counts in another way"),
    ({"policy": ruled(minimum_age=7200.0)}, "age",
     "too young: first seen 2026-11-24 11:00 UTC, minimum age is 2h (default): may go from "
     "2026-11-24 13:00 UTC"),
    ({"policy": ruled(labels={"minimum-age": "3d"}), "changes": (replace(FOUND, first_seen=None),)},
     "age",
     "too young: first seen 2026-11-24 12:00 UTC, minimum age is 3d (label): may go from "
     "2026-11-27 12:00 UTC"),
    ({"risk": scored(60)}, "risk",
     "too risky, cannot be approved: 60 of 100, the limit is 60 (execution.risk.approval); "
     "`sau diff` shows why"),
    ({"risk": scored(10, "another platform")}, "risk",
     "too risky, cannot be approved: another platform"),
    ({"risk": scored(30)}, "approval",
     "risk 30 of 100, from 30 on a human approves: sau approve STEP"),
    ({"risk": scored(12), "bands": Bands(10, 60)}, "approval",
     "risk 12 of 100, from 10 on a human approves: sau approve STEP"),
    ({"policy": ruled(Rule("*/w*", approval=Approval.REQUIRED))}, "approval",
     "approval is required (rule */w*): sau approve STEP"),
    ({"policy": ruled(window=(parse_window("Sat 02:00-05:00 Europe/Berlin"),))}, "window",
     "outside its window Sat 02:00-05:00 Europe/Berlin (default): opens Sat 2026-11-28 02:00 "
     "Europe/Berlin"),
    ({"policy": ruled(labels={"window": "Wed 02:00-05:00 UTC; 01:00-02:00 UTC"})}, "window",
     "outside its window Wed 02:00-05:00 UTC; 01:00-02:00 UTC (label): opens Wed 2026-11-25 01:00 "
     "UTC"),
    ({"policy": ruled(Rule("*", freeze=(parse_freeze("11-20..01-02 UTC"),)))}, "freeze",
     "frozen by 11-20..01-02 UTC (rule *): until Sun 2027-01-03 00:00 UTC"),
    ({"incidents": (CALM, BUSY)}, "block_while",
     "an incident (block_while */web): up == 0 returned up{job=\"a\"} 0"),
    ({"incidents": (BUSY, SILENT)}, "block_while",
     "an incident (block_while */web): up == 0 returned up{job=\"a\"} 0; nobody can say whether "
     "there is an incident (block_while *): up == 0: http://p: no answer within 5 s"),
    ({"vetoes": (Veto("server", "it would not take it"),)}, "server", "it would not take it"),
    ({"vetoes": (Veto("plugin", "policy moon: it is full"),)}, "plugin", "policy moon: it is full"),
    ({"vetoes": (Veto("unknown", "it could not be seen"),)}, "unknown", "it could not be seen"),
]  # fmt: skip


def test_who_recreates_all_containers_says_nothing_of_workloads() -> None:
    said = Keys(docker_updater=DockerUpdaters.WATCHTOWER)
    asset = "kubernetes:prod/shop/Deployment/web"
    policy = resolve(Settings(default=said, watchtower_host="local"), asset, {})
    assert (policy.docker_updater, policy.problems) == (DockerUpdaters.NATIVE, ())
    rule = Rule("*/web", docker_updater=DockerUpdaters.WATCHTOWER)
    policy = resolve(Settings(rules=(rule,), watchtower_host="local"), asset, {})
    assert "serves Docker host local only" in policy.problems[0]


@pytest.mark.parametrize(("given", "rule", "reason"), ROWS)
def test_guard_says_no_and_why_and_who_set_it(
    given: dict[str, Any], rule: str, reason: str
) -> None:
    step = planning.decide(case(**given))
    assert (step.action, step.hold_rules) == (Action.HOLD, (rule,))
    assert step.reasons == (reason.replace("STEP", step.id),)


@pytest.mark.parametrize(
    ("now", "failed", "action"),
    [
        ("another", BY_CONFIG, Action.UPDATE),
        ("then", BY_CONFIG, Action.HOLD),
        (None, BY_CONFIG, Action.HOLD),
        ("another", replace(BY_CONFIG, configuration=None), Action.HOLD),
        ("another", FAILED, Action.HOLD),
    ],
)
def test_what_failed_by_its_configuration_is_tried_again_with_another(
    now: str | None, failed: Failed, action: Action
) -> None:
    memory = replace(MEMORY, quarantine=(failed,))
    step = planning.decide(case(memory=memory, asset=replace(ASSET, configuration=now)))
    assert step.action is action, step.reasons


def test_what_failed_by_each_configuration_waits_for_a_third() -> None:
    memory = replace(MEMORY, quarantine=(BY_CONFIG, replace(BY_CONFIG, configuration="now")))
    step = planning.decide(case(memory=memory, asset=replace(ASSET, configuration="now")))
    assert step.action is Action.HOLD


def test_every_guard_has_a_row() -> None:
    rows = {rule for _, rule, _ in ROWS} - {"plugin", "unknown", "server"}
    assert rows == {name for name, _ in guards._GUARDS}


def test_all_that_say_no_are_told() -> None:
    everything = case(
        asset=replace(
            ASSET,
            status=Status.PAUSED,
            health=Health.UNHEALTHY,
            obstacles=(
                Obstacle("x", "it removes itself"),
                Obstacle("y", "others share it"),
                LOSES,
            ),
            exclusive=("it publishes port 80/tcp",),
        ),
        changes=(BEHIND,),
        policy=replace(
            ruled(
                Rule(
                    "*/web",
                    enable=False,
                    strategy=Strategy.START_FIRST,
                    docker_updater=DockerUpdaters.WATCHTOWER,
                    minimum_age=7200.0,
                    approval=Approval.REQUIRED,
                    window=(parse_window("Sat 02:00-05:00 UTC"),),
                    freeze=(parse_freeze("11-20..01-02 UTC"),),
                ),
                labels={"polcy": "x"},
            )
        ),
        memory=replace(
            MEMORY,
            holds=(Hold(WEB, "one", 1.0), Hold("*", "two", 1.0)),
            blocked=(Blocked(WEB, "u1", "interrupted"),),
            quarantine=(FAILED,),
        ),
        risk=scored(90),
        vetoes=(Veto("plugin", "the moon"),),
        edits=(EDIT,),
        incidents=(BUSY,),
    )
    step = planning.decide(everything)
    # Hooks are in the way of services, groups and pipelines of workloads: others than this one.
    others = ("hooks", "group", "pipeline")
    asked = [name for name, _ in guards._GUARDS if name not in others]
    assert step.hold_rules == (*asked, "plugin")
    told = "\n".join(step.reasons)
    for words in ("it removes itself", "others share it", "held: one", "held: two", "interrupted",
                  "quarantined", "(rule */web)"):  # fmt: skip
        assert words in told


# what lets an update go although its guard was near to saying no
GO: dict[str, dict[str, Any]] = {
    "no incident": {"incidents": (CALM,)},
    "a Compose file that may be written": {
        "edits": (EDIT,),
        "policy": ruled(labels={"compose": "update-file"}),
    },
    "a Compose file that stays": {
        "edits": (replace(EDIT, refusal="not found"),),
        "policy": ruled(labels={"compose": "container-only"}),
    },
    "what stands in Watchtower's way only": {"asset": WITH_DATA},
    "the same tag by Watchtower": {"policy": by_watchtower(), "changes": (SAME_TAG,)},
    "an age that is reached": {"policy": ruled(minimum_age=3600.0)},
    "a window that is open": {"policy": ruled(window=(parse_window("Tue 12:00-12:01 UTC"),))},
    "a freeze that begins tomorrow": {
        "policy": ruled(freeze=(parse_freeze("2026-11-25..2026-11-26 UTC"),))
    },
    "a risk below the band": {"risk": scored(29)},
    "a risk that the operator answers for": {
        "risk": scored(59),
        "policy": ruled(approval=Approval.NONE),
    },
    "a major behind the tag, and the policy is major": {
        "changes": (BEHIND,),
        "policy": ruled(policy=PolicyLevel.MAJOR),
    },
    "the next major behind the tag, which is walked": {
        "changes": (BEHIND,),
        "policy": ruled(policy=PolicyLevel.MAJOR, walk=Bump.MAJOR),
    },
    "a version told by nobody": {"changes": (replace(BEHIND, behind=None),)},
    "a hold of another version": {
        "memory": replace(MEMORY, holds=(Hold(WEB, "no", 1.0, content="sha256:other"),))
    },
    "a hold of another version, by its tag": {
        "memory": replace(TOOK_BACK, holds=(replace(TOOK_BACK.holds[0], reference="web:1.2.0"),))
    },
    "new content of the tag that runs, which a human went back to": {
        "memory": replace(TOOK_BACK, holds=(replace(TOOK_BACK.holds[0], reference="web:1.0.0"),)),
        "changes": (SAME_TAG,),
    },
    "a service of which nothing is to run": {
        "asset": replace(ASSET, kind="service", status=Status.EXITED)
    },
    "a service, whatever does the containers": {
        "asset": replace(ASSET, kind="service"),
        "policy": replace(ruled(), docker_updater=DockerUpdaters.WATCHTOWER),
    },
    "a stack's file that is meant to stay behind": {
        "asset": replace(ASSET, obstacles=(Obstacle("stack", "its file names the tag"),)),
        "policy": ruled(compose=ComposeChange.CONTAINER_ONLY),
    },
    "a failed release that may be fixed forward": {
        "asset": replace(ASSET, obstacles=(MENDED,)),
        "policy": ruled(labels={"fix-forward": "true"}),
    },
    "a crash loop that may be fixed forward": {
        "asset": replace(ASSET, status=Status.RESTARTING),
        "policy": ruled(labels={"fix-forward": "true"}),
    },
}


@pytest.mark.parametrize("what", GO)
def test_update_goes_on_with(what: str) -> None:
    assert planning.decide(case(**GO[what])).action is Action.UPDATE


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("update-file", "writes compose.yml:3: image: web:1.0.0 -> web:1.1.0"),
        (
            "container-only",
            "its Compose file stays: the next `docker compose up` puts the old version back",
        ),
    ],
)
def test_plan_says_what_becomes_of_a_compose_file(rule: str, told: str) -> None:
    step = planning.decide(case(edits=(EDIT,), policy=ruled(labels={"compose": rule})))
    assert told in step.reasons


@pytest.mark.parametrize(("at", "action"), [(-1, Action.HOLD), (0, Action.UPDATE)])
def test_age_and_window_let_it_go_at_the_very_second(at: float, action: Action) -> None:
    ripe = ruled(minimum_age=3600.0 + 60)
    opens = ruled(window=(parse_window("12:01-12:02 UTC"),))
    for policy in (ripe, opens):
        memory = replace(MEMORY, now=NOW + 60 + at)
        assert planning.decide(case(policy=policy, memory=memory)).action is action


REQUIRED = ruled(approval=Approval.REQUIRED)


def approved(step: Step, **given: Any) -> Step:
    """The same plan made anew, once this step was approved."""
    word = Approved(step.id, WEB, "ann", NOW - 60, 100, Reversibility.R3)
    return planning.decide(case(policy=REQUIRED, memory=replace(MEMORY, approved=(word,)), **given))


def test_an_approval_counts_for_the_same_step_planned_anew_and_says_who_and_when() -> None:
    step = approved(planning.decide(case(policy=REQUIRED)))
    assert step.action is Action.UPDATE
    assert step.reasons[-1] == "approved by ann at 2026-11-24 11:59 UTC"


# what has changed since it was approved
SINCE: dict[str, Change] = {
    "a newer candidate": replace(FOUND, candidate=replace(NEW, reference="web:1.2.0")),
    "other content under the same tag": replace(FOUND, candidate=replace(NEW, content="sha256:x")),
    "another version runs": replace(FOUND, current=replace(OLD, digest="sha256:between")),
}


@pytest.mark.parametrize("what", SINCE)
def test_an_approval_counts_for_nothing_else(what: str) -> None:
    step = approved(planning.decide(case(policy=REQUIRED)), changes=(SINCE[what],))
    assert (step.action, step.hold_rules) == (Action.HOLD, ("approval",))


def test_an_approval_does_not_cover_a_greater_risk_than_was_shown() -> None:
    shown = planning.decide(case(policy=REQUIRED, risk=scored(40)))
    word = Approved(shown.id, WEB, "ann", NOW, 40, Reversibility.R2)
    memory = replace(MEMORY, approved=(word,))
    same = planning.decide(case(policy=REQUIRED, memory=memory, risk=scored(40)))
    worse = planning.decide(case(policy=REQUIRED, memory=memory, risk=scored(55)))
    assert (same.action, worse.action) == (Action.UPDATE, Action.HOLD)
    assert "ann approved less (risk 40, R2)" in worse.reasons[0]


def test_what_cannot_be_taken_back_never_goes_by_itself() -> None:
    risk = replace(scored(10), reversibility=Reversibility.R3)
    held = planning.decide(case(risk=risk))
    assert held.hold_rules == ("approval",)
    assert "going back cannot be promised" in held.reasons[0]


def test_an_approval_opens_no_window_and_lifts_no_limit() -> None:
    step = planning.decide(case(policy=REQUIRED))
    word = Approved(step.id, WEB, "ann", NOW, 100, Reversibility.R3)
    shut = replace(REQUIRED, windows=(parse_window("Sat 02:00-05:00 UTC"),))
    memory = replace(MEMORY, approved=(word,), holds=(Hold(WEB, "no", 1.0),))
    held = planning.decide(case(policy=shut, memory=memory, risk=scored(99)))
    assert (held.id, held.hold_rules) == (step.id, ("memory", "risk", "window"))


def test_words_of_humans_stand_over_runs_until_another_takes_them_back(tmp_path: Path) -> None:
    clock = FakeClock(NOW)

    def run() -> tuple[Decisions, Callable[[], Memory]]:
        connection = open_state(tmp_path)
        decisions = Decisions(connection, clock.now)
        journal = Journal(connection, clock.now)
        return decisions, lambda: remember(decisions, journal, clock.now())

    step = planning.decide(case(policy=REQUIRED))
    words: list[tuple[Callable[[Decisions], None], bool, bool]] = [
        (lambda d: d.approve(step, "ann"), True, False),
        (lambda d: d.deny(step, "bob"), False, True),
        (lambda d: d.approve(step, "ann"), True, False),
        (lambda d: d.deny(step, "bob"), False, True),
        (lambda d: d.release(WEB, "again", "ann"), False, False),
    ]
    for speak, is_approved, is_denied in words:
        speak(run()[0])
        memory = run()[1]()
        assert (memory.approval(step.id) is not None) == is_approved
        assert [(d.content, d.who) for d in memory.denied] == (
            [("sha256:content", "bob")] if is_denied else []
        )
    said = [(word.kind, word.who) for word in run()[0].words([WEB]) if word.kind != "skip"]
    assert said == [("approve", "ann"), ("deny", "bob")] * 2 + [("release", "ann")]


def test_denied_version_is_known_by_its_tag_also_where_it_was_pinned(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    decisions, journal = Decisions(state, lambda: NOW), Journal(state, lambda: NOW)
    rebuilt = replace(PINNED, candidate=replace(OLD, reference="web:1.0.0@sha256:new"))
    for change, tag in ((FOUND, "web:1.1.0"), (PINNED, "web:1.1.0"), (rebuilt, None)):
        decisions.deny(planning.decide(case(changes=(change,))), "bob")
        assert remember(decisions, journal, NOW).denied[-1].reference == tag
        decisions.release(WEB, "again")


def test_an_approval_is_used_up_by_an_update_that_touched_something(tmp_path: Path) -> None:
    connection = open_state(tmp_path)
    decisions, journal = Decisions(connection, lambda: NOW), Journal(connection, lambda: NOW)
    step = planning.decide(case(policy=REQUIRED))

    def approved_after(*ends: Phase) -> list[bool]:
        found = []
        for number, end in enumerate(ends):
            update = f"u{len(journal.history())}{number}"
            journal.begin(update, step)
            journal.enter(update, end, {})
            found.append(remember(decisions, journal, NOW).approval(step.id) is not None)
        return found

    decisions.approve(step, "ann")
    assert approved_after(Phase.ABORTED, Phase.ABORTED, Phase.ROLLED_BACK) == [True, True, False]
    decisions.approve(step, "ann")
    assert approved_after(Phase.SUCCEEDED) == [False]


def test_proposals_are_those_of_the_last_plan_of_each_asset(tmp_path: Path) -> None:
    decisions = Decisions(open_state(tmp_path), lambda: NOW)
    web = planning.decide(case(policy=REQUIRED))
    other = replace(web, asset="docker:local/other")
    decisions.propose(None, [web, other])
    assert {step.id for step in decisions.proposals()} == {web.id, other.id}
    newer = planning.decide(case(changes=(SINCE["a newer candidate"],), policy=REQUIRED))
    newer = replace(newer, changes=(replace(newer.changes[0], bump="major"),))
    decisions.propose([WEB], [newer])
    assert {step.asset for step in decisions.proposals()} == {WEB, "docker:local/other"}
    decisions.propose(None, [newer])
    assert [step.changes for step in decisions.proposals()] == [newer.changes]
