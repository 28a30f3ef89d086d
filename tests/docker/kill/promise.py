"""The one promise, asserted on the world and on the journal."""

from __future__ import annotations

import itertools
from typing import Any

from safe_auto_updater.core.outcome import Outcome
from safe_auto_updater.core.phases import TABLE, Phase
from safe_auto_updater.engine.journal import Record
from safe_auto_updater.platforms.docker.networks import endpoints
from tests.docker.kill.scene import Scene
from tests.lab_kit import eventually


def assert_kept(scene: Scene, *, gaps: bool = False) -> str:
    """The promise holds; which of the two runs is returned: `old` or `new`.

    `gaps`: rows may be missing in the journal, because its disk was lost on the way.
    """
    side = assert_side(scene)
    _assert_truth(scene, side, gaps)
    return side


def assert_side(scene: Scene) -> str:
    """The world's half of the promise: one side runs whole, nothing is lost or left over."""
    world = scene.world
    assert len(world.ids()) == 1, "exactly one container is left"
    now = world.get(scene.container)
    side = "old" if now["Id"] == scene.before["Id"] else "new"
    wanted = scene.old_text if side == "old" else scene.new_text
    # The engine may have restarted it a moment ago; the web server inside needs its time.
    now = _serving(scene, wanted)
    assert world.prefix in scene.read(now["Id"], "/data/kept"), "its data is there"
    mounted = {m["Destination"]: m.get("Name") for m in now["Mounts"]}
    assert mounted["/data"] == scene.data["Name"], "in the same volume"
    if side == "old":
        _assert_untouched(scene, now)
        assert scene.volumes_now() == scene.volumes, "no volume is lost or left over"
        assert scene.tags_now() == scene.tags, "the tags point where they did"
    else:
        assert now["Image"] == scene.world.id_of(scene.new)
        assert now["HostConfig"]["RestartPolicy"] == scene.before["HostConfig"]["RestartPolicy"]
        assert _chosen(now) == _chosen(scene.before)
        assert scene.volumes_now() == scene.volumes | {mounted["/lab/www"]}
        assert scene.tags_now() == scene.tags | {scene.new.reference: scene.world.id_of(scene.new)}
    return side


def _serving(scene: Scene, wanted: str) -> dict[str, Any]:
    """The container as it serves; where it does not, the failure tells how it is instead."""
    world = scene.world
    try:
        eventually(lambda: world.http(scene.container) == wanted)
    except AssertionError as error:
        fact = f"{world.http(scene.container)!r}; {world.silence(scene.container)}"
        raise AssertionError(f"{error}: {fact}") from None
    return world.get(scene.container)


def _assert_untouched(scene: Scene, now: dict[str, Any]) -> None:
    for key in ("Id", "Name", "Image", "Mounts"):
        assert now[key] == scene.before[key], key
    for key in ("Config", "HostConfig"):
        assert _told(now[key]) == _told(scene.before[key]), key
    assert _chosen(now) == _chosen(scene.before)


def _chosen(container: dict[str, Any]) -> dict[str, Any]:
    """Endpoint settings without MAC addresses: newer engines make others at each start."""
    networks = endpoints(container).items()
    return {name: {**chosen, "MacAddress": None} for name, chosen in networks}


def _told(settings: dict[str, Any]) -> dict[str, Any]:
    """Without what is nothing: an engine that was restarted says `[]` where it said `null`."""
    return {key: value for key, value in settings.items() if value not in (None, [], {})}


def _assert_truth(scene: Scene, side: str, gaps: bool) -> None:
    records = scene.journal()
    for record in records:
        assert record.outcome is not None, f"{_walk(record)} has no end"
        assert record.outcome is not Outcome.INCONSISTENT, f"{_walk(record)}: {record.facts}"
        if not gaps:
            assert_legal(record)
    last = records[0].outcome if records else Outcome.ABORTED
    assert (last is Outcome.SUCCEEDED) == (side == "new"), f"{side} runs, the journal says {last}"


def assert_legal(record: Record) -> None:
    """Each row follows from the one before by the table: ok, failed or died."""
    walk = _walk(record)
    assert walk[0] in (Phase.PREPARE, Phase.ABORTED), walk
    for before, after in itertools.pairwise(walk):
        exits = TABLE[before]
        assert after in (exits.ok, exits.failed, exits.died), f"{before} -> {after} in {walk}"


def _walk(record: Record) -> list[Phase]:
    return [Phase(row.name) for row in record.rows]


def assert_nothing_to_recover(scene: Scene) -> None:
    """A second `sau recover` has nothing to do, and says so."""
    said = scene.sau("recover")
    assert (said.code, "Nothing was interrupted" in said.text) == (0, True), said.text
