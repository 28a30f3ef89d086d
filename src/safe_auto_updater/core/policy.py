"""What the operator allows: the settings of the whole run, and those resolved for one asset.

Per key: label over first matching rule over default. Labels that the image itself brought never
reach this module: the scanner leaves them out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from safe_auto_updater.core.model import matches
from safe_auto_updater.core.versions import PolicyLevel

LABEL_PREFIX = "safe-auto-updater."
LABEL_KEYS = ("policy", "enable", "fix-forward", "one-shot", "health-timeout", "stable-for")


@dataclass(frozen=True)
class HealthSettings:
    """How long to watch. None means the default, which depends on what the container offers."""

    timeout_s: float | None = None
    stable_for_s: float | None = None


@dataclass(frozen=True)
class CheckSpec:
    """One configured health check: which assets it is for, its kind, and the kind's own options."""

    pattern: str
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """The keys that one rule of the configuration sets; None leaves a key to the next level."""

    pattern: str
    policy: PolicyLevel | None = None
    enable: bool | None = None
    fix_forward: bool | None = None
    one_shot: bool | None = None


@dataclass(frozen=True)
class Keep:
    """How many replaced images stay per asset for the way back, and for how long at most."""

    versions: int = 1
    days: float = 7.0


@dataclass(frozen=True)
class Settings:
    """Everything that decides and is not wiring. The defaults are harmless."""

    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    policy: PolicyLevel = PolicyLevel.MINOR
    rules: tuple[Rule, ...] = ()
    health: HealthSettings = field(default_factory=HealthSettings)
    checks: tuple[CheckSpec, ...] = ()
    keep: Keep = field(default_factory=Keep)

    def covers(self, asset_id: str) -> bool:
        """Whether the inventory sections `include` and `exclude` leave this asset in."""
        wanted = any(matches(pattern, asset_id) for pattern in self.include)
        return wanted and not any(matches(pattern, asset_id) for pattern in self.exclude)


@dataclass(frozen=True)
class AssetPolicy:
    """The settings of one asset, and for the version policy where it came from."""

    level: PolicyLevel
    level_from: str
    enable: bool | None
    fix_forward: bool
    one_shot: bool
    health: HealthSettings
    problems: tuple[str, ...] = ()


def resolve(settings: Settings, asset_id: str, labels: Mapping[str, str]) -> AssetPolicy:
    """Settle every key for one asset. A label with a bad value is a problem, never a guess."""
    problems = list(_unknown_labels(labels))

    def label(key: str, parse: Callable[[str], Any]) -> Any:
        text = labels.get(LABEL_PREFIX + key)
        if text is None:
            return None
        try:
            return parse(text)
        except ValueError as error:
            problems.append(f"label {LABEL_PREFIX}{key}={text!r}: {error}")
            return None

    found = {"level": label("policy", _policy), "level_from": "label"}
    rule = _first(settings, asset_id, "policy")
    if found["level"] is None and rule is not None:
        found = {"level": rule.policy, "level_from": f"rule {rule.pattern}"}
    if found["level"] is None:
        found = {"level": settings.policy, "level_from": "default"}

    def flag(key: str, attribute: str) -> bool | None:
        from_label = label(key, _boolean)
        if from_label is not None:
            return bool(from_label)
        by_rule = _first(settings, asset_id, attribute)
        return None if by_rule is None else getattr(by_rule, attribute)

    health = settings.health
    for key, attribute in (("health-timeout", "timeout_s"), ("stable-for", "stable_for_s")):
        seconds = label(key, duration_s)
        if seconds is not None:
            health = replace(health, **{attribute: seconds})
    return AssetPolicy(
        **found,
        enable=flag("enable", "enable"),
        fix_forward=bool(flag("fix-forward", "fix_forward")),
        one_shot=bool(flag("one-shot", "one_shot")),
        health=health,
        problems=tuple(problems),
    )


def _unknown_labels(labels: Mapping[str, str]) -> Iterator[str]:
    """A label that says nothing to us was meant to say something: held, not ignored."""
    for name in sorted(labels):
        key = name.removeprefix(LABEL_PREFIX)
        if key not in LABEL_KEYS:
            near = get_close_matches(key, LABEL_KEYS, 1)
            remedy = f"did you mean {near[0]}?" if near else f"known are {', '.join(LABEL_KEYS)}"
            yield f"label {name}: unknown; {remedy}"


def _first(settings: Settings, asset_id: str, attribute: str) -> Rule | None:
    """The first matching rule decides; a key that it leaves out falls to the default."""
    for rule in settings.rules:
        if matches(rule.pattern, asset_id):
            return rule if getattr(rule, attribute) is not None else None
    return None


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")


def duration_s(text: str) -> float:
    """`90s`, `1h30m`, `500ms`, `2d` as seconds. ValueError says what a duration looks like."""
    parts = _DURATION.findall(text) if len(text) <= 200 else []
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError("not a duration; write for example 30s, 5m, 1h30m or 2d")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not math.isfinite(seconds) or seconds > 10 * 365 * 86400:
        raise ValueError("longer than ten years; write less")
    return seconds


def _policy(text: str) -> PolicyLevel:
    try:
        return PolicyLevel(text)
    except ValueError:
        known = ", ".join(level.value for level in PolicyLevel)
        raise ValueError(f"not a policy; use one of {known}") from None


def _boolean(text: str) -> bool:
    match text.lower():
        case "true":
            return True
        case "false":
            return False
        case _:
            raise ValueError("neither true nor false")
