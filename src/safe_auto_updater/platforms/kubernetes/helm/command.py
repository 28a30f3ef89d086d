"""What is asked of the `helm` command, versions 3 and 4."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from safe_auto_updater.core.errors import PlatformError
from safe_auto_updater.platforms.kubernetes.access import Access
from safe_auto_updater.platforms.kubernetes.helm.child import Ended, run
from safe_auto_updater.platforms.kubernetes.helm.failures import refused

QUICK_S = 60.0  # to render a chart, and to ask for a version
HISTORY = 10  # revisions that Helm keeps; its own default
_OLDEST = (3, 13)  # labels on releases, and `--dry-run=server`
_VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True)
class Named:
    """A release by name, and where Helm keeps it."""

    namespace: str
    name: str
    driver: str = "secret"


class Helm:
    """One `helm` on one cluster. `as_user` is whom the API server takes us for."""

    def __init__(self, program: str, access: Access, as_user: str | None = None) -> None:
        self._program = program
        self._access = access
        self._as_user = as_user

    @cached_property
    def version(self) -> tuple[int, int, int]:
        """Of the command. PlatformError where it is none, or too old."""
        ended = run([self._program, "version", "--short"], QUICK_S)
        found = _VERSION.search(ended.out)
        if found is None:
            said = (ended.err or ended.out).strip()[:200]
            raise PlatformError(f"{self._program} is no helm: {said}")
        version = (int(found[1]), int(found[2]), int(found[3]))
        if version[:2] < _OLDEST:
            fact = f"{self._program} is Helm {found[0][1:]}"
            raise PlatformError(f"{fact}: install {_OLDEST[0]}.{_OLDEST[1]} or newer")
        return version

    def rendered(self, release: Named, archive: bytes, values: str) -> Mapping[str, Any]:
        """What an upgrade would make of a release, as Helm's own JSON of it. Changes nothing.

        `values` is JSON. Raises StepFailed, PlatformUnreachable.
        """
        words = ["--dry-run=server", "--output", "json"]
        ended = self._upgrade(release, archive, values, words, QUICK_S)
        try:
            found: Mapping[str, Any] = json.loads(ended.out)
        except ValueError as error:
            raise PlatformError(f"helm's answer is no JSON: {error}") from error
        return found

    def upgrade(
        self,
        release: Named,
        archive: bytes,
        values: str,
        labels: Mapping[str, str],
        hook_s: float,
        hooks: int,
    ) -> None:
        """Write the new revision and run its hooks, each with as long as one may take.

        Who gets well is not waited for.
        """
        told = ",".join(f"{key}={value}" for key, value in labels.items())
        words = ["--labels", told, "--timeout", f"{hook_s:.0f}s"]
        words += ["--history-max", str(HISTORY)]
        self._upgrade(release, archive, values, words, hook_s * max(hooks, 1))

    def rollback(self, release: Named, revision: int, hook_s: float, hooks: int | None) -> None:
        """Make a new revision of what an earlier one was, which may have to be tried often.

        None is removed meanwhile: the one that is gone back to is among them. `hooks` is how many
        it has; None runs none of them.
        """
        words = ["rollback", release.name, str(revision), "--timeout", f"{hook_s:.0f}s"]
        words += ["--history-max", "0", *(["--no-hooks"] if hooks is None else [])]
        self._run(release, words, "", hook_s * max(hooks or 0, 1))

    def _upgrade(
        self,
        release: Named,
        archive: bytes,
        values: str,
        words: Sequence[str],
        timeout_s: float,
    ) -> Ended:
        with tempfile.NamedTemporaryFile(prefix="sau-chart-", suffix=".tgz") as file:
            file.write(archive)
            file.flush()
            upgrade = ["upgrade", release.name, str(Path(file.name))]
            upgrade += ["--values", "-", "--reset-values"]
            return self._run(release, [*upgrade, *words], values, timeout_s)

    def _run(self, release: Named, words: Sequence[str], stdin: str, timeout_s: float) -> Ended:
        assert self.version
        with self._access.file() as kubeconfig:
            command = [self._program, *words, "--namespace", release.namespace]
            if kubeconfig:
                command += ["--kubeconfig", str(kubeconfig)]
            if self._access.context:
                command += ["--kube-context", self._access.context]
            if self._as_user:
                command += ["--kube-as-user", self._as_user]
            ended = run(command, timeout_s + QUICK_S, stdin, {"HELM_DRIVER": release.driver})
        if ended.late or ended.code != 0:
            raise refused(ended, words[0])
        return ended
