"""`sau plan` where nothing is new: its wall time, and what it asks the registry and the engine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lab.bench.engine_requests import EngineRequests
from lab.bench.figures import Series
from lab.bench.registry import CountingRegistry
from lab.bench.sandbox import Sandbox

CONTAINERS = 50
TAGS = ("0.9.0", "1.0.0")
"""The newest is what runs."""


@dataclass(frozen=True)
class Planned:
    """One row: the wall time, and requests of one plan."""

    took: Series
    registry: float
    engine: float


def measure(sandbox: Sandbox, registry: CountingRegistry, images: int, runs: int) -> Planned:
    """Plan for fifty containers that run this many images, each of a repository of its own."""
    name = f"plan{images}-"
    with ThreadPoolExecutor(4) as pool:
        references = list(pool.map(lambda n: _image(sandbox, f"{name}{n}"), range(images)))
        numbers = range(CONTAINERS)
        list(pool.map(lambda n: sandbox.run(f"{name}{n}", references[n % images]), numbers))
    try:
        return _planned(sandbox, registry, name, runs)
    finally:
        sandbox.remove(name)


def _planned(sandbox: Sandbox, registry: CountingRegistry, name: str, runs: int) -> Planned:
    def plan(host: str = "") -> float:
        return sandbox.sau(name, name, "plan", host=host)

    with EngineRequests(sandbox.socket, sandbox.socket.with_name(f"{name}.sock")) as counted:
        plan(counted.host)
    before = registry.requests()
    took = tuple(plan() for _ in range(runs))
    asked = (registry.requests() - before) / runs
    return Planned(Series("wall time", took), asked, counted.count)


def _image(sandbox: Sandbox, name: str) -> str:
    references = [sandbox.publish(name, tag) for tag in TAGS]
    sandbox.pull(references[-1])
    return references[-1]
