"""Every question that can hold an update, one row each. All are asked; all that say no are told.

A guard looks at one asset of a step and answers None, or why the step must wait.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from safe_auto_updater.core import approvals, guards_of_means, guards_of_time
from safe_auto_updater.core.case import Case, in_one, named_level, stands
from safe_auto_updater.core.memory import Failed, Hold
from safe_auto_updater.core.model import Change, Health, Status
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.risk import Band
from safe_auto_updater.core.semver import SemVerEvaluator
from safe_auto_updater.core.spelling import Approval
from safe_auto_updater.core.versions import Bump


@dataclass(frozen=True)
class No:
    """One guard's answer: its name and its reason."""

    rule: str
    reason: str


def objections(case: Case, step: str) -> tuple[No, ...]:
    """Everything that speaks against making this step, of this id, now."""
    found = [No(rule, reason) for rule, ask in _GUARDS if (reason := ask(case, step)) is not None]
    return (*found, *(No(veto.rule, veto.reason) for veto in case.vetoes))


def objections_to_touching(case: Case, step: str, *, undoing: bool) -> tuple[No, ...]:
    """Everything that speaks against making an asset anew, on its own image, within a step.

    `undoing`: a human takes an update back, because of which it may be unwell. As with what goes
    back itself, only what forbids any touch counts then, and no policy.
    """
    follower = replace(case, changes=(), follows=True)
    if not undoing:
        return objections(follower, step)
    memory = replace(case.memory, holds=())
    mended = replace(follower, memory=memory, policy=replace(case.policy, fix_forward=True))
    return tuple(no for no in objections(mended, step) if no.rule in _OF_ANY_TOUCH)


def _labels(case: Case, step: str) -> str | None:
    return "; ".join(case.policy.problems) or None


def _enabled(case: Case, step: str) -> str | None:
    if case.policy.enable is not False:
        return None
    return f"switched off by enable=false ({case.policy.source('enable')})"


def _obstacle(case: Case, step: str) -> str | None:
    moves = any(change.moves_tag for change in case.wanted)
    return in_one(o.reason for o in case.asset.obstacles if stands(o, case.policy, moves))


def _memory(case: Case, step: str) -> str | None:
    asset, memory = case.asset.id, case.memory
    blocked = [blocked.reason for blocked in memory.blocked if blocked.asset == asset]
    holds = [_held(hold, case.wanted) for hold in memory.holds if hold.asset in (asset, "*")]
    failed = [_quarantined(change, case) for change in case.wanted]
    return in_one(reason for reason in (*blocked, *holds, *failed) if reason is not None)


def _held(hold: Hold, wanted: tuple[Change, ...]) -> str | None:
    if hold.content is None:
        return f"held: {hold.reason}"
    if any(_is_held(hold, change) for change in wanted):
        return f"this version is held: {hold.reason}"
    return None


def _is_held(hold: Hold, change: Change) -> bool:
    """By its content; or by its tag, whatever that points to by now."""
    assert change.candidate is not None
    own_tag = change.candidate.own_tag(change.current)
    return hold.content == _content(change) or (own_tag is not None and hold.reference == own_tag)


def _quarantined(change: Change, case: Case) -> str | None:
    for failed in case.memory.quarantine:
        if failed.content != _content(change):
            continue
        if (failed.asset, failed.container) == (case.asset.id, change.container):
            if _configured_anew(failed, case):
                continue
            again = "" if failed.configuration is None else ", and so does another configuration"
            return (
                f"quarantined: this content failed here before ({failed.update}: "
                f"{failed.reason}); a newer version may follow, `sau release` tries it again{again}"
            )
        if failed.cause is Cause.IMAGE:
            return (
                f"quarantined: this content failed on {failed.asset} ({failed.update}: "
                f"{failed.reason}); `sau release {failed.asset}` tries it again"
            )
    return None


def _configured_anew(failed: Failed, case: Case) -> bool:
    """Whether what was to blame is another by now. Where nobody can tell it is not."""
    now, then = case.asset.configuration, failed.configuration
    return None not in (now, then) and now != then


def _status(case: Case, step: str) -> str | None:
    match case.asset.status:
        case Status.RUNNING:
            return None
        case Status.PAUSED:
            return "paused; an update would have to start it. Unpause it first"
        case Status.RESTARTING if case.policy.fix_forward:
            return None
        case Status.EXITED if case.asset.is_declared:
            return None  # nothing of it is to run, and its next task takes the new version
        case Status.EXITED | Status.CREATED if case.follows:
            return None  # made anew, and not started
        case Status.RESTARTING:
            return "restarting in a loop before the update (rule fix_forward would allow it)"
        case other:
            return f"{other.value}: a {case.asset.kind} that does not run stays as it is"


def _health(case: Case, step: str) -> str | None:
    if case.policy.fix_forward or case.asset.health is not Health.UNHEALTHY:
        return None
    return "unhealthy before the update (rule fix_forward would allow it)"


def _behind(case: Case, step: str) -> str | None:
    """New content behind an unchanged tag goes as far as the versions behind it go."""
    for change in case.wanted:
        if change.behind is None:
            continue
        assert change.candidate is not None
        reference = change.candidate.reference
        if SemVerEvaluator().allowed(Bump(change.behind), case.policy.level):
            if (skipped := _skipped(change, case.policy.wanted.walk)) is not None:
                return f"{reference} {skipped} ({case.policy.source('walk')})"
            continue
        if change.behind == Bump.UNKNOWN:
            return (
                f"nobody can say that {reference} moves on: it goes back, or counts in another way"
            )
        old, new = change.current.version, change.candidate.version
        return (
            f"{reference} goes from {old} to {new}: {change.behind}, policy is {named_level(case)}"
        )
    return None


def _skipped(change: Change, walk: Bump | None) -> str | None:
    """That a tag which stays moved over versions that are to be walked."""
    assert change.candidate is not None
    old, new = change.current.version, change.candidate.version
    if walk is None or not old or not new or not SemVerEvaluator().skips(old, new, walk):
        return None
    return (
        f"goes from {old} to {new}, over what is walked one {walk} at a time: first take those "
        "between by their own tags"
    )


def _risk(case: Case, step: str) -> str | None:
    if case.risk is None or case.bands.band(case.risk) is not Band.NEVER:
        return None
    if case.risk.blockers:
        return f"too risky, cannot be approved: {'; '.join(case.risk.blockers)}"
    return (
        f"too risky, cannot be approved: {case.risk.score} of 100, the limit is "
        f"{case.bands.approval} (execution.risk.approval); `sau diff` shows why"
    )


def _approval(case: Case, step: str) -> str | None:
    given = case.memory.approval(step, case.risk)
    if given is not None and given.covers(case.risk):
        return None
    match case.policy.approval:
        case Approval.REQUIRED:
            why = f"approval is required ({case.policy.source('approval')})"
        case Approval.RISKY if case.risk and case.bands.band(case.risk) is Band.APPROVAL:
            why = f"risk {case.risk.score} of 100, from {case.bands.automatic} on a human approves"
            if case.risk.score < case.bands.automatic:
                why = "going back cannot be promised (R3), so a human approves"
        case _:
            return None
    if given is not None and case.risk is not None:
        why += f"; {given.who} approved less (risk {given.score}, {given.reversibility})"
    elif (instead := approvals.instead(case)) is not None:
        why += f"; {instead}"
    return f"{why}: {approvals.how(case, step)}"


def _content(change: Change) -> str:
    assert change.candidate is not None
    return change.candidate.key()


_OF_ANY_TOUCH = frozenset({"obstacle", "memory", "status", "excluded"})

_GUARDS: tuple[tuple[str, Callable[[Case, str], str | None]], ...] = (
    ("label", _labels),
    ("disabled", _enabled),
    ("obstacle", _obstacle),
    ("compose", guards_of_means.compose),
    ("pipeline", guards_of_means.pipeline),
    ("hooks", guards_of_means.hooks),
    ("group", guards_of_means.group),
    ("strategy", guards_of_means.strategy),
    ("watchtower", guards_of_means.watchtower),
    ("memory", _memory),
    ("status", _status),
    ("unhealthy", _health),
    ("policy", _behind),
    ("age", guards_of_time.age),
    ("risk", _risk),
    ("approval", _approval),
    ("window", guards_of_time.window),
    ("freeze", guards_of_time.freeze),
    ("block_while", guards_of_time.block_while),
)
