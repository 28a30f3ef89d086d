"""Up, down and status of the whole lab."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from lab import disk, engine, namespace, packages, registry, releases, sweep, trees, wire
from lab.errors import LabError
from lab.layout import REGISTRY, Layout


@contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    """One command at a time changes a lab."""
    layout.home.mkdir(parents=True, exist_ok=True)
    with (layout.home / "lab.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def status(layout: Layout) -> dict[str, bool]:
    """Which parts live."""
    return {
        "namespace": namespace.exists(layout),
        "registry": registry.daemon(layout).pid() is not None,
        "containerd": engine.containerd(layout).pid() is not None,
        "dockerd": engine.dockerd(layout).pid() is not None and wire.answers(layout.socket),
    }


def is_up(layout: Layout) -> bool:
    """Whether every part lives and the lab is described."""
    return layout.description.exists() and all(status(layout).values())


def build(layout: Layout) -> None:
    """Have in the cache what this engine is made of, without starting anything."""
    _need_root()
    packages.install_missing()
    releases.build(releases.RELEASES[layout.engine])


def up(layout: Layout, disk_mib: int | None = None) -> bool:
    """Bring everything up; True when this call started it, False when it ran already.

    With `disk_mib` its data lie on a small disk of their own.
    """
    _need_root()
    with _alone(layout):
        if is_up(layout):
            return False
        packages.install_missing()
        releases.build(releases.RELEASES[layout.engine])
        _take_down(layout)
        try:
            namespace.create(layout)
            layout.data.mkdir(parents=True, exist_ok=True)
            if disk_mib is not None:
                disk.mount(layout, disk_mib)
            registry.start(layout)
            engine.start(layout)
        except BaseException:
            _take_down(layout)
            raise
        said = engine.version(layout)
        described = {
            "instance": layout.instance,
            "netns": str(layout.netns),
            "socket": str(layout.socket),
            "docker_host": f"unix://{layout.socket}",
            "registry": REGISTRY,
            "release": layout.engine,
            "engine": said["Version"],
            "api": said["ApiVersion"],
            "containerd_store": engine.keeps_images_in_containerd(layout),
            "machine": releases.machine(layout),
            "compose": trees.compose(),
            "docker": trees.docker(),
            "logs": str(layout.logs),
            "disk": str(layout.data) if disk_mib is not None else None,
        }
        layout.description.write_text(json.dumps(described, indent=2) + "\n")
        return True


def down(layout: Layout) -> None:
    """End what was started here and wipe its data; logs stay. Fine when nothing is up."""
    _need_root()
    with _alone(layout):
        _take_down(layout)


def _take_down(layout: Layout) -> None:
    layout.description.unlink(missing_ok=True)
    engine.stop(layout)
    registry.stop(layout)
    sweep.kill_shims(layout)
    sweep.remove_files(layout)
    disk.forget(layout)
    namespace.delete(layout)


def _need_root() -> None:
    if os.geteuid() != 0:
        raise LabError(
            "the lab runs a Docker engine in a network namespace of its own, which only root "
            "may do: use `sudo`, or run `make test-unit`, which needs no lab"
        )
