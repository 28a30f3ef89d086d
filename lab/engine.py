"""The lab's Docker engine: dockerd beside a containerd of its own.

Two processes, as on a real host: after ``kill`` of dockerd, containerd and the containers
live on, and the next ``start`` finds what a host finds after a crash of its daemon.
"""

from __future__ import annotations

import json
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lab import packages, releases, trees, wire
from lab.errors import LabError
from lab.layout import Layout
from lab.namespace import enter
from lab.processes import Daemon

_CONTAINERD = """\
version = 2
root = "{root}"
state = "{state}"
disabled_plugins = [
  "io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri",
]
[grpc]
address = "{socket}"
"""


def dockerd(layout: Layout) -> Daemon:
    """The engine's process."""
    return Daemon("dockerd", layout.pids / "dockerd.json", layout.logs / "dockerd.log")


def containerd(layout: Layout) -> Daemon:
    """The process that holds the containers for it."""
    return Daemon("containerd", layout.pids / "containerd.json", layout.logs / "containerd.log")


def build(layout: Layout) -> None:
    """Have on the machine and in the cache what this engine is made of."""
    packages.install_missing()
    releases.build(releases.RELEASES[layout.engine])


def parts(layout: Layout) -> dict[str, bool]:
    """Which of its parts live."""
    return {
        "containerd": containerd(layout).pid() is not None,
        "dockerd": dockerd(layout).pid() is not None and wire.answers(layout.socket),
    }


def start(layout: Layout | None = None, timeout_s: float = 60) -> None:
    """Start what does not run and wait until the engine answers."""
    layout = layout or Layout.here()
    data = layout.data / "docker"
    data.mkdir(parents=True, exist_ok=True)
    layout.run.mkdir(mode=0o711, exist_ok=True)
    if len(str(layout.containerd_socket)) > 107:
        raise LabError(f"{layout.containerd_socket}: a socket's path ends at 107 characters")
    if containerd(layout).pid() is None:
        _start_containerd(layout)
    if dockerd(layout).pid() is None:
        _start_dockerd(layout, timeout_s)


def _start_containerd(layout: Layout) -> None:
    config = layout.data / "containerd.toml"
    config.write_text(
        _CONTAINERD.format(
            root=layout.data / "containerd",
            state=layout.run / "containerd",
            socket=layout.containerd_socket,
        )
    )
    layout.containerd_socket.unlink(missing_ok=True)
    command = [*enter(layout), *releases.userland(layout)]
    command += ["containerd", "--config", str(config), "--log-level", "warn"]
    containerd(layout).start(command, lambda _: layout.containerd_socket.exists(), 20)


def _start_dockerd(layout: Layout, timeout_s: float) -> None:
    config = layout.data / "daemon.json"  # else it would read the machine's own
    config.write_text(json.dumps(releases.RELEASES[layout.engine].settings))
    (layout.run / "docker.pid").unlink(missing_ok=True)
    options = {
        "config-file": config,
        "host": f"unix://{layout.socket}",
        "containerd": layout.containerd_socket,
        "data-root": layout.data / "docker",
        "exec-root": layout.run / "exec",
        "pidfile": layout.run / "docker.pid",
        "live-restore": "false",
    }
    command = [*enter(layout), *surroundings(layout)]
    command += ["dockerd", *(f"--{key}={value}" for key, value in options.items())]
    dockerd(layout).start(command, lambda _: wire.answers(layout.socket), timeout_s)


def surroundings(layout: Layout) -> list[str]:
    """Prefix of a dockerd that lives beside the layout's containerd."""
    return [*_mounts_of_containerd(layout), *releases.search_path(layout)]


def _mounts_of_containerd(layout: Layout) -> list[str]:
    """After a crash dockerd must find the mounts again that its containers live on."""
    if not releases.RELEASES[layout.engine].suite:
        return []
    return ["nsenter", f"--mount=/proc/{containerd(layout).pid()}/ns/mnt"]


def kill(layout: Layout | None = None) -> None:
    """SIGKILL to dockerd, as a crash: containerd and the containers live on."""
    dockerd(layout or Layout.here()).stop(signal.SIGKILL, 10)


def stop(layout: Layout) -> None:
    """End the engine. Its containers are killed first: a lab waits for no slow stopper."""
    if dockerd(layout).pid() is not None and wire.answers(layout.socket):
        running = [found["Id"] for found in wire.call(layout.socket, "GET", "/containers/json")]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda one: _remove(layout.socket, one), running))
    dockerd(layout).stop(signal.SIGTERM, 20)
    containerd(layout).stop(signal.SIGTERM, 10)


def _remove(socket: Path, container: str) -> None:
    try:
        wire.call(socket, "DELETE", f"/containers/{container}?force=1&v=1")
    except wire.EngineError:
        pass  # gone by itself; what is left is swept by its shim


def described(layout: Layout) -> dict[str, object]:
    """What tests must know of it."""
    said = version(layout)
    return {
        "socket": str(layout.socket),
        "docker_host": f"unix://{layout.socket}",
        "engine": said["Version"],
        "api": said["ApiVersion"],
        "containerd_store": keeps_images_in_containerd(layout),
        "machine": releases.machine(layout),
        "compose": trees.compose(),
        "docker": trees.docker(),
    }


def inside(layout: Layout) -> dict[str, str]:
    """The environment of a command in this lab."""
    return {"DOCKER_HOST": f"unix://{layout.socket}"}


def version(layout: Layout) -> dict[str, Any]:
    """What it says of itself."""
    said: dict[str, Any] = wire.call(layout.socket, "GET", "/version")
    return said


def keeps_images_in_containerd(layout: Layout) -> bool:
    """Whether images are containerd's, as engines from 29 on have it, or the engine's own."""
    said = wire.call(layout.socket, "GET", "/info").get("DriverStatus") or ()
    return any("io.containerd.snapshotter" in value for _, value in said)
