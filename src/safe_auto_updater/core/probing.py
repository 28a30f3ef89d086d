"""Where a probe goes: the configured place, with the container's address filled in."""

from __future__ import annotations

from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.ports import CheckResult, CheckState, Subject

ADDRESS = "{address}"


def fill(template: str, subject: Subject, *, in_url: bool = False) -> str | None:
    """The template with the container's first address; None if it needs one and there is none."""
    if ADDRESS not in template:
        return template
    if not subject.addresses:
        return None
    address = subject.addresses[0]
    if in_url and ":" in address:
        address = f"[{address}]"
    return template.replace(ADDRESS, address)


def cannot_tell(check: str, detail: str) -> CheckResult:
    """The probe itself is stuck: no word about the container, so no image is blamed."""
    return CheckResult(check, CheckState.UNKNOWN, detail, Cause.PLATFORM)


def no_address(check: str) -> CheckResult:
    """The subject has no address of its own (host network, or none)."""
    return cannot_tell(
        check, f"the container has no address for {ADDRESS}; name a host in the check"
    )
