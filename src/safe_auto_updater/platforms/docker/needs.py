"""What containers need of one another, by raw inspect JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from safe_auto_updater.core.identity import docker_id
from safe_auto_updater.core.model import Bond, Need, Obstacle
from safe_auto_updater.platforms.docker.compose.labels import compose_service, depends_on

Json = Mapping[str, Any]
_SHARED = {
    "NetworkMode": "uses its network",
    "PidMode": "uses its processes' namespace",
    "IpcMode": "uses its shared memory",
}


class Everyone:
    """All containers of one engine, found by whatever another container calls them.

    `asked` is whom each, by its ID, says besides that it depends on, in Watchtower's words.
    """

    def __init__(
        self,
        host: str,
        containers: Iterable[Json],
        asked: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._host = host
        self._asked = asked or {}
        self._by_word: dict[str, Json] = {}
        self._services: dict[tuple[str, str], list[Json]] = {}
        for one in containers:
            for word in (one["Id"], one["Id"][:12], name_of(one)):
                self._by_word[word] = one
            service = compose_service(one)
            if service is not None:
                self._services.setdefault((service.project, service.service), []).append(one)

    def needs_of(self, container: Json) -> tuple[Need, ...]:
        """Every other container that this one needs, the strongest bond to each first."""
        found = [
            *(self._need(other, Bond.RECREATE, what) for other, what in self._held(container)),
            *self._ordered(container),
        ]
        mine = docker_id(self._host, name_of(container))
        return tuple(dict.fromkeys(need for need in found if need.asset != mine))

    def gone(self, container: Json) -> tuple[Obstacle, ...]:
        """Whoever it shares a namespace with and is no longer there: it cannot start again."""
        return tuple(
            Obstacle(
                "gone",
                f"it {what.replace('its', 'the')} of container {word[:12]}, which is gone; create "
                "it again by hand",
            )
            for word, what in _shared(container)
            if word not in self._by_word
        )

    def _held(self, container: Json) -> Iterator[tuple[Json, str]]:
        """Those of whom it holds a part, and how to say so."""
        host = container["HostConfig"]
        words = list(_shared(container))
        words += [(source.partition(":")[0], "uses its volumes") for source in volumes_from(host)]
        words += [(link.partition(":")[0], "is linked to it") for link in host.get("Links") or ()]
        for word, what in words:
            other = self._by_word.get(word.lstrip("/"))
            if other is not None:
                yield other, what

    def _ordered(self, container: Json) -> Iterator[Need]:
        """Those after whom it comes: by its Compose file, or linked on a network of the user's."""
        mine = compose_service(container)
        for service, _, restart in depends_on(container["Config"].get("Labels") or {}):
            for other in self._services.get((mine.project, service), ()) if mine else ():
                bond = Bond.RESTART if restart else Bond.ORDER
                yield self._need(other, bond, "depends on it (Compose)")
        for name in self._asked.get(container["Id"], ()):
            if name in self._by_word:
                what = "depends on it (Watchtower's label)"
                yield self._need(self._by_word[name], Bond.RESTART, what)
        for endpoint in (container["NetworkSettings"].get("Networks") or {}).values():
            for link in endpoint.get("Links") or ():
                linked = self._by_word.get(link.partition(":")[0].lstrip("/"))
                if linked is not None:
                    yield self._need(linked, Bond.ORDER, "is linked to it")

    def _need(self, other: Json, bond: Bond, what: str) -> Need:
        return Need(docker_id(self._host, name_of(other)), bond, what)


def name_of(container: Json) -> str:
    """Its name without the engine's slash."""
    return str(container["Name"].lstrip("/"))


def volumes_from(host: Json) -> Sequence[str]:
    """Whose volumes it uses: names or IDs, each with `:ro` or the like where it was said."""
    return host.get("VolumesFrom") or ()


def _shared(container: Json) -> Iterator[tuple[str, str]]:
    for key, what in _SHARED.items():
        mode, _, word = (container["HostConfig"].get(key) or "").partition(":")
        if mode == "container":
            yield word, what
