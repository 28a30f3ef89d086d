"""An update in one line: what it changes, and how it ended. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from safe_auto_updater.core.model import Change, Image, Step
from safe_auto_updater.core.redact import redact
from safe_auto_updater.core.updater import Facts


def headline(step: Step) -> str:
    """From which versions to which: `1.0 -> 1.1 (minor)`."""
    return ", ".join(versions(change, new) for change, new in _moving(step))


def in_short(step: Step) -> str:
    """The same, each with its container: `web 1.0 -> 1.1 (minor)`."""
    return ", ".join(f"{one.container} {versions(one, new)}" for one, new in _moving(step))


def references(step: Step) -> str:
    """From which references to which: `shop/web:1.0 -> shop/web:1.1 (minor)`."""
    return ", ".join(
        f"{one.current.reference} -> {new.reference} ({one.bump})" for one, new in _moving(step)
    )


def versions(change: Change, new: Image) -> str:
    """From which version to which, of one container: `1.0 -> 1.1 (minor)`."""
    old = change.current
    return f"{old.version or old.reference} -> {new.version or new.reference} ({change.bump})"


def ending(facts: Facts) -> str:
    """Why an update ended as it did, in one line; of a success, what is to be known besides."""
    told = [facts[word]["error"] for word in ("failure", "trouble") if word in facts]
    if told:
        return redact("; then ".join(told))
    seen = facts.get("verdict", {}).get("reason", "")
    return "; ".join(filter(None, (seen, *facts.get("remarks", ()))))


def _moving(step: Step) -> Iterator[tuple[Change, Image]]:
    return ((one, one.candidate) for one in step.changes if one.candidate is not None)
