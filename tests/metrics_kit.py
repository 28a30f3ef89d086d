"""What a service has lived through, as metrics are told of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from safe_auto_updater.core.events import Event
from safe_auto_updater.core.memory import Blocked, Failed, Memory
from safe_auto_updater.core.model import (
    Action,
    Asset,
    Change,
    Health,
    Image,
    ImageUse,
    Plan,
    Status,
    Step,
)
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.policy import Settings
from safe_auto_updater.core.ports import Scan
from safe_auto_updater.core.registries import Asked
from safe_auto_updater.engine.cycle import Checked
from safe_auto_updater.engine.inventory import take_inventory
from safe_auto_updater.metrics import Metrics

WEB, SHOP = "docker:local/web", "helm:prod/shop/shop"
NOW = 1_800_000_000.0


class Source:
    """A scanner that sees these assets, or something that it cannot see."""

    def __init__(self, name: str, *assets: Asset, failures: tuple[tuple[str, str], ...] = ()):
        self.name = name
        self._scan = Scan(assets, (), failures)

    def scan(self) -> Scan:
        return self._scan


def asset(name: str, status: Status = Status.RUNNING, place: str = "docker:local") -> Asset:
    use = ImageUse(name, Image(f"{name}:1.0.0"))
    platform, kind = place.partition(":")[0], "container"
    return Asset(f"{place}/{name}", platform, kind, name, (use,), status, Health.NONE)


def change(of: Asset, bump: str | None = "minor", behind: str | None = None) -> Change:
    candidate = None if bump is None else Image(f"{of.name}:1.1.0")
    return Change(of.id, of.name, of.images[0].image, candidate, bump, behind=behind)


def held(of: Asset, *rules: str) -> Step:
    return Step(of.id, Action.HOLD, tuple(rules), (change(of),), rules)


def checked(sources: Iterable[Source], *changes: Change) -> Checked:
    """What a cycle has found there."""
    inventory = take_inventory(list(sources), Settings())
    found = {
        one.id: tuple(change for change in changes if change.asset == one.id)
        for one in inventory.assets
    }
    return Checked(inventory, inventory.assets, found)


def event(kind: str, asset: str | None = WEB, update: str | None = "u1", **details: Any) -> Event:
    return Event(kind, "told", NOW, asset, update, details)


def cycle(metrics: Metrics, now: float) -> None:
    """A whole cycle, in which one of two sources could not be seen."""
    web, db = asset("web"), asset("db", Status.EXITED)
    sources = [Source("docker:local", web, db), Source("kubernetes:prod", failures=(("x", "no"),))]
    steps = (held(db, "approval", "window"), Step(WEB, Action.UPDATE, changes=(change(web),)))
    metrics.watched_by(lambda: {"docker:local": True})
    metrics.cycle_due(now, 3600)
    metrics.cycle_ended(checked(sources, change(web), change(db, "major")), Plan(steps), 2.5, now)
    metrics.cycle_due(now + 3600, 3600)


def lived(now: float = NOW) -> Metrics:
    """Metrics that have been told of everything there is, and show each label."""
    metrics = Metrics()
    for update, kind, details in (
        ("u1", "succeeded", {"downtime_s": 0.4}),
        ("u2", "rolled_back", {"downtime_s": 3.0, "cause": "image"}),
        ("u3", "inconsistent", {"downtime_s": None, "cause": "unknown"}),
    ):
        metrics(event("started", update=update))
        metrics(event("waiting", update=update))
        metrics(event(kind, update=update, **details))
    metrics(event("started", SHOP, "u4"))
    metrics(event("warning"))
    cycle(metrics, now)
    failed = Failed(WEB, "web", "sha256:1", Cause.IMAGE, "u2", "it broke")
    blocked = Blocked(WEB, "u3", "update u3 ended inconsistent")
    metrics.remembered(Memory(now, quarantine=(failed,), blocked=(blocked,)))
    metrics.asked(Asked("registry-1.docker.io", "HEAD", "ok", 3, 100))
    metrics.asked(Asked("ghcr.io", "GET", "unauthorized"))
    return metrics


def samples(metrics: Metrics) -> Mapping[str, float]:
    """Each line of the text, as `name{label="value"}`, with its number."""
    lines = [line for line in metrics.text().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def labelled(metrics: Metrics) -> Mapping[str, frozenset[str]]:
    """Each metric (a histogram as one) with the names of its labels, as a scrape shows them."""
    return {
        family.name + ("_total" if family.type == "counter" else ""): frozenset(
            label for sample in family.samples for label in sample.labels
        )
        - {"le"}
        for family in metrics.registry.collect()
    }
