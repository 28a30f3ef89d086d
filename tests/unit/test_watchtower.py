"""Watchtower, pure: whom a question reaches, what its settings and labels mean, what it did."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safe_auto_updater.cli.commands.config import fits
from safe_auto_updater.config import ConfigLoader
from safe_auto_updater.core.errors import PlatformError
from safe_auto_updater.core.policy import Settings, resolve
from safe_auto_updater.core.unattended import Unattended
from safe_auto_updater.core.versions import PolicyLevel
from safe_auto_updater.platforms.docker.watchtower.api import (
    Busy,
    Done,
    Line,
    NoAnswer,
    Unclear,
    WatchtowerApi,
)
from safe_auto_updater.platforms.docker.watchtower.changes import (
    anonymous_volumes,
    by_name,
    bystanders,
)
from safe_auto_updater.platforms.docker.watchtower.findings import of_labels, of_settings
from safe_auto_updater.platforms.docker.watchtower.labels import (
    depends_on,
    labels_of,
    translated,
    untold,
)
from safe_auto_updater.platforms.docker.watchtower.migration import configuration
from safe_auto_updater.platforms.docker.watchtower.obstacles import in_its_way
from safe_auto_updater.platforms.docker.watchtower.selection import (
    also_reached,
    left_alone,
    selection_for,
)
from safe_auto_updater.platforms.docker.watchtower.settings import (
    _SWITCHES,
    _VALUES,
    WatchtowerSettings,
    is_watchtower,
    settings_of,
)
from tests.http_kit import LocalServer, QuietHandler

THEIRS = "com.centurylinklabs.watchtower."
ORIGINAL, FORK = Done(Line.ORIGINAL), Done(Line.FORK)


def container(image: str = "nginx:1", name: str = "web", **more: Any) -> dict[str, Any]:
    labels = {f"{THEIRS}{key}": value for key, value in more.pop("theirs", {}).items()}
    config = {"Image": image, "Labels": labels, "Env": [], "Cmd": None, "Entrypoint": None}
    return {
        "Id": f"{name:0<64}",
        "Name": f"/{name}",
        "Image": "sha256:1",
        "Config": config | more.pop("config", {}),
        "HostConfig": {"Binds": None} | more.pop("host", {}),
        "State": {"Status": "running", "Running": True},
        "Mounts": more.pop("mounts", []),
    }


# the image as written; what both lines are asked for
ASKED = [
    ("nginx", ("nginx",)),
    ("nginx:1.25", ("nginx",)),
    ("linuxserver/jellyfin:10", ("linuxserver/jellyfin",)),
    ("ghcr.io/a/b:1", ("ghcr.io/a/b",)),
    ("127.0.0.1:5000/web:1", ("127.0.0.1", "127.0.0.1:5000/web")),
]


@pytest.mark.parametrize(("image", "images"), ASKED)
def test_question_names_the_image_without_its_tag(image: str, images: tuple[str, ...]) -> None:
    assert selection_for(container(image)).images == images


def test_question_names_one_container_whatever_signs_its_name_has() -> None:
    assert selection_for(container(name="a.b_c-d")).containers == (r"a\.b_c-d",)


# another container; whom the original, and the fork without names, would take along
REACHED = [
    (container("nginx:1", "twin"), True, True),
    (container("nginx:2", "twin"), True, True),
    (container("docker.io/library/nginx", "twin"), False, True),
    (container("redis:1", "other"), False, False),
    (container("nginx:1", "twin", theirs={"enable": "false"}), False, False),
    (container("nginx:1", "twin", theirs={"monitor-only": "true"}), False, False),
]


@pytest.mark.parametrize(("other", "original", "fork"), REACHED)
def test_who_else_is_reached_by_the_same_image(
    other: dict[str, Any], original: bool, fork: bool
) -> None:
    mine = container()
    assert bool(also_reached(mine, [mine, other], ORIGINAL)) is original
    assert bool(also_reached(mine, [mine, other], FORK)) is fork
    assert also_reached(mine, [mine, other], Done(Line.FORK, by_name=True)) == ()


def test_registry_with_a_port_is_one_image_to_the_original() -> None:
    one, other = container("r:5000/a:1", "a"), container("r:5000/b:1", "b")
    assert also_reached(one, [one, other], ORIGINAL) == (other,)
    assert also_reached(one, [one, other], FORK) == ()


@pytest.mark.parametrize(
    ("theirs", "told"),
    [
        ({"enable": "false"}, "enable=false"),
        ({"enable": "0"}, "enable=0"),
        ({"enable": "no"}, None),
        ({"monitor-only": "1"}, "monitor-only=1"),
        ({"no-pull": "True"}, "no-pull=True"),
        ({"monitor-only": "false"}, None),
    ],
)
def test_labels_by_which_it_leaves_a_container_alone(
    theirs: dict[str, str], told: str | None
) -> None:
    assert left_alone(container(theirs=theirs)) == (told and THEIRS + told)


VOLUME = {"Type": "volume", "Name": "f00", "Source": "/v", "Destination": "/data", "RW": True}


def test_volumes_without_a_name_stand_in_its_way_and_named_ones_do_not() -> None:
    declared = {"Volumes": {"/data": {}}}
    assert anonymous_volumes(container(mounts=[VOLUME], config=declared)) == ("/data",)
    assert anonymous_volumes(container(mounts=[VOLUME], host={"Binds": ["f00:/data"]})) == ()
    asked = {"Mounts": [{"Type": "volume", "Target": "/data"}]}
    assert anonymous_volumes(container(mounts=[VOLUME], host=asked)) == ("/data",)
    (found,) = in_its_way(container(mounts=[VOLUME], config=declared))
    assert found.only_by == "watchtower" and "/data" in found.reason


def test_what_else_has_changed_is_told_without_what_updates_put_aside() -> None:
    before = by_name([{"Id": "a" * 64, "Names": ["/web"]}, {"Id": "b" * 64, "Names": ["/db"]}])
    now = [
        {"Id": "c" * 64, "Names": ["/web"]},
        {"Id": "d" * 64, "Names": ["/web.sau-next"]},
        {"Id": "e" * 64, "Names": ["/db", "/app/db"]},
    ]
    (told,) = bystanders(before, by_name(now), "web")
    assert told == "container db was replaced too (bbbbbbbbbbbb by eeeeeeeeeeee)"
    assert bystanders(before, {}, "web") == ("container db (bbbbbbbbbbbb) is gone",)


# what Watchtower was told by environment and words; what of it is on, and the values
SETTINGS: list[tuple[list[str], list[str], set[str], dict[str, tuple[str, ...]], list[str]]] = [
    (["WATCHTOWER_CLEANUP=true"], [], {"cleanup"}, {}, []),
    (["WATCHTOWER_CLEANUP=true"], ["--cleanup=false"], set(), {}, []),
    ([], ["--cleanup", "web", "db"], {"cleanup"}, {}, ["web", "db"]),
    ([], ["-ce", "-i30"], {"cleanup", "label-enable"}, {"interval": ("30",)}, []),
    ([], ["-i", "30", "web"], set(), {"interval": ("30",)}, ["web"]),
    ([], ["--interval=30"], set(), {"interval": ("30",)}, []),
    (["WATCHTOWER_POLL_INTERVAL=60"], ["--interval", "30"], set(), {"interval": ("30",)}, []),
    (["WATCHTOWER_DISABLE_CONTAINERS=a, b"], [], set(), {"disable-containers": ("a", "b")}, []),
    ([], ["-x", "a,b"], set(), {"disable-containers": ("a", "b")}, []),
    ([], ["--notification-email-to", "a@b"], set(),
     {"notifications": ("notification-email-to",)}, []),
    (["WATCHTOWER_NOTIFICATION_EMAIL_TO=a@b"], [], set(),
     {"notifications": ("by environment",)}, []),
    ([], ["--", "-odd"], set(), {}, ["-odd"]),
]  # fmt: skip


@pytest.mark.parametrize(("env", "words", "on", "values", "names"), SETTINGS)
def test_settings_are_read_off_environment_and_command_line(
    env: list[str],
    words: list[str],
    on: set[str],
    values: dict[str, tuple[str, ...]],
    names: list[str],
) -> None:
    config = {"Env": env, "Cmd": words, "Entrypoint": ["/watchtower"]}
    found = settings_of(container("containrrr/watchtower", "watchtower", config=config))
    assert (found.on, found.values, list(found.names)) == (on, values, names)


# its settings; whether it can be asked, whether it looks by itself
APIS = [
    ([], False, True),
    (["WATCHTOWER_HTTP_API_UPDATE=true"], True, False),
    (["WATCHTOWER_HTTP_API_ENDPOINTS=health,update"], True, False),
    (["WATCHTOWER_HTTP_API_ENDPOINTS=all"], True, False),
    (["WATCHTOWER_HTTP_API_ENDPOINTS=metrics"], False, True),
    (["WATCHTOWER_HTTP_API_UPDATE=1", "WATCHTOWER_HTTP_API_PERIODIC_POLLS=1"], True, True),
]


@pytest.mark.parametrize(("env", "api", "polls"), APIS)
def test_whether_it_can_be_asked_and_whether_it_acts_by_itself(
    env: list[str], api: bool, polls: bool
) -> None:
    found = settings_of(container(config={"Env": env}))
    assert (found.api, found.polls) == (api, polls)


@pytest.mark.parametrize(
    ("image", "labels", "line"),
    [
        ("containrrr/watchtower", {}, Line.ORIGINAL),
        ("nickfedor/watchtower:1.20", {}, Line.FORK),
        ("ghcr.io/nicholas-fedor/watchtower", {}, Line.ORIGINAL),
        (
            "ghcr.io/nicholas-fedor/watchtower",
            {"org.opencontainers.image.source": "https://github.com/nicholas-fedor/watchtower"},
            Line.FORK,
        ),
    ],
)
def test_which_line_it_is(image: str, labels: dict[str, str], line: Line) -> None:
    one = container(image, config={"Labels": labels})
    assert is_watchtower(one)
    assert settings_of(one).line is line


# what it is told, for us or not; words of the findings that are not well
FOUND: list[tuple[list[str], bool, list[str]]] = [
    ([], False, ["behind our back, every 24 h"]),
    (["WATCHTOWER_POLL_INTERVAL=300"], False, ["every 0.0833333 h"]),
    (["WATCHTOWER_SCHEDULE=0 0 4 * * *"], False, ["at 0 0 4 * * *"]),
    (["WATCHTOWER_MONITOR_ONLY=true"], False, []),
    (["WATCHTOWER_HTTP_API_UPDATE=true"], True, []),
    ([], True, ["behind our back", "its API is off"]),
    (["WATCHTOWER_HTTP_API_UPDATE=true", "WATCHTOWER_CLEANUP=true"], True, ["cleanup"]),
    (["WATCHTOWER_HTTP_API_UPDATE=true", "WATCHTOWER_CLEANUP=true"], False, []),
    (["WATCHTOWER_HTTP_API_UPDATE=true", "WATCHTOWER_ROLLING_RESTART=true"], True, ["rolling"]),
    (["WATCHTOWER_HTTP_API_UPDATE=true", "WATCHTOWER_SCOPE=prod"], True, ["scope prod"]),
    (["WATCHTOWER_HTTP_API_UPDATE=true", "WATCHTOWER_LABEL_ENABLE=1"], True, [".enable only"]),
    (["WATCHTOWER_HTTP_API_UPDATE=1", "WATCHTOWER_LIFECYCLE_HOOKS=1"], True, ["runs twice"]),
]


@pytest.mark.parametrize(("env", "asked", "words"), FOUND)
def test_doctor_names_what_works_against_us(env: list[str], asked: bool, words: list[str]) -> None:
    theirs = settings_of(container(config={"Env": env}))
    bad = [fact for _, ok, fact in of_settings(theirs, asked=asked, labels=True) if not ok]
    assert len(bad) == len(words)
    for fact, word in zip(bad, words, strict=True):
        assert word in fact


# their labels; ours
LABELS: list[tuple[dict[str, str], dict[str, str]]] = [
    ({"enable": "true"}, {"enable": "true"}),
    ({"enable": "F"}, {"enable": "false"}),
    ({"enable": "yes"}, {}),
    ({"enable": "true", "monitor-only": "true"}, {"enable": "false"}),
    ({"monitor-only": "false"}, {}),
    ({"no-pull": "true"}, {"policy": "none"}),
    ({"lifecycle.pre-update": "[ -f /x ]"}, {"before-update": '["sh", "-c", "[ -f /x ]"]'}),
    ({"lifecycle.post-update": "/x"}, {"after-update": '["sh", "-c", "/x"]'}),
    ({"lifecycle.pre-update-timeout": "5"}, {"hook-timeout": "300s"}),
    ({"lifecycle.pre-update-timeout": "0", "lifecycle.post-update-timeout": "5"},
     {"hook-timeout": "86400s"}),
    ({"lifecycle.pre-update-timeout": "soon"}, {}),
    ({"cooldown-delay": "3d"}, {"minimum-age": "3d"}),
    ({"scope": "prod", "stop-signal": "SIGHUP"}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("theirs", "ours"), LABELS)
def test_their_labels_in_our_words(theirs: dict[str, str], ours: dict[str, str]) -> None:
    found = translated(theirs)
    assert found == {f"safe-auto-updater.{key}": value for key, value in ours.items()}
    assert resolve(Settings(), "docker:local/web", found).problems == ()


def test_our_labels_win_and_those_of_the_image_do_not_count() -> None:
    one = container(theirs={"enable": "false", "no-pull": "true", "depends-on": "db,/cache"})
    one["Config"]["Labels"]["safe-auto-updater.policy"] = "minor"
    image = {"Config": {"Labels": {f"{THEIRS}enable": "false"}}}
    found = dict(labels_of(one, image, theirs_too=True))
    assert found == {"safe-auto-updater.policy": "minor"}
    assert dict(labels_of(one, {}, theirs_too=False)) == {"safe-auto-updater.policy": "minor"}
    assert resolve(Settings(), "docker:local/web", found).level is PolicyLevel.MINOR
    assert depends_on(one, {}) == ("db", "cache")
    assert depends_on(one, {"Config": one["Config"]}) == ()


def test_labels_without_a_counterpart_are_told() -> None:
    theirs = {"scope": "x", "stop-signal": "HUP", "lifecycle.pre-check": "/x", "enable": "maybe"}
    assert [one.label.removeprefix(THEIRS) for one in untold(theirs)] == sorted(theirs)
    (quiet,) = of_labels([(container(theirs=theirs), {})], counted=False)
    assert quiet[1] and "inventory.watchtower_labels" in quiet[2]
    told = list(of_labels([(container(theirs=theirs), {})], counted=True))
    assert len(told) == 4 and not any(ok for _, ok, _ in told)


def read(theirs: WatchtowerSettings) -> Any:
    return ConfigLoader().load_text(configuration(theirs, fits), "made.yml")


def test_configuration_does_what_watchtower_does() -> None:
    words = ["--cleanup", "--monitor-only", "--cooldown-delay", "2d", "-x", "db", "web", "a.*b"]
    env = ["WATCHTOWER_HTTP_API_TOKEN=hidden1", "WATCHTOWER_NOTIFICATION_URL=smtp://u:hidden2@h"]
    theirs = settings_of(container(config={"Cmd": words, "Env": env, "Entrypoint": ["/w"]}))
    text = configuration(theirs, fits)
    made = read(theirs)
    decided = made.settings()
    assert decided.include == ("docker:local/web",) and decided.exclude == ("docker:local/db",)
    assert (decided.default.policy, decided.default.exclude_tags) == (PolicyLevel.MINOR, ("*",))
    assert made.service.unattended is Unattended.ALL
    assert decided.default.minimum_age == 2 * 86400
    assert decided.rules[0].enable is False and decided.watchtower_labels
    for word in ("hidden1", "hidden2", "smtp"):
        assert word not in text
    for word in ("a.*b", "cleanup", "notification-url"):
        assert word in text


# its words and environment; our schedule, and our interval in seconds
SCHEDULES: list[tuple[list[str], list[str], tuple[str, str] | None, float]] = [
    ([], [], None, 86400),
    (["-i", "300"], [], None, 300),
    (["--schedule", "0 30 4 * * 1-5"], ["TZ=Europe/Berlin"], ("30 4 * * 1-5", "Europe/Berlin"), 0),
    (["--schedule", "30 0 4 * ? *"], [], ("0 4 * * *", "UTC"), 0),
]


@pytest.mark.parametrize(("words", "env", "schedule", "interval_s"), SCHEDULES)
def test_its_schedule_is_ours(
    words: list[str], env: list[str], schedule: tuple[str, str] | None, interval_s: float
) -> None:
    theirs = settings_of(container(config={"Cmd": words, "Env": env, "Entrypoint": ["/w"]}))
    made = read(theirs).service
    assert "its schedule" not in configuration(theirs, fits)
    if schedule is None:
        assert (made.schedule, made.interval_s) == (None, interval_s)
    else:
        assert (made.schedule[0], str(made.schedule[1])) == schedule


@pytest.mark.parametrize("words", [["--schedule", "@every 2h"], ["-i", "99999999"]])
def test_schedule_that_cannot_be_ours_is_left_to_people(words: list[str]) -> None:
    theirs = settings_of(container(config={"Cmd": words, "Entrypoint": ["/w"]}))
    read(theirs)
    assert "# - its schedule (" in configuration(theirs, fits)


def test_who_has_to_be_labelled_there_has_to_be_here() -> None:
    env = ["WATCHTOWER_LABEL_ENABLE=true"]
    made = read(settings_of(container(config={"Env": env})))
    assert made.service.unattended is Unattended.LABELLED


options = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.just(None) for name in _SWITCHES},
        **{name: st.text(max_size=12) for name in _VALUES},
    },
)


@given(options, st.lists(st.text(max_size=8), max_size=3), st.text(max_size=10))
def test_configuration_is_valid_whatever_it_was_told(
    given_options: Mapping[str, str | None], names: list[str], version: str
) -> None:
    theirs = WatchtowerSettings(
        "watchtower",
        Line.FORK,
        version.replace("\n", ""),
        tuple(names),
        frozenset(name for name, value in given_options.items() if value is None),
        {name: (value,) for name, value in given_options.items() if value is not None},
        ("odd",),
    )
    read(theirs)


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[tuple[WatchtowerApi, dict[str, Any]]]:
    """An API that answers as it is told."""
    told: dict[str, Any] = {"status": 200, "body": b"", "headers": {}}

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            told["path"], told["token"] = self.path, self.headers["Authorization"]
            self.answer(told["status"], told["body"], told["headers"])

    (tmp_path / "token").write_text("secret\n")
    with LocalServer(Handler) as server:
        yield WatchtowerApi(f"{server.url}/", tmp_path / "token", 5.0), told


SUMMARY = json.dumps({"summary": {"scanned": 1, "updated": 1}}).encode()
# what comes back; what it means
ANSWERS: list[tuple[int, bytes, dict[str, str], object]] = [
    (200, b"", {}, Done(Line.ORIGINAL)),
    (200, SUMMARY, {}, Done(Line.FORK, {"scanned": 1, "updated": 1})),
    (200, SUMMARY, {"X-Ratelimit-Limit": "60"},
     Done(Line.FORK, {"scanned": 1, "updated": 1}, by_name=True)),
    (200, b"{}", {}, Done(Line.FORK)),
    (429, b"", {"Retry-After": "7"}, Busy(7.0)),
    (429, b"", {"Retry-After": "tomorrow"}, Busy(30.0)),
    (503, b"", {}, Busy(30.0)),
    (500, b"", {}, Unclear("it answered 500 Internal Server Error")),
    (408, b"", {}, Unclear("it answered 408 Request Timeout")),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "headers", "meaning"), ANSWERS)
def test_what_an_answer_means(
    wire: tuple[WatchtowerApi, dict[str, Any]],
    status: int,
    body: bytes,
    headers: dict[str, str],
    meaning: object,
) -> None:
    api, told = wire
    told |= {"status": status, "body": body, "headers": headers}
    assert api.update(selection_for(container("r:5000/a:1", "a.b")), 5.0) == meaning
    asked = "/v1/update?image=r&image=r%3A5000%2Fa&container=a%5C.b"
    assert (told["path"], told["token"]) == (asked, "Bearer secret")


@pytest.mark.parametrize(
    ("status", "fact"),
    [(401, "does not accept the token"), (404, "WATCHTOWER_HTTP_API_UPDATE"), (405, "is")],
)
def test_refusal_names_the_remedy_and_no_secret(
    wire: tuple[WatchtowerApi, dict[str, Any]], status: int, fact: str
) -> None:
    api, told = wire
    told["status"] = status
    with pytest.raises(PlatformError, match=fact) as refused:
        api.idle(5.0)
    assert "secret" not in str(refused.value)


def test_nobody_there_and_a_token_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    api = WatchtowerApi("http://127.0.0.1:9", tmp_path / "token", 5.0)
    with pytest.raises(PlatformError, match="token_file"):
        api.idle(1.0)
    (tmp_path / "token").write_text("x")
    with pytest.raises(NoAnswer) as silent:
        api.idle(1.0)
    assert not silent.value.heard
