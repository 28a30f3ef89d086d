"""Commands of the user's around an update: in the old container before, in the new one after."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from safe_auto_updater.core.errors import PlatformError, StepFailed
from safe_auto_updater.core.model import Status
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.policy import Settings
from safe_auto_updater.core.updater import Facts, Work
from safe_auto_updater.platforms.docker.containers import Containers
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.inside import NO_SUCH_COMMAND, run_inside
from safe_auto_updater.platforms.docker.state import status_of
from safe_auto_updater.platforms.docker.watching import policy_of

SKIP = 75  # EX_TEMPFAIL of sysexits.h: not now, try again later


class NotNow(StepFailed):
    """A hook asks to leave the update for another time."""


class Hooks:
    """The user's commands around updates on one engine."""

    def __init__(
        self, containers: Containers, settings: Settings, progress: Callable[[Work, str], None]
    ) -> None:
        self._containers = containers
        self._settings = settings
        self._progress = progress

    def run(self, work: Work, key: str, container: str) -> Facts:
        """Run the one that `key` names, if there is one; a warning says why one was not run.

        Going back by hand leaves a version that may be broken: there a hook that fails is a
        warning, for it must not keep anybody on that version.
        """
        hooks = policy_of(self._settings, work).hooks
        command = hooks.before if key == "before_update" else hooks.after
        if not command:
            return {}
        undoes = work.step.undoes is not None
        broken = undoes or work.facts.get("fix_forward")
        if key == "before_update" and (broken or not work.facts.get("ran", True)):
            now = self._containers.find(container)
            if now is None or status_of(now) is not Status.RUNNING:
                return {"warnings": [f"{key} was not run: the container does not run"]}
        elif not work.facts.get("ran", True):
            return {"warnings": [f"{key} was not run: the container is not started"]}
        self._progress(work, f"running {key}")
        try:
            run_hook(self._containers.engine, container, key, command, hooks.timeout_s)
        except StepFailed as failed:
            if not undoes or isinstance(failed, NotNow):
                raise
            return {"warnings": [f"{failed}; gone back all the same"]}
        return {}


def run_hook(
    engine: DockerEngine, container: str, key: str, command: Sequence[str], timeout_s: float
) -> None:
    """Run one hook to its end; StepFailed (hook) where it fails, is late or cannot be run.

    NotNow where one before the update asks to skip it. `key` is the policy key that named it.
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
        raise NotNow(f"{key} asks to skip this time (exit code {SKIP}){said}", Cause.HOOK)
    if ran.code in NO_SUCH_COMMAND:
        remedy = "the image has no shell; write the command as a list of words"
        if command[:2] != ("/bin/sh", "-c"):
            remedy = "the image has no such program"
        fact = f"{key} cannot be run (exit code {ran.code}){said}: {remedy}"
        raise StepFailed(fact, Cause.HOOK)
    if ran.code != 0:
        raise StepFailed(f"{key} failed with exit code {ran.code}{said}", Cause.HOOK)
