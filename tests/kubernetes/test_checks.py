"""Health checks of workloads: a Service asked through the API server, metrics, and Jobs."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.ports import CheckState, Subject
from safe_auto_updater.platforms.kubernetes.access import Access
from safe_auto_updater.platforms.kubernetes.cluster import Cluster
from safe_auto_updater.platforms.kubernetes.job_check import JobCheck
from safe_auto_updater.platforms.kubernetes.permissions import JOB, SERVICE, Need
from safe_auto_updater.platforms.kubernetes.service_check import ServiceCheck
from tests.docker.prometheus_kit import Served
from tests.kubernetes import roles
from tests.kubernetes.kit import Json, Namespace, service
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.workloads import as_written, begun, running

PROBE = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
CHECK = 'checks: [{match: {asset: "*/web"}, type: http, service: "web:80", path: /health}]'


def allow(namespace: Namespace, *needs: Need) -> None:
    """More than the shipped role, for the account that it is bound to."""
    api = "rbac.authorization.k8s.io"
    rules = [
        {
            "apiGroups": [need.group],
            "resources": [f"{need.resource}/{need.subresource}".rstrip("/")],
            "verbs": [need.verb],
        }
        for need in needs
    ]
    meta = {"name": "checks", "namespace": namespace.name}
    account = {"kind": "ServiceAccount", "name": "safe-auto-updater"}
    ref = {"apiGroup": api, "kind": "Role", "name": "checks"}
    role = {"apiVersion": f"{api}/v1", "kind": "Role", "metadata": meta, "rules": rules}
    binding = {"apiVersion": f"{api}/v1", "kind": "RoleBinding", "metadata": meta}
    namespace.apply(role, {**binding, "roleRef": ref, "subjects": [account]})


def served(namespace: Namespace) -> None:
    """1.0.0 runs behind a Service; it is ready even without its health page."""
    begun(namespace, "Deployment", readinessProbe=PROBE)
    namespace.apply(service("web"))


def test_service_that_answers_well_is_well_with_the_rule_that_is_listed(
    namespace: Namespace, sau: ClusterSau, tmp_path: Path
) -> None:
    served(namespace)
    new = namespace.publish("1.1.0")
    account = roles.account(namespace, "role.yaml", tmp_path)
    sau.configure(f"{{timeout: 20s, stable_for: 3s, {CHECK}}}", kubeconfig=account)
    without = sau("doctor")
    refused = sau("apply", "--yes", timeout_s=240)
    allow(namespace, SERVICE)
    known = sau("doctor")
    said = sau("apply", "--yes", timeout_s=240)

    assert without.code == 1 and "may not get services/proxy" in without.out
    assert any(SERVICE.rule in one["fact"] for one in without.json["findings"])
    assert refused.update["outcome"] == "aborted"
    assert "services/proxy" in refused.update["error"] and "unknown" in refused.update["error"]
    assert known.code == 0, known.out
    assert said.update["outcome"] == "succeeded", said
    assert running(namespace) == {new.digest}


def test_service_that_answers_badly_takes_the_update_back(
    namespace: Namespace, sau: ClusterSau
) -> None:
    served(namespace)
    old = running(namespace)
    namespace.publish("1.1.0", behaviour="unhealthy", healthcheck={"Test": ["NONE"]})
    sau.configure(f"{{timeout: 25s, stable_for: 3s, {CHECK}}}")

    said = sau("apply", "--yes", timeout_s=240)

    assert (said.update["outcome"], said.update["cause"]) == ("rolled_back", "image"), said
    assert f"service {namespace.name}/web:80 answered 404" in said.update["error"]
    assert running(namespace) >= old


def to(name: str, port: int = 8080, app: str = "web") -> Json:
    """A Service inside the cluster only."""
    ports = [{"name": "http", "port": 80, "targetPort": port}]
    spec = {"selector": {"app": app}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


# which Service is asked for what, and what is said of it
SAID = {
    ("good:80", "/health", ()): (CheckState.PASSED, "answered 200"),
    ("good:http", "/health?deep=1", ()): (CheckState.PASSED, "answered 200"),
    ("good:80", "/missing", ()): (CheckState.FAILING, "answered 404 instead of 200 to 399"),
    ("good:80", "/missing", (404,)): (CheckState.PASSED, "answered 404"),
    ("good:80", "/health", (204,)): (CheckState.FAILING, "answered 200 instead of 204"),
    ("deaf:80", "/", ()): (CheckState.FAILING, "error trying to reach service"),
    ("empty:80", "/", ()): (CheckState.UNKNOWN, "no endpoints available"),
    ("absent:80", "/", ()): (CheckState.UNKNOWN, "not found"),
    ("good:81", "/", ()): (CheckState.UNKNOWN, "good:81"),
    ("good:metrics", "/", ()): (CheckState.UNKNOWN, "good:metrics"),
}


def test_what_the_server_says_itself_is_told_from_what_the_service_says(
    namespace: Namespace,
) -> None:
    begun(namespace, "Deployment", readinessProbe=PROBE)
    namespace.apply(to("good"), to("deaf", port=9999), to("empty", app="nobody"))
    namespace.wait("endpoints/good", "jsonpath={.subsets[0].addresses[0].ip}")
    namespace.wait("endpoints/deaf", "jsonpath={.subsets[0].addresses[0].ip}")
    cluster = Cluster("lab", Access(namespace.cluster.kubeconfigs["admin"]))
    subject = Subject(f"kubernetes:lab/{namespace.name}/Deployment/web", "web")

    for (name, path, expected), (state, words) in SAID.items():
        check = ServiceCheck(lambda _: cluster, name, path, expected, 20, now=time.monotonic)
        result = check.check(subject)
        assert (result.state, words in result.detail) == (state, True), result
        blamed = Cause.PLATFORM if state is CheckState.UNKNOWN else Cause.IMAGE
        assert result.cause is blamed, result


def test_container_has_no_service() -> None:
    def cluster_of(asset: str) -> Cluster:
        raise AssertionError(f"{asset} is on no cluster")

    check = ServiceCheck(cluster_of, "web:80", now=time.monotonic)
    result = check.check(Subject("docker:local/web", "web"))
    assert (result.state, result.cause) == (CheckState.UNKNOWN, Cause.PLATFORM)


def test_metrics_of_a_new_version_take_it_back(namespace: Namespace, sau: ClusterSau) -> None:
    before = begun(namespace, "Deployment")
    new = namespace.publish("1.1.0")
    asked: list[str] = []

    def answer(path: str) -> tuple[int, str]:
        asked.append(parse_qs(urlsplit(path).query)["query"][0])
        runs_new = new.digest in str(namespace.get("Deployment", "web")["spec"])
        sample = {"metric": {}, "value": [1, "0.4" if runs_new else "0.01"]}
        data = {"resultType": "vector", "result": [sample]}
        return 200, json.dumps({"status": "success", "data": data})

    server = Served(answer)
    check = (
        f'{{match: {{asset: "*/web"}}, type: prometheus, url: "{server.url}", timeout: 20s, '
        'query: "errors{app=\\"{name}\\"}", expect: "< 0.05"}'
    )
    sau.configure(f"{{timeout: 25s, stable_for: 3s, checks: [{check}]}}")
    said = sau("apply", "--yes", timeout_s=240)
    server.close()

    assert (said.update["outcome"], said.update["cause"]) == ("rolled_back", "image"), said
    assert "0.4 is not < 0.05" in said.update["error"]
    assert as_written(namespace.get("Deployment", "web")) == as_written(before)
    assert set(asked) == {'errors{app="web"}'}


# what the Job does once it sees the new version; outcome and cause, and what is told
JOBS = {
    "does its work": ("exit 0", 60, ("succeeded", None), ""),
    "fails": ("echo the till is empty; exit 3", 60, ("rolled_back", "image"), "the till is empty"),
    "hangs": ("sleep 300", 8, ("rolled_back", "platform"), "did not end within 8 s"),
}


@pytest.mark.parametrize("what", JOBS)
def test_job_is_run_once_for_each_side_and_deleted(
    namespace: Namespace, sau: ClusterSau, tmp_path: Path, what: str
) -> None:
    account = roles.account(namespace, "role.yaml", tmp_path)
    then, timeout_s, (outcome, cause), told = JOBS[what]
    before = begun(namespace, "Deployment")
    namespace.publish("1.1.0")
    smoke = namespace.publish("1", name="smoke").reference
    line = f"case $(wget -q -O - http://{{address}}:8080/) in 1.0.0*) exit 0;; *) {then};; esac"
    command = json.dumps(["/bin/sh", "-c", line])
    check = (
        f'{{match: {{asset: "*/web"}}, type: job, image: "{smoke}", command: {command}, '
        f"timeout: {timeout_s}s}}"
    )
    sau.configure(f"{{timeout: 20s, stable_for: 3s, checks: [{check}]}}", kubeconfig=account)
    allow(namespace, *JOB)
    assert sau("doctor").code == 0

    said = sau("apply", "--yes", timeout_s=280)

    assert (said.update["outcome"], said.update["cause"]) == (outcome, cause), said
    assert told in (said.update["error"] or "")
    if outcome == "rolled_back":
        assert as_written(namespace.get("Deployment", "web")) == as_written(before)
    assert namespace.get("jobs")["items"] == []
    created = "--field-selector=involvedObject.kind=Job,reason=SuccessfulCreate"
    made = namespace.get("events", created)
    assert len(made["items"]) == (2 if outcome == "succeeded" else 3)  # old, new, old again


def test_job_that_may_not_be_made_keeps_an_update_from_beginning(
    namespace: Namespace, sau: ClusterSau, tmp_path: Path
) -> None:
    account = roles.account(namespace, "role.yaml", tmp_path)
    before = begun(namespace, "Deployment")
    namespace.publish("1.1.0")
    check = '{match: {asset: "*/web"}, type: job, image: "smoke:1"}'
    sau.configure(f"{{timeout: 5s, stable_for: 1s, checks: [{check}]}}", kubeconfig=account)
    allow(namespace, JOB[0])
    doctor = sau("doctor")

    said = sau("apply", "--yes")

    assert doctor.code == 1
    assert "may not create jobs.batch" in doctor.out and "to run a Job as a health" in doctor.out
    assert "may not delete" not in doctor.out  # the role has it, to end runs of a CronJob
    assert (said.update["outcome"], said.update["cause"]) == ("aborted", "conflict")
    assert "cannot be made" in said.update["error"] and "forbidden" in said.update["error"]
    assert namespace.get("Deployment", "web") == before


def test_job_whose_image_is_missing_says_so(namespace: Namespace, sau: ClusterSau) -> None:
    before = begun(namespace, "Deployment")
    namespace.publish("1.1.0")
    image = f"{namespace.cluster.registry}/{namespace.name}/smoke:1"
    check = f'{{match: {{asset: "*/web"}}, type: job, image: "{image}", timeout: 60s}}'
    sau.configure(f"{{timeout: 20s, stable_for: 1s, checks: [{check}]}}")
    said = sau("apply", "--yes")
    assert said.update["outcome"] == "aborted", said
    assert "cannot begin: check: " in said.update["error"] and "not found" in said.update["error"]
    assert namespace.get("Deployment", "web") == before
    assert namespace.get("jobs")["items"] == []


def test_job_that_somebody_deletes_is_not_made_again(namespace: Namespace) -> None:
    smoke = namespace.publish("1", name="smoke").reference
    cluster = Cluster("lab", Access(namespace.cluster.kubeconfigs["admin"]))
    asset = f"kubernetes:lab/{namespace.name}/Deployment/web"
    subject = Subject(asset, "web", images={"web": "web:1"})
    ids = iter(["one", "two"])
    check = JobCheck(lambda _: cluster, smoke, ("/bin/sleep", "60"), 90, new_id=lambda: next(ids))
    began = check.check(subject)
    (job,) = namespace.get("jobs")["items"]
    # Were we to die now, the cluster would end it and take it away.
    assert job["spec"]["activeDeadlineSeconds"] == 90
    assert job["spec"]["ttlSecondsAfterFinished"] == 600
    namespace.run("delete", "job", job["metadata"]["name"])
    gone = [check.check(subject) for _ in range(2)]
    there = namespace.get("jobs")["items"]
    check.check(replace(subject, images={"web": "web:2"}))
    (job,) = namespace.get("jobs")["items"]
    namespace.run("delete", "job", job["metadata"]["name"])

    assert (began.state, "at work" in began.detail) == (CheckState.UNKNOWN, True), began
    assert all("somebody deleted it" in one.detail for one in gone), gone
    assert there == []
    assert job["metadata"]["name"] == "sau-check-two-once"
