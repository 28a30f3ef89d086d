"""The seams: what the engine asks of platforms, plugins and the machine.

`Updater` is our own protocol and no plugin group: strangers could not keep the laws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

from safe_auto_updater.core.events import Event
from safe_auto_updater.core.model import Asset, Change, Step
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.risk import Risk

Facts = Mapping[str, Any]  # JSON only: facts are journaled


def merged(known: Facts, more: Facts) -> dict[str, Any]:
    """What is known after one more row: later words over earlier ones, warnings added up."""
    both = {**known, **more}
    if "warnings" in known and "warnings" in more:
        both["warnings"] = list(dict.fromkeys([*known["warnings"], *more["warnings"]]))
    return both


@dataclass(frozen=True)
class Work:
    """One update on its way: the step, and every fact journaled so far."""

    update: str
    step: Step
    facts: Facts = field(default_factory=dict)

    @property
    def change(self) -> Change:
        """The one change of a single-container asset."""
        return self.step.changes[0]

    def with_facts(self, facts: Facts) -> Work:
        """The same work, knowing more."""
        return replace(self, facts=merged(self.facts, facts))


class Side(StrEnum):
    """Which of the two a health check looks at."""

    OLD = "old"
    NEW = "new"


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
    what the containers that are judged run, by their names, where a workload has several.
    """

    asset: str
    container: str
    addresses: tuple[str, ...] = ()
    attributes: Facts = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """One look at one side: the platform's own results, and the subjects for configured checks.

    `unverified`: why nobody can say whether it is well, where it is as it was told to be.
    `seen`: which processes were looked at; where it changes, being well begins anew. `progress`:
    how far a rollout has come; where it grows, the deadline begins anew.
    """

    results: tuple[CheckResult, ...]
    subjects: tuple[Subject, ...]
    unverified: str | None = None
    seen: str = ""
    progress: int = 0


@dataclass(frozen=True)
class Patience:
    """How long one side may need, by the platform's own knowledge (start period, retries).

    `timeout_s` is without progress; `cap_s` in all, by default the same.
    """

    timeout_s: float
    stable_for_s: float
    cap_s: float | None = None


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
        """Everything on this source. A part that cannot be read is a failure in the result."""
        ...


class HealthCheck(Protocol):
    """Plugin group `safe_auto_updater.health_checks`: one way to ask whether an asset is well."""

    def check(self, subject: Subject) -> CheckResult:
        """One look, bounded in time by the check itself. Raising counts as *unknown*."""
        ...


class Notifier(Protocol):
    """Plugin group `safe_auto_updater.notifiers`: carries events to people."""

    def notify(self, event: Event) -> None:
        """Deliver one event. Raising is a warning; it never stops an update."""
        ...


class Registry(Protocol):
    """What detection asks about images; answers come from the registry or not at all."""

    def tags(self, reference: str) -> Sequence[str]:
        """Every tag of the reference's repository. Raises RegistryError: *unknown*."""
        ...

    def digest(self, reference: str) -> str:
        """What the reference points to: one HEAD. Raises RegistryError: *unknown*."""
        ...

    def image(self, reference: str) -> ImageAnswer:
        """What a reference resolves to for this host's platform. Raises RegistryError."""
        ...

    def config(self, reference: str, answer: ImageAnswer) -> Mapping[str, Any]:
        """The image configuration behind an answer, verified. Raises RegistryError."""
        ...


class Stored(Protocol):
    """A body as it was kept, and the entity tag that it came with."""

    @property
    def etag(self) -> str | None:
        """The entity tag, where there was one."""
        ...

    @property
    def body(self) -> bytes:
        """The body."""
        ...


class Answers(Protocol):
    """Where answers are kept between runs. Called from several threads; never raises."""

    def get(self, key: str) -> Stored | None:
        """What is kept under this key, or None: also where the store cannot be read."""
        ...

    def put(self, key: str, etag: str | None, body: bytes) -> None:
        """Keep it if that can be done."""
        ...


@dataclass(frozen=True)
class Layer:
    """One layer as the manifest names it; `size` is that of the download, in bytes."""

    digest: str
    size: int
    kind: str = ""  # its media type


@dataclass(frozen=True)
class ImageAnswer:
    """A resolved reference: what the tag points to, this platform's manifest, its configuration."""

    digest: str
    content: str
    config_digest: str
    layers: tuple[Layer, ...] = ()

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """Bytes to download for each layer, where nothing is there yet."""
        return tuple(layer.size for layer in self.layers)


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

    before: Facts
    after: Facts


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


class Updater(Protocol):
    """Idempotent verbs, one per phase: look first, then make it so.

    Each returns the facts to journal with the next phase. Raises StepFailed (the third party or
    the world said no), PlatformUnreachable (no answer: not a failure).
    """

    def prepare(self, work: Work) -> Facts:
        """Resolve and prefetch. Nothing visible changes."""
        ...

    def precheck(self, work: Work) -> Facts:
        """Still the version that was planned from, and still allowed to be touched?"""
        ...

    def snapshot(self, work: Work) -> Facts:
        """Everything that going back needs."""
        ...

    def stage(self, work: Work) -> Facts:
        """Make the new one beside the old, and compare."""
        ...

    def recheck(self, work: Work) -> None:
        """The last look before the first change: nobody has touched either side meanwhile."""
        ...

    def withdraw(self, work: Work, side: Side) -> None:
        """Take one side out of service, ahead of the verb that would: it needs another asset."""
        ...

    def apply(self, work: Work) -> Facts:
        """Take the old one out of service and the new one into it."""
        ...

    def look(self, work: Work, side: Side) -> Look:
        """One read-only look at one side: identity first, then health."""
        ...

    def patience(self, work: Work, side: Side) -> Patience:
        """How long this side needs before it can be judged."""
        ...

    def commit(self, work: Work) -> Facts:
        """Point of no return: what only going back needed is removed."""
        ...

    def rollback(self, work: Work) -> Facts:
        """The old one serves again; what was staged is gone."""
        ...

    def confirm(self, work: Work) -> Facts:
        """The old one equals the snapshot."""
        ...

    def clean(self, work: Work) -> Facts:
        """What was staged is gone; the old one was never touched.

        What cannot be removed is a warning. StepFailed where the old one is gone.
        """
        ...

    def reachable(self) -> bool:
        """Whether the platform answers now."""
        ...
