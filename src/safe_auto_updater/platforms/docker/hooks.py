"""Commands of the user's around an update: in the old container before, in the new one after."""

from __future__ import annotations

from collections.abc import Sequence

from safe_auto_updater.core.errors import PlatformError, StepFailed
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.inside import NO_SUCH_COMMAND, run_inside

SKIP = 75  # EX_TEMPFAIL of sysexits.h: not now, try again later


def run_hook(
    engine: DockerEngine, container: str, key: str, command: Sequence[str], timeout_s: float
) -> None:
    """Run one hook to its end; StepFailed (hook) where it says no, is late or cannot be run.

    `key` is the policy key that named it.
    """
    try:
        ran = run_inside(engine, container, command, timeout_s)
    except PlatformError as error:
        raise StepFailed(f"{key} cannot be run: {error}", Cause.HOOK) from error
    if ran is None:
        raise StepFailed(
            f"{key} did not end within {timeout_s:g} s (hook_timeout); it may still be running "
            "in the container",
            Cause.HOOK,
        )
    said = f" and said: {ran.output}" if ran.output else ""
    if ran.code == SKIP and key == "before_update":
        raise StepFailed(f"{key} asks to skip this time (exit code {SKIP}){said}", Cause.HOOK)
    if ran.code in NO_SUCH_COMMAND:
        remedy = "the image has no shell; write the command as a list of words"
        if command[:2] != ("/bin/sh", "-c"):
            remedy = "the image has no such program"
        fact = f"{key} cannot be run (exit code {ran.code}){said}: {remedy}"
        raise StepFailed(fact, Cause.HOOK)
    if ran.code != 0:
        raise StepFailed(f"{key} failed with exit code {ran.code}{said}", Cause.HOOK)
