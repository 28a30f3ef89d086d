"""The rules that the documentation names are those that are needed, and no more."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from safe_auto_updater.platforms.kubernetes.permissions import NEEDS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "kubernetes.md"


def test_documented_rules_are_exactly_those_that_are_needed() -> None:
    block = re.search(r"```yaml\n(rules:\n.*?)```", PAGE.read_text(), re.DOTALL)
    assert block is not None
    documented = {
        (group, resource, verb)
        for rule in yaml.safe_load(block[1])["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    needed = {
        (n.group, f"{n.resource}/{n.subresource}" if n.subresource else n.resource, n.verb)
        for n in NEEDS
    }
    assert documented == needed
