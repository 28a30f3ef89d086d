"""Health check `command`: run a command inside the container; exit code 0 is well."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence

from safe_auto_updater.core.errors import PlatformError
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.ports import CheckResult, CheckState, Subject
from safe_auto_updater.platforms.docker.engine import DockerEngine

_NO_SUCH_COMMAND = (126, 127)


class CommandCheck:
    """`docker exec` with a time limit. A command that the image lacks fails for good."""

    def __init__(
        self,
        engine_of: Callable[[str], DockerEngine],
        command: Sequence[str],
        timeout_s: float = 5.0,
    ) -> None:
        self._engine_of = engine_of
        self._command = tuple(command)
        self._timeout_s = timeout_s

    def check(self, subject: Subject) -> CheckResult:
        """One run. Output is shown, shortened."""
        answers: queue.Queue[tuple[int, str] | Exception] = queue.Queue()

        def run() -> None:
            try:
                engine = self._engine_of(subject.asset)
                answers.put(self._run(engine, str(subject.attributes["Id"])))
            except Exception as error:  # handed over, and raised or told below
                answers.put(error)

        # A daemon thread: a command that never ends must not keep the program from ending.
        threading.Thread(target=run, daemon=True).start()
        try:
            answer = answers.get(timeout=self._timeout_s)
        except queue.Empty:
            return _said(CheckState.FAILING, f"no answer in {self._timeout_s:g} s")
        if isinstance(answer, PlatformError):
            return _said(CheckState.UNKNOWN, str(answer), Cause.PLATFORM)
        if isinstance(answer, Exception):
            raise answer
        code, output = answer
        if code == 0:
            return _said(CheckState.PASSED, "exit code 0")
        shown = output.strip().replace("\n", " ")[:200]
        state = CheckState.FAILED if code in _NO_SUCH_COMMAND else CheckState.FAILING
        return _said(state, f"exit code {code}: {shown}".rstrip(": "))

    def _run(self, engine: DockerEngine, container: str) -> tuple[int, str]:
        asked = {"Cmd": list(self._command), "AttachStdout": True, "AttachStderr": True}
        run = engine.post(f"/containers/{container}/exec", asked)
        output = engine.read(f"/exec/{run['Id']}/start", {"Detach": False, "Tty": False})
        return int(engine.get(f"/exec/{run['Id']}/json")["ExitCode"]), output


def _said(state: CheckState, detail: str, cause: Cause = Cause.IMAGE) -> CheckResult:
    return CheckResult("command", state, detail, cause)
