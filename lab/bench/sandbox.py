"""What the bench makes on the lab: images, containers, runs of `sau`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lab import images, wire
from lab.bench import registry
from lab.bench.processes import wall_s

PREFIX = "bench-"
SAU = str(Path(sys.executable).parent / "sau")


class Sandbox:
    """``with Sandbox(folder) as sandbox``: leaves no container and no image behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = Path(json.loads(Path(os.environ["SAU_LAB"]).read_text())["socket"])

    def __enter__(self) -> Self:
        self._clean()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._clean()

    def call(self, method: str, url: str, body: object = None) -> Any:
        """One raw request to the engine."""
        return wire.call(self.socket, method, url, body, timeout_s=60)

    def publish(self, name: str, tag: str, **recipe: Any) -> str:
        """An image that serves its tag, in the bench's registry; its reference."""
        made = images.Recipe(**({"version": tag, "maker": f"bench {name}"} | recipe))
        return images.publish(registry.ADDRESS, f"bench/{name}", tag, made).reference

    def pull(self, reference: str) -> str:
        """Have an image on the engine; its reference."""
        self.call("POST", f"/images/create?fromImage={reference}")
        return reference

    def create(
        self,
        name: str,
        reference: str,
        host: Mapping[str, object] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> str:
        """A container that does not run yet; its ID."""
        body = {"Image": reference, "HostConfig": host or {}, "Labels": labels or {}}
        return str(self.call("POST", f"/containers/create?name={PREFIX}{name}", body)["Id"])

    def run(self, name: str, reference: str, host: Mapping[str, object] | None = None) -> str:
        """A container that runs; its ID."""
        container = self.create(name, reference, host)
        self.start(container)
        return container

    def start(self, container: str) -> None:
        """Start a container."""
        self.call("POST", f"/containers/{container}/start")

    def stop(self, container: str) -> None:
        """Stop a container."""
        self.call("POST", f"/containers/{container}/stop")

    def health(self, container: str) -> str:
        """What the container's HEALTHCHECK says."""
        found = self.call("GET", f"/containers/{container}/json")
        return str(found["State"]["Health"]["Status"])

    def remove(self, name: str = "") -> None:
        """Remove every container of the bench whose name begins so."""
        listed = self.call("GET", "/containers/json?all=1")
        ours = [one for one in listed if one["Names"][0].startswith(f"/{PREFIX}{name}")]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda one: self._gone(f"/containers/{one['Id']}?force=1&v=1"), ours))

    def sau(self, state: str, sees: str, *words: str, host: str = "", code: int = 0) -> float:
        """Run the program, which sees containers whose name begins so: wall seconds."""
        config = self.configure(state, sees)
        options = ("--config", str(config), "--state", str(self.folder / state))
        env = {"DOCKER_HOST": host} if host else {}
        return wall_s(SAU, *options, *words, env=env, code=code)

    def configure(self, name: str, sees: str) -> Path:
        """A configuration file: containers whose name begins so."""
        config = self.folder / f"{name}.yml"
        config.write_text(
            f'inventory: {{include: ["*/{PREFIX}{sees}*"]}}\n'
            "execution: {health: {timeout: 30s, stable_for: 1s}}\n"
        )
        return config

    def _clean(self) -> None:
        self.remove()
        for one in self.call("GET", "/images/json"):
            names = [*(one["RepoTags"] or ()), *(one["RepoDigests"] or ())]
            if any(name.startswith(f"{registry.ADDRESS}/bench/") for name in names):
                self._gone(f"/images/{one['Id']}?force=1")

    def _gone(self, url: str) -> None:
        try:
            self.call("DELETE", url)
        except wire.EngineError as error:
            if error.status != 404 and "already in progress" not in str(error):
                raise
