"""How a running Watchtower is set up, read off its container. Pure.

Sources: internal/flags of both lines. A word on the command line goes before the environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from safe_auto_updater.platforms.docker.watchtower.api import Line
from safe_auto_updater.platforms.docker.watchtower.selection import PREFIX, go_bool

Json = Mapping[str, Any]
DAY_S = 86400

# name of the option: its environment variable, its letter
_SWITCHES = {
    "cleanup": ("WATCHTOWER_CLEANUP", "c"),
    "debug": ("WATCHTOWER_DEBUG", "d"),
    "enable-lifecycle-hooks": ("WATCHTOWER_LIFECYCLE_HOOKS", ""),
    "ephemeral-self-update": ("WATCHTOWER_EPHEMERAL_SELF_UPDATE", ""),
    "health-check": ("", ""),
    "http-api-metrics": ("WATCHTOWER_HTTP_API_METRICS", ""),
    "http-api-containers": ("WATCHTOWER_HTTP_API_CONTAINERS", ""),
    "http-api-periodic-polls": ("WATCHTOWER_HTTP_API_PERIODIC_POLLS", ""),
    "http-api-update": ("WATCHTOWER_HTTP_API_UPDATE", ""),
    "include-restarting": ("WATCHTOWER_INCLUDE_RESTARTING", ""),
    "include-stopped": ("WATCHTOWER_INCLUDE_STOPPED", "S"),
    "label-enable": ("WATCHTOWER_LABEL_ENABLE", "e"),
    "label-take-precedence": ("WATCHTOWER_LABEL_TAKE_PRECEDENCE", ""),
    "monitor-only": ("WATCHTOWER_MONITOR_ONLY", "m"),
    "no-color": ("NO_COLOR", ""),
    "no-pull": ("WATCHTOWER_NO_PULL", ""),
    "no-restart": ("WATCHTOWER_NO_RESTART", ""),
    "no-self-update": ("WATCHTOWER_NO_SELF_UPDATE", ""),
    "no-startup-message": ("WATCHTOWER_NO_STARTUP_MESSAGE", ""),
    "notification-report": ("WATCHTOWER_NOTIFICATION_REPORT", ""),
    "notification-log-stdout": ("WATCHTOWER_NOTIFICATION_LOG_STDOUT", ""),
    "notification-skip-title": ("WATCHTOWER_NOTIFICATION_SKIP_TITLE", ""),
    "notification-split-by-container": ("WATCHTOWER_NOTIFICATION_SPLIT_BY_CONTAINER", ""),
    "registry-tls-skip": ("WATCHTOWER_REGISTRY_TLS_SKIP", ""),
    "remove-volumes": ("WATCHTOWER_REMOVE_VOLUMES", ""),
    "revive-stopped": ("WATCHTOWER_REVIVE_STOPPED", ""),
    "rolling-restart": ("WATCHTOWER_ROLLING_RESTART", ""),
    "run-once": ("WATCHTOWER_RUN_ONCE", "R"),
    "tlsverify": ("DOCKER_TLS_VERIFY", "v"),
    "trace": ("WATCHTOWER_TRACE", ""),
    "update-on-start": ("WATCHTOWER_UPDATE_ON_START", ""),
    "use-compose-depends-on": ("WATCHTOWER_USE_COMPOSE_DEPENDS_ON", ""),
}
_VALUES = {
    "api-version": ("DOCKER_API_VERSION", "a"),
    "cooldown-delay": ("WATCHTOWER_COOLDOWN_DELAY", ""),
    "disable-containers": ("WATCHTOWER_DISABLE_CONTAINERS", "x"),
    "disable-containers-by-label": ("WATCHTOWER_DISABLE_CONTAINERS_BY_LABEL", ""),
    "enable-containers-by-label": ("WATCHTOWER_ENABLE_CONTAINERS_BY_LABEL", ""),
    "host": ("DOCKER_HOST", "H"),
    "http-api-endpoints": ("WATCHTOWER_HTTP_API_ENDPOINTS", ""),
    "http-api-port": ("WATCHTOWER_HTTP_API_PORT", ""),
    "http-api-token": ("WATCHTOWER_HTTP_API_TOKEN", ""),
    "interval": ("WATCHTOWER_POLL_INTERVAL", "i"),
    "log-format": ("WATCHTOWER_LOG_FORMAT", "l"),
    "log-level": ("WATCHTOWER_LOG_LEVEL", ""),
    "monitor-image-names": ("WATCHTOWER_MONITOR_IMAGE_NAMES", ""),
    "notification-url": ("WATCHTOWER_NOTIFICATION_URL", ""),
    "notifications": ("WATCHTOWER_NOTIFICATIONS", "n"),
    "porcelain": ("WATCHTOWER_PORCELAIN", "P"),
    "schedule": ("WATCHTOWER_SCHEDULE", "s"),
    "scope": ("WATCHTOWER_SCOPE", ""),
    "skip-image-names": ("WATCHTOWER_SKIP_IMAGE_NAMES", ""),
    "stop-timeout": ("WATCHTOWER_TIMEOUT", "t"),
    "warn-on-head-failure": ("WATCHTOWER_WARN_ON_HEAD_FAILURE", ""),
    **{
        name: (f"WATCHTOWER_{name.upper().replace('-', '_')}", "")
        for name in (
            "cpu-copy-mode",
            "http-api-check-timeout",
            "http-api-cors-origins",
            "http-api-events-token",
            "http-api-host",
            "http-api-proxy-header",
            "http-api-rate-limit",
            "http-api-tls-cert",
            "http-api-tls-key",
            "http-api-trusted-proxies",
            "http-api-update-timeout",
            "lifecycle-gid",
            "lifecycle-uid",
            "registry-tls-min-version",
        )
    },
}
_NOTICES = re.compile(r"notifications?-(?!.*-skip)")
_MANY = frozenset(
    (
        "disable-containers",
        "disable-containers-by-label",
        "enable-containers-by-label",
        "http-api-endpoints",
        "monitor-image-names",
        "notification-url",
        "notifications",
        "skip-image-names",
    )
)
_LETTERS = {letter: name for name, (_, letter) in {**_SWITCHES, **_VALUES}.items() if letter}


@dataclass(frozen=True)
class WatchtowerSettings:
    """One Watchtower: which line, and what it was told. Values may be secret; names are not."""

    container: str
    line: Line
    version: str | None
    names: tuple[str, ...] = ()
    """Names or patterns of containers that it is restricted to."""
    on: frozenset[str] = frozenset()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    zone: str | None = None
    """The time zone of its container, if that has one."""

    def value(self, name: str) -> str | None:
        """The last value of an option, None where it was not given."""
        return (self.values.get(name) or (None,))[-1]

    def many(self, name: str) -> tuple[str, ...]:
        """Every value of an option that takes several."""
        return self.values.get(name, ())

    @property
    def api(self) -> bool:
        """Whether it can be asked for updates."""
        endpoints = {one.lower() for one in self.many("http-api-endpoints")}
        return "http-api-update" in self.on or bool(endpoints & {"update", "all"})

    @property
    def polls(self) -> bool:
        """Whether it updates by itself, on its schedule."""
        return not self.api or "http-api-periodic-polls" in self.on

    @property
    def interval_s(self) -> int:
        """From one of its polls to the next, where it has no schedule."""
        text = self.value("interval") or ""
        return int(text) if text.isascii() and text.isdecimal() else DAY_S

    @property
    def every(self) -> str:
        """Its schedule, in words."""
        cron = self.value("schedule")
        if cron:
            return f"at {cron} (cron with seconds)"
        return f"every {self.interval_s / 3600:g} h"


def is_watchtower(container: Json) -> bool:
    """By the label that its image brings, or by the name of its image."""
    if go_bool((container["Config"].get("Labels") or {}).get(PREFIX)):
        return True
    name = str(container["Config"]["Image"]).partition("@")[0].rsplit("/", 1)[-1]
    return name.partition(":")[0] == "watchtower"


def settings_of(container: Json) -> WatchtowerSettings:
    """What a Watchtower's container says of it, by its inspect JSON."""
    config = container["Config"]
    labels = config.get("Labels") or {}
    environment = dict(entry.partition("=")[::2] for entry in config.get("Env") or ())
    on, values = _from_environment(environment)
    names, unknown = [], []
    words = list(config.get("Entrypoint") or ())[1:] + list(config.get("Cmd") or ())
    for option, value in _from_words(words):
        if option == "":
            names.append(value)
        elif option in _SWITCHES:
            on = on | {option} if go_bool(value) is not False else on - {option}
        elif option in _VALUES:
            values[option] = tuple(_parts(option, value))
        elif _NOTICES.match(option):
            values["notifications"] = (*values.get("notifications", ()), option)
        else:
            unknown.append(option)
    source = str(labels.get("org.opencontainers.image.source", ""))
    fork = "nicholas-fedor" in source or "nickfedor" in str(config["Image"])
    return WatchtowerSettings(
        container=str(container["Name"].lstrip("/")),
        line=Line.FORK if fork or "http-api-endpoints" in values else Line.ORIGINAL,
        version=labels.get("org.opencontainers.image.version"),
        names=tuple(names),
        on=on,
        values=values,
        unknown=tuple(unknown),
        zone=environment.get("TZ") or None,
    )


def _from_environment(
    environment: Mapping[str, str],
) -> tuple[frozenset[str], dict[str, tuple[str, ...]]]:
    on = {name for name, (key, _) in _SWITCHES.items() if go_bool(environment.get(key))}
    values = {
        name: tuple(_parts(name, environment[key]))
        for name, (key, _) in _VALUES.items()
        if environment.get(key)
    }
    others = environment.keys() - {"WATCHTOWER_NOTIFICATION_URL"}
    if any(key.startswith("WATCHTOWER_NOTIFICATION_") for key in others):
        values.setdefault("notifications", ("by environment",))
    return frozenset(on), values


def _from_words(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Options with their values, by their long names; a word of its own under no name."""
    rest = iter(words)
    for word in rest:
        if word == "--":
            yield from (("", name) for name in rest)
        elif word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            takes_one = name in _VALUES or (_NOTICES.match(name) and name not in _SWITCHES)
            if not equals and takes_one:
                value = next(rest, "")
            yield name, value
        elif word.startswith("-") and len(word) > 1:
            yield from _from_letters(word[1:], rest)
        else:
            yield "", word


def _from_letters(letters: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    """`-ce`, `-i 30`, `-i30` and `-i=30`."""
    for at, letter in enumerate(letters):
        name = _LETTERS.get(letter, f"-{letter}")
        if name in _VALUES:
            value = letters[at + 1 :].removeprefix("=")
            yield name, value or next(rest, "")
            return
        yield name, ""


def _parts(name: str, value: str) -> list[str]:
    if name not in _MANY:
        return [value]
    return [part for part in re.split(r"[,\s]+", value) if part]
