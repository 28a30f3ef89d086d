"""Up, down and status of the whole lab."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from lab import built_image, disk, engine, namespace, packages, registry, sweep
from lab.cluster import whole as cluster
from lab.errors import LabError
from lab.layout import KUBERNETES, REGISTRY, Layout


@contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    """One command at a time changes a lab."""
    layout.home.mkdir(parents=True, exist_ok=True)
    with (layout.home / "lab.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Runtime(Protocol):
    """What runs containers in a lab: a module that can do this."""

    def build(self, layout: Layout) -> None:
        """Have on the machine and in the cache what it is made of."""

    def parts(self, layout: Layout) -> dict[str, bool]:
        """Which of its parts live."""

    def start(self, layout: Layout) -> None:
        """Start what does not run and wait until it answers."""

    def kill(self, layout: Layout) -> None:
        """End what answers, as a crash would."""

    def stop(self, layout: Layout) -> None:
        """End it all."""

    def described(self, layout: Layout) -> dict[str, object]:
        """What tests must know of it."""

    def inside(self, layout: Layout) -> dict[str, str]:
        """The environment of a command in this lab."""


def runtime(layout: Layout) -> Runtime:
    """An engine, or a cluster of one node."""
    return cluster if layout.engine == KUBERNETES else engine


def status(layout: Layout) -> dict[str, bool]:
    """Which parts live."""
    return {
        "namespace": namespace.exists(layout),
        "registry": registry.daemon(layout).pid() is not None,
    } | runtime(layout).parts(layout)


def is_up(layout: Layout) -> bool:
    """Whether every part lives and the lab is described."""
    return layout.description.exists() and all(status(layout).values())


def build(layout: Layout) -> None:
    """Have what this lab is made of, and what tests drive in it, without starting anything."""
    _need_root()
    packages.install_missing(packages.TESTED)
    built_image.prepare(layout.clone)
    runtime(layout).build(layout)


def up(layout: Layout, disk_mib: int | None = None) -> bool:
    """Bring everything up; True when this call started it, False when it ran already.

    With `disk_mib` its data lie on a small disk of their own.
    """
    _need_root()
    with _alone(layout):
        if is_up(layout):
            return False
        runtime(layout).build(layout)
        _take_down(layout)
        try:
            namespace.create(layout)
            layout.data.mkdir(parents=True, exist_ok=True)
            if disk_mib is not None:
                disk.mount(layout, disk_mib)
            registry.start(layout)
            runtime(layout).start(layout)
        except BaseException:
            _take_down(layout)
            raise
        described = {
            "instance": layout.instance,
            "netns": str(layout.netns),
            "registry": REGISTRY,
            "release": layout.engine,
            "logs": str(layout.logs),
            "disk": str(layout.data) if disk_mib is not None else None,
        } | runtime(layout).described(layout)
        layout.description.write_text(json.dumps(described, indent=2) + "\n")
        return True


def down(layout: Layout) -> None:
    """End what was started here and wipe its data; logs stay. Fine when nothing is up."""
    _need_root()
    with _alone(layout):
        _take_down(layout)


def _take_down(layout: Layout) -> None:
    layout.description.unlink(missing_ok=True)
    runtime(layout).stop(layout)
    registry.stop(layout)
    sweep.kill_shims(layout)
    sweep.remove_files(layout)
    disk.forget(layout)
    namespace.delete(layout)


def _need_root() -> None:
    if os.geteuid() != 0:
        raise LabError(
            "the lab runs daemons in a network namespace of its own, which only root "
            "may do: use `sudo`, or run `make test-unit`, which needs no lab"
        )
