"""The lab's registry: plain HTTP on the namespace's loopback, deletion allowed."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from lab.layout import REGISTRY, Layout
from lab.namespace import enter
from lab.processes import Daemon


def daemon(layout: Layout) -> Daemon:
    """The registry's process."""
    return Daemon("docker-registry", layout.pids / "registry.json", layout.logs / "registry.log")


def _listens(pid: int) -> bool:
    """Whether something listens on the registry's port in the namespace of this process."""
    port = int(REGISTRY.rpartition(":")[2])
    try:
        lines = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    except OSError:
        return False
    return any(line.split()[1:4:2] == [f"0100007F:{port:04X}", "0A"] for line in lines)


def start(layout: Layout) -> None:
    """Start it and wait until it listens."""
    storage = layout.data / "registry"
    storage.mkdir(parents=True, exist_ok=True)
    config = {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(storage)},
            "delete": {"enabled": True},
        },
        "http": {"addr": REGISTRY},
    }
    file = layout.data / "registry.yml"
    file.write_text(json.dumps(config))  # JSON is YAML
    daemon(layout).start([*enter(layout), "docker-registry", "serve", str(file)], _listens, 15)


def stop(layout: Layout) -> None:
    """End it."""
    daemon(layout).stop(signal.SIGTERM, 5)
