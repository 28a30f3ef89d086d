"""What a Swarm manager's answers mean: pure decisions over raw services and tasks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.model import Health, Image, Obstacle, Status
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.policy import HealthSettings
from safe_auto_updater.core.ports import CheckState
from safe_auto_updater.core.updater import Side
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.own import Own
from safe_auto_updater.platforms.docker.self_id import OwnId
from safe_auto_updater.platforms.docker.swarm.checking import healthcheck_of, verdict_s
from safe_auto_updater.platforms.docker.swarm.differences import differences
from safe_auto_updater.platforms.docker.swarm.obstacles import obstacles_of
from safe_auto_updater.platforms.docker.swarm.scanner import Swarm
from safe_auto_updater.platforms.docker.swarm.services import Services
from safe_auto_updater.platforms.docker.swarm.settings import as_container, user_settings
from safe_auto_updater.platforms.docker.swarm.view import (
    SERVICE_ID,
    condition,
    image_of,
    labels_of,
    pinned,
    with_image,
)
from safe_auto_updater.platforms.docker.swarm.watching import judge, patience_for
from tests.http_kit import LocalServer, QuietHandler

DIGEST = f"sha256:{'a' * 64}"
OLD, NEW = f"web:1@{DIGEST}", f"web:2@{DIGEST}"
S = 10**9
GOOD = {"FailureAction": "rollback", "Monitor": 5 * S, "Parallelism": 1}


def service(image: str = NEW, replicas: int = 1, state: str = "", **spec: Any) -> dict[str, Any]:
    told = {"UpdateStatus": {"State": state, "Message": "said"}} if state else {}
    wanted = {
        "Name": "shop_web",
        "TaskTemplate": {"ContainerSpec": {"Image": image}},
        "Mode": {"Replicated": {"Replicas": replicas}},
        "UpdateConfig": GOOD,
        **spec,
    }
    return {"ID": "s1", "Version": {"Index": 7}, "Spec": wanted, **told}


def task(
    state: str = "running",
    image: str = NEW,
    desired: str = "running",
    slot: int = 1,
    err: str = "",
    at: str = "2026-01-01T12:00:00Z",
) -> dict[str, Any]:
    return {
        "ID": f"t{slot}",
        "Slot": slot,
        "DesiredState": desired,
        "Spec": {"ContainerSpec": {"Image": image}},
        "Status": {
            "State": state,
            "Err": err,
            "Timestamp": at,
            "ContainerStatus": {"ContainerID": "c1"},
        },
    }


IMAGES = [
    ("web:1", Image("web:1", "1", None)),
    ("web", Image("web", None, None)),
    (OLD, Image("web:1", "1", DIGEST)),
    (f"web@{DIGEST}", Image(f"web@{DIGEST}", None, DIGEST)),
    (f"127.0.0.1:5000/a/web:1@{DIGEST}", Image("127.0.0.1:5000/a/web:1", "1", DIGEST)),
]


@pytest.mark.parametrize(("written", "image"), IMAGES)
def test_image_of_a_spec_is_parted_and_written_again_as_it_was(written: str, image: Image) -> None:
    spec = service(written)["Spec"]
    assert image_of(spec) == image
    assert pinned(image) == written


def test_new_image_is_all_that_changes_in_a_spec() -> None:
    before = service(OLD)["Spec"]
    after = with_image(before, NEW)
    assert differences(before, after) == ("TaskTemplate.ContainerSpec.Image",)
    assert before == service(OLD)["Spec"]


DIFFERENT: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"Mode": {"Replicated": {"Replicas": 9}}}, ()),
    ({"Labels": {}, "EndpointSpec": None}, ()),
    ({"Labels": {"a": "secret"}}, ("Labels.a",)),
    ({"Mode": {"Global": {}}}, ("Mode.Replicated.Replicas",)),
    ({"UpdateConfig": GOOD | {"Delay": 1}}, ("UpdateConfig.Delay",)),
]


@pytest.mark.parametrize(("changed", "told"), DIFFERENT)
def test_specs_are_compared_field_by_field_but_for_how_many(
    changed: dict[str, Any], told: tuple[str, ...]
) -> None:
    assert differences(service()["Spec"], service(**changed)["Spec"]) == told


# replicas, tasks, with a health check -> how the service is
CONDITIONS: list[tuple[int, list[dict[str, Any]], bool, tuple[Status, Health]]] = [
    (0, [], True, (Status.EXITED, Health.NONE)),
    (1, [task()], False, (Status.RUNNING, Health.NONE)),
    (1, [task()], True, (Status.RUNNING, Health.HEALTHY)),
    (1, [task("starting")], True, (Status.RUNNING, Health.STARTING)),
    (1, [task("starting"), task("failed", desired="shutdown")], True,
     (Status.RESTARTING, Health.UNHEALTHY)),
    (2, [task(), task("ready", slot=2), task("rejected", desired="shutdown", slot=2)], False,
     (Status.RUNNING, Health.UNHEALTHY)),
    (2, [task(), task("starting", slot=2), task("failed", desired="shutdown", slot=1)], False,
     (Status.RUNNING, Health.STARTING)),
]  # fmt: skip


@pytest.mark.parametrize(("replicas", "tasks", "checked", "so"), CONDITIONS)
def test_condition_of_a_service(
    replicas: int, tasks: list[dict[str, Any]], checked: bool, so: tuple[Status, Health]
) -> None:
    assert condition(service(replicas=replicas), tasks, checked) == so


PASSED, FAILING, FAILED = CheckState.PASSED, CheckState.FAILING, CheckState.FAILED
BROKEN = task("failed", desired="shutdown", err="task: non-zero exit (1)")
LATE = task("complete", desired="shutdown", at="2026-01-01T12:00:01.5Z")
COMPLETED = 1767268801.0  # 12:00:01 on that day
NOT_MADE = BROKEN | {"Status": {"State": "failed", "Err": "context canceled"}}
NO_IMAGE = task("rejected", desired="shutdown", err="No such image: web:2")
# the service, its tasks -> what one look at NEW says
LOOKS: list[tuple[Any, list[dict[str, Any]], CheckState, Cause | None, str]] = [
    (None, [], FAILED, Cause.CONFLICT, "gone"),
    (service(), [task()], PASSED, None, "1 of 1"),
    (service(state="completed"), [task()], PASSED, None, "1 of 1"),
    (service(replicas=0), [], PASSED, None, "0 of 0"),
    (service(), [task(image=OLD)], FAILING, Cause.IMAGE, "0 of 1"),
    (service(state="updating"), [task()], FAILING, Cause.IMAGE, "updating"),
    (service(state="updating"), [BROKEN, task("ready")], FAILING, Cause.IMAGE, "updating"),
    (service(state="updating"), [task("preparing")], FAILING, Cause.REGISTRY, "preparing"),
    (service(state="updating"), [task("pending", err="no suitable node (x)")], FAILING,
     Cause.CAPACITY, "no suitable node"),
    (service(state="paused"), [BROKEN], FAILED, Cause.IMAGE, "paused"),
    (service(OLD, state="rollback_started"), [BROKEN], FAILED, Cause.IMAGE, "took it back"),
    (service(OLD, state="rollback_started"), [NOT_MADE], FAILED, Cause.PLATFORM, "took it back"),
    (service(OLD, state="rollback_completed"), [NO_IMAGE], FAILED, Cause.REGISTRY, "No such image"),
    (service(OLD, state="completed"), [], FAILED, Cause.CONFLICT, "somebody updated it"),
    (service("web:3", state="rollback_paused"), [], FAILED, Cause.IMAGE, "took it back"),
    (service(state="completed"), [task(), LATE], FAILED, Cause.IMAGE,
     "after the update was completed"),
    (service(state="completed"), [task(), BROKEN], PASSED, None, "1 of 1"),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "tasks", "state", "cause", "words"), LOOKS)
def test_one_look_at_a_service(
    seen: Any, tasks: list[dict[str, Any]], state: CheckState, cause: Cause | None, words: str
) -> None:
    (result,) = judge(seen, tasks, NEW, COMPLETED, True)
    assert (result.state, words in result.detail) == (state, True), result
    assert cause is None or result.cause is cause


def test_only_tasks_that_a_health_check_watched_prove_anything() -> None:
    assert [judge(service(), [task()], NEW, None, proves)[0].proves for proves in (0, 1)] == [0, 1]
    assert not judge(service(replicas=0), [], NEW, None, True)[0].proves


def test_rollback_that_somebody_asked_for_blames_nobody() -> None:
    seen = service(OLD, state="rollback_started")
    seen["UpdateStatus"]["Message"] = "manually requested rollback"
    (result,) = judge(seen, [], NEW, None, True)
    assert result.cause is Cause.CONFLICT


CHECK = {"Test": ["CMD", "/ok"], "Interval": 10 * S, "Retries": 2, "StartPeriod": 5 * S}


def test_health_check_of_the_service_lies_over_that_of_its_image() -> None:
    image = {"Config": {"Healthcheck": CHECK}}
    own = {"TaskTemplate": {"ContainerSpec": {"Healthcheck": {"Retries": 4, "Interval": 0}}}}
    assert healthcheck_of(own, image) == {**CHECK, "Retries": 4}
    off = {"TaskTemplate": {"ContainerSpec": {"Healthcheck": {"Test": ["NONE"]}}}}
    assert healthcheck_of(off, image) is None
    assert healthcheck_of({}, None) is None
    assert [verdict_s(c) for c in (None, CHECK, {"Test": ["CMD", "x"]})] == [0.0, 25.0, 90.0]


@pytest.mark.parametrize(("monitor_s", "held"), [(0, True), (24, True), (25, False)])
def test_monitor_must_last_as_long_as_the_health_check_needs(monitor_s: int, held: bool) -> None:
    seen = service(UpdateConfig=GOOD | {"Monitor": monitor_s * S})
    found = obstacles_of(seen, CHECK, (DIGEST,))
    assert ["--update-monitor 60s shop_web" in o.reason for o in found] == [True] * held


def test_service_that_can_go_back_by_itself_is_free() -> None:
    assert obstacles_of(service(), None, (DIGEST,)) == []
    assert obstacles_of(service(state="rollback_completed"), None, (DIGEST,)) == []


def test_patience_is_at_the_pace_of_the_engine() -> None:
    settings = HealthSettings(timeout_s=10.0, stable_for_s=1.0)
    paces = [
        patience_for(
            service(replicas=4, UpdateConfig=GOOD | {"Parallelism": at_once})["Spec"],
            None, [], settings, False,
        ).timeout_s
        for at_once in (1, 2, 0)
    ]  # fmt: skip
    assert paces == sorted(paces, reverse=True)
    assert len(set(paces)) == 3


def test_patience_on_the_way_back_is_at_its_own_pace() -> None:
    settings = HealthSettings(timeout_s=10.0, stable_for_s=1.0)

    def needed(side: Side, **said: Any) -> float:
        spec = service(replicas=12, UpdateConfig=GOOD | {"Parallelism": 0}, **said)["Spec"]
        return patience_for(spec, None, [], settings, False, side).timeout_s

    slowly = {"RollbackConfig": {"Parallelism": 1, "Delay": 120 * S, "Monitor": 5 * S}}
    assert needed(Side.NEW) == needed(Side.NEW, **slowly)
    assert needed(Side.OLD, **slowly) > 12 * 120
    assert needed(Side.OLD) > 12 * 30, "the engine's own pace is one task at a time"
    at_once = {"RollbackConfig": {"Parallelism": 0}}
    assert needed(Side.OLD, **at_once) == needed(Side.NEW)


def served(*services: Any) -> LocalServer:
    """A manager of these services."""
    answers = {
        "/version": {"ApiVersion": "1.45"},
        "/info": {"Swarm": {"ControlAvailable": True}},
        "/services": services,
        "/tasks": [],
    }

    class Api(QuietHandler):
        def do_GET(self) -> None:
            path = re.sub(r"^/v[\d.]+", "", self.path.partition("?")[0])
            told = answers.get(path)
            body = {"message": "no"} if told is None else told
            self.answer(404 if told is None else 200, json.dumps(body).encode())

    return LocalServer(Api)


def test_service_that_the_program_speaks_through_is_held(tmp_path: Path) -> None:
    def held(engine: DockerEngine, own: OwnId | None, **seen: Any) -> list[str]:
        containers = [{"Id": "t1", "Name": "/shop_web.1", "Config": {"Labels": {SERVICE_ID: "s1"}}}]
        ours = {"t1": Obstacle("proxy", "by its task")} if seen.pop("task", False) else {}
        (asset,) = Swarm(engine, Own(own, tmp_path)).seen(containers, ours).assets
        return [one.reason for one in asset.obstacles if one.rule == "proxy"]

    inside = OwnId("a" * 64, True)
    virtual = {**service(), "Endpoint": {"VirtualIPs": [{"Addr": "127.0.0.1/24"}]}}
    aliases = service()
    aliases["Spec"]["TaskTemplate"]["Networks"] = [{"Aliases": ["localhost", "socket-proxy"]}]
    for seen, own, expected in (
        (service(), None, 0),
        (service(), inside, 0),
        (virtual, None, 1),
        (aliases, inside, 1),
        (aliases, None, 0),
    ):
        with served(seen) as server:
            host = server.host.replace("127.0.0.1", "localhost") if seen is aliases else server.host
            engine = DockerEngine(f"tcp://{host}")
            assert engine.get("/info")
            found = held(engine, own)
            assert ["speaks to the engine through it" in one for one in found] == [True] * expected
            assert held(engine, own, task=True) == ["by its task"]


def test_labels_of_the_service_come_before_those_of_its_containers() -> None:
    label = "safe-auto-updater.policy"
    spec = {
        "Labels": {label: "minor", "other": "x"},
        "TaskTemplate": {"ContainerSpec": {"Labels": {label: "none", f"{label}x": "y"}}},
    }
    assert labels_of(spec) == ((label, "minor"), (f"{label}x", "y"))


def test_spec_in_the_words_of_a_container() -> None:
    spec = {
        "TaskTemplate": {
            "ContainerSpec": {
                "Command": ["/run"],
                "Args": ["-v"],
                "Env": ["A=1"],
                "Dir": "/srv",
                "Mounts": [{"Type": "volume", "Source": "data", "Target": "/data"}],
            }
        },
        "EndpointSpec": {"Ports": [{"TargetPort": 80, "PublishedPort": 8080}]},
    }
    assert user_settings(spec) == {
        "Entrypoint": ["/run"], "Cmd": ["-v"], "Env": ["A=1"], "WorkingDir": "/srv",
    }  # fmt: skip
    told = as_container(spec)
    assert told["HostConfig"]["PortBindings"] == {"80/tcp": [{}]}
    assert [mount["Destination"] for mount in told["Mounts"]] == ["/data"]


class Manager(DockerEngine):
    """Takes every word, and remembers it."""

    def __init__(self) -> None:
        super().__init__("unix:///nowhere")
        self.told: list[tuple[str, Any]] = []

    def post(self, path: str, body: Any = None, **words: Any) -> Any:
        self.told.append((words["rollback"], words["headers"]))


def test_way_back_needs_no_credentials() -> None:
    def gone(host: str) -> dict[str, str]:
        raise RegistryError("docker-credential-nas is gone", "auth")

    manager = Manager()
    Services(manager, gone).go_back(service())
    assert manager.told == [("previous", {})]
