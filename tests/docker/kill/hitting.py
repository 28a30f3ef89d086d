"""`sau`, hit on its way: killed at an instant, or disturbed as it enters a phase."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from safe_auto_updater.app import App
from safe_auto_updater.config import ConfigLoader
from safe_auto_updater.core.events import Event
from safe_auto_updater.engine.journal import Record
from tests import spawner
from tests.docker.kill.killable import BOTH_RUN
from tests.docker.kill.scene import KILL
from tests.sau_kit import Program, Sau

KILLED = -9


@dataclass(frozen=True)
class Hit:
    """How it ended, the instants that it reached, and what it said."""

    code: int
    reached: tuple[str, ...]
    text: str

    @property
    def killed(self) -> bool:
        """Whether the instant was there."""
        return self.code == KILLED


def hit(
    sau: Program,
    *words: str,
    at: int | str | None,
    kinds: Sequence[str] = KILL,
    alone: bool = True,
    action: str = "kill",
) -> Hit:
    """One command, killed (or hit by another action) at an instant of these kinds; None: at none.

    With `alone` old and new must never be seen running together.
    """
    folder = sau.config.parent
    trace, spec = folder / f"trace-{time.monotonic_ns()}", folder / "spec.json"
    told = {"trace": str(trace), "kinds": list(kinds), "action": action, "at": at}
    spec.write_text(json.dumps(told))
    command = [spawner.KILLABLE, str(spec), "--", *sau.command[1:], *words]
    done = spawner.run(command, os.environ, timeout_s=120, one_stream=True)
    reached = tuple(trace.read_text().splitlines()) if trace.exists() else ()
    assert not (alone and BOTH_RUN in reached), f"old and new ran together: {done.stdout}"
    return Hit(done.returncode, reached, done.stdout)


def update_when(sau: Sau, phase: str, then: Callable[[], object]) -> Record:
    """The update of all that is in sight, with something done as it enters a phase."""

    def listen(event: Event) -> None:
        if event.kind == "phase" and event.message == phase:
            then()

    with App(ConfigLoader().load(sau.config), sau.state, os.environ, [listen]) as app:
        plan, _ = app.cycle.plan([])
        (record,) = app.cycle.execute(plan, lambda: False)
    return record
