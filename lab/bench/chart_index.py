"""One chart out of an index of 10 MB: as detection reads it, beside `helm search repo`.

``python -m lab.bench.chart_index FILE CHART`` is our side: a process that starts, reads and prints.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

from lab.bench.errors import BenchError
from lab.bench.figures import Block, Series, at_most, best_ratio, counted
from lab.bench.kubectl import Cluster
from lab.bench.processes import Cost, cost, wall_s

CHARTS, VERSIONS = 200, 45
WANTED = "chart-117"
TIME_GOAL, MEMORY_GOAL = 0.5, 0.5
_ENTRY = """\
  - annotations:
      artifacthub.io/changes: |
        - kind: changed
          description: "the image: a newer one"
      category: Infrastructure
      licenses: Apache-2.0
    apiVersion: v2
    appVersion: {app}
    created: "2026-11-29T12:00:00.123456789Z"
    dependencies:
    - name: common
      repository: oci://registry.example.org/charts
      tags:
      - bench-common
      version: 2.x.x
    description: {name} is a service of many, whose description is as long as those of others
      are, and goes on in another line.
    digest: {digest}
    home: https://charts.example.org/{name}
    icon: https://charts.example.org/{name}/icon.svg
    keywords:
    - {name}
    - service
    - http
    kubeVersion: '>=1.23.0-0'
    maintainers:
    - email: maintainers@example.org
      name: The maintainers
      url: https://example.org/maintainers
    name: {name}
    sources:
    - https://example.org/sources/{name}
    type: application
    urls:
    - https://charts.example.org/archives/{name}-{version}.tgz
    version: {version}
"""


def measure(cluster: Cluster, folder: Path, pairs: int) -> Block:
    """Wall time and peak memory of both, in turns, each from a file that it has already."""
    environ = {f"HELM_{name}_HOME": str(folder / name) for name in ("CACHE", "CONFIG", "DATA")}
    index = folder / "CACHE/repository/bench-index.yaml"
    _write(index, folder / "CONFIG/repositories.yaml")
    ours = (sys.executable, "-m", "lab.bench.chart_index", str(index), WANTED)
    theirs = (_helm(), "search", "repo", f"bench/{WANTED}", "--versions", "--output", "json")
    wall_s(*ours)  # the first run may compile
    wall_s(*theirs, env=environ)
    both = [(cost(*ours), cost(*theirs, env=environ)) for _ in range(pairs)]
    a, b = [one for one, _ in both], [other for _, other in both]
    sides = _series("one chart as detection reads it", a), _series("helm search repo", b)
    size = index.stat().st_size / 1e6
    memory = _peak(a) / _peak(b)
    return Block(
        f"an index of {size:.1f} MB, {CHARTS} charts of {VERSIONS} versions ({pairs} pairs)",
        [
            *sides,
            best_ratio("ratio of the best", *sides, TIME_GOAL),
            counted("peak memory of ours, MiB", _peak(a)),
            counted("peak memory of helm, MiB", _peak(b)),
            at_most("ratio of the peaks", memory, MEMORY_GOAL),
        ],
    )


def _write(index: Path, repositories: Path) -> None:
    for file in (index, repositories):
        file.parent.mkdir(parents=True, exist_ok=True)
    repositories.write_text("repositories:\n- {name: bench, url: 'http://127.0.0.1:1'}\n")
    with index.open("w") as out:
        out.write("apiVersion: v1\nentries:\n")
        for number in range(CHARTS):
            name = f"chart-{number}"
            out.write(f"  {name}:\n")
            for minor in reversed(range(VERSIONS)):
                version = f"1.{minor}.0"
                digest = hashlib.sha256(f"{name} {version}".encode()).hexdigest()
                out.write(
                    _ENTRY.format(name=name, version=version, app=f"3.{minor}.1", digest=digest)
                )
        out.write('generated: "2026-11-29T12:00:00.123456789Z"\n')


def _helm() -> str:
    told = json.loads(Path(os.environ["SAU_LAB"]).read_text())
    try:
        return str(told["helm"])
    except KeyError:
        raise BenchError("this lab has no helm: use `--engine kubernetes`") from None


def _series(name: str, runs: list[Cost]) -> Series:
    return Series(name, tuple(one.wall_s for one in runs))


def _peak(runs: list[Cost]) -> float:
    return max(one.peak_mib for one in runs)


if __name__ == "__main__":
    from safe_auto_updater.platforms.charts.index import Index
    from safe_auto_updater.platforms.charts.listing import listed_chart

    said = Index(Path(sys.argv[1]).read_bytes()).entries(sys.argv[2])
    found = [listed_chart(one, sys.argv[2], "https://charts.example.org") for one in said]
    assert len(found) == VERSIONS, found
    print("\n".join(one.version for one in found if one))
