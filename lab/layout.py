"""Where everything of one clone's lab lives."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

REGISTRY = "127.0.0.1:5000"
OWN_ENGINE = "20.10"
"""The machine's engine, as Debian 12 packages it; the others are in `releases.py`."""
KUBERNETES = "kubernetes"
"""Instead of an engine: a cluster of one node (`lab/cluster`)."""


@dataclass(frozen=True)
class Layout:
    """Names and paths of one lab, derived from the clone's path, the instance and the engine.

    The instance without a name is the one that tests share. Another runs beside it, for
    what must not disturb them: killing the engine, measuring.
    """

    clone: Path
    instance: str = ""
    engine: str = OWN_ENGINE

    @classmethod
    def here(cls, instance: str = "", engine: str = OWN_ENGINE) -> Layout:
        """The layout of the clone that this package belongs to."""
        return cls(Path(__file__).resolve().parent.parent, instance, engine)

    @property
    def name(self) -> str:
        """Name of the network namespace and of the run folder."""
        words = (self.instance, "" if self.engine == OWN_ENGINE else f"engine {self.engine}")
        identity = ":".join([str(self.clone), *filter(None, words)])
        return "sau-" + hashlib.sha256(identity.encode()).hexdigest()[:8]

    @property
    def netns(self) -> Path:
        """The namespace's file, as nsenter wants it."""
        return Path("/run/netns") / self.name

    @property
    def run(self) -> Path:
        """Sockets and other short-lived files; short, for socket paths end at 108 characters."""
        return Path("/run") / self.name

    @property
    def socket(self) -> Path:
        """The Docker engine's socket."""
        return self.run / "docker.sock"

    @property
    def containerd_socket(self) -> Path:
        """The socket of the engine's own containerd; its shims carry it on their command line."""
        return self.run / "containerd.sock"

    @property
    def home(self) -> Path:
        """All that outlives a process: never committed."""
        home = self.clone / ".lab"
        if self.engine != OWN_ENGINE:
            home = home / "engines" / self.engine
        return home / "instances" / self.instance if self.instance else home

    @property
    def data(self) -> Path:
        """Images, containers and volumes of the engine, blobs of the registry; wiped by down."""
        return self.home / "data"

    @property
    def logs(self) -> Path:
        """One log file per daemon."""
        return self.home / "logs"

    @property
    def pids(self) -> Path:
        """One file per daemon that proves which process is ours."""
        return self.home / "pids"

    @property
    def description(self) -> Path:
        """The file that tells tests where the lab is (``SAU_LAB``)."""
        return self.home / "lab.json"
