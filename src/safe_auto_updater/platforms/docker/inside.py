"""Run a command inside a container, for as long as it may take."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from safe_auto_updater.core.errors import PlatformError
from safe_auto_updater.platforms.docker.engine import DockerEngine

NO_SUCH_COMMAND = (126, 127)
ASKER_GIVES_UP_S = 5.0  # after whoever waits for the command has
LOOK_S = 0.2


@dataclass(frozen=True)
class Ran:
    """How a command ended: its exit code, and what it said in one line."""

    code: int
    output: str


def run_inside(
    engine: DockerEngine, container: str, command: Sequence[str], timeout_s: float
) -> Ran | None:
    """The command's end; None where it has none in time (the engine cannot end it for us).

    Raises what asking the engine raises.
    """
    answers: queue.Queue[Ran | Exception] = queue.Queue()

    def run() -> None:
        try:
            answers.put(_run(engine, container, command, timeout_s))
        except Exception as error:  # handed over, and raised below
            answers.put(error)

    # A daemon thread: a command that never ends must not keep the program from ending.
    threading.Thread(target=run, daemon=True).start()
    try:
        answer = answers.get(timeout=timeout_s)
    except queue.Empty:
        return None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _run(engine: DockerEngine, container: str, command: Sequence[str], timeout_s: float) -> Ran:
    asked = {"Cmd": list(command), "AttachStdout": True, "AttachStderr": True}
    run = engine.post(f"/containers/{container}/exec", asked)
    how = {"Detach": False, "Tty": False}
    output = engine.read(f"/exec/{run['Id']}/start", how, timeout_s + ASKER_GIVES_UP_S)
    code = _exit_code(engine, run["Id"], timeout_s + ASKER_GIVES_UP_S)
    return Ran(code, output.strip().replace("\n", " ")[:200])


def _exit_code(engine: DockerEngine, run: str, patience_s: float) -> int:
    """How it ended. One that closes its output (`exec >/log 2>&1`) goes on unheard."""
    until = time.monotonic() + patience_s
    while (code := engine.get(f"/exec/{run}/json")["ExitCode"]) is None:
        if time.monotonic() > until:
            raise PlatformError(f"no end within {patience_s:g} s")
        time.sleep(LOOK_S)
    return int(code)
