"""The rules that are documented and shipped are those that are needed, and no more."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from safe_auto_updater.platforms.kubernetes.permissions import NEEDS, Need, watching

ROOT = Path(__file__).resolve().parents[3]
NODES = ("", "nodes", "list")


def rules(listed: Iterable[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {
        (group, resource, verb)
        for rule in listed
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def shipped(file: str, kind: str) -> set[tuple[str, str, str]]:
    documents = yaml.safe_load_all(next((ROOT / "deploy/kubernetes").rglob(file)).read_text())
    (role,) = (document for document in documents if document["kind"] == kind)
    return rules(role["rules"])


def needed(needs: Iterable[Need] = NEEDS) -> set[tuple[str, str, str]]:
    return {
        (n.group, f"{n.resource}/{n.subresource}" if n.subresource else n.resource, n.verb)
        for n in needs
    }


def test_documented_rules_are_exactly_those_that_are_needed() -> None:
    page = (ROOT / "docs/kubernetes.md").read_text()
    block = re.search(r"```yaml\n(rules:\n.*?)```", page, re.DOTALL)
    assert block is not None
    assert rules(yaml.safe_load(block[1])["rules"]) == needed()


def test_shipped_roles_are_exactly_what_is_needed() -> None:
    assert shipped("role.yaml", "Role") == needed()
    assert shipped("clusterrole.yaml", "ClusterRole") == needed() | {NODES}


def test_who_only_looks_may_only_look() -> None:
    looks = [n for n in NEEDS if n.verb in ("get", "list") and not (n.subresource or n.optional)]
    assert shipped("viewer.yaml", "Role") == needed(looks)


def test_who_watches_needs_a_role_more() -> None:
    workloads = needed(watching(releases=False))
    assert shipped("watch.yaml", "Role") == workloads
    assert shipped("watch-releases.yaml", "Role") == needed(watching(releases=True)) - workloads
    assert [need.optional for need in watching(releases=None)] == [False] * 4 + [True] * 2
    page = (ROOT / "docs/kubernetes.md").read_text()
    section = page[page.index("### Watching") :]
    told = re.findall(r"```yaml\n(  - .*?)```", section, re.DOTALL)
    assert rules(yaml.safe_load("".join(told))) == needed(watching(releases=True))
