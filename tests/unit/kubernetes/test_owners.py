"""Whose a workload is, where its owner leaves no mark but that it writes."""

from __future__ import annotations

from typing import Any

import pytest

from safe_auto_updater.platforms.kubernetes.owners import LAST_APPLIED, managed_by, ownership

Json = dict[str, Any]
IMAGES = {"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{}": {"f:image": {}}}}}}}
SCALE = {"f:spec": {"f:replicas": {}}}


def workload(*writers: tuple[str, str, Json], label: str = "shop") -> Json:
    """Applied as `kubectl apply` does it, which Argo CD does too."""
    labels = {"app.kubernetes.io/instance": label} if label else {}
    told = [{"manager": who, "operation": how, "fieldsV1": what} for who, how, what in writers]
    notes = {LAST_APPLIED: "{}"}
    return {"metadata": {"labels": labels, "annotations": notes, "managedFields": told}}


@pytest.mark.parametrize("who", ["argocd-controller", "argocd-application-controller"])
@pytest.mark.parametrize("how", ["Apply", "Update"])
def test_argo_cd_is_known_by_what_it_writes_where_all_use_its_label(who: str, how: str) -> None:
    found = workload((who, how, IMAGES))
    (obstacle,) = ownership(found)
    assert obstacle.rule == "owner"
    assert obstacle.reason.startswith("Argo CD shop owns it"), obstacle
    assert managed_by(found) == "argocd:shop"
    assert managed_by(workload((who, how, IMAGES), label="")) == "argocd"


def test_whoever_wrote_the_image_after_argo_cd_has_it() -> None:
    found = workload(("argocd-controller", "Apply", SCALE), ("kubectl-set", "Update", IMAGES))
    assert (ownership(found), managed_by(found)) == ([], "kubectl-apply")


def test_label_that_all_use_says_nothing() -> None:
    found = workload(("kubectl-client-side-apply", "Update", IMAGES))
    assert (ownership(found), managed_by(found)) == ([], "kubectl-apply")
