"""The API server is killed in the middle and started again: the update ends whole.

What is asked of it afterwards is what etcd holds, and that must be what the journal says.
"""

from __future__ import annotations

import threading

import pytest

from tests.docker.kill.hitting import update_when
from tests.kubernetes.kit import Namespace
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.workloads import as_written, begun, running, settled
from tests.lab_kit import eventually

pytestmark = pytest.mark.engine_crash
AWAY_S = 3
ALWAYS = ("STAGE", "VERIFY", "ROLLBACK")
ENDS = {
    "PREPARE": "aborted",
    "PRECHECK": "aborted",
    "SNAPSHOT": "aborted",
    "STAGE": "aborted",
    "APPLY": "rolled_back",
    "VERIFY": "succeeded",
    "COMMIT": "succeeded",
    "ROLLBACK": "rolled_back",
    "CONFIRM": "rolled_back",
}
"""Killed as a phase begins -> how the update ends, by the third column of the table."""


@pytest.mark.parametrize(
    "phase",
    [
        pytest.param(phase, marks=() if phase in ALWAYS else pytest.mark.every_instant)
        for phase in ENDS
    ],
)
def test_api_server_killed_in_a_phase(namespace: Namespace, sau: ClusterSau, phase: str) -> None:
    cluster = namespace.cluster
    before = begun(namespace, "Deployment")
    (old,) = running(namespace)
    broken = phase in ("ROLLBACK", "CONFIRM")
    new = namespace.publish("1.1.0", behaviour="crash" if broken else "good")
    again = threading.Timer(AWAY_S, cluster.start_api)

    def crash() -> None:
        if not again.is_alive() and not again.finished.is_set():
            cluster.crash_api()
            again.start()

    record = update_when(sau, phase, crash)
    again.join()

    assert record.outcome is not None, record
    assert record.outcome.value == ENDS[phase], record
    now = namespace.get("deployment", "web")
    (container,) = now["spec"]["template"]["spec"]["containers"]
    if record.outcome.value == "succeeded":
        assert container["image"] == f"{new.reference}@{new.digest}"
    else:
        assert as_written(now) == as_written(before)
    settled(namespace, "deployment")
    digest = new.digest if record.outcome.value == "succeeded" else old
    eventually(lambda: running(namespace) == {digest}, 60)
    assert "Nothing was interrupted" in sau("recover", json_output=False).out
