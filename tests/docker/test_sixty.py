"""Sixty containers on one host, four updates at once, one broken image that five of them use."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.lab_kit import World, eventually
from tests.sau_kit import Sau

pytestmark = pytest.mark.any_engine

MANY, SHARED, AT_ONCE = 60, 5, 4


@pytest.mark.timeout(900)  # sixty updates beside five other tests
def test_first_failure_spares_the_others_and_all_else_is_updated(world: World, sau: Sau) -> None:
    healthy = [f"web{number:02d}" for number in range(MANY - SHARED)]
    sharing = [f"zoo{number}" for number in range(SHARED)]

    def set_up(name: str) -> None:
        maker = f"{world.prefix} {name}"  # sharing no content they need not wait for each other
        old = world.publish("1.0.0", name=name, version="old", maker=maker).reference
        world.publish("1.1.0", name=name, version="new", maker=maker)
        world.run(old, name)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(set_up, healthy))
    old = world.publish("1.0.0", name="zoo", version="old").reference
    world.publish("1.1.0", name="zoo", behaviour="crash")
    before = {}
    for name in sharing:
        world.run(old, name)
        before[name] = world.get(name)["Id"]
    eventually(lambda: all(world.http(name) == "old" for name in sharing))
    sau.configure("stable_for: 300ms")
    text = sau.config.read_text()
    sau.config.write_text(text.replace("execution:\n", f"execution:\n  max_parallel: {AT_ONCE}\n"))

    said = sau("apply", "--yes", timeout_s=800)

    assert said.code == 3, said.err
    outcomes = {one["asset"].rpartition("-")[2]: one["outcome"] for one in said.json["updates"]}
    assert {name for name, outcome in outcomes.items() if outcome == "succeeded"} == set(healthy)
    (failed,) = set(outcomes) - set(healthy)
    assert outcomes[failed] == "rolled_back"
    assert {name: world.get(name)["Id"] for name in sharing} == before
    for name in sharing:
        if name != failed:
            started = world.get(name)["State"]["StartedAt"]
            assert said.err.count(f"{world.prefix}-{name}") >= 1, "told why it was not tried"
            assert started < world.get(failed)["State"]["StartedAt"], "never stopped"
    assert all(world.text(name) == "new" for name in healthy)
    spans = [
        (one["phases"][0]["started"], one["phases"][-1]["started"]) for one in said.json["updates"]
    ]
    assert max(sum(a <= at < b for a, b in spans) for at, _ in spans) == AT_ONCE
    down = [one["downtime_s"] for one in said.json["updates"]]
    assert said.json["downtime"]["total_s"] == round(sum(down), 6)
    assert said.json["downtime"]["longest_s"] == max(down)
    print(f"down in all {sum(down):.1f} s, the longest {max(down):.2f} s")
