"""Charts as publishers make them, by the real helm, and detection as the program is wired."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from safe_auto_updater.config import Config, ConfigLoader
from safe_auto_updater.core.memory import Denied
from safe_auto_updater.core.model import Asset, Change, Health, Image, ImageUse, Status
from safe_auto_updater.core.policy import resolve
from safe_auto_updater.engine.chart_detection import ChartDetector
from safe_auto_updater.engine.past import Past
from safe_auto_updater.engine.state import open_state
from safe_auto_updater.platforms.charts.sources import ChartSources
from safe_auto_updater.wiring.charts import chart_sources
from safe_auto_updater.wiring.registries import Registries
from tests.clock import FakeClock

RELEASE = "helm:lab/shop/web"


@dataclass(frozen=True)
class Helm:
    """One helm with settings of its own."""

    program: str
    home: Path

    @property
    def environ(self) -> dict[str, str]:
        """What makes it use its own folders alone."""
        names = ("CONFIG", "CACHE", "DATA")
        return {f"HELM_{name}_HOME": str(self.home / name.lower()) for name in names}

    def run(self, *words: str, given: str = "") -> str:
        """What a command that must succeed prints."""
        done = subprocess.run(
            [self.program, *words],
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            env=os.environ | self.environ,
        )
        assert done.returncode == 0, f"helm {' '.join(words)}: {done.stderr}"
        return done.stdout

    def package(self, into: Path, version: str, name: str = "web", **says: object) -> Path:
        """A packed chart; what it says goes into Chart.yaml."""
        folder = self.home / "sources" / name
        (folder / "templates").mkdir(parents=True, exist_ok=True)
        said = {"apiVersion": "v2", "name": name, "version": version, "appVersion": "1"} | says
        (folder / "Chart.yaml").write_text(yaml.safe_dump(said))
        (folder / "values.yaml").write_text("replicas: 1\n")
        into.mkdir(exist_ok=True)
        self.run("package", str(folder), "--destination", str(into))
        return into / f"{name}-{version}.tgz"

    def push(self, archive: Path, repository: str) -> None:
        """To a registry: `oci://host/path`."""
        self.run("push", "--plain-http", str(archive), repository)

    def index(self, folder: Path, *words: str) -> Path:
        """Write the index of a folder of archives."""
        self.run("repo", "index", str(folder), *words)
        return folder / "index.yaml"


@dataclass
class Watched:
    """One release over several runs of the program on one state folder, under one clock."""

    folder: Path
    running: str = "1.0.0"
    chart: str = "web"
    app_version: str | None = "1"
    asset: str = RELEASE
    kubernetes: str = "v1.34.4"
    environ: dict[str, str] = field(default_factory=dict)
    config: str = ""  # further keys of `detection`
    sources: str = "[]"
    policy: str = "minor"
    labels: Mapping[str, str] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=lambda: FakeClock(1_700_000_000.0))

    def check(self, *denied: Denied) -> Change:
        """What one run finds."""
        with self.run() as closing_all:
            state = closing_all.enter_context(closing(open_state(self.folder)))
            past = Past(state, denied, (), self.clock.now)
            detector = ChartDetector(self.opened(closing_all), past, lambda: self.kubernetes)
            settings = self._config().settings()
            policy = resolve(settings, self.asset, self.labels)
            (change,) = detector.check(self._release(), policy)
            past.keep()
            return change

    def run(self) -> ExitStack:
        """One run; its end writes what is kept."""
        self.folder.mkdir(exist_ok=True)
        return ExitStack()

    def opened(self, run: ExitStack) -> ChartSources:
        """The sources as the program is wired for them."""
        config = self._config()
        registries = Registries(config, self.folder, self.clock, run)
        environ = {"HELM_CONFIG_HOME": str(self.folder / "none")} | self.environ
        return chart_sources(config, environ, registries, self.clock, run)

    def archive(self, version: str, digest: str | None = None) -> bytes:
        """The archive of a version, in a run of its own."""
        with self.run() as run:
            return self.opened(run).archive(self.asset, self.chart, version, digest)

    def _config(self) -> Config:
        text = (
            "inventory: {kubernetes: [{name: lab}]}\n"
            f"detection:\n  policy: {self.policy}\n  helm_sources: {self.sources}\n{self.config}"
        )
        return ConfigLoader().load_text(text, "sau.yml")

    def _release(self) -> Asset:
        image = Image(f"{self.chart}:{self.running}", self.running)
        use = ImageUse("chart", image, declared=self.app_version)
        name = self.asset.rpartition("/")[2]
        return Asset(self.asset, "helm", "release", name, (use,), Status.RUNNING, Health.NONE)


def from_(*sources: Mapping[str, object]) -> str:
    """The value of `detection.helm_sources`."""
    return json.dumps(sources)


def taken(change: Change) -> str | None:
    """The version of the candidate."""
    assert change.error is None, change.error
    return change.candidate.version if change.candidate else None


def why(change: Change) -> dict[str, str]:
    """Why others were not taken."""
    return {one.tag: one.reason for one in change.rejected}
