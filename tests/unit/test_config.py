"""A good configuration file means what the documentation says; all keys are documented."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from safe_auto_updater.config import (
    Config,
    ConfigLoader,
    DockerHost,
    NotificationSpec,
    RegistryAccess,
    schema,
    starter,
)
from safe_auto_updater.config.config import ServiceSettings
from safe_auto_updater.config.contexts import Address
from safe_auto_updater.core.errors import ConfigError
from safe_auto_updater.core.events import EVENTS
from safe_auto_updater.core.policy import CheckSpec, HealthSettings, Keep, Keys, Rule, Settings
from safe_auto_updater.core.unattended import Unattended
from safe_auto_updater.core.versions import PolicyLevel
from safe_auto_updater.core.windows import parse_window
from safe_auto_updater.core.wording import FIELDS, Wording
from safe_auto_updater.notify.courier import DEFAULT_EVENTS
from safe_auto_updater.plugins import GROUPS

FOLDER = Path(__file__).parents[2] / "docs"
DOCS = (FOLDER / "configuration.md").read_text()
NOTICES = (FOLDER / "notifications.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", DOCS + NOTICES, re.DOTALL)

EVERYTHING = """
inventory:
  docker:
    - {name: local, host: "unix:///run/docker.sock"}
    - {name: b.2, host: "tcp://h:2376", ca_file: /ca, cert_file: /cert, key_file: /key}
    - {name: c, host: "ssh://u@h:22/run/docker.sock"}
    - {name: d, context: default}
  include: ["docker:local/*"]
  exclude: ["*/db-*", "*/db-*"]
detection:
  policy: patch
  schedule: 0 4 * * * Europe/Berlin
  registries:
    - {host: "127.0.0.1:5000", plain_http: true}
    - {host: "127.0.0.1:5001", username: u, password_file: /run/p}
    - {host: "R.example.org", ca_file: /ca.pem, username: u, password_file: /run/p}
  rules:
    - {match: {asset: "*/a"}, policy: none, enable: false}
    - {match: {asset: "*/b"}, fix_forward: true, one_shot: true}
execution:
  health:
    timeout: 2m
    stable_for: 1m30s
    checks:
      - {match: {asset: "*/a"}, type: http, url: "http://{address}:80/", expect_status: 200}
      - {match: {asset: "*/a"}, type: http, url: "https://h/", expect_status: [200, 401]}
      - {match: {asset: "*/a"}, type: http, url: "http://[::1]:80/", timeout: 500ms}
      - {match: {asset: "*/b"}, type: tcp, port: 5432}
      - {match: {asset: "*/b"}, type: tcp, host: "::1", port: 1, timeout: 1s}
      - {match: {asset: "*/c"}, type: command, command: [pg_isready, "-q"]}
      - {match: {asset: "*/d"}, type: mine, options: {a: [1, null], b: {c: 1.5}}}
  rollback: automatic
  keep: {versions: 3, days: 0.5}
  unattended: all
  stop_grace: 90s
notifications:
  - {type: webhook, url: "https://h/x", events: [held, warning], token_file: /t, timeout: 2s}
  - {type: webhook, url: "https://h/y"}
  - type: webhook
    url_file: /u
    secret_file: /s
    match: {asset: "*/shop-*"}
    batch: cycle
    template: {title: "$kinds", body: "$name: $message"}
    quiet_hours: "Mon-Fri 22:00-07:00 Europe/Berlin"
  - {type: email, host: m, from: a@h, to: [b@h, c@h], username: u, password_file: /p, ca_file: /c}
  - {type: email, host: "::1", port: 2525, tls: none, from: a@h, to: [b@h], timeout: 5s}
  - {type: apprise, urls: ["ntfy://h/t"], urls_file: /a, quiet_hours: ["22:00-07:00 UTC"]}
  - {type: heartbeat, url: "https://h/ping?id=1", method: POST}
  - {type: mine, events: [started], options: {a: 1}}
"""


def load(text: str) -> Config:
    return ConfigLoader().load_text(text, "config.yml")


def test_every_key_arrives_where_it_is_used() -> None:
    config = load(EVERYTHING)

    assert config.settings() == Settings(
        include=("docker:local/*",),
        exclude=("*/db-*", "*/db-*"),
        default=Keys(policy=PolicyLevel.PATCH),
        rules=(
            Rule("*/a", policy=PolicyLevel.NONE, enable=False),
            Rule("*/b", fix_forward=True, one_shot=True),
        ),
        health=HealthSettings(120.0, 90.0),
        checks=(
            CheckSpec("*/a", "http", _http("http://{address}:80/", (200,))),
            CheckSpec("*/a", "http", _http("https://h/", (200, 401))),
            CheckSpec("*/a", "http", _http("http://[::1]:80/", (), 0.5)),
            CheckSpec("*/b", "tcp", {"host": "{address}", "port": 5432, "timeout_s": 5.0}),
            CheckSpec("*/b", "tcp", {"host": "::1", "port": 1, "timeout_s": 1.0}),
            CheckSpec("*/c", "command", {"command": ("pg_isready", "-q"), "timeout_s": 5.0}),
            CheckSpec("*/d", "mine", {"a": [1, None], "b": {"c": 1.5}}),
        ),
        keep=Keep(3, 0.5),
    )
    berlin = ("0 4 * * *", ZoneInfo("Europe/Berlin"))
    assert config.service == ServiceSettings(6 * 3600, berlin, Unattended.ALL, 90)
    assert config.docker_hosts({"DOCKER_HOST": "tcp://other:1"}) == (
        DockerHost("local", Address("unix:///run/docker.sock")),
        DockerHost("b.2", Address("tcp://h:2376", "/ca", "/cert", "/key")),
        DockerHost("c", Address("ssh://u@h:22/run/docker.sock")),
        DockerHost("d", Address("tcp://other:1")),
    )
    assert config.registries == (
        RegistryAccess("127.0.0.1:5000", plain_http=True),
        RegistryAccess("127.0.0.1:5001", None, None, "u", "/run/p"),
        RegistryAccess("r.example.org", None, "/ca.pem", "u", "/run/p"),
    )
    assert config.notifications == (
        NotificationSpec(
            "webhook",
            ("held", "warning"),
            {"url": "https://h/x", "token_file": "/t", "timeout_s": 2.0},
        ),
        NotificationSpec("webhook", (), {"url": "https://h/y", "timeout_s": 10.0}),
        NotificationSpec(
            "webhook",
            (),
            {"url_file": "/u", "secret_file": "/s", "timeout_s": 10.0},
            asset="*/shop-*",
            quiet=(parse_window("Mon-Fri 22:00-07:00 Europe/Berlin"),),
            batch=True,
            wording=Wording("$kinds", "$name: $message"),
        ),
        NotificationSpec(
            "email",
            (),
            {
                "host": "m",
                "tls": "starttls",
                "username": "u",
                "password_file": "/p",
                "ca_file": "/c",
                "sender": "a@h",
                "to": ("b@h", "c@h"),
                "timeout_s": 30.0,
            },
        ),
        NotificationSpec(
            "email",
            (),
            {
                "host": "::1",
                "port": 2525,
                "tls": "none",
                "sender": "a@h",
                "to": ("b@h",),
                "timeout_s": 5.0,
            },
        ),
        NotificationSpec(
            "apprise",
            (),
            {"urls": ("ntfy://h/t",), "urls_file": "/a", "timeout_s": 60.0},
            quiet=(parse_window("22:00-07:00 UTC"),),
        ),
        NotificationSpec(
            "heartbeat",
            ("cycle",),
            {"url": "https://h/ping?id=1", "method": "POST", "timeout_s": 10.0},
        ),
        NotificationSpec("mine", ("started",), {"a": 1}),
    )


def _http(url: str, expected: tuple[int, ...], timeout_s: float = 5.0) -> dict[str, Any]:
    return {"url": url, "expect_status": expected, "timeout_s": timeout_s}


@pytest.mark.parametrize("text", ["{}", "---\n{}\n...\n", "inventory: {}", starter()])
def test_file_that_says_nothing_means_the_defaults(text: str) -> None:
    assert load(text) == Config()
    assert load("\ufeff" + text) == Config()
    assert load(text.replace("\n", "\r\n")) == Config()


def test_without_a_file_the_defaults_hold() -> None:
    assert ConfigLoader().load(None).settings() == Settings()


def test_starter_is_valid_with_every_line_uncommented() -> None:
    lines = starter().splitlines()[2:]
    everything = "\n".join(re.sub(r"^( *)# ?", r"\1", line) for line in lines)

    config = load(everything)
    assert config.engines
    assert config.registries
    assert config.notifications
    assert config.settings().rules
    assert config.settings().checks


def test_anchors_spare_repetition() -> None:
    text = "inventory: {include: &all ['*/a', '*/b'], exclude: *all}"

    assert load(text).settings().exclude == ("*/a", "*/b")


def test_words_of_yaml_1_1_stay_words() -> None:
    config = load("notifications: [{type: mine, options: {a: no, b: on, c: 1_0, d: 12:30:00}}]")

    options = config.notifications[0].options
    assert options == {"a": "no", "b": "on", "c": "1_0", "d": "12:30:00"}


def test_all_errors_are_told_at_once_in_the_order_of_the_file() -> None:
    text = """\
inventory:
  include: [web]
detection:
  interval: 40d
  policy: mnior
  policy: minor
execution:
  health: {timeout: 30}
  rollback: halt
"""
    with pytest.raises(ConfigError) as refused:
        load(text)

    assert refused.value.problems == (
        "config.yml:2:13: inventory.include[0]: can match no asset, whose names read "
        "docker:<host>/<container>; write */web",
        "config.yml:4:13: detection.interval: not between 1s and 30d; registries and people are "
        "patient with 1h or more",
        "config.yml:5:11: detection.policy: 'mnior' is not known; did you mean minor?",
        "config.yml:6:3: detection.policy: given twice, first in line 5; keep one",
        "config.yml:8:21: execution.health.timeout: has no unit; write for example 30s",
        "config.yml:9:13: execution.rollback: 'halt' is not supported by this version yet; "
        "write automatic or remove it",
    )


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "*web",
        "*/db-*",
        "d*",
        "docker*",
        "docker:na[su]/web",
        "[dk]*",
        "?e*",
        "helm:c/*",
        "nomad:*",
    ],
)
def test_pattern_that_can_match_an_asset_is_taken(pattern: str) -> None:
    assert load(f"inventory: {{exclude: ['{pattern}']}}").settings().exclude == (pattern,)


def test_messages_hold_no_credential() -> None:
    text = "notifications: [{type: webhook, url: 'https://u:hunter2@h/', token_file: hunter2}]"
    with pytest.raises(ConfigError) as refused:
        load(text)

    assert len(refused.value.problems) == 2
    assert "hunter2" not in str(refused.value)


def test_file_is_read_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_bytes(EVERYTHING.encode())

    assert ConfigLoader().load(path) == load(EVERYTHING)


def test_what_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "large").write_bytes(b"#" * (2 << 20))
    for path, fragment in (
        (tmp_path, "no regular file"),
        (tmp_path / "missing", "no such file"),
        (tmp_path / "pipe", "no regular file"),
        (tmp_path / "loop", "cannot be read"),
        (tmp_path / "large", "larger than 1 MiB"),
        ("/dev/zero", "no regular file"),
        ("nul\0", "cannot be read"),
    ):
        with pytest.raises(ConfigError) as refused:
            ConfigLoader().load(path)
        [problem] = refused.value.problems
        assert fragment in problem
        assert "\0" not in problem


def test_unreadable_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").touch(0o000)
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)  # root may read everything
    try:
        with pytest.raises(ConfigError, match="Permission denied"):
            ConfigLoader().load(tmp_path / "secret")
    finally:
        os.seteuid(me)


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_of_the_documentation_is_valid(example: str) -> None:
    assert load(example) != Config()


def keys(node: dict[str, Any], named: dict[str, Any], above: str = "") -> Iterator[str]:
    """The path of every key that a JSON Schema knows."""
    if "$ref" in node:
        node = named[node["$ref"].rsplit("/", 1)[-1]]
    for name, below in node.get("properties", {}).items():
        path = f"{above}.{name}" if above else name
        yield path
        yield from keys(below, named, path)
    if "items" in node:
        yield from keys(node["items"], named, above + "[]")
    for option in node.get("oneOf", []):
        yield from keys(option, named, above)


def test_every_key_of_the_schema_is_documented() -> None:
    described = schema()
    known = set(keys(described, described["$defs"]))

    assert {"execution.health.checks[].url", "notifications[].token_file"} < known
    # a section is documented by its heading
    assert {
        key for key in known if f"| `{key}` |" not in DOCS and f"\n## {key}\n" not in DOCS
    } == set()
    documented = re.findall(r"\n\| `([a-z_\[\].]+)` \|", DOCS)
    others = set(EVENTS) | set(GROUPS)
    assert {key for key in documented if key not in known and key not in others} == set()


def test_every_event_and_whether_it_is_told_is_documented() -> None:
    for kind in EVENTS:
        told = "told" if kind in DEFAULT_EVENTS else ""
        assert f"\n| `{kind}` | {told + ' ' if told else ''}|" in NOTICES, kind


def test_every_field_of_a_template_is_documented() -> None:
    table = NOTICES.split("## Templates")[1].split("\n## ")[0]
    assert re.findall(r"\n\| `\$([a-z]+)` \|", table) == list(FIELDS)


def test_every_plugin_group_is_documented() -> None:
    assert all(f"| `{group}` |" in DOCS for group in GROUPS)


def test_schema_describes_the_example_file_and_has_no_null() -> None:
    found = schema()

    assert set(yaml.safe_load(EVERYTHING)) == set(found["properties"])
    assert "null" not in str(found)
    assert found["additionalProperties"] is False
