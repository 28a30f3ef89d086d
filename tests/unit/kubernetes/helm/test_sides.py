"""What an upgrade would do to a release, as trees, and what each rule says of it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.core.diff import DiffAnalyzer
from safe_auto_updater.core.release_rules import RELEASE_RULES
from safe_auto_updater.core.risk import Circumstances, Reversibility, Risk, Severity
from safe_auto_updater.platforms.kubernetes.helm.hooks import (
    may_have_migrated,
    may_have_run,
    one_way,
)
from safe_auto_updater.platforms.kubernetes.helm.pieces import Piece
from safe_auto_updater.platforms.kubernetes.helm.release import Chart, Hook, release_of
from safe_auto_updater.platforms.kubernetes.helm.rights import gained
from safe_auto_updater.platforms.kubernetes.helm.shape import shaped
from safe_auto_updater.platforms.kubernetes.helm.sides import (
    Seen,
    Side,
    flat,
    run_by,
    scaled_twice,
    trees,
)
from tests.unit.kubernetes.helm.test_helm_scanner import record
from tests.unit.rule_tables import table

Json = Mapping[str, Any]
HELM = Path(__file__).parents[4] / "docs/helm.md"
NOTHING = Seen({}, (), ())


def piece(kind: str, name: str = "web", **body: Any) -> Piece:
    api = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1"}.get(
        kind, "v1"
    )
    meta = {"name": name, **body.pop("metadata", {})}
    made = {"apiVersion": api, "kind": kind, "metadata": meta, **body}
    return Piece(api, kind, "shop", name, made)


def workload(image: str, kind: str = "Deployment", **pod: Any) -> Piece:
    container = {"name": "web", "image": image, **pod.pop("container", {})}
    return piece(kind, spec={"template": {"spec": {"containers": [container], **pod}}})


def side(*pieces: Piece, chart: Chart | None = None, **changed: Any) -> Side:
    objects = {one.key: one.body for one in pieces}
    return replace(Side(chart or Chart("web", "1.0.0"), {}, (), pieces, objects), **changed)


def hook(name: str, *events: str, kind: str = "Job", manifest: str = "") -> Hook:
    return Hook(name, kind, "", manifest, events, 0, (), {})


def judged(old: Side, new: Side, seen: Seen = NOTHING, bump: str = "patch") -> Risk:
    step = Circumstances(bump, "web:1.1.0", "release")
    return DiffAnalyzer(RELEASE_RULES).analyze(*trees(old, new, seen), step)


def role(*verbs: str, kind: str = "Role") -> Piece:
    return piece(kind, rules=[{"apiGroups": [""], "resources": ["secrets"], "verbs": list(verbs)}])


def keeping(image: str) -> Piece:
    """A workload with a claim of its own."""
    mounted = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    claim = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    return workload(image, container=mounted, volumes=[claim])


def claim(size: str) -> Piece:
    asked = {"resources": {"requests": {"storage": size}}}
    return piece("PersistentVolumeClaim", "data", spec=asked)


CRD, CLAIM = piece("CustomResourceDefinition", "widgets"), piece("PersistentVolumeClaim", "data")
WEB, NEWER = workload("example.org/web:1.2.0"), workload("example.org/web:1.2.1")
DEFAULTS = Chart("web", "1.0.0", defaults={"port": 80, "tls": {"on": False}})
FEWER = Chart("web", "1.1.0", defaults={"port": 81, "size": 1})

WEB_SIDE = side(WEB)
ROWS: dict[str, tuple[Side, Side, Seen, str]] = {
    "major": (side(), side(), NOTHING, "major"),
    "minor": (side(), side(), NOTHING, "minor"),
    "prerelease": (side(), side(), NOTHING, "prerelease"),
    "deprecated": (side(), side(chart=Chart("web", "2.0.0", deprecated=True)), NOTHING, "patch"),
    "refused": (side(), side(), Seen({"Service web": "no"}, (), ()), "patch"),
    "unserved": (side(), side(), Seen({}, ("Ingress web",), ()), "patch"),
    "image-lost": (side(), side(), Seen({}, (), (), {"web:1": "gone"}), "patch"),
    "image-unseen": (side(), side(), Seen({}, (), (), {}, {"web:1": "no answer"}), "patch"),
    "definition-gone": (side(CRD), side(), NOTHING, "patch"),
    "claim-gone": (side(CLAIM), side(), NOTHING, "patch"),
    "volume-gone": (side(piece("PersistentVolume")), side(), NOTHING, "patch"),
    "namespace-gone": (side(piece("Namespace")), side(), NOTHING, "patch"),
    "definition-new": (side(), side(CRD), NOTHING, "patch"),
    "claim-new": (side(), side(CLAIM), NOTHING, "patch"),
    "claim-grown": (side(claim("8Gi")), side(claim("10Gi")), NOTHING, "patch"),
    "stateful-set-gone": (side(workload("a", "StatefulSet")), side(), NOTHING, "patch"),
    "workload-gone": (side(WEB), side(), NOTHING, "patch"),
    "object-gone": (side(piece("Service")), side(), NOTHING, "patch"),
    "object-new": (side(), side(piece("Service")), NOTHING, "patch"),
    "migration": (side(), side(hooks=[hook("db-migrate", "pre-upgrade")]), NOTHING, "patch"),
    "hook": (side(), side(hooks=[hook("warm-up", "post-upgrade")]), NOTHING, "patch"),
    "image-major": (WEB_SIDE, side(workload("example.org/web:2.0.0")), NOTHING,
                    "patch"),
    "image-major-too": (WEB_SIDE, side(workload("example.org/web:2.0.0")), NOTHING, "major"),
    "over-data": (side(keeping("example.org/web:1.2.0")), side(keeping("example.org/web:1.3.0")),
                  NOTHING, "patch"),
    "image-one-way": (side(workload("postgres:15.1")), side(workload("postgres:16.0")), NOTHING,
                      "patch"),
    "value-lost": (side(chart=DEFAULTS, config={"tls": {"on": True}}),
                   side(chart=FEWER, config={"tls": {"on": True}}), NOTHING, "patch"),
    "default-new": (side(chart=DEFAULTS), side(chart=FEWER), NOTHING, "patch"),
    "default": (side(chart=DEFAULTS), side(chart=FEWER), NOTHING, "patch"),
    "default-gone": (side(chart=DEFAULTS), side(chart=FEWER), NOTHING, "patch"),
    "scaled-twice": (side(), side(), Seen({}, (), ("Deployment web",)), "patch"),
    "right-of-node": (WEB_SIDE, side(workload("example.org/web:1.2.0", hostNetwork=True)), NOTHING,
                      "patch"),
    "right-everywhere": (side(), side(role("get", kind="ClusterRole")), NOTHING, "patch"),
    "right": (side(role("get")), side(role("get", "list")), NOTHING, "patch"),
    "image": (WEB_SIDE, side(NEWER), NOTHING, "patch"),
    "change": (WEB_SIDE, side(NEWER), NOTHING, "patch"),
    "app": (side(), side(chart=Chart("web", "1.1.0", "2.0")), NOTHING, "patch"),
}  # fmt: skip


@pytest.mark.parametrize("rule", RELEASE_RULES, ids=lambda rule: rule.name)
def test_each_rule_finds_what_it_is_for(rule: Any) -> None:
    risk = judged(*ROWS[rule.name])
    found = [finding for finding in risk.findings if finding.rule == rule.name]
    assert len(found) == 1, risk.findings
    assert (found[0].severity, found[0].points) == (rule.severity, rule.points)
    assert (rule.severity is Severity.BLOCKER) == bool(risk.blockers)


def test_the_rule_table_is_sound() -> None:
    names = [rule.name for rule in RELEASE_RULES]
    assert len(names) == len(set(names)) and set(names) == set(ROWS)
    assert all(rule.why.endswith(".") for rule in RELEASE_RULES)
    irreversible = [rule for rule in RELEASE_RULES if rule.reversibility is Reversibility.R3]
    assert all(rule.points >= 30 for rule in irreversible), "never automatic"


def test_the_rule_table_is_documented_as_it_is() -> None:
    text = HELM.read_text()
    found = re.search(r"^\| rule \|.*?(?=\n\n)", text, re.M | re.S)
    assert found
    if os.environ.get("SAU_UPDATE_GOLDEN"):
        HELM.write_text(text.replace(found[0], table(RELEASE_RULES)))
        return
    assert found[0] == table(RELEASE_RULES), "SAU_UPDATE_GOLDEN=1 make test-unit writes it"


def test_the_same_chart_again_changes_nothing() -> None:
    same = side(WEB, CRD, CLAIM, role("get"), chart=DEFAULTS)
    assert judged(same, same) == Risk(0, (), (), Reversibility.R0)


def test_what_helm_leaves_is_not_gone() -> None:
    kept = piece("PersistentVolumeClaim", metadata={
        "annotations": {"helm.sh/resource-policy": "keep"}})  # fmt: skip
    assert judged(side(kept), side()).blockers == ()


def test_a_value_below_an_open_default_is_not_lost() -> None:
    old = Chart("web", "1.0.0", defaults={"labels": {}, "extra": []})
    new = Chart("web", "1.1.0", defaults={"labels": {}, "extra": []})
    mine = {"labels": {"team": "shop"}, "never": {"known": 1}, "extra": [1]}
    risk = judged(side(chart=old, config=mine), side(chart=new, config=mine))
    assert risk.findings == ()


def test_what_the_new_chart_does_not_say_any_more_is_taken_from_the_live_object() -> None:
    old = piece("ConfigMap", data={"a": "1", "b": "2"})
    new = piece("ConfigMap", data={"a": "1"})
    live = {**old.body, "data": {"a": "1", "b": "2", "by-hand": "3"}}
    before, after = trees(
        side(old, objects={old.key: live}), side(new, objects={new.key: live}), NOTHING
    )
    was, will = before["changes"]["ConfigMap web"], after["changes"]["ConfigMap web"]
    assert set(was) - set(will) == {"data.b"}


def test_secret_values_are_told_as_hashes_alone() -> None:
    env = {"container": {"env": [{"name": "TOKEN", "value": "s3cret"}], "args": ["--key=s3cret"]}}
    told = str(
        [trees(side(workload("a:1", **env)), side(workload("a:1", **env)), NOTHING),
         shaped(piece("Secret", data={"token": "czNjcmV0"}).body)]
    )  # fmt: skip
    assert "TOKEN" in told and "s3cret" not in told and "czNjcmV0" not in told


def test_labels_that_each_version_changes_are_left_out() -> None:
    def made(version: str) -> Json:
        labels = {"helm.sh/chart": f"web-{version}", "app.kubernetes.io/version": version}
        labels |= {"chart": f"web-{version}"}  # as older charts do
        return shaped({"metadata": {"labels": labels, "annotations": {"checksum/config": version}}})

    assert made("1.0.0") == made("1.1.0")


def test_lists_are_compared_by_names() -> None:
    ports = [{"name": "http", "containerPort": 80}, {"name": "metrics", "containerPort": 90}]
    found = flat(shaped({"metadata": {}, "spec": {"ports": ports}}))
    assert found["spec.ports.metrics.containerPort"] == 90


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (hook("web-db-migrate", "pre-upgrade"), True),
        (hook("job", "post-upgrade", manifest="command: [python, manage.py, migrate]"), True),
        (hook("web-schema-update", ["pre-upgrade", "post-upgrade"][0]), True),
        (hook("web-migrate", "pre-install"), False),
        (hook("web-admission-patch", "post-upgrade"), False),
        (hook("migrate", "pre-upgrade", kind="ConfigMap"), False),
    ],
)
def test_migrations_are_known_by_their_names(found: Hook, expected: bool) -> None:
    assert one_way(found) is expected


def test_rights_of_its_node_are_named() -> None:
    pod = {
        "hostNetwork": True,
        "volumes": [{"name": "etc", "hostPath": {"path": "/etc"}}],
        "container": {"securityContext": {"privileged": True,
                                          "capabilities": {"add": ["NET_ADMIN"]}}},
    }  # fmt: skip
    assert gained([workload("a:1")], [workload("a:1", **pod)]) == [
        "Deployment web has its node's own (hostNetwork)",
        "Deployment web has /etc of its node",
        "Deployment web, web is privileged",
        "Deployment web, web has capability NET_ADMIN",
    ]


def cluster_role(*verbs: str) -> Piece:
    rules = [{"apiGroups": [""], "resources": ["pods", "secrets"], "verbs": list(verbs)}]
    return piece("ClusterRole", rules=rules)


def test_rights_that_are_new_are_told_once_for_each_resource() -> None:
    assert gained([cluster_role("get")], [cluster_role("get", "list", "watch")]) == [
        "ClusterRole web may list, watch pods everywhere",
        "ClusterRole web may list, watch secrets everywhere",
    ]
    assert gained([cluster_role("get", "list")], [cluster_role("list", "get")]) == []


def definition_of(**properties: Json) -> Json:
    schema = {"openAPIV3Schema": {"type": "object", "properties": properties}}
    version = {"name": "v1", "served": True, "schema": schema}
    spec = {"versions": [version]}
    return {"kind": "CustomResourceDefinition", "metadata": {}, "spec": spec}


def test_schema_of_a_definition_is_told_in_short() -> None:
    plain = {"type": "string", "description": "a colour"}
    old = flat(shaped(definition_of(colour=plain)))
    worded = flat(shaped(definition_of(colour={**plain, "description": "a colour of the rainbow"})))
    more = flat(shaped(definition_of(colour=plain, description={"type": "string"})))
    assert old == worded, "other words explain the same"
    assert [key for key in more if more[key] != old.get(key)] == ["spec.versions.v1.schema"]
    assert old["spec.versions.v1.schema"].startswith("2 fields (")
    assert more["spec.versions.v1.schema"].startswith("3 fields (")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (keeping("example.org/web:1.2.0"), keeping("example.org/web:1.2.1")),
        (workload("example.org/web:1.2.0"), workload("example.org/web:1.3.0")),
    ],
    ids=["a patch", "without data"],
)
def test_a_patch_and_what_keeps_no_data_are_taken_back_whole(before: Piece, after: Piece) -> None:
    found = {finding.rule for finding in judged(side(before), side(after)).findings}
    assert "over-data" not in found


@pytest.mark.parametrize(
    ("now", "scaled", "unseen", "expected"),
    [
        (2, [("shop", "Deployment", "web")], [], ["Deployment web"]),
        (2, [("shop", "StatefulSet", "web")], [], []),
        (5, [], [], []),  # a person scaled it, and no autoscaler does
        (2, [], ["shop"], []),
        (5, [], ["shop"],
         ["Deployment web (5 pods, the chart says 2, and autoscalers may not be listed)"]),
    ],
)  # fmt: skip
def test_who_else_scales_is_seen_or_shows_by_the_number_of_pods(
    now: int, scaled: list[tuple[str, str, str]], unseen: list[str], expected: list[str]
) -> None:
    new = piece("Deployment", spec={"replicas": 2})
    live = {new.key: {"spec": {"replicas": now}}}
    assert scaled_twice([new, piece("Service")], live, scaled, unseen) == expected
    unset = piece("Deployment", spec={})
    assert scaled_twice([unset], live, scaled, unseen) == []


@pytest.mark.parametrize(
    ("phase", "noted", "expected"),
    [("Succeeded", True, True), ("", True, False), ("", False, True), ("Running", False, True)],
)
def test_a_hook_may_have_run_unless_helm_noted_that_it_did_not(
    phase: str, noted: bool, expected: bool
) -> None:
    found = replace(hook("db-migrate", "pre-upgrade"), last_run={"phase": phase})
    assert may_have_run(found, noted) is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [("pending-upgrade", ["db-migrate"]), ("failed", ["db-migrate"]), ("pending-rollback", [])],
)
def test_a_revision_that_goes_back_has_not_run_what_its_hooks_did_long_before(
    status: str, expected: list[str]
) -> None:
    migrate: Json = {"name": "db-migrate", "kind": "Job", "events": ["pre-upgrade"]}
    ran = {**migrate, "last_run": {"phase": "Succeeded"}}
    found = release_of(record("web", status, hooks=[ran]))
    assert may_have_migrated(found) == expected


def test_what_is_only_called_like_a_workload_is_none() -> None:
    odd = replace(piece("Deployment", spec={"engine": "x"}), api_version="example.org/v1")
    assert judged(side(odd), side(odd)).score >= 0
    assert run_by([odd]) == []
