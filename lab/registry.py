"""The lab's registry: plain HTTP on each of the namespace's addresses, deletion allowed."""

from __future__ import annotations

import json
import signal

from lab.layout import REGISTRY, Layout
from lab.namespace import enter, listens
from lab.processes import Daemon


def daemon(layout: Layout) -> Daemon:
    """The registry's process."""
    return Daemon("docker-registry", layout.pids / "registry.json", layout.logs / "registry.log")


def start(layout: Layout) -> None:
    """Start it and wait until it listens."""
    port = int(REGISTRY.rpartition(":")[2])
    storage = layout.data / "registry"
    storage.mkdir(parents=True, exist_ok=True)
    config = {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(storage)},
            "delete": {"enabled": True},
        },
        "http": {"addr": f":{port}"},  # pods have a loopback of their own
    }
    file = layout.data / "registry.yml"
    file.write_text(json.dumps(config))  # JSON is YAML
    command = [*enter(layout), "docker-registry", "serve", str(file)]
    daemon(layout).start(command, lambda pid: listens(layout, pid, port), 15)


def stop(layout: Layout) -> None:
    """End it."""
    daemon(layout).stop(signal.SIGTERM, 5)
