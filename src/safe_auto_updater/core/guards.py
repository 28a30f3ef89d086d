"""Every question that can hold an update, one row each. All are asked; all that say no are told.

A guard looks at one asset of a step and answers None, or why the step must wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from safe_auto_updater.core.memory import Hold, Memory
from safe_auto_updater.core.model import Asset, Change, Health, Obstacle, Status
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.policy import AssetPolicy
from safe_auto_updater.core.risk import Band, Bands, Risk
from safe_auto_updater.core.semver import SemVerEvaluator
from safe_auto_updater.core.spelling import (
    Approval,
    ComposeChange,
    DockerUpdaters,
    Strategy,
    in_words,
)
from safe_auto_updater.core.versions import Bump
from safe_auto_updater.core.windows import opening, told


@dataclass(frozen=True)
class Veto:
    """A no from outside the plan: a plugin's policy, or a side of the change nobody could see."""

    rule: str
    reason: str


@dataclass(frozen=True)
class FileEdit:
    """What the file that an asset was made from must say for a change to last.

    `text` names place, old and new; None where nobody can say. `refusal` is why the program cannot
    be the one to write it.
    """

    text: str | None
    refusal: str | None = None


@dataclass(frozen=True)
class Case:
    """One asset with everything that decides about it."""

    asset: Asset
    changes: tuple[Change, ...]
    policy: AssetPolicy
    memory: Memory
    bands: Bands = field(default_factory=Bands)
    risk: Risk | None = None
    vetoes: tuple[Veto, ...] = ()
    edits: tuple[FileEdit, ...] = ()
    follows: bool = False  # it takes nothing itself, and would be touched for the sake of another

    @property
    def wanted(self) -> tuple[Change, ...]:
        """The changes that have a candidate."""
        return tuple(change for change in self.changes if change.candidate is not None)


@dataclass(frozen=True)
class No:
    """One guard's answer: its name and its reason."""

    rule: str
    reason: str


def objections(case: Case, step: str) -> tuple[No, ...]:
    """Everything that speaks against making this step, of this id, now."""
    found = [No(rule, reason) for rule, ask in _GUARDS if (reason := ask(case, step)) is not None]
    return (*found, *(No(veto.rule, veto.reason) for veto in case.vetoes))


def objections_to_touching(case: Case, step: str) -> tuple[No, ...]:
    """Everything that speaks against making an asset anew, on its own image, within a step."""
    return objections(replace(case, changes=(), follows=True), step)


def named_level(case: Case) -> str:
    """The policy and who set it: `minor (rule */db-*)`."""
    return f"{case.policy.level.value} ({case.policy.source('policy')})"


def _labels(case: Case, step: str) -> str | None:
    return "; ".join(case.policy.problems) or None


def _enabled(case: Case, step: str) -> str | None:
    if case.policy.enable is not False:
        return None
    return f"switched off by enable=false ({case.policy.source('enable')})"


def _obstacle(case: Case, step: str) -> str | None:
    moves = any(change.moves_tag for change in case.wanted)
    stays = case.policy.compose is ComposeChange.CONTAINER_ONLY  # the file, whatever it names
    return _all(
        o.reason
        for o in case.asset.obstacles
        if (moves or not o.only_tag_changes)
        and o.only_by is None
        and not (stays and o.rule == "stack")
        and not yields(o, case.policy)
    )


def _watchtower(case: Case, step: str) -> str | None:
    """What our own updater could do and Watchtower cannot."""
    policy = case.policy
    if policy.docker_updater is not DockerUpdaters.WATCHTOWER or case.follows:
        return None
    if case.asset.kind == "service":
        return None  # the engine itself updates it, whatever is said of containers
    found = [o.reason for o in case.asset.obstacles if o.only_by == policy.docker_updater.value]
    if any(change.moves_tag for change in case.wanted):
        found.append(
            "Watchtower changes no tags: policy digest follows the tag that it has, "
            "docker_updater native takes the newer one"
        )
    if case.asset.own:
        found.append("this program would be stopped while it waits: docker_updater native")
    if policy.group is not None:
        found.append(f"Watchtower moves nothing as one: group {policy.group} needs our own updater")
    if policy.strategy is not Strategy.STOP_FIRST:
        found.append(f"Watchtower knows no strategy {policy.strategy.value}")
    return _all(found)


def yields(obstacle: Obstacle, policy: AssetPolicy) -> bool:
    """Whether an operator has set this obstacle aside."""
    return obstacle.yields_to_enable and policy.enabled_by_name


def _compose(case: Case, step: str) -> str | None:
    if case.follows:
        return None
    source = case.policy.source("compose")
    return _all(no for edit in case.edits if (no := _unwritten(edit, case.policy.compose, source)))


def _unwritten(edit: FileEdit, rule: ComposeChange, source: str) -> str | None:
    match rule:
        case ComposeChange.CONTAINER_ONLY:
            return None
        case ComposeChange.UPDATE_FILE:
            return edit.refusal and f"its Compose file is not edited ({source}): {edit.refusal}"
        case ComposeChange.HOLD if edit.text is None:
            return (
                "its Compose file has to name the new tag, then `docker compose up -d`; where is "
                f"not clear: {edit.refusal}"
            )
        case ComposeChange.HOLD:
            return (
                f"{edit.text} in its Compose project, then `docker compose up -d`; with compose "
                f"set to update-file this program does both ({source}: hold)"
            )


def _strategy(case: Case, step: str) -> str | None:
    if case.policy.strategy is not Strategy.START_FIRST or case.follows:
        return None
    if not case.asset.exclusive:
        return None
    why = "; ".join(case.asset.exclusive)
    return (
        f"start-first ({case.policy.source('strategy')}) is not possible: {why}. "
        "Set strategy to stop-first"
    )


def _hooks(case: Case, step: str) -> str | None:
    hooks = case.policy.hooks
    if case.asset.kind != "service" or not (hooks.before or hooks.after):
        return None
    keys = ("before_update", hooks.before), ("after_update", hooks.after)
    named = " and ".join(f"{key} ({case.policy.source(key)})" for key, words in keys if words)
    return f"{named}: hooks run in a container, and a Swarm service is several; take them away"


def _memory(case: Case, step: str) -> str | None:
    asset, memory = case.asset.id, case.memory
    blocked = [blocked.reason for blocked in memory.blocked if blocked.asset == asset]
    holds = [_held(hold, case.wanted) for hold in memory.holds if hold.asset in (asset, "*")]
    failed = [_quarantined(change, case) for change in case.wanted]
    return _all(reason for reason in (*blocked, *holds, *failed) if reason is not None)


def _held(hold: Hold, wanted: tuple[Change, ...]) -> str | None:
    if hold.content is None:
        return f"held: {hold.reason}"
    if any(_content(change) == hold.content for change in wanted):
        return f"this version is held: {hold.reason}"
    return None


def _quarantined(change: Change, case: Case) -> str | None:
    for failed in case.memory.quarantine:
        if failed.content != _content(change):
            continue
        if (failed.asset, failed.container) == (case.asset.id, change.container):
            return (
                f"quarantined: this content failed here before ({failed.update}: "
                f"{failed.reason}); a newer version may follow, `sau release` tries it again"
            )
        if failed.cause is Cause.IMAGE:
            return (
                f"quarantined: this content failed on {failed.asset} ({failed.update}: "
                f"{failed.reason}); `sau release {failed.asset}` tries it again"
            )
    return None


def _status(case: Case, step: str) -> str | None:
    match case.asset.status:
        case Status.RUNNING:
            return None
        case Status.PAUSED:
            return "paused; an update would have to start it. Unpause it first"
        case Status.RESTARTING if case.policy.fix_forward:
            return None
        case Status.EXITED if case.asset.kind == "service":
            return None  # nothing of it is to run, and its next task takes the new version
        case Status.EXITED | Status.CREATED if case.follows:
            return None  # made anew, and not started
        case Status.RESTARTING:
            return "restarting in a loop before the update (rule fix_forward would allow it)"
        case other:
            return f"{other.value}: a container that does not run stays as it is"


def _health(case: Case, step: str) -> str | None:
    if case.policy.fix_forward or case.asset.health is not Health.UNHEALTHY:
        return None
    return "unhealthy before the update (rule fix_forward would allow it)"


def _behind(case: Case, step: str) -> str | None:
    """New content behind an unchanged tag goes as far as the versions behind it go."""
    for change in case.wanted:
        if change.behind is None or SemVerEvaluator().allowed(
            Bump(change.behind), case.policy.level
        ):
            continue
        assert change.candidate is not None
        reference = change.candidate.reference
        if change.behind == Bump.UNKNOWN:
            return (
                f"nobody can say that {reference} moves on: it goes back, or counts in another way"
            )
        old, new = change.current.version, change.candidate.version
        return (
            f"{reference} goes from {old} to {new}: {change.behind}, policy is {named_level(case)}"
        )
    return None


def _age(case: Case, step: str) -> str | None:
    if case.policy.minimum_age_s <= 0:
        return None
    for change in case.wanted:
        seen = change.first_seen if change.first_seen is not None else case.memory.now
        ripe = seen + case.policy.minimum_age_s
        if case.memory.now < ripe:
            age = in_words(case.policy.minimum_age_s)
            return (
                f"too young: first seen {_utc(seen)}, minimum age is {age} "
                f"({case.policy.source('minimum_age')}): may go from {_utc(ripe)}"
            )
    return None


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
    given = case.memory.approval(step)
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
    return f"{why}: sau approve {step}"


def _window(case: Case, step: str) -> str | None:
    windows, now = case.policy.windows, case.memory.now
    if not windows:
        return None
    coming = opening(windows, now)
    source = case.policy.source("window")
    if coming is None:
        return f"outside its window ({source}), which does not open within two weeks"
    if coming.start <= now:
        return None
    texts = "; ".join(window.text for window in windows)
    opens = told(coming.start, windows[0].zone)
    return f"outside its window {texts} ({source}): opens {opens}"


def _freeze(case: Case, step: str) -> str | None:
    for freeze in case.policy.freezes:
        period = freeze.around(case.memory.now)
        if period is not None:
            until = told(period.end, freeze.zone)
            return f"frozen by {freeze.text} ({case.policy.source('freeze')}): until {until}"
    return None


def _all(reasons: Iterable[str]) -> str | None:
    return "; ".join(dict.fromkeys(reasons)) or None


def _content(change: Change) -> str:
    assert change.candidate is not None
    return change.candidate.key()


def _utc(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


WAITS_FOR_TIME = frozenset({"age", "window", "freeze"})  # their words change as time goes on
_GUARDS: tuple[tuple[str, Callable[[Case, str], str | None]], ...] = (
    ("label", _labels),
    ("disabled", _enabled),
    ("obstacle", _obstacle),
    ("compose", _compose),
    ("hooks", _hooks),
    ("strategy", _strategy),
    ("watchtower", _watchtower),
    ("memory", _memory),
    ("status", _status),
    ("unhealthy", _health),
    ("policy", _behind),
    ("age", _age),
    ("risk", _risk),
    ("approval", _approval),
    ("window", _window),
    ("freeze", _freeze),
)
