"""Who shares something with a container works after its update, and after its rollback."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lab.behaviours import HEALTHCHECK
from safe_auto_updater.app import App
from safe_auto_updater.config import ConfigLoader
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.inside import run_inside
from tests.lab_kit import World, eventually
from tests.sau_kit import Said, Sau

AFTER_UPDATE = "safe-auto-updater.after-update"
GIVES_UP = "until /bin/busybox test -e /up; do /bin/busybox sleep 0.1; done; exit 3"
BONDS = {
    "network": lambda root: {"NetworkMode": f"container:{root}"},
    "pid": lambda root: {"PidMode": f"container:{root}"},
    "ipc": lambda root: {"IpcMode": f"container:{root}"},
    "volumes": lambda root: {"VolumesFrom": [root]},
    "volumes by ID": lambda root: {"VolumesFrom": [f"{root}:ro"]},
    "link": lambda root: {"Links": [f"{root}:alias"]},
}


class Vpn:
    """A container `vpn` with a newer version at the registry, and others that hang on it."""

    def __init__(self, world: World, **newer: Any) -> None:
        self.world = world
        old = world.publish("1.0.0", name="vpn", version="old", volumes=("/data",))
        self.ipc = {"IpcMode": "shareable"}
        world.run(old.reference, "vpn", StopTimeout=2, HostConfig=self.ipc)
        world.publish("1.1.0", name="vpn", **({"version": "new", "volumes": ("/data",)} | newer))
        world.text("vpn")
        self.app = world.publish("1", name="app").reference
        self.before = {"vpn": world.get("vpn")}

    def hang(self, name: str, on: str = "vpn", bond: str = "network", **body: Any) -> None:
        """Another container that has something of one."""
        root = self.before[on]["Id"] if bond == "volumes by ID" else f"{self.world.prefix}-{on}"
        host = BONDS[bond](root)
        if name == "sharer":
            host["IpcMode"] = "shareable"
        # `vpn` listens on the port that the image would listen on too
        body = {"Cmd": ["/bin/busybox", "sleep", "100000"], "StopTimeout": 2, **body}
        self.world.run(
            self.app, name, **{**body, "HostConfig": {**body.get("HostConfig", {}), **host}}
        )
        self.before[name] = self.world.get(name)

    def same(self, name: str) -> bool:
        """Whether the very same container runs as before."""
        now, before = self.world.get(name), self.before[name]
        return bool(now["Id"] == before["Id"] and now["State"]["Running"])


def shares(world: World, name: str, other: str, bond: str) -> bool:
    """Whether one really has the other's namespace, volume or address now."""
    one, root = world.get(name), world.get(other)
    match bond:
        case "network" | "pid" | "ipc":
            kind = {"network": "net", "pid": "pid", "ipc": "ipc"}[bond]
            return namespace(one, kind) == namespace(root, kind)
        case "link":
            address = root["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
            return address in Path(f"/proc/{one['State']['Pid']}/root/etc/hosts").read_text()
        case _:
            return {m["Name"] for m in root["Mounts"]} <= {m["Name"] for m in one["Mounts"]}


def namespace(container: dict[str, Any], kind: str) -> Path:
    return Path(f"/proc/{container['State']['Pid']}/ns/{kind}").readlink()


def members(said: Said) -> list[str]:
    return [one["asset"].rpartition("-")[2] for one in said.update["members"]]


@pytest.mark.parametrize("bond", BONDS)
def test_dependent_has_its_part_of_the_new_container(world: World, sau: Sau, bond: str) -> None:
    vpn = Vpn(world)
    vpn.hang("app", bond=bond)
    assert shares(world, "app", "vpn", bond)

    said = sau("apply", "--yes", f"{world.prefix}-vpn")

    assert said.code == 0, said.out + said.err
    assert world.text("vpn") == "new"
    assert members(said) == ["vpn", "app"]
    assert world.get("app")["State"]["Running"]
    assert not vpn.same("app")
    assert shares(world, "app", "vpn", bond)
    assert len(world.ids()) == 2, "nothing is left over"


@pytest.mark.parametrize("bond", BONDS)
def test_dependent_is_the_same_again_after_a_rollback(world: World, sau: Sau, bond: str) -> None:
    vpn = Vpn(world, behaviour="crash")
    vpn.hang("app", bond=bond)

    said = sau("apply", "--yes", f"{world.prefix}-vpn")

    assert (said.code, said.update["outcome"]) == (3, "rolled_back"), said.out
    assert vpn.same("vpn") and vpn.same("app")
    assert shares(world, "app", "vpn", bond)
    assert world.get("app")["HostConfig"] == vpn.before["app"]["HostConfig"]
    assert len(world.ids()) == 2, "nothing is left over"


def test_volume_that_only_the_new_image_declares_is_in_no_ones_way(world: World, sau: Sau) -> None:
    vpn = Vpn(world, volumes=("/data", "/extra"))
    vpn.hang("app", bond="volumes")
    assert sau("apply", "--yes", f"{world.prefix}-vpn").update["outcome"] == "succeeded"

    said = sau("rollback", f"{world.prefix}-vpn", "--yes")

    assert said.update["outcome"] == "succeeded", said.out
    assert world.text("vpn") == "old"
    assert shares(world, "app", "vpn", "volumes")


@pytest.mark.parametrize("newer", [{}, {"behaviour": "crash"}], ids=["updated", "rolled back"])
def test_chain_of_dependents_moves_in_order(world: World, sau: Sau, newer: dict[str, Any]) -> None:
    vpn = Vpn(world, **newer)
    vpn.hang("middle")
    vpn.hang("end", on="middle", bond="pid")
    vpn.hang("side", bond="volumes")

    said = sau("apply", "--yes", f"{world.prefix}-vpn")

    assert said.update["outcome"] == ("rolled_back" if newer else "succeeded"), said.out
    order = members(said)
    assert order[0] == "vpn" and order.index("middle") < order.index("end")
    for name in ("middle", "end", "side"):
        assert world.get(name)["State"]["Running"]
        assert vpn.same(name) is bool(newer)
    assert shares(world, "middle", "vpn", "network")
    assert shares(world, "end", "middle", "pid")
    assert shares(world, "side", "vpn", "volumes")


def test_unit_is_taken_back_with_those_who_depend_on_it(world: World, sau: Sau) -> None:
    vpn = Vpn(world)
    vpn.hang("app")
    assert sau("apply", "--yes", f"{world.prefix}-vpn").code == 0
    vpn.hang("late")  # came since, and depends on it too

    said = sau("rollback", f"{world.prefix}-vpn", "--yes")

    assert said.code == 0, said.out + said.err
    assert world.text("vpn") == "old"
    assert set(members(said)) == {"vpn", "app", "late"}
    assert shares(world, "app", "vpn", "network") and shares(world, "late", "vpn", "network")
    assert sau("rollback", f"{world.prefix}-app", "--yes").code == 2, "it was never updated itself"


def test_update_that_left_who_depends_on_it_unwell_is_taken_back(world: World, sau: Sau) -> None:
    vpn = Vpn(world)
    assert sau("apply", "--yes", f"{world.prefix}-vpn").code == 0
    asks = "/bin/busybox wget -q -O - http://127.0.0.1:8080/ | /bin/busybox grep -q old"
    test = ["CMD", "/bin/busybox", "sh", "-c", asks]
    vpn.hang("app", Healthcheck={**HEALTHCHECK, "Test": test})
    assert eventually(lambda: world.health("app") == "unhealthy", 30)

    said = sau("rollback", f"{world.prefix}-vpn", "--yes")

    assert said.code == 0, said.out + said.err
    assert world.text("vpn") == "old"
    assert world.health("app") == "healthy"


@pytest.mark.parametrize("stopped", [False, True], ids=["it gave up", "somebody stopped it"])
def test_dependent_that_gave_up_runs_again_after_going_back(
    world: World, sau: Sau, stopped: bool
) -> None:
    vpn = Vpn(world)
    vpn.hang("app", Entrypoint=["/bin/busybox", "sh", "-c"], Cmd=[GIVES_UP])
    assert sau("apply", "--yes", f"{world.prefix}-vpn").code == 0
    if stopped:
        world.call("POST", f"/containers/{world.prefix}-app/stop?t=0")
    else:
        engine = DockerEngine(world.lab.docker_host)
        run_inside(engine, world.get("app")["Id"], ["/bin/busybox", "touch", "/up"], 10)
    eventually(lambda: not world.get("app")["State"]["Running"])

    said = sau("rollback", f"{world.prefix}-vpn", "--yes")

    assert said.code == 0, said.out + said.err
    assert world.text("vpn") == "old"
    assert world.get("app")["State"]["Running"] is not stopped


def test_dependent_at_rest_is_made_again_and_stays_at_rest(world: World, sau: Sau) -> None:
    vpn = Vpn(world)
    vpn.hang("app")
    world.call("POST", f"/containers/{vpn.before['app']['Id']}/stop?t=0")

    assert sau("apply", "--yes", f"{world.prefix}-vpn").code == 0

    now = world.get("app")
    assert not now["State"]["Running"] and now["Id"] != vpn.before["app"]["Id"]
    world.call("POST", f"/containers/{now['Id']}/start")
    assert shares(world, "app", "vpn", "network")


def test_dependent_that_may_not_be_touched_holds_and_is_named(world: World, sau: Sau) -> None:
    vpn = Vpn(world)
    vpn.hang("app", Labels={"safe-auto-updater.enable": "false"})

    said = sau("apply", "--yes", f"{world.prefix}-vpn")

    assert said.json["updates"] == []
    assert f"{world.prefix}-app uses its network and has to follow: switched off" in said.err
    assert vpn.same("vpn") and vpn.same("app")


def test_update_of_a_dependent_is_made_in_the_same_step(world: World, sau: Sau) -> None:
    vpn = Vpn(world)
    vpn.hang("app")
    world.publish("2", name="app")
    sau.configure(extra="detection: {policy: major}\n")

    said = sau("apply", "--yes")

    assert said.code == 0, said.out
    assert members(said) == ["vpn", "app"]
    assert len(said.update["changes"]) == 2
    assert world.get("app")["Config"]["Image"].endswith(":2")
    assert shares(world, "app", "vpn", "network")


SERVICE = "com.docker.compose."


def compose(world: World, service: str, depends_on: str = "") -> dict[str, str]:
    """What Compose writes on a container of a service."""
    return {
        SERVICE + "project": world.prefix,
        SERVICE + "service": service,
        SERVICE + "depends_on": depends_on,
        "safe-auto-updater.compose": "container-only",
    }


@pytest.mark.parametrize("newer", [{}, {"behaviour": "crash"}], ids=["updated", "rolled back"])
def test_service_that_asks_for_it_is_restarted_and_stays_the_same(
    world: World, sau: Sau, newer: dict[str, Any]
) -> None:
    old = world.publish("1.0.0", name="db", version="old")
    world.publish("1.1.0", name="db", **({"version": "new"} | newer))
    world.run(old.reference, "db", Labels=compose(world, "db"))
    app = world.publish("1", name="app").reference
    asks, not_ = "db:service_started:true", "db:service_started:false"
    world.run(app, "asks", Labels=compose(world, "asks", asks))
    world.run(app, "not", Labels=compose(world, "not", not_))
    before = {name: world.get(name) for name in ("asks", "not")}

    said = sau("apply", "--yes", f"{world.prefix}-db")

    assert said.update["outcome"] == ("rolled_back" if newer else "succeeded"), said.out
    assert members(said) == ["db", "asks"]
    now = {name: world.get(name) for name in before}
    assert [now[name]["Id"] for name in now] == [before[name]["Id"] for name in before]
    started = world.get("db")["State"]["StartedAt"]
    assert now["asks"]["State"]["StartedAt"] > started, said.update["phases"]
    assert now["not"]["State"]["StartedAt"] == before["not"]["State"]["StartedAt"]


def test_one_that_somebody_removed_meanwhile_keeps_nothing_from_going_back(
    world: World, sau: Sau
) -> None:
    old = world.publish("1.0.0", name="db", version="old")
    world.publish("1.1.0", name="db", version="new")
    fails = '["/bin/busybox", "sh", "-c", "/bin/busybox sleep 3; exit 1"]'
    world.run(old.reference, "db", Labels={**compose(world, "db"), AFTER_UPDATE: fails})
    worker = compose(world, "worker", "db:service_started:true")
    world.run(world.publish("1", name="app").reference, "worker", Labels=worker)
    before, those = world.get("db"), world.ids()

    running = sau.start("apply", "--yes", f"{world.prefix}-db")
    eventually(lambda: world.hook_runs(those), 30)
    world.call("DELETE", f"/containers/{world.prefix}-worker?force=1")
    out, _ = running.communicate(timeout=60)

    (update,) = json.loads(out)["updates"]
    assert update["outcome"] == "inconsistent", out
    assert f"container {world.prefix}-worker was removed by somebody" in update["error"]
    assert world.get("db")["Id"] == before["Id"]
    assert world.get("db")["State"]["Running"]


def test_what_is_needed_is_updated_first(world: World, sau: Sau) -> None:
    for name, needs in (("a", "z:service_started:false"), ("m", ""), ("z", "")):
        old = world.publish("1.0.0", name=name).reference
        world.publish("1.1.0", name=name)
        world.run(old, name, Labels=compose(world, name, needs))
    said = sau("apply", "--yes")
    assert [one["asset"].rpartition("-")[2] for one in said.json["updates"]] == ["m", "z", "a"]


def test_circle_is_held_and_named(world: World, sau: Sau) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        old = world.publish("1.0.0", name=name).reference
        world.publish("1.1.0", name=name)
        world.run(old, name, Labels=compose(world, name, f"{other}:service_started:true"))
    (step, *_) = sau("plan").json["steps"]
    assert step["action"] == "hold" and "cycle" in step["hold_rules"]
    names = f"{world.prefix}-a needs {world.prefix}-b needs {world.prefix}-a"
    assert names in " ".join(step["reasons"])


def test_saved_plan_of_two_that_depend_on_each_other_is_applied(
    world: World, sau: Sau, tmp_path: Path
) -> None:
    vpn = Vpn(world)
    vpn.hang("app")
    world.publish("2", name="app")
    sau.configure(extra="detection: {policy: major}\n")
    assert sau("plan", "--save", str(tmp_path / "plan")).code == 0

    said = sau("apply", "--plan", str(tmp_path / "plan"), "--yes")

    assert said.code == 0, said.err
    assert members(said) == ["vpn", "app"]


def test_plan_is_stale_once_somebody_else_depends_on_what_it_replaces(
    world: World, sau: Sau, tmp_path: Path
) -> None:
    vpn = Vpn(world)
    config = ConfigLoader().load(sau.config)
    with App(config, sau.state, os.environ, []) as app:
        plan, _ = app.cycle.plan([f"{world.prefix}-vpn"])
        vpn.hang("late")
        assert app.cycle.execute(plan, lambda: False) == ()
    assert vpn.same("vpn") and vpn.same("late")
    assert shares(world, "late", "vpn", "network")


def test_tag_that_a_dependent_shares_stays_where_the_update_put_it(world: World, sau: Sau) -> None:
    reference = world.publish("latest", name="app", version="old").reference
    world.run(reference, "root")
    world.text("root")
    body = {"Cmd": ["/bin/busybox", "sleep", "1000"], "Entrypoint": []}
    host = {"NetworkMode": f"container:{world.prefix}-root"}
    labels = {"safe-auto-updater.policy": "none"}
    world.run(reference, "user", Labels=labels, HostConfig=host, **body)
    new = world.publish("latest", name="app", version="new")
    old = world.get("user")["Image"]

    said = sau("apply", "--yes", f"{world.prefix}-root")

    assert said.code == 0, said.out
    assert world.text("root") == "new"
    assert world.get("user")["Image"] == old
    assert world.image(reference)["Id"] == world.id_of(new)
