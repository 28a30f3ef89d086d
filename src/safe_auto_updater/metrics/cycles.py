"""What the last cycle saw, shown whole or not at all: a scrape never meets half of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from safe_auto_updater.core.model import Action, Plan
from safe_auto_updater.engine.cycle import Checked

Counts = Mapping[tuple[str, ...], float]


@dataclass(frozen=True)
class _Seen:
    """Everything that cycles tell, at one instant. Counts are by the values of their labels."""

    cycles: int = 0
    end: Counts = field(default_factory=dict)
    lasted: Counts = field(default_factory=dict)
    due: Counts = field(default_factory=dict)
    every: Counts = field(default_factory=dict)
    assets: Counts = field(default_factory=dict)
    available: Counts = field(default_factory=dict)
    steps: Counts = field(default_factory=dict)
    holds: Counts = field(default_factory=dict)
    approvals: Counts = field(default_factory=dict)
    scanned: Counts = field(default_factory=dict)
    failures: Counts = field(default_factory=dict)


class Cycles(Collector):
    """Keeps what was seen last. One thread tells, any may collect."""

    def __init__(self) -> None:
        self._seen = _Seen()

    def due(self, at: float, every_s: float) -> None:
        """When the next one is to begin."""
        self._seen = replace(self._seen, due={(): at}, every={(): every_s})

    def ended(self, checked: Checked, plan: Plan, seconds: float, at: float) -> None:
        """One has ended."""
        before, inventory = self._seen, checked.inventory
        failed = set(inventory.sources) - set(inventory.whole)
        self._seen = replace(
            _with(before, checked, plan),
            cycles=before.cycles + 1,
            end={(): at},
            lasted={(): seconds},
            scanned={
                (source,): before.scanned.get((source,), 0) if source in failed else at
                for source in inventory.sources
            },
            failures={
                (source,): before.failures.get((source,), 0) + (source in failed)
                for source in inventory.sources
            },
        )

    def looked(self, checked: Checked, plan: Plan) -> None:
        """What is known of all assets by now, between two of them."""
        self._seen = _with(self._seen, checked, plan)

    def collect(self) -> Iterator[Metric]:
        """What Prometheus reads."""
        seen = self._seen
        yield _counter("cycles", "Cycles that have ended.", (), {(): seen.cycles})
        yield _gauge("last_cycle_end_timestamp_seconds", "When the last cycle ended.", (), seen.end)
        yield _gauge(
            "last_cycle_duration_seconds", "How long the last cycle took.", (), seen.lasted
        )
        yield _gauge(
            "next_cycle_timestamp_seconds", "When the next cycle is to begin.", (), seen.due
        )
        yield _gauge(
            "cycle_interval_seconds",
            "How long it is from one cycle to the next by the schedule.",
            (),
            seen.every,
        )
        yield _gauge(
            "assets", "Assets that the last cycle saw.", ("platform", "status"), seen.assets
        )
        yield _gauge(
            "updates_available",
            "Candidates that the last cycle found, held or not, by how far they go.",
            ("platform", "bump"),
            seen.available,
        )
        yield _gauge("plan_steps", "Steps of the last cycle's plan.", ("action",), seen.steps)
        yield _gauge(
            "holds",
            "Steps that the last cycle held, by rule; one held by two counts in both.",
            ("rule",),
            seen.holds,
        )
        yield _gauge(
            "approvals_waiting",
            "Steps that the last cycle held because a human must approve them.",
            (),
            seen.approvals,
        )
        yield _gauge(
            "last_scan_success_timestamp_seconds",
            "When a cycle last saw everything on a source; 0: not in this process.",
            ("source",),
            seen.scanned,
        )
        yield _counter(
            "scan_failures",
            "Cycles that could not see a source, or a part of it.",
            ("source",),
            seen.failures,
        )


def _with(before: _Seen, checked: Checked, plan: Plan) -> _Seen:
    """With what is known of all assets by now."""
    platforms = {asset.id: asset.platform for asset in checked.inventory.assets}
    held = [step for step in plan.steps if step.action is Action.HOLD]
    return replace(
        before,
        assets=_count((one.platform, one.status) for one in checked.inventory.assets),
        available=_count(
            (platforms[asset], change.reach or "unknown")
            for asset, changes in checked.changes.items()
            for change in changes
            if change.candidate is not None
        ),
        steps=_count(((step.action,) for step in plan.steps), *((one,) for one in Action)),
        holds=_count((rule,) for step in held for rule in set(step.hold_rules)),
        approvals={(): sum("approval" in step.hold_rules for step in held)},
    )


def _count(found: Iterable[tuple[str, ...]], *at_least: tuple[str, ...]) -> Counts:
    """How often each combination was found; those of `at_least` also where they were not."""
    return {**dict.fromkeys(at_least, 0), **Counter(found)}


def _gauge(name: str, text: str, labels: tuple[str, ...], counts: Counts) -> Metric:
    return _filled(GaugeMetricFamily(f"safe_auto_updater_{name}", text, labels=labels), counts)


def _counter(name: str, text: str, labels: tuple[str, ...], counts: Counts) -> Metric:
    return _filled(CounterMetricFamily(f"safe_auto_updater_{name}", text, labels=labels), counts)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, counts: Counts) -> Metric:
    for values, count in sorted(counts.items()):
        family.add_metric(list(values), count)
    return family
