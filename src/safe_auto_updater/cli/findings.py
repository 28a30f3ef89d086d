"""What a step would change, for people: why it matters, what going back costs, what follows."""

from __future__ import annotations

import json
from typing import Any

from safe_auto_updater.cli import tables
from safe_auto_updater.core.identity import short_name
from safe_auto_updater.core.model import Action, Step
from safe_auto_updater.core.redact import MASK
from safe_auto_updater.core.risk import Band, Bands, Finding, Reversibility, Risk, weigh

LONGEST = 60
_ROOTS = ("step", "image", "container")
_COSTS = {
    Reversibility.R0: "nothing; the old one starts again as it was",
    Reversibility.R1: "little; data keeps its form, and what is lost can be made again",
    Reversibility.R2: "perhaps data; what the new version changed in it is not taken back",
    Reversibility.R3: "it cannot be promised; without a backup the old version may not start again",
}


def show(step: Step, bands: Bands) -> None:
    """Everything about one step, down to the command that comes next."""
    name = ", ".join(short_name(asset) for asset in step.assets)
    candidates = [change for change in step.changes if change.candidate is not None]
    for change in candidates:
        tables.say(f"{short_name(change.asset)}  {tables.arrow(change)}  {change.reach}")
    if not candidates:
        tables.say(f"{name}: no candidate, so there is nothing to compare.")
    elif step.risk is None:
        tables.say("What it would change could not be seen.")
    else:
        _findings(step.risk)
        tables.say(_score(step.risk))
        tables.say(f"Going back costs ({step.risk.reversibility}): {_costs(step.risk)}.")
        tables.say(_band(step, step.risk, bands))
    for reason in step.reasons:
        tables.say(f"{_WORDS[step.action]}  {reason}")
    if step.action is Action.UPDATE:
        tables.say(f"Next: sau apply {' '.join(short_name(asset) for asset in step.movers)}")


_WORDS = {Action.UPDATE: "READY", Action.HOLD: "HELD", Action.NONE: "NEWEST"}


def _findings(risk: Risk) -> None:
    findings = sorted(risk.findings, key=lambda finding: -finding.points)
    lines: list[tuple[str, str, str]] = []
    for finding in findings:
        lines.append((finding.severity.upper(), str(finding.points), what(finding)))
        lines.append(("", "", finding.why))
    if lines:
        tables.rows(("", "POINTS", "WHAT CHANGES, AND WHY IT MATTERS"), lines)
    else:
        tables.say("Nothing that matters changes.")


def what(finding: Finding) -> str:
    """`env TZ: changed`, `volumes /data: gone`, `user: root -> app`."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in finding.path.split("/")]
    shown = [part for part in parts[parts[0] in _ROOTS :] if part != "inherited"]
    return f"{' '.join(shown)}: {_values(finding, parts[-1])}"


def _values(finding: Finding, name: str) -> str:
    def silent(value: Any) -> bool:
        return value in (MASK, name)  # says nothing that the path does not

    match finding.before, finding.after:
        case None, after if finding.path.startswith("step/"):
            return _text(after)
        case before, after if before == after and not silent(after):
            return _text(after)  # no difference, but what a row about the step shows
        case None, after:
            return "new" if silent(after) or after is True else f"new, {_text(after)}"
        case before, None:
            return "gone" if silent(before) else f"gone, {_text(before)}"
        case before, after:
            hidden = silent(before) and silent(after)
            return "changed" if hidden else f"{_text(before)} -> {_text(after)}"


def _text(value: Any) -> str:
    match value:
        case str():
            text = value
        case list() if all(isinstance(part, str) for part in value):
            text = " ".join(value)
        case _:
            text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _score(risk: Risk) -> str:
    points = sorted((finding.points for finding in risk.findings if finding.points), reverse=True)
    counted, score = weigh(points)
    parts = [f"{p}/{2**place}" if place else str(p) for place, p in enumerate(points)]
    if score != risk.score:
        return f"Score {risk.score} of 100: the riskiest of them decides."
    if len(parts) < 2:
        return f"Score {risk.score} of 100."
    return (
        f"Score {risk.score} of 100: {' + '.join(parts[: len(counted)])}. The heaviest counts "
        "whole, each next half as much."
    )


def _costs(risk: Risk) -> str:
    return _COSTS[risk.reversibility]


def _band(step: Step, risk: Risk, bands: Bands) -> str:
    low, high = bands.automatic, bands.approval
    match bands.band(risk):
        case Band.AUTOMATIC:
            return f"Automatic: below {low} no human is asked."
        case Band.APPROVAL if step.action is Action.UPDATE:
            return f"From {low} on a human approves; nothing holds this step any more."
        case Band.APPROVAL:
            return f"Needs approval, from {low} on and below {high}: sau approve {step.id}"
        case Band.NEVER if risk.blockers:
            return "Never: a blocker cannot be approved. Do it by hand."
        case Band.NEVER:
            return f"Never: from {high} on it cannot be approved. Do it by hand, in smaller steps."
