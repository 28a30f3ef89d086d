"""What probes share: the place they go to, with the address filled in, and their verdicts."""

from __future__ import annotations

from collections.abc import Collection

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


def dial(template: str, subject: Subject, *, in_url: bool = False) -> str | None:
    """What to connect to; None where that takes an address that may be another's from here."""
    if subject.elsewhere is not None and ADDRESS in template:
        return None
    return fill(template, subject, in_url=in_url)


def cannot_tell(check: str, detail: str) -> CheckResult:
    """The probe itself is stuck: no word about the container, so no image is blamed."""
    return CheckResult(check, CheckState.UNKNOWN, detail, Cause.PLATFORM)


def by_status(check: str, where: str, status: int, expected: Collection[int]) -> CheckResult:
    """What the status of an HTTP answer says; where none is expected, 200 to 399 are well."""
    told = f"{where} answered {status}"
    if status in expected if expected else 200 <= status <= 399:
        return CheckResult(check, CheckState.PASSED, told)
    named = ", ".join(map(str, expected)) or "200 to 399"
    return CheckResult(check, CheckState.FAILING, f"{told} instead of {named}")


def no_address(check: str, subject: Subject) -> CheckResult:
    """The subject has no address of its own, or none that means it from here."""
    why = (subject.addresses and subject.elsewhere) or "the container has none"
    return cannot_tell(check, f"no address for {ADDRESS}: {why}; name a host in the check")
