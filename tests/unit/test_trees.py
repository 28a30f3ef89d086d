"""What an image says and what it means for one container, from the engine's and registry's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from safe_auto_updater.core.diff import DiffAnalyzer
from safe_auto_updater.core.image_tree import from_config
from safe_auto_updater.core.risk import Circumstances
from safe_auto_updater.platforms.docker.trees import from_engine, trees

Json = dict[str, Any]
DEFAULTS: Json = {
    "Env": ["PATH=/bin", "TZ=UTC", "PG_VERSION=16.4-1.pgdg120+1"],
    "Entrypoint": ["/start"],
    "Cmd": ["serve"],
    "WorkingDir": "/srv/",
    "ExposedPorts": {"80/tcp": {}, "9000/tcp": {}},
    "Volumes": {"/data": {}},
    "Healthcheck": {"Test": ["CMD", "true"]},
    "Labels": {"org.opencontainers.image.base.name": "debian:12", "vendor": "them"},
}
ANONYMOUS = "4f" * 32


def image(layers: tuple[str, ...] = ("a", "b"), **config: Any) -> Json:
    """As the engine inspects it."""
    return {
        "Os": "linux",
        "Architecture": "amd64",
        "Created": "2024-05-01T02:00:00Z",
        "Size": 1000,
        "Config": {**DEFAULTS, **config},
        "RootFS": {"Layers": list(layers)},
    }


def configuration(layers: tuple[str, ...] = ("a", "b"), **config: Any) -> Json:
    """As the registry tells it."""
    return {
        "os": "linux",
        "architecture": "amd64",
        "created": "2024-05-01T02:00:00Z",
        "config": {**DEFAULTS, **config},
        "rootfs": {"type": "layers", "diff_ids": list(layers)},
        "layer_sizes": (600, 400),
    }


def mount(path: str, name: str = ANONYMOUS, kind: str = "volume", **more: Any) -> Json:
    return {"Type": kind, "Destination": path, "Name": name, "RW": True, **more}


def container(host: Json | None = None, mounts: tuple[Json, ...] = (), **config: Any) -> Json:
    """One that `docker run` made from `image()`; what a user set goes over it."""
    return {
        "Id": "c" * 64,
        "Config": {**DEFAULTS, "User": "", "Hostname": "c" * 12, "Image": "web", **config},
        "HostConfig": {"NetworkMode": "bridge", **(host or {})},
        "Mounts": list(mounts),
    }


def compared(of: Json, reference: str = "example.org/web", **new: Any) -> tuple[Any, Any]:
    both = trees(of, image(), from_engine(image(**new)), reference, reference)
    return both.before, both.after


def test_the_engine_and_the_registry_tell_the_same_image() -> None:
    assert from_engine(image()) == from_config(configuration())


def test_an_image_that_says_nothing_is_read() -> None:
    assert from_config({"rootfs": {}}) == {
        "env": {}, "entrypoint": [], "cmd": [], "user": "root", "workdir": "/",
        "stop_signal": "SIGTERM", "ports": [], "volumes": [], "labels": {}, "base": {},
        "layers": [],
    }  # fmt: skip


def test_without_wishes_everything_is_inherited() -> None:
    before, _ = compared(container())
    assert before["container"]["inherited"] == {
        "env": {"PATH": "/bin", "TZ": "UTC", "PG_VERSION": "16.4-1.pgdg120+1"},
        "entrypoint": ["/start"],
        "cmd": ["serve"],
        "user": "root",
        "workdir": "/srv",
        "stop_signal": "SIGTERM",
        "healthcheck": {"Test": ["CMD", "true"]},
    }
    assert not any(before["container"]["set"].values())
    assert before["image"]["layers"] == {"count": 2, "shared": 2}
    assert before["image"]["base"] == {"name": "debian:12"}


# What the user set, and what is no longer inherited then.
SET: list[tuple[Json, str]] = [
    ({"Cmd": ["go"]}, "cmd"),
    ({"Entrypoint": ["/mine"], "Cmd": None}, "entrypoint cmd"),
    ({"Entrypoint": ["/mine"], "Cmd": ["go"]}, "entrypoint cmd"),
    ({"Entrypoint": None, "Cmd": ["go"]}, "entrypoint cmd"),
    ({"Entrypoint": []}, "entrypoint"),
    ({"User": "app"}, "user"),
    ({"WorkingDir": "/mine"}, "workdir"),
    ({"StopSignal": "SIGQUIT"}, "stop_signal"),
    ({"Healthcheck": {"Test": ["NONE"]}}, "healthcheck"),
    ({"Healthcheck": {"Test": ["CMD", "true"], "Interval": 5}}, ""),
]


@pytest.mark.parametrize(("wish", "gone"), SET, ids=str)
def test_what_the_user_set_is_not_inherited(wish: Json, gone: str) -> None:
    everything = set(compared(container())[0]["container"]["inherited"])
    for side in compared(container(**wish), User="new", WorkingDir="/new"):
        assert set(side["container"]["inherited"]) == everything - set(gone.split())


def test_a_users_variable_is_named_and_its_value_stays_here() -> None:
    env = [*DEFAULTS["Env"][:1], "TZ=Mars/Olympus", "PASSWORD=hunter2", *DEFAULTS["Env"][2:]]
    before, after = compared(container(Env=env), Env=["TZ=CET"])
    assert before["container"]["set"]["env"] == ["PASSWORD", "TZ"]
    assert set(before["container"]["inherited"]["env"]) == {"PATH", "PG_VERSION"}
    assert after["container"]["inherited"]["env"] == {}
    assert "hunter2" not in str((before, after)) and "Mars" not in str((before, after))


PORTS: list[tuple[Json, list[str]]] = [
    ({}, []),
    ({"PortBindings": {"80/tcp": [{"HostPort": "8080"}], "22/tcp": []}}, ["80/tcp"]),
    ({"PublishAllPorts": True}, ["80/tcp", "9000/tcp"]),
    ({"NetworkMode": "host"}, ["80/tcp", "9000/tcp"]),
]


@pytest.mark.parametrize(("host", "published"), PORTS)
def test_published_ports_are_told_from_others(host: Json, published: list[str]) -> None:
    ports = compared(container(host))[0]["container"]["ports"]
    assert ports["published"] == published
    assert sorted(ports["published"] + ports["unpublished"]) == ["80/tcp", "9000/tcp"]


MOUNTS: list[tuple[Json, bool]] = [
    (mount("/data"), True),
    (mount("/data/", "named"), True),
    (mount("/data", "named", RW=False), False),
    (mount("/data", "", "bind", Source="/srv/data"), True),
    (mount("/data", "", "bind", Source="/var/run/docker.sock"), False),
    (mount("/data", "", "bind", Source="/running"), True),
    (mount("/data", "", "bind", Source="/run/media/ann/disk/photos"), True),
    (mount("/data", "", "bind", Source="/etc/localtime"), False),
    (mount("/data", "", "tmpfs"), False),
]


@pytest.mark.parametrize(("one", "data"), MOUNTS, ids=str)
def test_writable_mounts_hold_data(one: Json, data: bool) -> None:
    told = compared(container(mounts=(one,)))[0]["container"]
    assert told["data"] == (["/data"] if data else [])
    assert told["mounted"] == ["/data"]
    assert told["mounts"][0]["anonymous"] == (one["Name"] == ANONYMOUS)


def test_a_temporary_file_system_is_mounted_and_no_data() -> None:
    told = compared(container({"Tmpfs": {"/tmp": ""}}))[0]["container"]
    assert (told["mounted"], told["data"]) == (["/tmp"], [])


SERIES = [
    ("postgres:latest", ["PG_MAJOR=17"], "17"),
    ("mysql", ["MYSQL_VERSION=8.4.2-1.el9"], "8.4"),
    ("postgres", [], None),
    ("example.org/web", ["PG_VERSION=17.0"], None),
]


@pytest.mark.parametrize(("reference", "env", "series"), SERIES)
def test_a_known_image_tells_the_series_of_its_data(
    reference: str, env: list[str], series: str | None
) -> None:
    assert compared(container(), reference, Env=env)[1]["image"].get("series") == series


def test_layers_are_shared_from_the_base_up() -> None:
    _, after = compared(container(), layers=("a", "x", "b"))
    assert after["image"]["layers"] == {"count": 3, "shared": 1}


def rules(of: Json, bump: str = "patch", **new: Any) -> set[str]:
    before, after = compared(of, **new)
    risk = DiffAnalyzer().analyze(before, after, Circumstances(bump, "example.org/web"))
    return {finding.rule for finding in risk.findings if finding.points}


DATA = (mount("/data", "named"),)
STORIES: list[tuple[str, Json, Mapping[str, Any], set[str]]] = [
    ("nothing changes", container(), {}, set()),
    ("a volume moves from under its data", container(mounts=DATA), {"Volumes": {"/srv": {}}},
     {"volume-moved", "volume-new"}),
    ("a volume moves to where the user mounted too",
     container(mounts=(*DATA, mount("/srv", "more"))), {"Volumes": {"/srv": {}}},
     {"volume-gone"}),
    ("a volume inside data", container(mounts=DATA), {"Volumes": {"/data": {}, "/data/c": {}}},
     {"volume-over-data"}),
    ("another user over data", container(mounts=DATA), {"User": "app"}, {"user-over-data"}),
    ("another user whom the user had set", container(mounts=DATA, User="1000"), {"User": "app"},
     set()),
    ("root by another name", container(mounts=DATA), {"User": "0"}, set()),
    ("a published port goes", container({"PortBindings": {"80/tcp": []}}),
     {"ExposedPorts": {"8080/tcp": {}, "9000/tcp": {}}}, {"published-port-gone"}),
    ("an entrypoint under the user's command", container(Cmd=["go"]), {"Entrypoint": ["/run"]},
     {"entrypoint-under-cmd"}),
    ("an entrypoint that the user had set", container(Entrypoint=["/mine"], Cmd=None),
     {"Entrypoint": ["/run"], "Cmd": ["x"]}, set()),
    ("a health check that was switched off", container(), {"Healthcheck": {"Test": ["NONE"]}},
     {"healthcheck-gone"}),
    ("a default that goes", container(), {"Env": ["PATH=/bin", "PG_VERSION=17"]}, {"env-removed"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("of", "new", "found"), [row[1:] for row in STORIES], ids=[row[0] for row in STORIES]
)
def test_what_it_would_do_to_this_container(
    of: Json, new: Mapping[str, Any], found: set[str]
) -> None:
    assert rules(of, **new) == found
