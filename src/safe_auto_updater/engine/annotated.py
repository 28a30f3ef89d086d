"""What assets' own annotations approve is heard once, and kept like the word of any human.

So all that holds for `sau approve` holds for it. A text that has been heard says nothing more until
it is changed; one that is taken away takes the approval with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from safe_auto_updater.core import approvals
from safe_auto_updater.core.case import Case
from safe_auto_updater.core.errors import UsageError
from safe_auto_updater.core.model import Step
from safe_auto_updater.core.risk import Band, Risk
from safe_auto_updater.engine.decisions import Annotated, Decisions


def hear(decisions: Decisions, cases: Sequence[Case]) -> bool:
    """Keep what annotations approve, and what they do no more; whether any of it is new."""
    news = [case for case in cases if approvals.carried(case) != _heard(case)]
    if not news:
        return False
    with decisions.undisturbed():  # another run may have heard it since the plan began
        now = decisions.standing().annotated
        heard = [_is_news(decisions, case, now.get(case.asset.id)) for case in news]
        return any(heard)


def _is_news(decisions: Decisions, case: Case, said: Annotated | None) -> bool:
    text = approvals.carried(case)
    heard = said.text if said is not None else ""
    if text == heard:
        return True  # of another run
    if said is not None:
        decisions.withdraw(case.asset.id, heard)
    step = approvals.named_step(case) if text else None
    if step is None or case.bands.band(_judged(step)) is Band.NEVER:
        return said is not None
    shown = _shown(decisions, case, step)
    assert shown.risk is not None
    decisions.annotated(shown, shown.risk, text, approvals.approved_by(case))
    return True


def _heard(case: Case) -> str:
    return case.memory.heard(case.asset.id) or ""


def _shown(decisions: Decisions, case: Case, step: Step) -> Step:
    """What the last plan showed under these words, which may be other content; else what is now."""
    try:
        planned = decisions.proposals()
    except UsageError:
        planned = ()
    for last in planned:
        if last.asset == case.asset.id and last.risk is not None:
            return last if approvals.names(case.policy.approve, last.changes) else step
    return step


def _judged(step: Step) -> Risk:
    assert step.risk is not None
    return step.risk
