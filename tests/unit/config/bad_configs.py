"""Configuration files that must be refused, each with what its message must say.

The families are products of small tables: each key with each wrong type, an unknown key at each
level, each key twice, each key of a later version, values out of range, and YAML that is broken
or hostile.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

CHECK = {"match": {"asset": "*/web"}, "type": "http", "url": "http://127.0.0.1/"}
TCP = {"match": {"asset": "*/web"}, "type": "tcp", "port": 80}
COMMAND = {"match": {"asset": "*/web"}, "type": "command", "command": ["true"]}
PLUGIN = {"match": {"asset": "*/web"}, "type": "example", "options": {}}
WEBHOOK = {"type": "webhook", "url": "http://127.0.0.1/"}
NOTIFIER = {"type": "example", "options": {}}
MAIL = {"type": "email", "host": "mail.example.org", "from": "sau@h.org", "to": ["me@h.org"]}
APPRISE = {"type": "apprise", "urls": ["ntfy://ntfy.example.org/ops"]}
HEARTBEAT = {"type": "heartbeat", "url": "http://127.0.0.1/"}
REGISTRY = {"host": "registry.example.org"}
SOURCE = {"chart": "web", "repository": "https://charts.example.org/stable"}
RULE = {"match": {"asset": "*"}}
ENGINE = {"name": "local", "host": "unix:///run/docker.sock"}
WATCHTOWER = {"url": "http://127.0.0.1:8080", "token_file": "/run/secrets/watchtower"}
JOB = {"match": {"asset": "*"}, "type": "job", "image": "smoke:1", "command": ["/smoke"]}
SERVICE = {"match": {"asset": "*"}, "type": "http", "service": "web:80"}
METRICS = {"match": {"asset": "*"}, "type": "prometheus", "url": "http://p:9090", "query": "up"}
METRICS |= {"expect": "== 1"}
BLOCK = {key: value for key, value in METRICS.items() if key not in ("type", "expect")}
TLS_ENGINE = {"name": "nas", "host": "tcp://h:2376", "cert_file": "/c", "key_file": "/k"}


@dataclass(frozen=True)
class Bad:
    """One file, a fragment that its messages must contain, and the line of that message."""

    name: str
    content: bytes
    fragment: str
    line: int | None = None


# path, an entry it may stand in, what it should be, the wrong types to try
TYPES: tuple[tuple[str, object, str], ...] = (
    ("inventory", None, "mapping"),
    ("detection", None, "mapping"),
    ("execution", None, "mapping"),
    ("notifications", None, "list"),
    ("inventory.docker", None, "list"),
    ("inventory.docker[]", None, "mapping"),
    ("inventory.docker[].name", ENGINE, "text"),
    ("inventory.docker[].host", ENGINE, "text"),
    ("inventory.docker[].context", {"name": "nas"}, "text"),
    ("inventory.docker[].ca_file", TLS_ENGINE, "text"),
    ("inventory.docker[].cert_file", TLS_ENGINE, "text"),
    ("inventory.docker[].key_file", TLS_ENGINE, "text"),
    ("inventory.include", None, "list"),
    ("inventory.include[]", None, "text"),
    ("inventory.exclude", None, "list"),
    ("inventory.exclude[]", None, "text"),
    ("detection.policy", None, "policy"),
    ("detection.minimum_age", None, "duration"),
    ("detection.approval", None, "approval"),
    ("detection.window", None, "window"),
    ("detection.freeze", None, "freeze"),
    ("detection.include_tags", None, "tag patterns"),
    ("detection.exclude_tags", None, "tag patterns"),
    ("detection.prereleases", None, "true or false"),
    ("detection.walk", None, "walk"),
    ("detection.policies", None, "list"),
    ("detection.policies[]", None, "mapping"),
    ("detection.policies[].match", PLUGIN, "mapping"),
    ("detection.policies[].type", PLUGIN, "text"),
    ("detection.policies[].options", PLUGIN, "mapping"),
    ("detection.block_while", None, "list"),
    ("detection.block_while[]", None, "mapping"),
    ("detection.block_while[].match", BLOCK, "mapping"),
    ("detection.block_while[].query", BLOCK, "text"),
    ("detection.block_while[].url", BLOCK, "text"),
    ("detection.block_while[].timeout", BLOCK, "duration"),
    ("detection.block_while[].ca_file", BLOCK, "text"),
    ("detection.block_while[].token_file", BLOCK, "text"),
    ("detection.rules[].minimum_age", RULE, "duration"),
    ("detection.rules[].approval", RULE, "approval"),
    ("detection.rules[].window", RULE, "window"),
    ("detection.rules[].freeze", RULE, "freeze"),
    ("detection.rules[].group", RULE, "group"),
    ("detection.rules[].walk", RULE, "walk"),
    ("execution.risk", None, "mapping"),
    ("execution.risk.automatic", None, "whole number"),
    ("execution.max_parallel", None, "whole number"),
    ("execution.risk.approval", None, "score"),
    ("detection.registries", None, "list"),
    ("detection.registries[]", None, "mapping"),
    ("detection.registries[].host", REGISTRY, "text"),
    ("detection.registries[].plain_http", REGISTRY, "true or false"),
    ("detection.registries[].ca_file", REGISTRY, "text"),
    ("detection.registries[].username", REGISTRY, "text"),
    ("detection.registries[].password_file", REGISTRY, "text"),
    ("detection.registries[].mirror", REGISTRY, "mirror"),
    ("detection.helm_sources", None, "list"),
    ("detection.helm_sources[]", None, "mapping"),
    ("detection.helm_sources[].chart", SOURCE, "text"),
    ("detection.helm_sources[].repository", SOURCE, "text"),
    ("detection.helm_sources[].match", SOURCE, "mapping"),
    ("detection.helm_sources[].username", SOURCE, "text"),
    ("detection.helm_sources[].password_file", SOURCE, "text"),
    ("detection.helm_sources[].token_file", SOURCE, "text"),
    ("detection.helm_sources[].ca_file", SOURCE, "text"),
    ("detection.helm_sources[].cert_file", SOURCE, "text"),
    ("detection.helm_sources[].key_file", SOURCE, "text"),
    ("detection.helm_sources[].pass_credentials", SOURCE, "true or false"),
    ("detection.rules", None, "list"),
    ("detection.rules[]", None, "mapping"),
    ("detection.rules[].match", RULE, "mapping"),
    ("detection.rules[].match.asset", RULE, "text"),
    ("detection.rules[].policy", RULE, "policy"),
    ("detection.rules[].enable", RULE, "true or false"),
    ("detection.rules[].fix_forward", RULE, "true or false"),
    ("detection.rules[].one_shot", RULE, "true or false"),
    ("detection.rules[].compose", RULE, "compose"),
    ("detection.rules[].strategy", RULE, "strategy"),
    ("detection.rules[].docker_updater", RULE, "updater"),
    ("detection.rules[].before_update", RULE, "command"),
    ("detection.rules[].after_update", RULE, "command"),
    ("detection.rules[].hook_timeout", RULE, "duration"),
    ("inventory.watchtower_labels", None, "true or false"),
    ("execution.docker_updater", None, "updater"),
    ("execution.watchtower", None, "mapping"),
    ("execution.watchtower.url", None, "text"),
    ("execution.watchtower.token_file", None, "text"),
    ("execution.watchtower.docker", None, "text"),
    ("execution.watchtower.timeout", None, "duration"),
    ("execution.health", None, "mapping"),
    ("execution.health.timeout", None, "duration"),
    ("execution.health.stable_for", None, "duration"),
    ("execution.health.checks", None, "list"),
    ("execution.health.checks[]", None, "mapping"),
    ("execution.health.checks[].match", CHECK, "mapping"),
    ("execution.health.checks[].type", PLUGIN, "text"),
    ("execution.health.checks[].url", CHECK, "text"),
    ("execution.health.checks[].expect_status", CHECK, "statuses"),
    ("execution.health.checks[].timeout", CHECK, "duration"),
    ("execution.health.checks[].host", TCP, "text"),
    ("execution.health.checks[].port", TCP, "whole number"),
    ("execution.health.checks[].timeout", TCP, "duration"),
    ("execution.health.checks[].command", COMMAND, "list"),
    ("execution.health.checks[].command[]", COMMAND, "text"),
    ("execution.health.checks[].service", SERVICE, "text"),
    ("execution.health.checks[].path", SERVICE, "text"),
    ("execution.health.checks[].image", JOB, "text"),
    ("execution.health.checks[].command", JOB, "list"),
    ("execution.health.checks[].timeout", JOB, "duration"),
    ("execution.health.checks[].query", METRICS, "text"),
    ("execution.health.checks[].expect", METRICS, "expectation"),
    ("execution.health.checks[].token_file", METRICS, "text"),
    ("execution.health.checks[].username", METRICS, "text"),
    ("execution.health.checks[].password_file", METRICS, "text"),
    ("execution.health.checks[].options", PLUGIN, "mapping"),
    ("execution.rollback", None, "rollback"),
    ("execution.compose", None, "compose"),
    ("execution.keep", None, "mapping"),
    ("execution.keep.versions", None, "whole number"),
    ("execution.keep.days", None, "number"),
    ("notifications[]", None, "mapping"),
    ("notifications[].type", NOTIFIER, "text"),
    ("notifications[].url", WEBHOOK, "text"),
    ("notifications[].events", WEBHOOK, "list"),
    ("notifications[].events[]", WEBHOOK, "event"),
    ("notifications[].token_file", WEBHOOK, "text"),
    ("notifications[].timeout", WEBHOOK, "duration"),
    ("notifications[].url_file", {"type": "webhook"}, "text"),
    ("notifications[].secret_file", WEBHOOK, "text"),
    ("notifications[].ca_file", WEBHOOK, "text"),
    ("notifications[].ca_file", HEARTBEAT, "text"),
    ("notifications[].match", WEBHOOK, "mapping"),
    ("notifications[].quiet_hours", WEBHOOK, "window"),
    ("notifications[].template", WEBHOOK, "mapping"),
    ("notifications[].batch", WEBHOOK, "batch"),
    ("notifications[].match", NOTIFIER, "mapping"),
    ("notifications[].quiet_hours", NOTIFIER, "window"),
    ("notifications[].host", MAIL, "text"),
    ("notifications[].port", MAIL, "whole number"),
    ("notifications[].tls", MAIL, "tls"),
    ("notifications[].username", MAIL, "text"),
    ("notifications[].password_file", MAIL, "text"),
    ("notifications[].ca_file", MAIL, "text"),
    ("notifications[].from", MAIL, "text"),
    ("notifications[].to", MAIL, "list"),
    ("notifications[].to[]", MAIL, "text"),
    ("notifications[].timeout", MAIL, "duration"),
    ("notifications[].urls", APPRISE, "list"),
    ("notifications[].urls[]", APPRISE, "text"),
    ("notifications[].urls_file", APPRISE, "text"),
    ("notifications[].timeout", APPRISE, "duration"),
    ("notifications[].url", HEARTBEAT, "text"),
    ("notifications[].method", HEARTBEAT, "method"),
    ("notifications[].timeout", HEARTBEAT, "duration"),
    ("notifications[].options", NOTIFIER, "mapping"),
)
WRONG: dict[str, tuple[object, ...]] = {
    "mapping": ("words", 5, True, [1]),
    "list": ("words", 5, True, {"a": 1}),
    "text": (5, 1.5, True, [], {}),
    "true or false": ("yes", "on", 1, []),
    "whole number": ("1", 1.5, True, []),
    "number": ("1", True, []),
    "duration": (30, 0.5, "30", "soon", "-1s", "1 s", True, []),
    "policy": ("latest", "no", 5, True, []),
    "approval": ("maybe", 5, True, []),
    "compose": ("update", 5, True, []),
    "strategy": ("rolling", 5, True, []),
    "updater": ("docker", 5, True, []),
    "command": ("", " ", "[", "[5]", '[""]', "[]", 5, True, [], [5], [""]),
    "window": (
        "Sat",
        "02:00-05:00",
        "Xat 02:00-05:00 UTC",
        "Sat 25:00-26:00 UTC",
        "Sat 02:00-05:00 Mars",
        "Sat,Sun 20:00-Mon 06:00 UTC",
        5,
        True,
        [],
        [5],
        ["Sat"],
    ),
    "freeze": (
        "2026-12-20",
        "2026-12-20..2026-12-10 UTC",
        "2026-13-01..2026-13-02 UTC",
        "02-30..03-01 UTC",
        "12-20..2027-01-01 UTC",
        "2026-12-20T00:00+01:00..2026-12-22 UTC",
        5,
        [],
        [True],
    ),
    "tag patterns": ("a b", "", "ä*", "1.[2-3", "1.[3-2].*", "[]", 5, True, [], [5], ["a b"]),
    "mirror": ("mirror.example", "ftp://m/", "https://", "https://u@m/", "https://m/?a", 5, []),
    "expectation": ("", "0.05", "= 1", "=< 1", "< 5%", "> 1e999", "< NaN", "> x", 0.05, True, []),
    "walk": ("patch", "one", 5, True, []),
    "group": ("a b", "", "-a", 5, True, []),
    "score": (-1, 102, "60", 1.5, True, 20),
    "rollback": ("no", 5, True, []),
    "event": ("failed", 5, True, []),
    "batch": ("day", 5, True, []),
    "tls": ("ssl", 5, True, []),
    "method": ("PUT", "get", 5, True, []),
    "statuses": ("200", 99, [200, 700], [], True, 200.5),
}
# what a message about a wrong value of each kind may say
SAYS = {
    "mapping": "must be a mapping",
    "list": "must be a list",
    "text": "must be text",
    "true or false": "must be true or false",
    "whole number": "must be a whole number",
    "number": "must be a number",
}

LEVELS: tuple[tuple[str, object], ...] = (
    ("", None),
    ("inventory", None),
    ("inventory.docker[]", ENGINE),
    ("detection", None),
    ("detection.registries[]", REGISTRY),
    ("detection.helm_sources[]", SOURCE),
    ("detection.rules[]", RULE),
    ("detection.rules[].match", {"asset": "*"}),
    ("detection.policies[]", PLUGIN),
    ("execution", None),
    ("execution.risk", None),
    ("execution.health", None),
    ("execution.health.checks[]", CHECK),
    ("execution.health.checks[]", TCP),
    ("execution.health.checks[]", COMMAND),
    ("execution.health.checks[]", METRICS),
    ("execution.health.checks[]", JOB),
    ("execution.health.checks[]", SERVICE),
    ("detection.block_while[]", BLOCK),
    ("execution.health.checks[]", PLUGIN),
    ("execution.keep", None),
    ("execution.watchtower", WATCHTOWER),
    ("notifications[]", WEBHOOK),
    ("notifications[]", NOTIFIER),
    ("notifications[]", MAIL),
    ("notifications[]", APPRISE),
    ("notifications[]", HEARTBEAT),
)


def nest(path: str, value: object, entry: object = None) -> object:
    """A document with `value` at `path`; the innermost mapping also holds what `entry` has."""
    parts = path.replace("[]", ".[]").split(".") if path else []
    built = value
    for depth, part in reversed(list(enumerate(parts))):
        if part == "[]":
            built = [built]
            continue
        is_innermost_entry = "[]" in parts[:depth] and "[]" not in parts[depth + 1 :]
        below_match = "match" in parts[:depth]
        own = entry if isinstance(entry, dict) and is_innermost_entry and not below_match else {}
        built = {**own, part: built}
    if isinstance(entry, dict) and parts[-2:] and parts[-1] == "[]" and "[]" in path:
        # `command[]` and `events[]`: a list inside an entry
        holder = parts[-2]
        if parts.count("[]") == 2:
            built = nest(path[: -len(f".{holder}[]")], {**entry, holder: [value]})
    return built


def dump(document: object) -> bytes:
    """As a person would write it."""
    return yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, encoding="utf-8")


@functools.cache
def bad_configs() -> tuple[Bad, ...]:
    """Every case; made when first asked for, for it takes a while."""
    return tuple(_cases())


def _cases() -> Iterator[Bad]:
    yield from _wrong_types()
    yield from _no_values()
    yield from _unknown_keys()
    yield from _duplicates()
    yield from _later()
    yield from _missing()
    yield from _values()
    yield from _contradictions()
    yield from _broken()
    yield from _hostile()


def _wrong_types() -> Iterator[Bad]:
    for path, entry, kind in TYPES:
        for value in WRONG[kind]:
            key = path.rstrip("[]").rsplit(".", 1)[-1].replace("[]", "")
            content = dump(nest(path, value, entry))
            owner = entry.get("type", "") if isinstance(entry, dict) else ""
            yield Bad(f"type {path} {owner} {value!r}", content, SAYS.get(kind, key))


def _no_values() -> Iterator[Bad]:
    for path, entry, _ in TYPES:
        if not path.endswith("[]"):
            content = dump(nest(path, None, entry)).replace(b"null", b"")
            owner = entry.get("type", "") if isinstance(entry, dict) else ""
            yield Bad(f"no value {path} {owner}", content, "has no value")


def _unknown_keys() -> Iterator[Bad]:
    for number, (path, entry) in enumerate(LEVELS):
        own = entry if isinstance(entry, dict) else {}
        for key in ("zzz", "Policy", "x y", "9"):
            content = dump(nest(path, {**own, key: 1}))
            yield Bad(f"unknown {number} {path} {key}", content, "unknown key")
    yield Bad("near miss", b"inventory:\n  inclde: ['*']\n", "did you mean include?", 2)
    yield Bad("near section", b"notification: []\n", "did you mean notifications?", 1)
    yield Bad("elsewhere", b"include: ['*']\n", "it belongs at inventory.include", 1)
    yield Bad("plugin", dump(nest("notifications[]", {"type": "x", "url": "y"})), "under options")


def _duplicates() -> Iterator[Bad]:
    for number, (path, entry) in enumerate(LEVELS):
        own = entry if isinstance(entry, dict) else {"keep" if path == "execution" else "a": {}}
        key = next(iter(own))
        flow = yaml.safe_dump(nest(path, {**own, "TWICE": 1}), default_flow_style=True, width=999)
        twice = flow.replace("TWICE", key)
        yield Bad(f"twice {number} {path}", twice.encode(), f"{key}: given twice, first in line 1")
    yield Bad("twice, lines apart", b"detection:\n  policy: minor\n  policy: patch\n", "twice", 3)
    yield Bad("twice, quoted", b"detection: {policy: minor, 'policy': patch}\n", "twice", 1)
    yield Bad("section twice", b"detection: {}\ninventory: {}\ndetection: {}\n", "twice", 3)
    options = b"notifications: [{type: x, options: {a: 1, a: 2}}]\n"
    yield Bad("twice in options", options, "options.a: given twice", 1)


def _later() -> Iterator[Bad]:
    yield Bad("later halt", dump(nest("execution.rollback", "halt")), "'halt' is not supported")


def _missing() -> Iterator[Bad]:
    for path, entry, key in (
        ("inventory.docker[]", ENGINE, "name"),
        ("detection.registries[]", {**REGISTRY, "plain_http": True}, "host"),
        ("detection.helm_sources[]", SOURCE, "chart"),
        ("detection.helm_sources[]", SOURCE, "repository"),
        ("detection.rules[]", {**RULE, "policy": "patch"}, "match"),
        ("detection.rules[]", {"match": {}}, "asset"),
        ("execution.health.checks[]", CHECK, "match"),
        ("execution.health.checks[]", CHECK, "type"),
        ("execution.health.checks[]", CHECK, "url"),
        ("execution.health.checks[]", TCP, "port"),
        ("execution.health.checks[]", COMMAND, "command"),
        ("execution.health.checks[]", METRICS, "url"),
        ("execution.health.checks[]", JOB, "image"),
        ("execution.health.checks[]", METRICS, "query"),
        ("execution.health.checks[]", METRICS, "expect"),
        ("detection.block_while[]", BLOCK, "match"),
        ("detection.block_while[]", BLOCK, "url"),
        ("detection.block_while[]", BLOCK, "query"),
        ("execution.watchtower", WATCHTOWER, "url"),
        ("execution.watchtower", WATCHTOWER, "token_file"),
        ("notifications[]", WEBHOOK, "type"),
        ("notifications[]", MAIL, "host"),
        ("notifications[]", MAIL, "from"),
        ("notifications[]", MAIL, "to"),
    ):
        rest = {name: value for name, value in entry.items() if name != key}
        content = dump(nest(path, rest))
        yield Bad(f"missing {path} {entry.get('type', '')} {key}", content, f"{key}: missing")


def _values() -> Iterator[Bad]:
    table: tuple[tuple[str, object, str, tuple[object, ...]], ...] = (
        ("inventory.docker[].name", ENGINE, "not a name", ("A", "", "-a", "a/b", "a b", "a" * 64)),
        ("inventory.docker[].host", ENGINE, "use unix:///path", ("npipe:////./pipe/x", "fd://")),
        ("inventory.docker[].host", ENGINE, "use a key", ("ssh://u:p@h",)),
        ("inventory.docker[].host", ENGINE, "names no host", ("ssh://", "ssh://u@")),
        (
            "inventory.docker[].host",
            ENGINE,
            "no usable user or host",
            ("ssh://@h", "ssh://-oX@h", "ssh://-oX"),
        ),
        ("inventory.docker[].host", ENGINE, "no usable port", ("ssh://h:", "ssh://h:0")),
        ("inventory.docker[].host", ENGINE, "what is no path", ("ssh://h/a?b", "ssh://h#c")),
        ("inventory.docker[].host", ENGINE, "use unix:///path", ("", "unix://x", "http://h:1")),
        ("inventory.docker[].host", ENGINE, "port", ("tcp://h", "tcp://h:", "tcp://h:99999")),
        ("inventory.docker[].host", ENGINE, "take it out", ("tcp://u:p@h:2375",)),
        ("inventory.docker[].host", ENGINE, "not a URL", ("tcp://[::1", "tcp://h\n:1")),
        ("inventory.docker[].context", {"name": "nas"}, "Docker context", ("", "-a", "a b", "a/b")),
        ("inventory.docker[].ca_file", TLS_ENGINE, "absolute path", ("ca.pem",)),
        ("inventory.docker", None, "has no entry", ([],)),
        ("inventory.include", None, "has no entry", ([],)),
        ("inventory.include[]", None, "can match no asset", ("web", "Docker:x/y", "/web")),
        ("inventory.exclude[]", None, "write */db-*", ("db-*",)),
        ("inventory.exclude[]", None, "can match no asset", ("web*", "postgres?", "[dw]eb", "?eb")),
        ("inventory.exclude[]", None, "names no container", ("docker:local", "docker:na[su]")),
        ("inventory.exclude[]", None, "not a pattern", ("", " */web", "*/a\nb")),
        ("detection.policy", None, "did you mean minor?", ("mnior",)),
        ("detection.registries[].host", REGISTRY, "no scheme", ("https://h", "h/path", "h:0")),
        (
            "detection.registries[].host",
            REGISTRY,
            "no scheme",
            ("", "h h", "h:", "h:99999", "a..b"),
        ),
        ("detection.helm_sources[].chart", SOURCE, "not the name of a chart", ("", "a b", "a/b")),
        (
            "detection.helm_sources[].repository",
            SOURCE,
            "start it with https://",
            ("", "bitnami", "charts.example.org/x", "file:///charts", "git+https://x/y"),
        ),
        (
            "detection.helm_sources[].repository",
            SOURCE,
            "write oci://host/path",
            ("oci://", "oci://h:5000/A", "oci://charts", "oci://u:p@h/charts", "oci://h/a?b"),
        ),
        (
            "detection.helm_sources[].repository",
            SOURCE,
            "take it out",
            ("https://u:p@h/", "https://h/?token=x", "https://h/#a"),
        ),
        ("detection.helm_sources[].ca_file", SOURCE, "absolute path", ("ca.pem", "")),
        ("detection.registries[].ca_file", REGISTRY, "absolute path", ("ca.pem", "~/ca.pem", "")),
        ("detection.registries[].username", REGISTRY, "not a user name", ("", "a:b", "a\nb")),
        ("execution.health.timeout", None, "longer than zero", ("0s", "0m")),
        ("execution.health.timeout", None, "ten years", ("4000d", "9" * 90 + "d")),
        ("execution.health.timeout", None, "has no unit; write for example 30s", (30,)),
        ("execution.health.checks[].url", CHECK, "start it with http", ("ftp://h", "h", "//h/")),
        ("execution.health.checks[].url", CHECK, "placeholder", ("http://{addr}/", "http://{}/")),
        ("execution.health.checks[].url", CHECK, "names no host", ("http:///x", "http://:80/")),
        ("execution.health.checks[].url", CHECK, "port", ("http://h:x/", "http://h:0/")),
        ("execution.health.checks[].url", CHECK, "take it out", ("http://u:p@h/",)),
        (
            "execution.health.checks[].url",
            CHECK,
            "not a URL",
            ("http://h/ x", "http://[::1/", "http://[::g]/"),
        ),
        ("execution.health.checks[].expect_status", CHECK, "HTTP status", (0, -1, 600, [99])),
        ("execution.health.checks[].expect_status", CHECK, "no entry", ([],)),
        ("execution.health.checks[].type", PLUGIN, "kind or plugin", ("", "a b", "-x", "x/y")),
        ("execution.health.checks[].host", TCP, "not a host", ("", "a b", "{addr}", "http://h")),
        ("execution.health.checks[].port", TCP, "at least 1", (0, -1)),
        ("execution.health.checks[].port", TCP, "at most 65535", (65536,)),
        ("execution.health.checks[].command", COMMAND, "has no entry", ([],)),
        ("execution.health.checks[].command[]", COMMAND, "is empty", ("",)),
        (
            "execution.health.checks[].service",
            SERVICE,
            "name:port",
            ("", "web", "a/b:80", "ftp:a:1"),
        ),
        (
            "execution.health.checks[].path",
            SERVICE,
            "start it with /",
            ("", "health", "/a b", "/#x"),
        ),
        (
            "execution.health.checks[].path",
            SERVICE,
            "leads out of",
            ("/../x", "/a/..", "/%2e%2E/x", "/a/./b", "/..?x"),
        ),
        ("execution.health.checks[].query", METRICS, "not a query", ("", " ", "\n\t", "up\u2028")),
        ("execution.health.checks[].query", METRICS, "recording rule", ("u" * 4001,)),
        ("execution.health.checks[].query", METRICS, "under expect", ("up == 1", "(up<1)")),
        ("execution.health.checks[].expect", METRICS, "write for example", ("0.05", "< 5%")),
        ("execution.health.checks[].url", METRICS, "take it out", ("http://u:p@h", "http://h/?a")),
        ("execution.health.checks[].url", METRICS, "start it with http", ("{address}:9090",)),
        ("detection.block_while[].query", BLOCK, "take bool out", ("up == bool 0",)),
        ("detection.block_while[].query", BLOCK, "asked once", ("up{c='{name}'}", "x{address}")),
        ("detection.block_while[].query", BLOCK, "not a query", ("",)),
        ("detection.block_while[].timeout", BLOCK, "longer than zero", ("0s",)),
        ("execution.health.checks[].image", JOB, "not an image", ("", "A b", "x:y:z")),
        ("execution.health.checks[].timeout", JOB, "shorten it", ("101s", "1h")),
        ("execution.watchtower.url", None, "start it with http", ("unix:///x", "h:8080", "")),
        ("execution.watchtower.url", None, "take it out", ("http://u:p@h", "http://h/?a=b")),
        ("execution.watchtower.url", None, "names no host", ("http:///v1",)),
        ("execution.watchtower.token_file", None, "absolute path", ("token",)),
        ("execution.watchtower.timeout", None, "longer than zero", ("0s",)),
        ("execution.keep.versions", None, "at least 1", (0, -1)),
        ("execution.keep.versions", None, "at most 1000", (1001,)),
        ("execution.keep.days", None, "more than 0", (0, -0.5)),
        ("execution.keep.days", None, "at most 3650", (3651,)),
        ("notifications[].url", WEBHOOK, "take it out", ("https://u:p@h/",)),
        ("notifications[].url", WEBHOOK, "not a URL", ("http://\u00e4..b/", "http://1.2.3.999/")),
        ("notifications[].url", WEBHOOK, "start it with http", ("mailto:a", "hook")),
        ("notifications[].events", WEBHOOK, "has no entry", ([],)),
        ("notifications[].events[]", WEBHOOK, "did you mean rolled_back?", ("rolledback",)),
        ("notifications[].token_file", WEBHOOK, "absolute path", ("token",)),
        ("notifications[].secret_file", WEBHOOK, "absolute path", ("secret",)),
        ("notifications[].to", MAIL, "has no entry", ([],)),
        ("notifications[].to[]", MAIL, "not a mail address", ("me", "a@b, c@d", "A <a@b>", "@b")),
        ("notifications[].from", MAIL, "not a mail address", ("", "a b@c", "a@b\nBcc: x")),
        ("notifications[].host", MAIL, "not a host", ("", "smtp://h", "h/x", "a b")),
        ("notifications[].port", MAIL, "at most 65535", (65536,)),
        ("notifications[].urls", APPRISE, "has no entry", ([],)),
        ("notifications[].urls[]", APPRISE, "not an address of apprise", ("", "h", "ntfy://a b")),
        ("notifications[].template", WEBHOOK, "did you mean $message?", ({"body": "$mesage"},)),
        ("notifications[].template", WEBHOOK, "known are count", ({"body": "${secret}"},)),
        ("notifications[].template", WEBHOOK, "write $$", ({"body": "5 $"}, {"title": "$1"})),
        ("notifications[].template", WEBHOOK, "not a title", ({"title": "a\nb"}, {"title": " "})),
        ("notifications[].template", WEBHOOK, "unknown key", ({"subject": "x"},)),
    )
    for path, entry, fragment, values in table:
        owner = entry.get("type", "") if isinstance(entry, dict) else ""
        for value in values:
            content = dump(nest(path, value, entry))
            yield Bad(f"value {path} {owner} {str(value)[:70]!r}", content, fragment)


def _contradictions() -> Iterator[Bad]:
    yield from _receivers()
    both = dump(nest("execution.health.checks[]", {**SERVICE, "url": "http://web/"}))
    yield Bad("url and service", both, "url: unknown key; known here are match, type, service")
    who = {"username": "u", "password_file": "/p"}
    for path, entry in (("execution.health.checks[]", METRICS), ("detection.block_while[]", BLOCK)):
        for more, fragment in (
            ({"username": "u"}, "needs password_file beside it"),
            ({"password_file": "/p"}, "needs username beside it"),
            ({**who, "token_file": "/t"}, "remove one of them"),
            ({"ca_file": "/ca"}, "is for an https:// url"),
        ):
            content = dump(nest(path, {**entry, **more}))
            yield Bad(f"prometheus {path} {sorted(more)}", content, fragment)
    engines = [ENGINE, {"name": "local", "host": "tcp://h:2375"}]
    yield Bad("same name", dump(nest("inventory.docker", engines)), "name is listed twice", 5)
    engines = [ENGINE, {"name": "other", "host": ENGINE["host"]}]
    yield Bad("same engine", dump(nest("inventory.docker", engines)), "engine is listed twice", 6)
    twice = [{"name": "a", "context": "nas"}, {"name": "b", "context": "nas"}]
    yield Bad("same context", dump(nest("inventory.docker", twice)), "context is listed twice", 6)
    for entry, told in (
        ({"name": "a"}, "neither host nor context"),
        ({**ENGINE, "context": "nas"}, "remove one of them"),
        ({**ENGINE, "ca_file": "/ca.pem"}, "for an engine at tcp://"),
        ({"name": "a", "context": "nas", "ca_file": "/ca.pem"}, "for an engine at tcp://"),
        ({"name": "a", "host": "tcp://h:1", "cert_file": "/c"}, "needs key_file"),
        ({"name": "a", "host": "tcp://h:1", "key_file": "/c"}, "needs cert_file"),
    ):
        yield Bad(f"engine {sorted(entry)}, {told}", dump(nest("inventory.docker[]", entry)), told)
    asked = "needs execution.watchtower"
    yield Bad("no watchtower", dump(nest("execution.docker_updater", "watchtower")), asked, 2)
    entry = {**RULE, "docker_updater": "watchtower"}
    yield Bad("no watchtower, by rule", dump(nest("detection.rules[]", entry)), asked)
    two = {"docker": [ENGINE, {"name": "nas", "host": "tcp://h:2375"}]}
    for section, told in (
        (WATCHTOWER, "does not say which engine"),
        ({**WATCHTOWER, "docker": "nass"}, "known: local, nas"),
    ):
        document = {"inventory": two, "execution": {"watchtower": section}}
        yield Bad(f"watchtower of two engines, {told}", dump(document), told)
    other = {**WATCHTOWER, "docker": "nas"}
    yield Bad("watchtower elsewhere", dump(nest("execution.watchtower", other)), "known: local")
    reads = {"name": "prod", "namespaces": ["shop"], "pull_secrets": ["shop", "blog"]}
    told = "is not among namespaces; add it there"
    yield Bad("secrets elsewhere", dump(nest("inventory.kubernetes", [reads])), told)
    hosts = [REGISTRY, {"host": "Registry.Example.org"}]
    yield Bad("same registry", dump(nest("detection.registries", hosts)), "listed twice", 4)
    for given, other in (("username", "password_file"), ("password_file", "username")):
        entry = {**REGISTRY, given: "/run/secrets/x"}
        yield Bad(f"only {given}", dump(nest("detection.registries[]", entry)), f"needs {other}")
    plain = {**REGISTRY, "plain_http": True, "ca_file": "/ca.pem"}
    yield Bad("plain with ca", dump(nest("detection.registries[]", plain)), "no use with")
    yield from _sources()
    for stable_for in ("60s", "1m", "2m"):
        health = {"timeout": "1m", "stable_for": stable_for}
        yield Bad(f"never {stable_for}", dump(nest("execution.health", health)), "shorter", 4)


def _receivers() -> Iterator[Bad]:
    file = "/run/secrets/x"
    login = {"username": "u", "password_file": file}
    of_one = {"template": {"title": "$name"}, "batch": "cycle"}
    for entry, told in (
        ({"type": "webhook"}, "neither url nor url_file"),
        ({"type": "heartbeat"}, "neither url nor url_file"),
        ({**WEBHOOK, "url_file": file}, "remove one of them"),
        ({**WEBHOOK, "ca_file": file}, "is for an https:// url"),
        ({**WEBHOOK, "quiet_hours": "00:00-00:00 UTC"}, "never end"),
        ({**MAIL, "quiet_hours": ["22:00-07:00 UTC", "06:00-22:00 UTC"]}, "never end"),
        ({"type": "apprise"}, "neither urls nor urls_file"),
        ({**MAIL, "username": "u"}, "needs password_file"),
        ({**MAIL, "password_file": file}, "needs username"),
        ({**MAIL, **login, "tls": "none"}, "in clear"),
        ({**MAIL, "ca_file": file, "tls": "none"}, "no use with tls: none"),
        ({**WEBHOOK, **of_one}, "$name is of one event"),
        ({**HEARTBEAT, "events": ["held"]}, "unknown key"),
        ({**NOTIFIER, "batch": "cycle"}, "unknown key"),
    ):
        content = dump(nest("notifications[]", entry))
        yield Bad(f"receiver {sorted(entry)} {entry['type']}, {told}", content, told)


def _sources() -> Iterator[Bad]:
    file = "/run/secrets/x"
    plain = {**SOURCE, "repository": "http://charts.example.org"}
    registry = {**SOURCE, "repository": "oci://registry.example.org/charts"}
    both = {"token_file": file, "username": "u", "password_file": file}
    for entry, told in (
        ({**SOURCE, "username": "u"}, "needs password_file"),
        ({**SOURCE, "password_file": file}, "needs username"),
        ({**SOURCE, "cert_file": file}, "needs key_file"),
        ({**SOURCE, "key_file": file}, "needs cert_file"),
        ({**SOURCE, **both}, "says who we are"),
        ({**plain, "ca_file": file}, "for an https:// repository"),
        ({**registry, "ca_file": file}, "detection.registries (host: registry.example.org)"),
        ({**registry, "token_file": file}, "is for classic repositories"),
    ):
        content = dump(nest("detection.helm_sources[]", entry))
        yield Bad(f"source {sorted(entry)}, {told}", content, told)


def _broken() -> Iterator[Bad]:
    yield Bad("empty", b"", "empty", 1)
    yield Bad("only spaces", b"   \n \n", "empty", 1)
    yield Bad("only a comment", b"# nothing\n", "empty", 1)
    yield Bad("only a marker", b"---\n", "empty", 1)
    yield Bad("null", b"null\n", "empty", 1)
    yield Bad("byte order mark", b"\xef\xbb\xbf", "empty", 1)
    yield Bad("a word", b"hello\n", "must be a mapping", 1)
    yield Bad("a list", b"- a\n", "must be a mapping", 1)
    yield Bad("a number", b"5\n", "must be a mapping", 1)
    yield Bad("json cut", b'{"inventory": {', "not valid YAML", 1)
    yield Bad("tab", b"inventory:\n\tinclude: ['*']\n", "a tab cannot indent", 2)
    yield Bad("tab deeper", b"detection:\n  policy: minor\n\trules: []\n", "tab", 3)
    yield Bad("indentation", b"detection:\n  policy: minor\n rules: []\n", "not valid YAML", 3)
    yield Bad("colon", b"detection: policy: minor\n", "not valid YAML", 1)
    yield Bad("no colon", b"detection\ninventory: {}\n", "not valid YAML", 2)
    yield Bad("quote", b"detection: {policy: 'minor}\n", "not valid YAML")
    yield Bad("bracket", b"inventory: {include: ['*'\n", "not valid YAML")
    yield Bad("closing", b"inventory: ]\n", "not valid YAML", 1)
    yield Bad("at sign", b"inventory: @x\n", "not valid YAML", 1)
    yield Bad("backtick", b"inventory: `x`\n", "not valid YAML", 1)
    yield Bad("percent", b"inventory:\n  include: %x\n", "not valid YAML", 2)
    yield Bad("escape", b'inventory: "\\q"\n', "not valid YAML", 1)
    yield Bad("bare star", b"inventory:\n  include: [*]\n", "not valid YAML", 2)
    yield Bad("wild alias", b"inventory:\n  include: [*/web]\n", "not valid YAML", 2)
    yield Bad("two documents", b"detection: {}\n---\ndetection: {}\n", "second document", 2)
    yield Bad("two documents, dots", b"detection: {}\n...\n---\n{}\n", "second document", 3)
    yield Bad("directive", b"%YAML 3.0\n---\n{}\n", "not valid YAML")
    yield Bad("interval", b"detection: {interval: 0s}\n", "not between 1s and 30d", 1)
    both = b"detection:\n  interval: 1h\n  schedule: 0 4 * * *\n"
    yield Bad("interval and schedule", both, "and so does interval; remove one", 3)
    for text in ("0 4 * *", "0 4 * * * UTC x", "61 4 * * *", "0 0 31 2 *", "0 4 * * * Berlin"):
        content = f"detection: {{schedule: '{text}'}}\n".encode()
        yield Bad(f"schedule {text}", content, "0 4 * * * Europe/Berlin", 1)
    yield Bad("merge", b"detection: {<<: {policy: minor}}\n", "merge keys", 1)
    yield Bad("merge alias", b"inventory: &a {}\ndetection: {<<: *a}\n", "merge keys", 2)
    for tag in ("!!str", "!!int", "!x", "!!binary", "!!set", "!!python/name:os.system"):
        text = f"detection:\n  policy: {tag} minor\n"
        yield Bad(f"tag {tag}", text.encode(), "is not accepted", 2)
    for key in ("1", "true", "null", "1.5", "~"):
        yield Bad(f"key {key}", f"{key}: 1\n".encode(), "a key must be text", 1)
    yield Bad("list as key", b"? [a]\n: 1\n", "a key must be plain text", 1)
    yield Bad("mapping as key", b"{{a: 1}: 2}\n", "a key must be plain text", 1)
    yield Bad("odd key", b'"a\\nb": 1\n', "unknown key", 1)
    yield Bad("odd key, surrogate", b'"\\ud800": 1\n', "is no text", 1)


def _hostile() -> Iterator[Bad]:
    yield Bad("object", b"inventory: !!python/object/apply:os.system ['true']\n", "not accepted", 1)
    laughs = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    yield Bad("billion laughs", f"a0: &a0 [x]\n{laughs}".encode(), "more than 10000 values")
    yield Bad("alias of itself", b"inventory: &a\n  include: [*a]\n", "contains itself", 2)
    yield Bad("unknown alias", b"inventory: *nowhere\n", "has no anchor", 1)
    yield Bad("alias as key", b"? &a x\n: 1\n? *a\n: 2\n", "a key must be plain text", 3)
    yield Bad("deep list", b"[" * 5000, "nested deeper", 1)
    yield Bad("deep mapping", b"{a: " * 5000, "nested deeper", 1)
    yield Bad("deep block", b"- " * 5000, "nested deeper", 1)
    yield Bad("many values", b"inventory: [" + b"1," * 10_000 + b"]", "more than 10000 values", 1)
    yield Bad("many errors", b"x: {}\n" * 300, "more problems; correct those above first")
    yield Bad("too large", b"#" * (1 << 20) + b"\n{}", "larger than 1 MiB", 1)
    yield Bad("long text", b"inventory: " + b"x" * 5000, "longer than 4096 characters", 1)
    yield Bad("long key", b"? " + b"x" * 5000 + b"\n: 1\n", "longer than 4096 characters", 1)
    for number in ("1" * 30, "1" * 5000, "0x" + "f" * 40, "-" + "9" * 30, "1e999", "-1e999"):
        text = f"execution:\n  keep:\n    days: {number}\n"
        yield Bad(f"number {number[:8]} {len(number)}", text.encode(), "; ", 3)
    for number in (".inf", "-.inf", ".nan", ".NaN"):
        text = f"execution:\n  keep: {{days: {number}}}\n"
        yield Bad(f"number {number}", text.encode(), "not a finite number", 2)
    yield Bad("binary", bytes(range(256)), "UTF-8", 2)
    yield Bad("elf", b"\x7fELF\x02\x01\x01\x00" + b"\x00" * 64, "is not allowed", 1)
    yield Bad("gzip", b"\x1f\x8b\x08\x00\x00", "UTF-8", 1)
    yield Bad("nul", b"inventory:\n  include: [\x00]\n", "is not allowed", 2)
    yield Bad("bell", b"inventory: '\x07'\n", "is not allowed", 1)
    yield Bad("nul, escaped", b'inventory: "\\0"\n', "is no text", 1)
    yield Bad("surrogate, escaped", b'inventory: "\\ud800"\n', "is no text", 1)
    yield Bad("latin-1", "inventory:\n  include: ['*/caf\xe9']\n".encode("latin-1"), "UTF-8", 2)
    yield Bad("utf-16", "inventory: {}\n".encode("utf-16"), "UTF-8", 1)
    yield Bad("utf-8 cut", "inventory: \u20ac".encode()[:-1], "UTF-8", 1)
    yield Bad("surrogate bytes", b"inventory: \xed\xa0\x80\n", "UTF-8", 1)
