"""What `sau doctor` looks at: every outside thing the program needs, asked for real."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from safe_auto_updater import plugins
from safe_auto_updater.app import App
from safe_auto_updater.config import Config
from safe_auto_updater.core.errors import InvalidReference, SafeAutoUpdaterError
from safe_auto_updater.core.model import Asset
from safe_auto_updater.core.promql import NoAnswer
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.watchtower.survey import answering, survey
from safe_auto_updater.platforms.kubernetes.permissions import (
    JOB,
    NEEDS,
    PULL_SECRETS,
    SERVICE,
    Need,
    missing,
)
from safe_auto_updater.wiring.judges import prometheus
from safe_auto_updater.wiring.notices import lacking


@dataclass(frozen=True)
class Finding:
    """One thing that was asked, and what it said; `fact` names the remedy where it is not well.

    What is missing and could be done without is well, and said.
    """

    what: str
    ok: bool
    fact: str


def diagnose(app: App, config: Config) -> list[Finding]:
    """State, engines, who is told, plugins, and each registry that a running image came from."""
    found = [_state(app)]
    for name, engine in app.docker.engines.items():
        try:
            found.append(Finding(f"docker {name}", True, f"{engine.describe()} at {engine.host}"))
            found += [
                Finding(f"docker {name}", False, fact)
                for fact in app.docker.permits.refused_of(engine)
            ]
            found += _watchtower(app, engine)
        except SafeAutoUpdaterError as error:
            found.append(Finding(f"docker {name}", False, str(error)))
    for name in app.kubernetes.clusters:
        found += _cluster(app, name)
    configured = app.docker.watchtower()
    if configured is not None:
        found.append(Finding(*answering(configured)))
    found += _prometheus(app)
    found += _charts(app)
    found += [
        Finding(f"notifications {name}", why is None, why or f"`sau notify test '{name}'` tries it")
        for name, why in lacking(config)
    ]
    for group in plugins.GROUPS:
        found += [_plugin(group, name) for name in plugins.known(group)]
    inventory = app.cycle.scan()
    assets = inventory.assets
    found += _unseen(found, inventory.failures)
    return found + _helm(app, assets) + _registries(app, assets)


def _unseen(found: Sequence[Finding], failures: Sequence[tuple[str, str]]) -> list[Finding]:
    """What a scan could not see, of sources about which nothing bad was found yet."""
    bad = {one.what for one in found if not one.ok}
    told = [(source.partition("/")[0].replace(":", " "), fact) for source, fact in failures]
    return [Finding(what, False, fact) for what, fact in told if what not in bad]


def _state(app: App) -> Finding:
    try:
        app.decisions.prove_writable()
    except SafeAutoUpdaterError as error:
        return Finding("state", False, str(error))
    return Finding("state", True, f"{app.state} can be written")


def _cluster(app: App, name: str) -> list[Finding]:
    """Whether it answers, and what it does not let us do."""
    what, cluster = f"kubernetes {name}", app.kubernetes.clusters[name]
    try:
        found = [Finding(what, True, cluster.describe())]
        needs = (*_needs(app), *app.kubernetes.helm_needs(name), *app.kubernetes.watch_needs(name))
        if not app.kubernetes.is_named(name):  # it is never changed
            needs = tuple(need for need in needs if need.only_looks)
        refused = missing(cluster, app.kubernetes.namespaces(name), needs)
        secrets = app.kubernetes.pull_secrets(name)
        refused += missing(cluster, secrets, PULL_SECRETS) if secrets else []
    except SafeAutoUpdaterError as error:
        return [Finding(what, False, str(error))]
    return found + [Finding(what, need.optional, fact) for need, fact in refused]


def _needs(app: App) -> tuple[Need, ...]:
    """What is always needed, and what the configured checks need besides."""
    checks = app.settings.checks
    asks = any(spec.kind == "http" and "service" in spec.options for spec in checks)
    runs = any(spec.kind == "job" for spec in checks)
    return (*NEEDS, *((SERVICE,) if asks else ()), *(JOB if runs else ()))


def _watchtower(app: App, engine: DockerEngine) -> list[Finding]:
    settings = app.settings
    asked = settings.watchtower_host == engine.name
    return [Finding(*one) for one in survey(engine, asked=asked, labels=settings.watchtower_labels)]


def _prometheus(app: App) -> list[Finding]:
    """One question to each that is configured; its own queries need what runs."""
    checks = [spec for spec in app.settings.checks if spec.kind == "prometheus"]
    asked = [spec.question for spec in app.settings.blocks]
    asked += [spec.options["question"] for spec in checks]
    found = []
    for question in dict.fromkeys(replace(one, query="vector(1)") for one in asked):
        match prometheus(question):
            case NoAnswer(why):
                found.append(Finding("prometheus", False, why))
            case _:
                found.append(Finding("prometheus", True, f"{question.url} answers"))
    return found


def _charts(app: App) -> list[Finding]:
    """Where charts come from, as far as that can be asked without a release."""
    if not app.kubernetes.clusters:
        return []
    found = []
    try:
        for what, ask in app.charts().questions():
            try:
                ask()
                found.append(Finding("charts", True, f"{what} answers"))
            except SafeAutoUpdaterError as error:
                found.append(Finding("charts", False, str(error)))
    except SafeAutoUpdaterError as error:  # Helm's own settings cannot be read
        found.append(Finding("charts", False, str(error)))
    return found


def _plugin(group: str, name: str) -> Finding:
    try:
        plugins.load(group, name)
    except SafeAutoUpdaterError as error:
        return Finding(f"plugin {name}", False, str(error))
    return Finding(f"plugin {name}", True, f"loads ({group})")


def _helm(app: App, assets: Sequence[Asset]) -> list[Finding]:
    """Whether the command is there that upgrades the releases which are."""
    releases = [asset.id for asset in assets if asset.platform == "helm"]
    if not releases:
        return []
    try:
        version = ".".join(map(str, app.helm.command(releases[0]).version))
    except SafeAutoUpdaterError as error:
        return [Finding("helm", False, str(error))]
    return [Finding("helm", True, f"version {version} is there for {len(releases)} release(s)")]


def _registries(app: App, assets: Sequence[Asset]) -> list[Finding]:
    """One question per registry, about an image that runs here and was pulled from there."""
    asked: dict[str, Finding] = {}
    for asset, use in [(one, use) for one in assets for use in one.images]:
        try:
            reference = Reference.parse(use.image.reference)
        except InvalidReference:
            continue
        if not use.digests or reference.host in asked:
            continue
        try:
            _head(app, asset, reference)
            fact = f"answers for {reference.name}{_limit(app, reference.host)}"
            finding = Finding(f"registry {reference.host}", True, fact)
        except SafeAutoUpdaterError as error:
            finding = Finding(f"registry {reference.host}", False, str(error))
        asked[reference.host] = finding
    return list(asked.values())


def _head(app: App, asset: Asset, reference: Reference) -> None:
    """One question as updates would ask it: of a workload perhaps as its nodes."""
    if asset.id.startswith("kubernetes:"):
        app.kubernetes.lookup(asset.id).digest(str(reference))
    else:
        app.registry.head(reference)


def _limit(app: App, host: str) -> str:
    limit = app.registry.limits().get(host)
    if limit is None:
        return ""
    of = "" if limit.granted is None else f" of {limit.granted}"
    return f"; {limit.remaining}{of} pulls left"
