"""What a container's inspect JSON says about its state and health. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from safe_auto_updater.core.model import Health, Status
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.policy import HealthSettings
from safe_auto_updater.core.ports import CheckResult, CheckState
from safe_auto_updater.core.updater import Patience

Json = Mapping[str, Any]
TIMEOUT_S = 300.0
SOAK_PROVEN_S = 30.0
SOAK_UNPROVEN_S = 60.0
_NANO = 1e9
_STOPPED = (0, 137, 143)  # the exit codes of what ended well, or was stopped by somebody


def status_of(container: Json) -> Status:
    """The container's status in the program's words."""
    try:
        return Status(container["State"]["Status"])
    except ValueError:
        return Status.UNKNOWN


def gave_up(container: Json) -> bool:
    """Whether it ended of itself, with an error, and nothing starts it again."""
    state = container["State"]
    failed = state.get("OOMKilled") or state.get("ExitCode") not in _STOPPED
    return bool(status_of(container) is Status.EXITED and failed)


def health_of(container: Json) -> Health:
    """What its HEALTHCHECK says; `none` where it has none or is not running."""
    said = (container["State"].get("Health") or {}).get("Status", "none")
    return Health(said) if said in Health.__members__.values() else Health.NONE


def has_healthcheck(container: Json) -> bool:
    """Whether a HEALTHCHECK is in force (the image's or the user's, and not switched off)."""
    test = (container["Config"].get("Healthcheck") or {}).get("Test") or ["NONE"]
    return bool(test[0] != "NONE")


def patience_for(container: Json, settings: HealthSettings, extra_checks: bool) -> Patience:
    """How long to watch: 5 min or the HEALTHCHECK's own start period and retries, if longer.

    Soak 30 s where something can prove health, 60 s where only the process can be seen.
    """
    check = container["Config"].get("Healthcheck") or {}
    probed = has_healthcheck(container)
    needed = 0.0
    if probed:
        each = _seconds(check, "Interval", 30.0) + _seconds(check, "Timeout", 30.0)
        retries = check.get("Retries") or 3
        needed = _seconds(check, "StartPeriod", 0.0) + each * retries
    timeout_s = settings.timeout_s if settings.timeout_s is not None else TIMEOUT_S
    soak_s = settings.stable_for_s
    if soak_s is None:
        soak_s = SOAK_PROVEN_S if probed or extra_checks else SOAK_UNPROVEN_S
    return Patience(max(timeout_s, needed), soak_s)


def _seconds(check: Json, key: str, default: float) -> float:
    return check[key] / _NANO if check.get(key) else default


def judge(container: Json, restarts_before: int, one_shot: bool) -> tuple[CheckResult, ...]:
    """One look at a container's own word: running, not in a crash loop, HEALTHCHECK."""
    results = [_running(container, restarts_before, one_shot)]
    if (
        has_healthcheck(container)
        and results[0].state is CheckState.PASSED
        and not (one_shot and status_of(container) is Status.EXITED)
    ):
        results.append(_healthcheck(container))
    return tuple(results)


def _running(container: Json, restarts_before: int, one_shot: bool) -> CheckResult:
    state, status = container["State"], status_of(container)
    code = state.get("ExitCode")
    restarts = container.get("RestartCount", 0) - restarts_before

    def said(result: CheckState, detail: str, cause: Cause = Cause.IMAGE) -> CheckResult:
        return CheckResult("running", result, detail, cause, proves=False)

    if state.get("OOMKilled") and status is not Status.RUNNING:
        return said(CheckState.FAILED, "killed: out of memory", Cause.CAPACITY)
    if restarts > 0:
        times = "once" if restarts == 1 else f"{restarts} times"
        # While it runs again, the engine tells 0 and no longer what it ended with.
        last = "" if status is Status.RUNNING else f", last exit code {code}"
        return said(CheckState.FAILED, f"crash loop: restarted {times}{last}")
    match status:
        case Status.RUNNING:
            return said(CheckState.PASSED, "running")
        case Status.EXITED if one_shot and code == 0:
            return CheckResult("running", CheckState.PASSED, "finished with exit code 0")
        case Status.EXITED | Status.DEAD | Status.RESTARTING:
            why = f": {state['Error']}" if state.get("Error") else ""
            return said(CheckState.FAILED, f"exited with code {code}{why}")
        case Status.CREATED:
            cause = start_error_cause(state.get("Error") or "")
            return said(
                CheckState.FAILED, f"never started: {state.get('Error') or 'no error'}", cause
            )
        case other:
            return said(CheckState.FAILING, other.value, Cause.CONFLICT)


def _healthcheck(container: Json) -> CheckResult:
    health = container["State"].get("Health") or {}
    log = health.get("Log") or [{}]
    last = str(log[-1].get("Output", "")).strip().replace("\n", " ")[:200]
    match health_of(container):
        case Health.HEALTHY:
            return CheckResult("healthcheck", CheckState.PASSED, "healthy")
        case Health.UNHEALTHY:
            fact = (
                f"unhealthy after {health.get('FailingStreak', '?')} tries: {last or 'no output'}"
            )
            return CheckResult("healthcheck", CheckState.FAILED, fact)
        case _:
            return CheckResult("healthcheck", CheckState.FAILING, f"starting {last}".strip())


def create_error_cause(status: int | None) -> Cause:
    """What a refused creation is the fault of, by its HTTP status: of what was asked, or not."""
    if status == 409:
        return Cause.CONFLICT
    return Cause.CONFIG if status is not None and status < 500 else Cause.PLATFORM


def start_error_cause(message: str) -> Cause:
    """What a refused start is the fault of, by the engine's and the runtime's words."""
    text = message.lower()
    for cause, words in _START_ERRORS.items():
        if any(word in text for word in words):
            return cause
    return Cause.IMAGE if _CANNOT_BEGIN.search(text) else Cause.UNKNOWN


_START_ERRORS = {
    Cause.PLATFORM: (
        "port is already allocated",
        "address already in use",
        "cannot assign requested address",
        "error gathering device information",
        "could not select device driver",
        "nvidia-container-cli",
        "error while mounting volume",
        "failed to mount local volume",
        "running hook",
        "create task for container: task",  # containerd has one of it still
    ),
    Cause.CAPACITY: ("no space left", "cannot allocate memory", "disk quota"),
    Cause.IMAGE: (
        "executable file not found",
        "exec format error",
        "unable to find user",
        "no matching entries",
    ),
}


_CANNOT_BEGIN = re.compile(
    r"\b(exec|chdir)\b.*(no such file or directory|permission denied)"
    r"|executable file \S+ not found|\bopen executable\b"  # crun's words
)
"""Of its program, or the folder it begins in; a device or a mount may lack as well."""


_LOST_TRACK = re.compile(r"create task for container: task .* already exists")


def start_remedy(message: str) -> str:
    """What a person must do before a container can be started again, where that is known."""
    if not _LOST_TRACK.search(message):
        return ""
    return "; containerd has not let go of it: restart containerd, then the engine, which starts it"


def instant(text: str) -> float | None:
    """An engine's time (RFC 3339, nanoseconds) as seconds since the epoch; None for "never"."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)", text or "")
    if match is None or text.startswith("0001-"):
        return None
    whole = datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00")).timestamp()
    return whole + float(match[2] or 0)
