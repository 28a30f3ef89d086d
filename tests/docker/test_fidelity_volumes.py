"""Data in anonymous volumes survives every update, and no orphaned volume is left."""

from __future__ import annotations

from typing import Any

from safe_auto_updater.core.events import Event
from tests.docker.fidelity import kit
from tests.lab_kit import World
from tests.sau_kit import Sau

Json = dict[str, Any]
VOLUME: Json = {"volumes": ("/data",)}


class Seen:
    """Every volume that a container of this world was seen with, while updates go on."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.names: set[str] = set()

    def __call__(self, event: Event | None = None) -> None:
        ids = self._world.ids()
        for one in self._world.call("GET", "/containers/json?all=1"):
            if one["Id"] in ids:
                self.names |= {mount["Name"] for mount in one["Mounts"] if mount.get("Name")}

    def left(self) -> set[str]:
        """Those that still exist."""
        listed = self._world.call("GET", "/volumes")["Volumes"]
        return {volume["Name"] for volume in listed} & self.names


def volumes(container: Json) -> dict[str, str]:
    """Where each volume is mounted."""
    found = [mount for mount in container["Mounts"] if mount["Type"] == "volume"]
    return {mount["Destination"]: kit.volume_of(mount) for mount in found}


IMAGE: Json = {
    "volumes": ("/image", "/image-slash/", "/both", "/path-over", "/mount-over", "/named-over",
                "/named-mount-over"),
}  # fmt: skip
BODY: Json = {
    "Volumes": {"/user": {}, "/user-slash/": {}, "/both": {}},
    "HostConfig": {
        "Binds": ["/path", "/path-over", "<volume>:/named-over/"],
        "Mounts": [
            {"Type": "volume", "Target": "/mount"},
            {"Type": "volume", "Target": "/mount-over/"},
            {
                "Type": "volume",
                "Target": "/mount-with-options/",
                "VolumeOptions": {"NoCopy": True, "DriverConfig": {"Name": "local"}},
            },
            {"Type": "volume", "Source": "<volume>", "Target": "/named-mount-over/"},
        ],
    },
}
PATHS = {
    "/image", "/image-slash", "/both", "/path-over", "/mount-over", "/named-over",
    "/named-mount-over", "/user", "/user-slash", "/path", "/mount", "/mount-with-options",
}  # fmt: skip


def test_data_survives_a_rollback_and_several_updates_and_no_volume_is_orphaned(
    world: World,
) -> None:
    body = kit.fill(BODY, kit.words(world))
    container = world.run(world.publish("1.0.0", **IMAGE).reference, **body)
    kit.inside(world, container, "for each in $(ls -d /*); do echo $each > $each/kept; done")
    before, seen = volumes(world.get(container)), Seen(world)
    assert before.keys() == PATHS

    more: Json = {"volumes": (*IMAGE["volumes"], "/more")}
    back = kit.rolled_back(world, "1.1.0", seen, **more)
    assert volumes(back) == before
    assert seen.left() == set(before.values())
    assert len(seen.names - seen.left()) == 1  # the new image's own was there for a while

    first = kit.updated(world, "1.2.0", seen, **IMAGE)
    assert volumes(first) == before
    second = kit.updated(world, "1.3.0", seen)  # an image that declares no volume any more
    assert volumes(second) == before
    third = kit.updated(world, "1.4.0", seen, **more)
    assert volumes(third).keys() == PATHS | {"/more"}
    assert {path: volumes(third)[path] for path in PATHS} == before

    assert seen.left() == set(volumes(third).values())
    kept = kit.inside(world, third["Id"], "cat /*/kept").split()
    assert set(kept) == PATHS - {"/named-mount-over"}  # two paths of one volume


def test_volumes_of_another_container_stay_its_own(world: World) -> None:
    peer = kit.peer(world)
    image: Json = {"volumes": ("/shared", "/own")}
    body: Json = {"HostConfig": {"VolumesFrom": [f"{world.prefix}-peer"]}}
    container = world.run(world.publish("1.0.0", **image).reference, **body)
    kit.inside(world, container, "echo precious > /shared/kept; echo mine > /own/kept")
    before, seen = volumes(world.get(container)), Seen(world)

    assert volumes(kit.rolled_back(world, "1.1.0", seen, **image)) == before
    after = kit.updated(world, "1.2.0", seen, **image)

    assert volumes(after) == before
    assert before["/shared"] == volumes(world.get(peer))["/shared"]
    assert after["HostConfig"]["VolumesFrom"] == body["HostConfig"]["VolumesFrom"]
    assert kit.inside(world, after["Id"], "cat /shared/kept /own/kept").split() == [
        "precious",
        "mine",
    ]
    assert kit.inside(world, peer, "cat /shared/kept").strip() == "precious"
    assert seen.left() == set(before.values())


def test_tmpfs_over_a_declared_volume_stays_a_tmpfs(world: World) -> None:
    body: Json = {"HostConfig": {"Tmpfs": {"/data": "size=64k"}}}
    world.run(world.publish("1.0.0", **VOLUME).reference, **body)

    after = kit.updated(world, "1.1.0", **VOLUME)

    assert after["Mounts"] == []
    assert kit.settings(after) == kit.settings(kit.by_hand(world, "1.1.0", body))


def test_update_over_an_anonymous_volume_can_be_taken_back(world: World, sau: Sau) -> None:
    old = world.publish("1.0.0", version="old")
    world.publish("1.1.0", version="new")
    world.run(old.reference, Volumes={"/data": {}})
    assert sau("apply", "--yes").code == 0

    assert sau("rollback", f"{world.prefix}-web", "--yes").code == 0
    assert world.text("web") == "old"
