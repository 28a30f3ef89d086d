"""Approval by annotation: it names one version, counts once, and obeys the law of `sau approve`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from safe_auto_updater.core import planning
from safe_auto_updater.core.approvals import named_step
from safe_auto_updater.core.case import Case
from safe_auto_updater.core.memory import Memory
from safe_auto_updater.core.model import (
    Action,
    Asset,
    Change,
    Health,
    Image,
    ImageUse,
    Status,
    Step,
)
from safe_auto_updater.core.phases import Phase
from safe_auto_updater.core.policy import Keys, Settings, resolve
from safe_auto_updater.core.risk import Reversibility, Risk
from safe_auto_updater.core.spelling import Approval
from safe_auto_updater.engine.annotated import hear
from safe_auto_updater.engine.decisions import Decisions
from safe_auto_updater.engine.journal import Journal
from safe_auto_updater.engine.memory import remember
from safe_auto_updater.engine.state import open_state

WEB = "kubernetes:lab/shop/Deployment/web"
NOW = 1_700_000_000.0
NEW_DIGEST = f"sha256:{'abcdef012345'}{'0' * 52}"
OLD_DIGEST = f"sha256:{'9876543210fe'}{'0' * 52}"
OLD = Image("r/web:1.0.0", "1.0.0", OLD_DIGEST)
NEW = Image("r/web:1.1.0", "1.1.0", NEW_DIGEST, "sha256:content")
TAG = Change(WEB, "web", OLD, NEW, "minor")
SAME_TAG = Change(WEB, "web", OLD, replace(NEW, reference="r/web:1.0.0", version="1.0.0"), "digest")
SIDE = Change(WEB, "side", Image("r/side:5.0.0"), Image("r/side:5.1.0", "5.1.0", "sha256:s"))


def case(
    text: str | None,
    *changes: Change,
    score: int = 40,
    memory: Memory | None = None,
    asset: str = WEB,
) -> Case:
    platform, _, rest = asset.partition(":")
    kind, name = ("Deployment", "web") if platform == "kubernetes" else ("container", rest)
    use = ImageUse("web", OLD)
    labels = {} if text is None else {"safe-auto-updater.approve": text}
    settings = Settings(default=Keys(approval=Approval.REQUIRED))
    return Case(
        Asset(asset, platform, kind, name, (use,), Status.RUNNING, Health.HEALTHY),
        changes or (TAG,),
        resolve(settings, asset, labels),
        memory or Memory(now=NOW),
        risk=Risk(score, (), (), Reversibility.R2),
    )


# what an annotation says, and whether it names the change
NAMES: list[tuple[str, tuple[Change, ...], bool]] = [
    ("1.1.0", (TAG,), True),
    ("1.1", (TAG,), False),
    ("1.0.0", (TAG,), False),
    ("1.1.0-alpine", (TAG,), False),
    (NEW_DIGEST, (TAG,), True),
    ("sha256:abcdef012345", (TAG,), True),
    ("abcdef012345", (TAG,), True),
    ("abcdef012346", (TAG,), False),
    ("abcdef01234", (TAG,), False),
    ("sha256:9876543210fe", (TAG,), False),
    ("1.0.0", (SAME_TAG,), False),
    ("abcdef012345", (SAME_TAG,), True),
    (
        "abcdef012345",
        (replace(SAME_TAG, current=replace(OLD, digest=NEW_DIGEST[:-1] + "1")),),
        False,
    ),
    ("1.1.0", (TAG, SIDE), False),
    ("1.1.0, 5.1.0", (TAG, SIDE), True),
    ("1.2.0,1.1.0", (TAG,), True),
]


@pytest.mark.parametrize(("text", "changes", "named"), NAMES)
def test_annotation_names_exactly_one_version(
    text: str, changes: tuple[Change, ...], named: bool
) -> None:
    step = named_step(case(text, *changes))
    assert (step is not None) == named
    if step is not None:
        assert step.id == planning.decide(case(None, *changes)).id


@pytest.mark.parametrize("text", ["", " ", "1.1.0,", "a b", "sha256:abc", "x" * 129, "-1"])
def test_annotation_that_names_no_version_is_a_problem(text: str) -> None:
    held = planning.decide(case(text))
    assert held.hold_rules[0] == "label" and "names no version" in held.reasons[0]


ANNOTATE = "kubectl annotate --overwrite --namespace shop deployment/web safe-auto-updater/approve="
HOW = [
    ((TAG,), "1.1.0"),
    ((SAME_TAG,), "sha256:abcdef012345"),
    ((TAG, SIDE), "1.1.0,5.1.0"),
    ((TAG, replace(SIDE, candidate=Image("r/side:1.1.0", "1.1.0", "sha256:s"))), "1.1.0"),
]


@pytest.mark.parametrize(("changes", "text"), HOW)
def test_hold_says_both_ways_and_the_second_would_do(
    changes: tuple[Change, ...], text: str
) -> None:
    held = planning.decide(case(None, *changes))
    (reason,) = held.reasons
    assert reason.endswith(f": sau approve {held.id}, or {ANNOTATE}{text}")
    assert named_step(case(text, *changes)) is not None


def test_container_is_not_told_of_annotations() -> None:
    docker = case(None, replace(TAG, asset="docker:local/web"), asset="docker:local/web")
    held = planning.decide(docker)
    assert held.reasons[0].endswith(f": sau approve {held.id}")


class Plans:
    """Plans of one asset, over one state folder."""

    def __init__(self, folder: Path) -> None:
        connection = open_state(folder)
        self.decisions = Decisions(connection, lambda: NOW)
        self.journal = Journal(connection, lambda: NOW)

    def __call__(self, text: str | None, *changes: Change, score: int = 40) -> Step:
        now = case(text, *changes, score=score, memory=self.memory())
        if hear(self.decisions, [now]):
            now = replace(now, memory=self.memory())
        step = planning.decide(now)
        self.decisions.propose(None, [step])
        return step

    def memory(self) -> Memory:
        return remember(self.decisions, self.journal, NOW)

    def made(self, step: Step, end: Phase) -> None:
        update = f"u{len(self.journal.history())}"
        self.journal.begin(update, step)
        self.journal.enter(update, end, {"failure": {"cause": "capacity", "error": "full"}})

    def kinds(self) -> list[str]:
        return [word.kind for word in self.decisions.words()]


@pytest.fixture
def plans(tmp_path: Path) -> Plans:
    return Plans(tmp_path)


def test_annotation_lets_its_version_go_and_the_plan_says_so(plans: Plans) -> None:
    assert plans(None).action is Action.HOLD
    step = plans("1.1.0")
    assert step.action is Action.UPDATE
    assert step.reasons[-1] == (
        "approved by annotation safe-auto-updater/approve=1.1.0 at 2023-11-14 22:13 UTC"
    )
    assert plans("1.1.0").action is Action.UPDATE
    assert plans.kinds() == ["annotated"], "heard once"


def test_annotation_of_another_version_is_named_and_counts_for_nothing(plans: Plans) -> None:
    (reason,) = plans("1.0.9").reasons
    assert "; annotation safe-auto-updater/approve=1.0.9 does not name it: sau approve" in reason
    assert plans.kinds() == []


Since = Callable[[Plans, Step], object]
# what happens after the annotation was heard, what the next plan finds, and whether it goes
SINCE: dict[str, tuple[Since, str | None, Change, int, bool]] = {
    "nothing": (lambda p, s: None, "1.1.0", TAG, 40, True),
    "less risk": (lambda p, s: None, "1.1.0", TAG, 20, True),
    "more risk": (lambda p, s: None, "1.1.0", TAG, 41, False),
    "it is taken away": (lambda p, s: None, None, TAG, 40, False),
    "it names another": (lambda p, s: None, "1.0.9", TAG, 40, False),
    "other content under the tag": (
        lambda p, s: None, "1.1.0", replace(TAG, candidate=replace(NEW, content="sha256:x")), 40,
        False,
    ),
    "another version runs": (
        lambda p, s: None, "1.1.0", replace(TAG, current=replace(OLD, digest="sha256:y")), 40,
        False,
    ),
    "it was made and taken back": (
        lambda p, s: p.made(s, Phase.ROLLED_BACK), "1.1.0", TAG, 40, False,
    ),
    "it was given up untouched": (lambda p, s: p.made(s, Phase.ABORTED), "1.1.0", TAG, 40, True),
    "a human denied it": (lambda p, s: p.decisions.deny(s, "bob"), "1.1.0", TAG, 40, False),
    "it was taken back, and is given anew": (
        lambda p, s: p.made(s, Phase.ROLLED_BACK), "sha256:abcdef012345", TAG, 40, True,
    ),
    "a human approved it as well, and it is taken away": (
        lambda p, s: p.decisions.approve(s, "ann"), None, TAG, 40, True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SINCE)
def test_annotation_counts_as_sau_approve_does(plans: Plans, what: str) -> None:
    happens, text, found, score, goes = SINCE[what]
    step = plans("1.1.0")
    assert step.action is Action.UPDATE
    happens(plans, step)
    assert (plans(text, found, score=score).action is Action.UPDATE) == goes


@pytest.mark.parametrize("end", ["made and taken back", "denied"])
def test_plan_that_began_before_another_heard_it_hears_nothing_new(plans: Plans, end: str) -> None:
    began = case("1.1.0", memory=plans.memory())
    step = plans("1.1.0")
    plans.made(step, Phase.ROLLED_BACK) if end != "denied" else plans.decisions.deny(step, "bob")
    assert hear(plans.decisions, [began]), "there is something to remember anew"
    assert planning.decide(replace(began, memory=plans.memory())).action is Action.HOLD
    assert plans("1.1.0").action is Action.HOLD
    assert plans.kinds().count("annotated") == 1


# what happens after a version was denied, and whether it is still skipped
DENIED: dict[str, tuple[Since, bool]] = {
    "nothing": (lambda p, s: None, True),
    "the annotation still names it": (lambda p, s: p("1.1.0"), True),
    "the annotation names its digest": (lambda p, s: p("sha256:abcdef012345"), True),
    "a human approves it": (lambda p, s: p.decisions.approve(s, "ann"), False),
    "a human releases the asset": (lambda p, s: p.decisions.release(WEB, "again"), False),
}


@pytest.mark.parametrize("what", DENIED)
def test_denial_is_lifted_by_commands_and_by_no_annotation(plans: Plans, what: str) -> None:
    happens, skipped = DENIED[what]
    step = plans("1.1.0")
    plans.decisions.deny(step, "bob")
    happens(plans, step)
    assert bool(plans.memory().denied) == skipped


def test_approval_taken_away_may_be_given_again(plans: Plans) -> None:
    seen = [plans(text).action is Action.UPDATE for text in ("1.1.0", None, "1.1.0")]
    assert seen == [True, False, True]
    assert plans.kinds() == ["annotated", "withdrawn", "annotated"]


def test_annotation_counts_for_the_content_that_was_shown_under_the_tag(plans: Plans) -> None:
    other = replace(TAG, candidate=replace(NEW, digest="sha256:" + "e" * 64, content="sha256:e"))
    plans(None, score=5)
    for _ in range(2):  # not in the plan that shows the other content to a human either
        held = plans("1.1.0", other, score=5)
        assert held.action is Action.HOLD and "has counted before" in held.reasons[0], held
    assert plans(f"sha256:{'e' * 12}", other, score=5).action is Action.UPDATE


def test_annotation_covers_the_risk_that_was_shown_and_no_greater_one(plans: Plans) -> None:
    plans(None, score=35)
    worse = plans("1.1.0", score=50)
    assert worse.action is Action.HOLD
    assert "approve=1.1.0 approved less (risk 35, R2)" in worse.reasons[0]
    assert worse.reasons[0].endswith(f"{ANNOTATE}sha256:abcdef012345"), "a text not heard yet"
    assert plans("sha256:abcdef012345", score=50).action is Action.UPDATE


def test_annotation_never_lifts_the_limit(plans: Plans) -> None:
    held = plans("1.1.0", score=60)
    assert held.hold_rules[0] == "risk" and plans.kinds() == []


def test_reasons_say_which_container_takes_what(plans: Plans) -> None:
    step = plans("1.1.0,5.1.0", TAG, SIDE)
    assert [reason.partition(" is ")[0] for reason in step.reasons[:2]] == [
        "container web: 1.1.0", "container side: 5.1.0",
    ], step.reasons  # fmt: skip
