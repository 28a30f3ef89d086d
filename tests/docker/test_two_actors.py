"""Two at once, and a plan that the world has overtaken."""

from __future__ import annotations

import json
import signal
import subprocess

from safe_auto_updater.platforms.docker.api import QUESTIONS
from tests.docker.filter_kit import Filter
from tests.docker.remote_kit import with_engines
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau


def running(world: World) -> str:
    world.publish("1.0.0")
    world.publish("1.1.0")
    return world.run(f"{world.repository}:1.0.0")


def test_of_two_applies_one_acts_and_the_other_says_who(world: World, sau: Sau) -> None:
    running(world)
    sau.configure("stable_for: 6s")
    first = sau.start("apply", "--yes")
    eventually(lambda: len(world.ids()) == 2, timeout_s=20)

    second = sau("apply", "--yes")

    out, _ = first.communicate(timeout=60)
    assert (second.code, second.out) == (5, "")
    assert f"process {first.pid} (sau apply)" in second.err
    assert first.returncode == 0
    assert json.loads(out)["updates"][0]["outcome"] == "succeeded"
    assert len(sau("history").json["updates"]) == 1


def test_two_updaters_with_separate_state_meet_at_the_container(world: World, sau: Sau) -> None:
    running(world)
    sau.configure("stable_for: 6s")
    other = Sau(world, sau.state.parent)
    other.state = sau.state.parent / "other-state"
    other.config = sau.state.parent / "other.yml"
    other.configure("stable_for: 1s")
    first = sau.start("apply", "--yes")
    eventually(lambda: len(world.ids()) == 2, timeout_s=20)

    other("apply", "--yes")

    out, _ = first.communicate(timeout=60)
    assert json.loads(out)["updates"][0]["outcome"] == "succeeded"
    assert world.text("web") == "1.1.0"
    assert len(world.ids()) == 1


def test_asked_to_stop_it_finishes_the_update_under_way_and_begins_no_other(
    world: World, sau: Sau
) -> None:
    world.publish("1.0.0")
    world.publish("1.1.0")
    old = {name: world.run(f"{world.repository}:1.0.0", name) for name in ("first", "second")}
    sau.configure("stable_for: 4s")
    running = sau.start("apply", "--yes")
    eventually(lambda: len(world.ids()) == 3, timeout_s=20)

    running.send_signal(signal.SIGTERM)

    out, _ = running.communicate(timeout=60)
    told = json.loads(out)
    (update,) = told["updates"]
    assert (running.returncode, update["outcome"]) == (1, "succeeded")
    assert told["not_begun"] == [f"docker:local/{world.prefix}-second"]
    assert (world.text("first"), world.text("second")) == ("1.1.0", "1.0.0")
    assert world.get("second")["Id"] == old["second"]


class Stops(Filter):
    """Asks a process to stop when it lists the containers for the fourth time."""

    asked: subprocess.Popen[str] | None = None
    lists = 0

    def lets(self, method: str, path: str) -> bool:
        """Everything."""
        if self.asked is not None and path.endswith("/containers/json"):
            self.lists += 1
            if self.lists == 4:
                self.asked.send_signal(signal.SIGTERM)
        return super().lets(method, path)


def test_way_back_that_is_stopped_before_it_began_says_so(world: World, sau: Sau) -> None:
    running(world)
    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    new = world.get("web")["Id"]
    with Stops(world.lab.socket, QUESTIONS) as one:
        text = sau.config.read_text()
        sau.config.write_text(text.replace("execution:\n", "execution:\n  max_parallel: 4\n"))
        with_engines(sau, {"name": "local", "host": f"tcp://{one.host}"})
        one.asked = sau.start("rollback", "web", "--yes")
        out, _ = one.asked.communicate(timeout=60)
    assert (one.lists, one.asked.returncode) == (4, 1), out
    assert json.loads(out)["updates"] == []
    assert world.ids() == {new}
    assert len(sau("history").json["updates"]) == 1


def test_saved_plan_is_applied_exactly(world: World, sau: Sau) -> None:
    running(world)
    file = sau.state.parent / "plan.json"
    assert sau("plan", "--save", str(file)).code == 0

    said = sau("apply", "--plan", str(file), "--yes")

    assert said.update["outcome"] == "succeeded"
    assert world.text("web") == "1.1.0"


def test_saved_plan_is_refused_with_the_difference_when_the_world_changed(
    world: World, sau: Sau
) -> None:
    old = running(world)
    file = sau.state.parent / "plan.json"
    sau("plan", "--save", str(file))
    world.publish("1.2.0")

    said = sau("apply", "--plan", str(file), "--yes")

    assert said.code == 2
    assert "1.1.0" in said.err
    assert "1.2.0" in said.err
    assert world.ids() == {old}
    assert sau("history").json["updates"] == []


def test_saved_plan_is_compared_and_never_carried_out_itself(world: World, sau: Sau) -> None:
    running(world)
    evil = world.publish("6.6.6")
    file = sau.state.parent / "plan.json"
    sau("plan", "--save", str(file))
    planned = json.loads(file.read_text())
    (step,) = planned["steps"]
    step["changes"][0]["candidate"]["digest"] = evil.digest  # what the step's ID does not cover
    step["changes"][0]["candidate"]["image_id"] = world.id_of(evil)
    step["undoes"] = "anything"
    file.write_text(json.dumps(planned))

    sau("apply", "--plan", str(file), "--yes")

    assert world.http("web") in ("1.0.0", "1.1.0")


def test_saved_plan_that_somebody_altered_is_refused(world: World, sau: Sau) -> None:
    old = running(world)
    file = sau.state.parent / "plan.json"
    sau("plan", "--save", str(file))
    file.write_text(file.read_text().replace("1.1.0", "6.6.6"))

    said = sau("apply", "--plan", str(file), "--yes")

    assert said.code == 2
    assert "altered" in said.err
    assert world.ids() == {old}
