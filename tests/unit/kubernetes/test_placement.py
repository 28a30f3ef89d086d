"""Which platforms the image of a template must have, by the nodes that would take its pods."""

from __future__ import annotations

from typing import Any

import pytest

from safe_auto_updater.platforms.kubernetes.placement import platforms_for

ONLY_ARM = {"key": "kubernetes.io/arch", "value": "arm64", "effect": "NoSchedule"}


def node(
    arch: str, *taints: dict[str, str], system: str = "linux", **labels: str
) -> dict[str, Any]:
    known = {"kubernetes.io/arch": arch, "kubernetes.io/os": system, **labels}
    return {
        "metadata": {"name": arch, "labels": known},
        "spec": {"taints": list(taints)},
        "status": {"nodeInfo": {"operatingSystem": system, "architecture": arch}},
    }


AMD, ARM = node("amd64", pool="big"), node("arm64", pool="small")
TAINTED, WINDOWS = node("arm64", ONLY_ARM), node("amd64", system="windows")
AWAY = node("arm64", {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"})


def liking(*expressions: dict[str, Any], operator: str = "nodeSelectorTerms") -> dict[str, Any]:
    terms = [{"matchExpressions": [one]} for one in expressions]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {operator: terms}}
    return {"affinity": {"nodeAffinity": required}}


def tolerating(**how: str) -> dict[str, Any]:
    return {"tolerations": [how]}


BOTH, ONE, OTHER = ("amd64", "arm64"), ("amd64",), ("arm64",)
ROWS = {
    "all alike": ({}, [AMD, AMD], ONE),
    "two": ({}, [AMD, ARM], BOTH),
    "by architecture": ({"nodeSelector": {"kubernetes.io/arch": "arm64"}}, [AMD, ARM], OTHER),
    "by another label": ({"nodeSelector": {"pool": "small"}}, [AMD, ARM], OTHER),
    "a label that is to come": ({"nodeSelector": {"pool": "new"}}, [AMD, ARM], BOTH),
    "the architecture of a label that is to come": (
        {"nodeSelector": {"pool": "new", "kubernetes.io/arch": "arm64"}}, [AMD, ARM], OTHER),
    "kept off by a taint": ({}, [AMD, TAINTED], ONE),
    "tolerated by its value": (
        tolerating(key="kubernetes.io/arch", value="arm64"), [AMD, TAINTED], BOTH),
    "tolerates another value": (
        tolerating(key="kubernetes.io/arch", value="riscv64"), [AMD, TAINTED], ONE),
    "tolerates another effect": (
        tolerating(key="kubernetes.io/arch", operator="Exists", effect="NoExecute"),
        [AMD, TAINTED], ONE),
    "tolerates all": (tolerating(operator="Exists"), [AMD, TAINTED], BOTH),
    "away for now": ({}, [AMD, AWAY], BOTH),
    "likes one": (
        liking({"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}),
        [AMD, ARM], ONE),
    "dislikes one": (
        liking({"key": "kubernetes.io/arch", "operator": "NotIn", "values": ["amd64"]}),
        [AMD, ARM], OTHER),
    "likes either": (
        liking({"key": "pool", "operator": "In", "values": ["big"]},
               {"key": "pool", "operator": "In", "values": ["small"]}), [AMD, ARM], BOTH),
    "likes who has a label": (liking({"key": "pool", "operator": "Exists"}), [AMD, TAINTED], ONE),
    "likes who has none": (
        {**liking({"key": "pool", "operator": "DoesNotExist"}), **tolerating(operator="Exists")},
        [AMD, TAINTED], OTHER),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_platforms_of_the_nodes_that_would_take_it(row: str) -> None:
    pod_spec, nodes, expected = ROWS[row]
    assert platforms_for(pod_spec, nodes) == tuple(("linux", arch) for arch in expected)


def test_operating_systems_are_told_apart() -> None:
    assert platforms_for({}, [WINDOWS, AMD]) == (("linux", "amd64"), ("windows", "amd64"))
    linux = {"nodeSelector": {"kubernetes.io/os": "linux"}}
    assert platforms_for(linux, [WINDOWS, AMD]) == (("linux", "amd64"),)
