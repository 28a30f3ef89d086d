"""Real helm of both lines, as a person runs it in one test's namespace."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.kubernetes.charts import Chart, as_text
from tests.kubernetes.kit import Json, Namespace
from tests.sau_kit import Said

Values = Mapping[str, Any] | str
"""What goes into a values file: an object, or its very text."""


class Helm:
    """One helm with homes of its own. `driver` is where it keeps releases (HELM_DRIVER)."""

    def __init__(
        self, namespace: Namespace, version: int, folder: Path, driver: str = "secret"
    ) -> None:
        self.namespace = namespace
        self.version = version
        self.driver = driver
        self._folder = folder / f"helm{version}"
        self._folder.mkdir(exist_ok=True)
        self._files = 0

    @property
    def program(self) -> str:
        """Its path."""
        return self.namespace.cluster.helms[self.version]

    @property
    def environ(self) -> dict[str, str]:
        """What it and nobody else goes by."""
        homes = {
            f"HELM_{home}_HOME": str(self._folder / home) for home in ("CACHE", "CONFIG", "DATA")
        }
        own = {
            "KUBECONFIG": str(self.namespace.cluster.kubeconfigs["admin"]),
            "HELM_NAMESPACE": self.namespace.name,
            "HELM_DRIVER": self.driver,
        }
        return {**os.environ, **homes, **own}

    def say(self, *words: str, timeout_s: float = 180) -> Said:
        """How one command ends."""
        done = subprocess.run(
            [self.program, *words],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=self.environ,
            timeout=timeout_s,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def run(self, *words: str) -> str:
        """What a command that must succeed prints."""
        said = self.say(*words)
        assert said.code == 0, f"helm {' '.join(words)}: {said.err}"
        return said.out

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Run one command beside us, its words thrown away."""
        return subprocess.Popen(
            [self.program, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self.environ,
        )

    def package(self, chart: Chart) -> Path:
        """The archive of a chart, as `helm package` makes it."""
        where = self._new("packages")
        self.run("package", str(chart.write(where / "source")), "--destination", str(where))
        (found,) = where.glob("*.tgz")
        return found

    def install(
        self, release: str, chart: Chart | Path, *words: str, values: Values | None = None
    ) -> None:
        """`helm install`, which must succeed."""
        self.run(*self.command("install", release, chart, *words, values=values))

    def upgrade(
        self, release: str, chart: Chart | Path, *words: str, values: Values | None = None
    ) -> None:
        """`helm upgrade`, which must succeed."""
        self.run(*self.command("upgrade", release, chart, *words, values=values))

    def command(
        self,
        verb: str,
        release: str,
        chart: Chart | Path,
        *words: str,
        values: Values | None = None,
    ) -> list[str]:
        """The words of `helm install` or `helm upgrade`, with what they need in files."""
        where = chart.write(self._new("charts")) if isinstance(chart, Chart) else chart
        given = [] if values is None else ["--values", str(self._values(values))]
        return [verb, release, str(where), *given, *words]

    def rollback(self, release: str, revision: int = 0, *words: str) -> None:
        """`helm rollback`, by default to the revision before."""
        self.run("rollback", release, *([str(revision)] if revision else []), *words)

    def uninstall(self, release: str, *words: str) -> None:
        """`helm uninstall`."""
        self.run("uninstall", release, *words)

    def get_values(self, release: str, revision: int = 0) -> str:
        """`helm get values` to the byte, by default of the newest revision."""
        which = ["--revision", str(revision)] if revision else []
        return self.run("get", "values", release, *which)

    def get_manifest(self, release: str) -> str:
        """`helm get manifest` to the byte."""
        return self.run("get", "manifest", release)

    def history(self, release: str) -> list[Json]:
        """`helm history`, the oldest revision first."""
        found: list[Json] = json.loads(self.run("history", release, "--output", "json"))
        return found

    def status(self, release: str) -> str:
        """The status of the newest revision in Helm's word; empty where there is no release."""
        said = self.say("status", release, "--output", "json")
        return str(said.json["info"]["status"]) if said.code == 0 else ""

    def _values(self, values: Values) -> Path:
        file = self._new("values") / "values.yaml"
        file.write_text(values if isinstance(values, str) else as_text(values))
        return file

    def _new(self, what: str) -> Path:
        self._files += 1
        where = self._folder / f"{what}-{self._files}"
        where.mkdir()
        return where
