"""A write that the server refuses, loses or answers badly once: not forgotten, and not doubled."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import images
from tests.docker.kill.hitting import update_when
from tests.kubernetes.between import Spoiled, between
from tests.kubernetes.kit import Namespace
from tests.kubernetes.sau import HEALTH, ClusterSau
from tests.kubernetes.workloads import KINDS, as_written, begun, running, settled
from tests.lab_kit import eventually

WAYS: dict[str, list[tuple[bool, int]]] = {
    "refused once by a conflict": [(False, 409)],
    "failed once": [(False, 500)],
    "failed twice, in both ways": [(False, 500), (False, 409)],
    "taken, and called failed": [(True, 500)],
    "taken, and the answer lost": [(True, 0)],
    "lost": [(False, 0)],
}


@pytest.mark.parametrize("behaviour", ["good", "crash"])
@pytest.mark.parametrize("way", WAYS)
def test_write_that_goes_wrong_once_is_made_once(
    namespace: Namespace, sau: ClusterSau, tmp_path: Path, way: str, behaviour: str
) -> None:
    before = begun(namespace, "Deployment")
    (old,) = running(namespace)
    new = namespace.publish("1.1.0", behaviour=behaviour)
    spoiled = Spoiled(list(WAYS[way]))
    with between(namespace.cluster.kubeconfigs["admin"], tmp_path, spoiled) as kubeconfig:
        sau.configure(HEALTH, kubeconfig=kubeconfig)
        said = sau("apply", "--yes", timeout_s=180)
    assert not spoiled.ways, "each way was gone"
    now = namespace.get("deployment", "web")
    changes = now["metadata"]["generation"] - before["metadata"]["generation"]
    if behaviour == "good":
        assert (said.update["outcome"], changes) == ("succeeded", 1), said
        assert running(namespace) == {new.digest}
    else:
        assert (said.update["outcome"], changes) == ("rolled_back", 2), said
        assert as_written(now) == as_written(before)
        settled(namespace, "deployment")
        eventually(lambda: running(namespace) == {old}, 60)


@pytest.mark.parametrize("kind", KINDS)
def test_image_that_vanishes_before_nodes_pull_it_is_taken_back(
    namespace: Namespace, sau: ClusterSau, kind: str
) -> None:
    before = begun(namespace, kind)
    new = namespace.publish("1.1.0")
    record = update_when(sau, "APPLY", lambda: images.delete(new.registry, new.name, new.digest))
    assert (str(record.outcome), str(record.cause)) == ("rolled_back", "registry"), record
    assert as_written(namespace.get(kind, "web")) == as_written(before)
    settled(namespace, kind)
    namespace.publish("1.1.0")
    assert sau("plan").step("web")["action"] == "update", "the image was not to blame"
