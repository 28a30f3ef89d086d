"""`sau check` where nothing is new, start-up included: what it takes, and what it asks.

The limit is one HEAD for each image by curl, over eight connections to the same registry. The
containers of the first measure are created and not started: five hundred that run would measure
the machine's memory.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import images
from lab.bench import registry as registries
from lab.bench.figures import Block, Series, at_most, best_ratio, counted
from lab.bench.processes import Cost, cost, start
from lab.bench.registry import CountingRegistry
from lab.bench.sandbox import SAU, Sandbox

SIZES = (20, 100, 500)
RATIO, PEAK_MIB = 1.5, 80
REPOSITORIES, TAGS, EACH = 10, 50, 5
HOSTS, IMAGES = 10, 10
DEAD = "127.0.0.1:5078"
BY_DIGEST = {"safe-auto-updater.policy": "digest"}
_ACCEPT = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in (
        "oci.image.index.v1",
        "oci.image.manifest.v1",
        "docker.distribution.manifest.list.v2",
        "docker.distribution.manifest.v2",
    )
)


def measure(sandbox: Sandbox, registry: CountingRegistry, runs: int) -> Iterator[Block]:
    """A block for each number of containers, one for tag lists, one for a dead registry."""
    name = "many-"
    try:
        before = 0
        found: dict[int, Sequence[Cost]] = {}
        for size in SIZES:
            _create(sandbox, name, range(before, size))
            before = size
            block, found[size] = _beside_curl(sandbox, registry, name, size, runs)
            yield block
        yield _growth(found)
        yield _with_a_file(sandbox, name, runs)
    finally:
        sandbox.remove(name)
    yield _tag_lists(sandbox, registry)
    yield _one_dead(sandbox, registry, max(3, runs // 3))


def _create(sandbox: Sandbox, name: str, numbers: Sequence[int]) -> None:
    """Containers of distinct images, each of a repository of its own."""

    def make(number: int) -> None:
        reference = sandbox.pull(sandbox.publish(f"{name}{number}", "latest", version="1"))
        sandbox.create(f"{name}{number}", reference, labels=BY_DIGEST)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(make, numbers))


def _beside_curl(
    sandbox: Sandbox, registry: CountingRegistry, name: str, size: int, runs: int
) -> tuple[Block, Sequence[Cost]]:
    curl = _curl(sandbox.folder / "urls", [f"bench/{name}{number}" for number in range(size)])
    check = (SAU, "--state", str(sandbox.folder / "many"), "check")
    cost(*check)  # the first run notes what it sees
    before = registry.requests()
    cost(*check)
    asked = registry.requests() - before
    pairs = [(cost(*check), cost(*curl)) for _ in range(runs)]
    ours, limit = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    lines = [
        took := Series("sau check", tuple(one.wall_s for one in ours)),
        least := Series("curl, 8 connections", tuple(one.wall_s for one in limit)),
        best_ratio("ratio of the best runs", took, least, RATIO),
        Series("CPU of sau check", tuple(one.cpu_s for one in ours)),
        at_most("peak memory of sau check", max(one.peak_mib for one in ours), PEAK_MIB, " MiB"),
        at_most("registry requests per image", asked / size, 1),
    ]
    return Block(f"sau check, nothing new: {size} containers of {size} images", lines), ours


def _growth(found: dict[int, Sequence[Cost]]) -> Block:
    """Five times the containers: at most five times the cost."""
    middle, most = SIZES[-2:]
    title = f"sau check, from {middle} to {most} containers"
    times = most / middle
    wall, cpu = (
        min(getattr(one, what) for one in found[most])
        / min(getattr(one, what) for one in found[middle])
        for what in ("wall_s", "cpu_s")
    )
    return Block(title, [at_most("wall time grows", wall, times), at_most("CPU grows", cpu, times)])


def _with_a_file(sandbox: Sandbox, name: str, runs: int) -> Block:
    took = tuple(sandbox.sau("many", name, "check") for _ in range(runs))
    title = f"sau check with a configuration file: {SIZES[-1]} containers"
    return Block(title, [Series("sau check", took)])


def _curl(file: Path, names: Sequence[str]) -> tuple[str, ...]:
    address = registries.ADDRESS
    lines = [f"url = http://{address}/v2/{n}/manifests/latest\noutput = /dev/null" for n in names]
    file.write_text("\n".join(lines))
    parallel = ("--parallel", "--parallel-max", "8")
    return ("curl", "-sfI", *parallel, "-H", f"Accept: {_ACCEPT}", "--config", str(file))


def _tag_lists(sandbox: Sandbox, registry: CountingRegistry) -> Block:
    """Several containers of each repository, which run the newest of many versions."""
    name = "versions-"
    newest = f"1.{TAGS - 1}.0"

    def make(number: int) -> None:
        reference = sandbox.pull(sandbox.publish(f"{name}{number}", newest))
        for minor in range(TAGS - 1):
            images.tag(registries.ADDRESS, f"bench/{name}{number}", newest, f"1.{minor}.0")
        for copy in range(EACH):
            sandbox.create(f"{name}{number}-{copy}", reference)

    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(make, range(REPOSITORIES)))
        sandbox.sau(name, name, "check")
        before = len(registry.asked())
        took = sandbox.sau(name, name, "check")
        asked = registry.asked()[before:]
    finally:
        sandbox.remove(name)
    lists = sum("/tags/list" in line for line in asked) / REPOSITORIES
    title = (
        f"sau check by version: {REPOSITORIES * EACH} containers, {REPOSITORIES} repositories of "
        f"{TAGS} tags"
    )
    return Block(
        title,
        [
            Series("sau check", (took,)),
            at_most("tag lists per repository", lists, 1),
            counted("registry requests per repository", len(asked) / REPOSITORIES),
        ],
    )


def _one_dead(sandbox: Sandbox, registry: CountingRegistry, runs: int) -> Block:
    """Ten registries, one of which takes every connection and never says a word."""
    name = "hosts-"
    port = registries.ADDRESS.rpartition(":")[2]

    def make(host: str, kind: str, number: int) -> None:
        made = sandbox.publish(f"{name}{number}", "latest", version="1")
        there = sandbox.pull(made.replace(registries.ADDRESS, host))
        where = host.replace(":", "-")
        sandbox.create(f"{name}{kind}-{where}-{number}", there, labels=BY_DIGEST)

    well = [f"127.0.0.{number}:{port}" for number in range(1, HOSTS)]
    try:
        with CountingRegistry(sandbox.folder, DEAD):
            for number in range(IMAGES):
                make(DEAD, "dead", number)
        for host in well:
            for number in range(IMAGES):
                make(host, "well", number)
        with socket.create_server(("", int(DEAD.rpartition(":")[2])), backlog=64):
            pairs = [
                (_answered(sandbox, registry, name), _answered(sandbox, registry, f"{name}well"))
                for _ in range(runs)
            ]
    finally:
        sandbox.remove(name)
    beside = Series("beside a dead one", tuple(pair[0] for pair in pairs))
    alone = Series("without it", tuple(pair[1] for pair in pairs))
    title = f"{HOSTS} registries: until {len(well)} of them had answered everything"
    return Block(title, [beside, alone, best_ratio("ratio of the best runs", beside, alone, 1.1)])


def _answered(sandbox: Sandbox, registry: CountingRegistry, sees: str) -> float:
    """Seconds from the start until the living registries had answered all that they are asked."""
    config = sandbox.configure("hosts", sees)
    begun = time.monotonic()
    process = start(SAU, "--config", str(config), "--state", str(sandbox.folder / "hosts"), "check")
    try:
        registry.wait_for((HOSTS - 1) * IMAGES)
        return time.monotonic() - begun
    finally:
        process.terminate()
        process.wait()
