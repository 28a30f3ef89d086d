"""What the operator allows: the settings of the whole run, and those resolved for one asset.

Per key: label over first matching rule over default. Labels that the image itself brought never
reach this module: the scanner leaves them out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any

from safe_auto_updater.core import links, spelling
from safe_auto_updater.core.identity import docker_id, matches
from safe_auto_updater.core.promql import Question
from safe_auto_updater.core.risk import Bands
from safe_auto_updater.core.semver import Wanted
from safe_auto_updater.core.spelling import (
    Approval,
    ComposeChange,
    DockerUpdaters,
    Pipeline,
    Strategy,
)
from safe_auto_updater.core.versions import Bump, PolicyLevel
from safe_auto_updater.core.windows import Freeze, Window

LABEL_PREFIX = "safe-auto-updater."
ANNOTATION_PREFIX = "safe-auto-updater/"


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What one level sets: a label, a rule or the defaults. None leaves a key to the next level."""

    policy: PolicyLevel | None = None
    enable: bool | None = None
    fix_forward: bool | None = None
    one_shot: bool | None = None
    minimum_age: float | None = None
    approval: Approval | None = None
    window: tuple[Window, ...] | None = None
    freeze: tuple[Freeze, ...] | None = None
    group: str | None = None
    include_tags: tuple[str, ...] | None = None
    exclude_tags: tuple[str, ...] | None = None
    prereleases: bool | None = None
    walk: Bump | None = None
    health_timeout: float | None = None
    stable_for: float | None = None
    compose: ComposeChange | None = None
    pipeline: Pipeline | None = None
    strategy: Strategy | None = None
    docker_updater: DockerUpdaters | None = None
    before_update: tuple[str, ...] | None = None
    after_update: tuple[str, ...] | None = None
    hook_timeout: float | None = None
    approve: tuple[str, ...] | None = None  # by label only: it names one version of one asset
    link: str | None = None  # by label only: where people can read about this asset's versions


_READ: Mapping[str, Callable[[str], Any]] = {
    "policy": spelling.level,
    "enable": spelling.boolean,
    "fix_forward": spelling.boolean,
    "one_shot": spelling.boolean,
    "minimum_age": spelling.duration_s,
    "approval": spelling.approval,
    "window": spelling.windows,
    "freeze": spelling.freezes,
    "group": spelling.group,
    "include_tags": spelling.tag_patterns,
    "exclude_tags": spelling.tag_patterns,
    "prereleases": spelling.boolean,
    "walk": spelling.walk,
    "health_timeout": spelling.duration_s,
    "stable_for": spelling.duration_s,
    "compose": spelling.compose_change,
    "pipeline": spelling.pipeline,
    "strategy": spelling.strategy,
    "docker_updater": spelling.docker_updater,
    "before_update": spelling.command,
    "after_update": spelling.command,
    "hook_timeout": spelling.duration_s,
    "approve": spelling.approved_versions,
    "link": links.link,
}
LABEL_KEYS = tuple(key.replace("_", "-") for key in _READ)


@dataclass(frozen=True)
class Rule(Keys):
    """The keys that one rule of the configuration sets for the assets that it covers."""

    pattern: str


@dataclass(frozen=True)
class HealthSettings:
    """How long to watch. None means the default, which depends on what the container offers."""

    timeout_s: float | None = None
    stable_for_s: float | None = None


@dataclass(frozen=True)
class Hooks:
    """Commands to run around an update: in the old container before, in the new one after."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    timeout_s: float = 60.0


@dataclass(frozen=True)
class CheckSpec:
    """One configured health check: which assets it is for, its kind, and the kind's own options."""

    pattern: str
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PolicySpec:
    """One configured policy of a plugin: which assets it judges, its name and its options."""

    pattern: str
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BlockSpec:
    """One question that holds the assets of a pattern while it returns anything."""

    pattern: str
    question: Question


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
    default: Keys = field(default_factory=Keys)
    rules: tuple[Rule, ...] = ()
    policies: tuple[PolicySpec, ...] = ()
    blocks: tuple[BlockSpec, ...] = ()
    bands: Bands = field(default_factory=Bands)
    health: HealthSettings = field(default_factory=HealthSettings)
    checks: tuple[CheckSpec, ...] = ()
    keep: Keep = field(default_factory=Keep)
    max_parallel: int = 1
    watchtower_host: str | None = None  # the engine that a Watchtower may be asked to work on
    watchtower_labels: bool = False  # whether Watchtower's labels count as if they were ours

    def covers(self, asset_id: str) -> bool:
        """Whether the inventory sections `include` and `exclude` leave this asset in."""
        wanted = any(matches(pattern, asset_id) for pattern in self.include)
        return wanted and not any(matches(pattern, asset_id) for pattern in self.exclude)


@dataclass(frozen=True)
class AssetPolicy:
    """The settings of one asset. `sources` says per key who set it: label, rule or default."""

    level: PolicyLevel
    enable: bool | None
    fix_forward: bool
    one_shot: bool
    minimum_age_s: float
    approval: Approval
    windows: tuple[Window, ...]
    freezes: tuple[Freeze, ...]
    group: str | None
    wanted: Wanted
    health: HealthSettings
    compose: ComposeChange = ComposeChange.HOLD
    pipeline: Pipeline = Pipeline.TELL
    strategy: Strategy = Strategy.STOP_FIRST
    docker_updater: DockerUpdaters = DockerUpdaters.NATIVE
    hooks: Hooks = field(default_factory=Hooks)
    approve: tuple[str, ...] = ()  # versions that the asset itself says are approved
    link: str | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def source(self, key: str) -> str:
        """Who set a key: `label`, `rule <pattern>` or `default`."""
        return self.sources.get(key, "default")

    @property
    def enabled_by_name(self) -> bool:
        """Whether `enable=true` was said of this very asset, not of many at once."""
        name = self.source("enable").rpartition("/")[2]
        return self.enable is True and not set("*?[") & set(name)


def resolve(settings: Settings, asset_id: str, labels: Mapping[str, str]) -> AssetPolicy:
    """Settle every key for one asset. A label with a bad value is a problem, never a guess."""
    problems = list(_unknown_labels(labels))
    by_label = _labelled(labels, problems)
    rule = next((rule for rule in settings.rules if matches(rule.pattern, asset_id)), None)
    levels: list[tuple[str, Keys]] = [("label", by_label), ("default", settings.default)]
    if rule is not None:
        levels.insert(1, (f"rule {rule.pattern}", rule))
    found: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for key in fields(Keys):
        for source, level in levels:
            value = getattr(level, key.name)
            if value is not None:
                found[key.name], sources[key.name] = value, source
                break
    level = found.get("policy", usual_level(asset_id))
    health = settings.health
    updater = found.get("docker_updater", DockerUpdaters.NATIVE)
    if sources.get("docker_updater") == "default" and not asset_id.startswith("docker:"):
        updater = DockerUpdaters.NATIVE  # what is said of all containers
    if updater is DockerUpdaters.WATCHTOWER:
        problems += _out_of_reach(settings, asset_id, sources["docker_updater"])
    return AssetPolicy(
        level=level,
        enable=found.get("enable"),
        fix_forward=found.get("fix_forward", False),
        one_shot=found.get("one_shot", False),
        minimum_age_s=found.get("minimum_age", 0.0),
        approval=found.get("approval", Approval.RISKY),
        windows=found.get("window", ()),
        freezes=found.get("freeze", ()),
        group=found.get("group"),
        wanted=Wanted(
            level=level,
            include=found.get("include_tags", ()),
            exclude=found.get("exclude_tags", ()),
            prereleases=found.get("prereleases", False),
            walk=found.get("walk"),
        ),
        health=replace(
            health,
            timeout_s=found.get("health_timeout", health.timeout_s),
            stable_for_s=found.get("stable_for", health.stable_for_s),
        ),
        compose=found.get("compose", ComposeChange.HOLD),
        pipeline=found.get("pipeline", Pipeline.TELL),
        strategy=found.get("strategy", Strategy.STOP_FIRST),
        docker_updater=updater,
        hooks=Hooks(
            found.get("before_update", ()),
            found.get("after_update", ()),
            found.get("hook_timeout", Hooks.timeout_s),
        ),
        approve=found.get("approve", ()),
        link=found.get("link"),
        sources=sources,
        problems=tuple(problems),
    )


def usual_level(asset_id: str) -> PolicyLevel:
    """What is allowed where nobody says: on a cluster a step less than on a Docker host."""
    return PolicyLevel.MINOR if asset_id.startswith("docker:") else PolicyLevel.PATCH


def _out_of_reach(settings: Settings, asset_id: str, source: str) -> Iterator[str]:
    """Why no Watchtower can be asked about this asset."""
    host = settings.watchtower_host
    if host is None:
        yield (
            f"docker_updater is watchtower ({source}), and execution.watchtower is not configured"
        )
    elif not asset_id.startswith(docker_id(host, "")):
        yield (
            f"docker_updater is watchtower ({source}), and the configured Watchtower serves "
            f"Docker host {host} only; write docker_updater: native for it"
        )


def _labelled(labels: Mapping[str, str], problems: list[str]) -> Keys:
    found = {}
    for key, read in _READ.items():
        name = LABEL_PREFIX + key.replace("_", "-")
        if name not in labels:
            continue
        try:
            found[key] = read(labels[name])
        except ValueError as error:
            problems.append(f"label {name}={_short(repr(labels[name]))}: {error}")
    return Keys(**found)


def _unknown_labels(labels: Mapping[str, str]) -> Iterator[str]:
    """A label that says nothing to us was meant to say something: held, not ignored."""
    for name in sorted(labels):
        key = name.removeprefix(LABEL_PREFIX)
        if key not in LABEL_KEYS:
            near = get_close_matches(key, LABEL_KEYS, 1)
            remedy = f"did you mean {near[0]}?" if near else f"known are {', '.join(LABEL_KEYS)}"
            yield f"label {name}: unknown; {remedy}"


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:100]}... ({len(text)} characters)"
