"""The seams: what the engine asks of plugins, of the machine, and of platforms before a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from safe_auto_updater.core.events import Event
from safe_auto_updater.core.model import Asset, Change
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.risk import Risk


class CheckState(StrEnum):
    """What one look by one check says."""

    PASSED = "passed"
    FAILING = "failing"  # not well yet; may come right before the deadline
    FAILED = "failed"  # will not come right: stop watching
    UNKNOWN = "unknown"  # the check itself could not tell


@dataclass(frozen=True)
class CheckResult:
    """One check's word. `proves` is false for checks that only see that a process exists."""

    check: str
    state: CheckState
    detail: str = ""
    cause: Cause = Cause.IMAGE
    proves: bool = True
    asset: str | None = None  # whose check it was, where several are watched as one


@dataclass(frozen=True)
class Subject:
    """What a health check is given to look at: where the asset lives and how to reach it.

    `attributes` is the platform's own view (for Docker the container's raw inspect JSON); `images`
    what the containers that are judged run, by their names, where a workload has several;
    `elsewhere` why `addresses` may be those of something else, as seen from this machine.
    """

    asset: str
    container: str
    addresses: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    elsewhere: str | None = None


@dataclass(frozen=True)
class Scan:
    """What one scanner saw. `failures` are the parts that could not be read: (source, error)."""

    assets: tuple[Asset, ...]
    images: tuple[Mapping[str, Any], ...] = ()
    failures: tuple[tuple[str, str], ...] = ()


class Clock(Protocol):
    """Time comes in as an argument: a ten-minute soak tests in a millisecond."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Scanner(Protocol):
    """Plugin group `safe_auto_updater.scanners`: finds assets on one source."""

    name: str

    def scan(self) -> Scan:
        """Everything on this source. A part that cannot be read is a failure in the result.

        One that raises, or has no answer within a minute, could not be seen at all.
        """
        ...


class HealthCheck(Protocol):
    """Plugin group `safe_auto_updater.health_checks`: one way to ask whether an asset is well."""

    def check(self, subject: Subject) -> CheckResult:
        """One look. Raising counts as *unknown*, and so does no answer within a minute."""
        ...


class Notifier(Protocol):
    """Plugin group `safe_auto_updater.notifiers`: carries events to people."""

    def notify(self, event: Event) -> None:
        """Deliver one event. Raising is a warning; it never stops an update."""
        ...


@dataclass(frozen=True)
class Proposal:
    """What a policy of a plugin is asked about: one asset, what it would take, and the risk."""

    asset: Asset
    changes: tuple[Change, ...]
    risk: Risk | None
    now: float


class Policy(Protocol):
    """Plugin group `safe_auto_updater.policies`: one more question that can hold an update."""

    def judge(self, proposal: Proposal) -> str | None:
        """None where nothing speaks against it, else why it must wait.

        May be asked by several threads at once. Raising, hanging and any other answer hold the
        update too, and name the plugin.
        """
        ...


@dataclass(frozen=True)
class Trees:
    """What an asset is and what a change would make of it: two trees of JSON, for DiffAnalyzer."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True)
class Foreseen:
    """What the platform itself says of a change that it was only asked about.

    `refusal`: why it would not take it. `unasked`: why it could not be asked.
    """

    refusal: str | None = None
    unasked: str | None = None


class Comparer(Protocol):
    """Looks at both sides of a change without touching anything."""

    def trees(self, asset: Asset, change: Change) -> Trees:
        """Both sides of one change. Raises RegistryError or PlatformError: *unknown*."""
        ...
