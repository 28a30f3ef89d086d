"""A sandbox per test on the lab: images, containers, networks and volumes of its own.

All that a test makes is found again by its prefix (names), its repository (images and their
containers) or its label, so tests run side by side and leave nothing behind.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from lab import engine, images, wire
from lab.layout import Layout

LABEL = "sau-lab.test"
Found = TypeVar("Found")


@dataclass(frozen=True)
class Lab:
    """The running lab, as its description file tells it."""

    socket: Path
    docker_host: str
    registry: str
    netns: str
    layout: Layout
    engine: str
    engine_api: tuple[int, int]
    """The newest API version that the engine speaks."""
    containerd_store: bool
    """Whether the engine keeps images in containerd, by the digests that registries know."""
    machine: str
    """Where the engine sees the machine's own /usr and all else; empty: as it is."""
    compose: str
    """Path of the Compose plugin, which runs by itself too; empty where it is not built."""
    docker: str
    """Path of a `docker` command; empty without any."""

    @classmethod
    def read(cls, description: Path) -> Lab:
        """Read the file that ``SAU_LAB`` names."""
        told = json.loads(description.read_text())
        return cls(
            Path(told["socket"]),
            told["docker_host"],
            told["registry"],
            told["netns"],
            Layout.here(told["instance"], told["release"]),
            told["engine"],
            api_version(told["api"]),
            told["containerd_store"],
            told["machine"],
            told["compose"],
            told["docker"],
        )

    def seen_by_engine(self, path: Path) -> Path:
        """Where the engine finds a file of the machine: newer ones have a /usr of their own."""
        own = path.resolve().is_relative_to("/usr")
        return Path(f"{self.machine}{path}") if own else path

    def crash_engine(self) -> None:
        """SIGKILL to dockerd; containerd and the containers live on. Never on the shared lab."""
        if not self.layout.instance:
            raise RuntimeError(
                "this would kill the engine under other tests: mark the test `engine_crash`, "
                "which runs in a lab of its own"
            )
        engine.kill(self.layout)

    def start_engine(self) -> None:
        """Start dockerd again, as after a crash; fine when it runs."""
        engine.start(self.layout)


def api_version(text: str) -> tuple[int, int]:
    """`1.41` as numbers, to be compared."""
    major, _, minor = text.partition(".")
    return int(major), int(minor)


def eventually(question: Callable[[], Found], timeout_s: float = 45) -> Found:
    """The first answer that counts as true; the test fails with the last one otherwise."""
    deadline = time.monotonic() + timeout_s
    while not (answer := question()):
        if time.monotonic() > deadline:
            raise AssertionError(f"still {answer!r} after {timeout_s} s")
        time.sleep(0.02)
    return answer


def _networks_of(container: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """The networks of a container as inspect and list tell them, by name."""
    found: Mapping[str, Mapping[str, Any]] = container["NetworkSettings"]["Networks"]
    return found.items()


class World:
    """What one test owns on the lab."""

    def __init__(self, lab: Lab, prefix: str, state_dir: Path) -> None:
        self.lab = lab
        self.prefix = prefix
        self.state_dir = state_dir
        self.name = f"{prefix}/web"
        self.repository = f"{lab.registry}/{self.name}"
        self.labels = {LABEL: prefix}
        self._image_ids: set[str] = set()

    def call(self, method: str, url: str, body: object = None) -> Any:
        """One raw request to the engine."""
        return wire.call(self.lab.socket, method, url, body, timeout_s=60)

    def publish(self, tag: str, name: str | None = None, **recipe: Any) -> images.Published:
        """Publish an image under this world's repository; its version is its tag by default."""
        # The maker makes content unique to this world: else two tests share an image ID.
        made = images.Recipe(**({"version": tag, "maker": self.prefix} | recipe))
        where = f"{self.prefix}/{name}" if name else self.name
        published = images.publish(self.lab.registry, where, tag, made)
        self._image_ids.add(self.id_of(published))
        return published

    def id_of(self, published: images.Published) -> str:
        """The ID that the engine gives it."""
        return published.digest if self.lab.containerd_store else published.config

    def runs(self, container: str, published: images.Published) -> bool:
        """Whether a container runs this image, be it out of an index."""
        found = self.get(container)
        within = (found.get("ImageManifestDescriptor") or {}).get("digest")
        return self.id_of(published) in (found["Image"], within)

    def pull(self, reference: str) -> None:
        """Pull, and fail when the engine's stream tells an error."""
        answer = self.call("POST", f"/images/create?fromImage={urllib.parse.quote(reference)}")
        for line in answer if isinstance(answer, list) else [answer]:
            if isinstance(line, dict) and "error" in line:
                raise AssertionError(f"pull of {reference}: {line['error']}")

    def image(self, reference: str) -> dict[str, Any]:
        """Inspect an image by reference or ID."""
        found: dict[str, Any] = self.call("GET", f"/images/{reference}/json")
        return found

    def create(self, reference: str, name: str | None = None, **body: Any) -> str:
        """Pull and create with the engine's own JSON body; the container's ID."""
        self.pull(reference)
        called = f"{self.prefix}-{name or 'web'}"
        return str(
            self.call("POST", f"/containers/create?name={called}", {"Image": reference} | body)[
                "Id"
            ]
        )

    def run(self, reference: str, name: str | None = None, **body: Any) -> str:
        """Like ``create``, and start it. ``name`` gets the prefix (default: ``web``)."""
        container = self.create(reference, name, **body)
        self.call("POST", f"/containers/{container}/start")
        return container

    def carrier(self) -> str:
        """A second container on the default bridge, so that its carrier stays up in a swap."""
        return self.run(self.publish("1", name="carrier").reference, "carrier")

    def network(self, name: str, **body: Any) -> str:
        """A network of this world; its full name."""
        called = f"{self.prefix}-{name}"
        self.call("POST", "/networks/create", {"Name": called, "Labels": self.labels} | body)
        return called

    def volume(self, name: str, **body: Any) -> str:
        """A named volume of this world; its full name."""
        called = f"{self.prefix}-{name}"
        self.call("POST", "/volumes/create", {"Name": called, "Labels": self.labels} | body)
        return called

    def get(self, container: str) -> dict[str, Any]:
        """Inspect by the name given to ``run``, by full name, or by ID.

        In this order: `c10` may be how the ID of some other container begins.
        """
        try:
            found: dict[str, Any] = self.call("GET", f"/containers/{self.prefix}-{container}/json")
        except wire.EngineError as error:
            if error.status != 404:
                raise
            found = self.call("GET", f"/containers/{container}/json")
        return found

    def health(self, container: str) -> str:
        """``starting``, ``healthy``, ``unhealthy``, or ``none`` without a health check."""
        return str(self.get(container)["State"].get("Health", {}).get("Status", "none"))

    def http(self, container: str, port: int = 8080) -> str | None:
        """What the container serves at its own address; None when it does not answer."""
        found = self.get(container)
        networks = found["NetworkSettings"]["Networks"]
        address = next((n["IPAddress"] for n in networks.values() if n["IPAddress"]), None)
        if address is None and "host" in networks:
            address = "127.0.0.1"
        if address is None or not found["State"]["Running"]:
            return None
        return fetch(f"http://{address}:{port}/")

    def text(self, container: str) -> str | None:
        """What it serves as soon as it answers: a machine under load may take a moment."""
        try:
            return eventually(lambda: self.http(container))
        except AssertionError as error:
            raise AssertionError(f"{container}: {error}; {self.silence(container)}") from None

    def silence(self, container: str) -> str:
        """Why a container may not answer: its state, addresses, processes; who else has them."""
        found = self.get(container)
        told = {n: (s["IPAddress"], s["MacAddress"]) for n, s in _networks_of(found)}
        addresses = {address for address, _ in told.values() if address}
        others = [
            one["Names"]
            for one in self.call("GET", "/containers/json")
            if one["Id"] != found["Id"]
            and addresses & {settings["IPAddress"] for _, settings in _networks_of(one)}
        ]
        runs = None
        if found["State"]["Running"]:
            runs = self.call("GET", f"/containers/{found['Id']}/top")["Processes"]
        return f"{found['State']}, {told}, others of the same address: {others}, it runs {runs}"

    def ids(self) -> set[str]:
        """IDs of all containers of this world, running or not."""
        listed = self.call("GET", "/containers/json?all=1")
        return {one["Id"] for one in listed if self._owns_container(one)}

    def hook_runs(self, before: set[str]) -> bool:
        """Whether a command runs inside a container that is not among these IDs."""
        return any(self.get(one)["ExecIDs"] for one in self.ids() - before)

    def _owns_container(self, listed: Mapping[str, Any]) -> bool:
        if listed["ImageID"] in self._image_ids:
            return True
        named = any(name.lstrip("/").startswith(self.prefix) for name in listed["Names"])
        return named or self._owns_labels(listed) or self._owns_reference(listed["Image"])

    def _owns_labels(self, listed: Mapping[str, Any]) -> bool:
        return (listed.get("Labels") or {}).get(LABEL) == self.prefix

    def _owns_reference(self, reference: str) -> bool:
        return reference.startswith(f"{self.lab.registry}/{self.prefix}/")

    def clean(self) -> None:
        """Remove all that is ours. Fine when there is nothing."""
        volumes = set()
        for one in self.call("GET", "/containers/json?all=1"):
            if self._owns_container(one):
                volumes |= {mount["Name"] for mount in one["Mounts"] if mount.get("Name")}
                self._gone(f"/containers/{one['Id']}?force=1&v=1")
        for name in volumes:  # anonymous ones that an update bound by their names
            self._gone(f"/volumes/{name}?force=1")
        for one in self.call("GET", "/networks"):
            if one["Name"].startswith(self.prefix) or self._owns_labels(one):
                self._gone(f"/networks/{one['Id']}")
        for one in self.call("GET", "/volumes")["Volumes"] or []:
            if one["Name"].startswith(self.prefix) or self._owns_labels(one):
                self._gone(f"/volumes/{one['Name']}?force=1")
        for one in self.call("GET", "/images/json?all=1"):
            names = [*(one["RepoTags"] or []), *(one["RepoDigests"] or [])]
            for name in filter(self._owns_reference, names):
                self._gone(f"/images/{name}")
            if one["Id"] in self._image_ids:  # whatever it is called by now, or by no name
                self._gone(f"/images/{one['Id']}?force=1")

    def _gone(self, url: str) -> None:
        try:
            self.call("DELETE", url)
        except wire.EngineError as error:
            if error.status != 404 and "already in progress" not in str(error):
                raise


def fetch(url: str, timeout_s: float = 2) -> str | None:
    """The page's text without the final newline; None when nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as answer:
            return bytes(answer.read()).decode().rstrip("\n")
    except (OSError, urllib.error.URLError):
        return None
