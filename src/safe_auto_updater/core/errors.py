"""Everything that can go wrong, under one root, so that nothing escapes as a stranger.

Each platform translates its library's root exception into one of these exactly once, with the
cause chained. Messages name the thing, the fact and the remedy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.outcome import Cause


class SafeAutoUpdaterError(Exception):
    """The root: catch this and you have caught everything the program raises on purpose."""


class InvalidReference(SafeAutoUpdaterError, ValueError):
    """A text that is no image reference."""


class RegistryError(SafeAutoUpdaterError):
    """A registry did not answer the question: what it would have said is *unknown*.

    `reason` is one of auth, denied, not_found, rate_limited, server, unreachable, malformed,
    platform, timeout.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class PlatformError(SafeAutoUpdaterError):
    """The platform answered and said no. `status` is its HTTP status, where it has one."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class NotFound(PlatformError):
    """The platform answered: there is no such object."""


class PlatformUnreachable(SafeAutoUpdaterError):
    """The platform does not answer. Not a failure of the update: wait, then look again."""


class PlatformUnfit(PlatformUnreachable):
    """The platform answers, and can do nothing until somebody mends it: a full disk, for one."""


class StepFailed(SafeAutoUpdaterError):
    """A verb could not make it so. Carries the cause, which decides about quarantine."""

    def __init__(
        self, message: str, cause: Cause, evidence: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.cause = cause
        self.evidence = dict(evidence or {})


class Halted(StepFailed):
    """Going back would be worse than stopping here: nothing more is touched, a human is called."""


class JournalError(SafeAutoUpdaterError):
    """The journal cannot be read or written."""


class Busy(SafeAutoUpdaterError):
    """Another actor holds the state folder. `holder` is its command, where that is known."""

    def __init__(self, message: str, holder: str = "") -> None:
        super().__init__(message)
        self.holder = holder


class UsageError(SafeAutoUpdaterError):
    """What the person asked for cannot be done as asked (unknown or ambiguous name, stale plan)."""


class ConfigError(SafeAutoUpdaterError):
    """The configuration cannot be used. `problems` holds one line per error."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class PluginError(SafeAutoUpdaterError):
    """A plugin cannot be loaded or broke its contract."""
