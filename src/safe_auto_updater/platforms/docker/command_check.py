"""Health check `command`: run a command inside the container; exit code 0 is well."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from safe_auto_updater.core.errors import PlatformError
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.ports import CheckResult, CheckState, Subject
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.inside import NO_SUCH_COMMAND, run_inside


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
        if not subject.asset.startswith("docker:"):
            fact = "a command is run in containers of a Docker engine only; use a check of type job"
            return _said(CheckState.UNKNOWN, fact, Cause.PLATFORM)
        engine, container = self._engine_of(subject.asset), str(subject.attributes["Id"])
        try:
            ran = run_inside(engine, container, self._command, self._timeout_s)
        except PlatformError as error:
            return _said(CheckState.UNKNOWN, str(error), Cause.PLATFORM)
        if ran is None:
            return _said(CheckState.FAILING, f"no answer in {self._timeout_s:g} s")
        if ran.code == 0:
            return _said(CheckState.PASSED, "exit code 0")
        state = CheckState.FAILED if ran.code in NO_SUCH_COMMAND else CheckState.FAILING
        return _said(state, f"exit code {ran.code}: {ran.output}".rstrip(": "))


def _said(state: CheckState, detail: str, cause: Cause = Cause.IMAGE) -> CheckResult:
    return CheckResult("command", state, detail, cause)
