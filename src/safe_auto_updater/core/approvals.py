"""Approval by an asset's own annotation: what it names, and how a human gives one. Pure.

It is one person's word like `sau approve`, so the same law holds: it counts for one change, from
and to, at the risk that was shown, and once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from safe_auto_updater.core.case import Case
from safe_auto_updater.core.model import Action, Change, Step
from safe_auto_updater.core.policy import ANNOTATION_PREFIX, LABEL_PREFIX
from safe_auto_updater.core.reference import Reference

KEY = "approve"
_SHA256 = "sha256:"
_DIGITS = re.compile(r"[0-9a-f]{12,64}")


def carried(case: Case) -> str:
    """What its annotation says now; empty where there is none."""
    return ",".join(case.policy.approve)


def approved_by(case: Case) -> str:
    """Who approves where the asset itself says so."""
    if case.asset.platform == "kubernetes":
        return f"annotation {ANNOTATION_PREFIX}{KEY}={carried(case)}"
    return f"label {LABEL_PREFIX}{KEY}={carried(case)}"


def named_step(case: Case) -> Step | None:
    """The step that an asset's annotation names, whole; None where it names another one or none.

    What moves as a group is approved as one, by `sau approve`.
    """
    if not case.wanted or case.risk is None or case.policy.group is not None:
        return None
    if not names(case.policy.approve, case.wanted):
        return None
    return Step(case.asset.id, Action.UPDATE, changes=case.wanted, risk=case.risk)


def how(case: Case, step: str) -> str:
    """What a human types to approve a step of this id."""
    said = f"sau approve {step}"
    text = _to_write(case)
    if text is not None:
        _, namespace, kind, name = case.asset.id.split("/", 3)
        said += (
            f", or kubectl annotate --overwrite --namespace {namespace} {kind.lower()}/{name} "
            f"{ANNOTATION_PREFIX}{KEY}={text}"
        )
    return said


def instead(case: Case) -> str | None:
    """Why the annotation that is there does not count for what is wanted now."""
    if not case.policy.approve:
        return None
    if case.policy.group is not None:
        return f"{approved_by(case)} counts for nothing that moves as a group"
    if not names(case.policy.approve, case.wanted):
        return f"{approved_by(case)} does not name it"
    if case.memory.heard(case.asset.id) != carried(case):
        return None  # what else holds it keeps the word from being taken
    return f"{approved_by(case)} has counted before, for another change or an earlier try"


def _to_write(case: Case) -> str | None:
    """What an annotation has to say: versions, or digests where the versions have counted."""
    if case.asset.platform != "kubernetes" or case.policy.group is not None:
        return None
    versions = [_version(change) or _digest(change) for change in case.wanted]
    for words in (versions, [_digest(change) for change in case.wanted]):
        known = [word for word in words if word is not None]
        text = ",".join(dict.fromkeys(known))
        if len(known) == len(words) and text != case.memory.heard(case.asset.id):
            return text
    return None


def names(words: Sequence[str], changes: Sequence[Change]) -> bool:
    """Whether these words name what each of the changes would take."""
    known = all(change.candidate is not None for change in changes)
    return bool(changes) and known and all(_names(words, change) for change in changes)


def _names(words: Sequence[str], change: Change) -> bool:
    assert change.candidate is not None
    versions = {_version(change), change.candidate.version if change.moves_tag else None}
    return any(word in versions or _is_digest(word, change) for word in words)


def _is_digest(word: str, change: Change) -> bool:
    """Whether it is the candidate's digest or a part that is no other's here."""
    assert change.candidate is not None
    digits = word.removeprefix(_SHA256)
    fits = [
        (image.digest or "").removeprefix(_SHA256).startswith(digits)
        for image in (change.candidate, change.current)
    ]
    return _DIGITS.fullmatch(digits) is not None and fits == [True, False]


def _version(change: Change) -> str | None:
    """The tag, where a new one is taken."""
    assert change.candidate is not None
    return Reference.parse(change.candidate.reference).tag if change.moves_tag else None


def _digest(change: Change) -> str | None:
    assert change.candidate is not None
    digest = change.candidate.digest
    return None if digest is None else digest[: len(_SHA256) + 12]
