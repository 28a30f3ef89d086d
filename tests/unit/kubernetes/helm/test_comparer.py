"""What a plan is told of an upgrade, by a cluster and a helm that say what they are told to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.core.errors import NotFound, PlatformError
from safe_auto_updater.core.model import Asset, Change, Health, Image, ImageUse, Status
from safe_auto_updater.platforms.kubernetes.access import Access
from safe_auto_updater.platforms.kubernetes.helm.command import Helm
from safe_auto_updater.platforms.kubernetes.helm.comparer import HelmComparer
from safe_auto_updater.platforms.kubernetes.helm.releases import Releases
from tests.unit.kubernetes.helm.test_helm_scanner import Keeping, record

RUNS = """\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
"""
CHANGE = Change("helm:lab/shop/web", "chart", Image("web:1.0.0"), Image("web:1.1.0", "1.1.0"))
ASSET = Asset(CHANGE.asset, "helm", "release", "web", (ImageUse("chart", CHANGE.current),),
              Status.RUNNING, Health.NONE)  # fmt: skip


class Serving(Keeping):
    """Serves `policy/v1` alone, and has no object."""

    def get(self, path: str, **params: Any) -> Any:
        if "sh.helm" in path:
            return super().get(path, **params)
        if path != "/apis/policy/v1":
            raise NotFound("not here", 404)
        name = {"kind": "PodDisruptionBudget", "name": "poddisruptionbudgets", "namespaced": True}
        return {"resources": [name]}

    def would_apply(self, path: str, body: Any) -> Any:
        return dict(body)


class Charts:
    def archive(self, *_: Any) -> bytes:
        return b""


def helm(folder: Path, manifest: str) -> Helm:
    told = {"chart": {"metadata": {"name": "web", "version": "1.1.0"}}, "manifest": manifest}
    answer, program = folder / "answer", folder / "helm"
    answer.write_text(json.dumps(told))
    program.write_text(f"#!/bin/sh\ntest $1 = version && echo v3.18.0 || cat {answer}\n")
    program.chmod(0o755)
    return Helm(str(program), Access())


@pytest.mark.parametrize("template", ["{spec: {containers: [null]}}", "{spec: [1]}"])
def test_what_a_template_makes_of_no_sense_is_told(tmp_path: Path, template: str) -> None:
    odd = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
    odd += f"spec: {{template: {template}}}\n"
    releases = Releases(Serving(record("web", manifest=RUNS)))
    charts: Any = Charts()
    comparer = HelmComparer(releases, helm(tmp_path, odd), charts, lambda image: None)
    with pytest.raises(PlatformError, match="makes something that is no object"):
        comparer.trees(ASSET, CHANGE)
