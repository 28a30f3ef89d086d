"""How an update ends, and why. The persisted words are an API and never change."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """The end of one update, as `sau history` and JSON spell it."""

    SUCCEEDED = "succeeded"
    UNVERIFIED = "unverified"
    ROLLED_BACK = "rolled_back"
    ABORTED = "aborted"
    HALTED = "halted"
    INCONSISTENT = "inconsistent"
    UNFINISHED = "unfinished"

    @property
    def exit_code(self) -> int:
        """What `sau apply` exits with when this is the worst outcome."""
        match self:
            case Outcome.SUCCEEDED | Outcome.UNVERIFIED:
                return 0
            case Outcome.ABORTED:
                return 1
            case Outcome.ROLLED_BACK:
                return 3
            case Outcome.HALTED | Outcome.INCONSISTENT | Outcome.UNFINISHED:
                return 4


class Cause(StrEnum):
    """What a failure is the fault of. Only image and config quarantine."""

    IMAGE = "image"
    CONFIG = "config"
    HOOK = "hook"
    CAPACITY = "capacity"
    REGISTRY = "registry"
    PLATFORM = "platform"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"

    @property
    def quarantines(self) -> bool:
        """Whether the content that failed is to blame, and must not be tried again."""
        return self in (Cause.IMAGE, Cause.CONFIG)


_WORST_FIRST = (4, 3, 1, 0)


def worst_exit_code(outcomes: list[Outcome]) -> int:
    """The exit code of a whole run: the worst wins, in the order 4, 3, 1, 0."""
    codes = {outcome.exit_code for outcome in outcomes} | {0}
    return next(code for code in _WORST_FIRST if code in codes)
