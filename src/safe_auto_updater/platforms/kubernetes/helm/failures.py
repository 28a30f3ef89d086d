"""Why a run of helm failed, by what it said: whose fault it is. Data.

Source: what helm 3.18 and 4 print.
"""

from __future__ import annotations

import re

from safe_auto_updater.core.errors import PlatformUnreachable, StepFailed
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.platforms.kubernetes.helm.child import Ended

_LONGEST = 600
_CAUSES = (
    (r"another operation \(install/upgrade/rollback\) is in progress", Cause.CONFLICT),
    (r"has been modified; please apply your changes|already exists", Cause.CONFLICT),
    (r"conflict(s)? with \"|Apply failed with \d+ conflict", Cause.CONFLICT),
    (r"hook(s)? failed|failed (pre|post)-(upgrade|rollback)", Cause.HOOK),
    (r"exceeded quota", Cause.CAPACITY),
    (r"don't meet the specifications of the schema|values\.schema", Cause.CONFIG),
    (r"execution error at|parse error|error calling|nil pointer|chart requires kube", Cause.CONFIG),
    (r"no matches for kind|unable to (build|recognize)|YAML parse error", Cause.CONFIG),
    (r"out of memory", Cause.CONFIG),
)
"""The first that is found says whose fault it is."""
_NO_ANSWER = re.compile(
    r"cluster unreachable|connection refused|no such host|i/o timeout|TLS handshake timeout"
    r"|connection reset by peer|unexpected EOF|server is currently unable|etcdserver"
)


def refused(ended: Ended, verb: str) -> StepFailed | PlatformUnreachable:
    """What to raise for a run that failed."""
    said = _said(ended.err)
    if ended.late:
        return StepFailed(f"helm {verb} did not end in time, and was ended: {said}", Cause.HOOK)
    cause = next((cause for words, cause in _CAUSES if re.search(words, said)), None)
    if cause is None and _NO_ANSWER.search(said):
        return PlatformUnreachable(f"helm {verb}: {said}")
    return StepFailed(f"helm {verb}: {said}", cause or Cause.UNKNOWN)


def _said(text: str) -> str:
    """Its error in one line; warnings and progress are left out where there is one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("Error", "error", "fatal error"))]
    found = " ".join(lines[lines.index(errors[0]) :] if errors else lines)
    return found.removeprefix("Error: ")[:_LONGEST] or "it said nothing"
