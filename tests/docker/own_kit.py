"""The program in a container of its own: on the engine's socket, with its state on a mount."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.behaviours import HEALTHCHECK, SECOND
from lab.wire import EngineError
from safe_auto_updater.engine.journal import Journal, Record
from safe_auto_updater.engine.state import open_state
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.inside import Ran, run_inside
from tests.docker.kill.scene import KILL
from tests.lab_kit import World, eventually

CLONE = Path(__file__).resolve().parent.parent.parent
KILLABLE = str(Path(__file__).parent / "kill" / "killable.py")
PORT = 5000


class OwnContainer:
    """A container `sau` that can run this very program, and a newer version of its image."""

    def __init__(
        self, world: World, folder: Path, more: dict[str, Any] | None = None, **newer: Any
    ) -> None:
        self.world, self.folder = world, folder
        self.state = folder / "state"
        quick = HEALTHCHECK | {"Interval": SECOND // 10}
        old = world.publish("1.0.0", name="sau", version="old", healthcheck=quick)
        world.publish("1.1.0", name="sau", **({"version": "new", "healthcheck": quick} | newer))
        self.network = world.network("own")
        folder.mkdir(exist_ok=True)
        self.state.mkdir(mode=0o700)
        (folder / "sau.yml").write_text(
            f'inventory:\n  include: ["*/{world.prefix}-*"]\n'
            f'  docker: [{{name: local, host: "unix:///var/run/docker.sock"}}]\n'
            f'detection:\n  registries: [{{host: "{world.lab.registry}", plain_http: true}}]\n'
            "execution:\n  health: {timeout: 5s, stable_for: 300ms}\n"
        )
        world.run(old.reference, "sau", HostConfig=self.host(more or {}))
        eventually(lambda: world.health("sau") == "healthy")
        self.before = world.get("sau")

    def host(self, more: dict[str, Any]) -> dict[str, Any]:
        """Its mounts: this machine's Python and this clone, read-only; the socket; the state.

        `more` is added; Binds None leaves the mount of the state out.
        """
        shown = {sys.base_prefix, "/usr", str(CLONE), str(Path(sys.prefix))}
        shown = {path for path in shown if not any(is_below(path, other) for other in shown)}
        shown |= {str(self.folder)}
        see = self.world.lab.seen_by_engine
        binds = [f"{see(Path(path))}:{path}:ro" for path in sorted(shown)]
        binds += [f"{see(Path('/usr/lib'))}:/lib:ro", f"{see(Path('/usr/lib64'))}:/lib64:ro"]
        binds += [f"{self.world.lab.socket}:/var/run/docker.sock"]
        if "Binds" in more:
            self.state = Path("/tmp/state")
        else:
            binds += [f"{see(self.state)}:{self.state}"]
        return {
            **more,
            "Binds": binds,
            "NetworkMode": self.network,
            "RestartPolicy": {"Name": "always"},
            "Tmpfs": {"/tmp": ""},
        }

    @contextmanager
    def registry(self) -> Iterator[None]:
        """The lab's registry, on the loopback of the container, as it is on the engine's."""
        pid = self.world.get("sau")["State"]["Pid"]
        gateway = next(iter(self.before["NetworkSettings"]["Networks"].values()))["Gateway"]
        script = [sys.executable, str(Path(__file__).with_name("forward.py"))]
        inside = ["nsenter", f"--net=/proc/{pid}/ns/net"]
        outer = [*script, "5999", "127.0.0.1", str(PORT), gateway]
        inner = [*inside, *script, str(PORT), gateway, "5999", "127.0.0.1"]
        started = [subprocess.Popen(outer), subprocess.Popen(inner)]
        time.sleep(0.5)
        try:
            yield
        finally:
            for process in started:
                process.kill()
                process.wait()

    def sau(self, container: str, *words: str, at: int | None = None) -> Ran | None:
        """The program inside one of the two, killed at an instant if that is asked for."""
        options = ["--state", str(self.state), "--config", str(self.folder / "sau.yml")]
        program = [str(Path(sys.executable).parent / "sau")]
        if at is not None:
            trace = self.state / f"trace-{time.monotonic_ns()}"
            spec = self.state / "spec.json"
            told = {"trace": str(trace), "kinds": KILL, "action": "kill", "at": at}
            spec.write_text(json.dumps(told))
            program = [sys.executable, KILLABLE, str(spec), "--"]
        return self.exec(container, [*program, *options, *words])

    def reached(self) -> int:
        """How many instants the last run with `at` has reached.

        One that hands over is ended by the engine, which looks like a kill.
        """
        newest = max(self.state.glob("trace-*"))
        return len(newest.read_text().splitlines())

    def exec(self, container: str, command: list[str]) -> Ran | None:
        """A command inside one of the two."""
        engine = DockerEngine(self.world.lab.docker_host)
        env = ["/bin/busybox", "env", "HOME=/tmp", "PYTHONDONTWRITEBYTECODE=1"]
        if sys.pycache_prefix:  # else each of its many starts compiles everything
            env.append(f"PYTHONPYCACHEPREFIX={sys.pycache_prefix}")
        return run_inside(engine, container, [*env, *command], 90)

    def running(self) -> dict[str, str]:
        """Names (without the prefix) to IDs of those that run."""
        found = {}
        for one in self.inspected():
            if one["State"]["Status"] == "running":
                found[one["Name"].rpartition("-")[2]] = one["Id"]
        return found

    def inspected(self) -> list[dict[str, Any]]:
        """Those that are there; one of them may be removed right now."""
        found = []
        for one in self.world.ids():
            try:
                found.append(self.world.get(one))
            except EngineError as error:
                if error.status != 404:
                    raise
        return found

    def journal(self) -> tuple[Record, ...]:
        """What the journal says, newest first."""
        connection = open_state(self.state)
        try:
            return Journal(connection, time.time).history()
        finally:
            connection.close()


def is_below(path: str, other: str) -> bool:
    """Whether one folder is inside another."""
    return path != other and os.path.commonpath([path, other]) == other
