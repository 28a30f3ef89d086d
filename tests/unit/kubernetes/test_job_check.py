"""The Job of a check: one for each side, found again where an answer was lost."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from safe_auto_updater.core.errors import NotFound, PlatformError, PlatformUnreachable
from safe_auto_updater.core.ports import CheckState, Subject
from safe_auto_updater.platforms.kubernetes import jobs
from safe_auto_updater.platforms.kubernetes.cluster import Cluster, Refused
from safe_auto_updater.platforms.kubernetes.job_check import JobCheck

ASSET = "kubernetes:lab/shop/Deployment/web"
DONE = {"conditions": [{"type": "Complete", "status": "True"}]}


@dataclass
class Server:
    """Jobs by their path. The first creates raise `refusals`; `late`: and are carried out."""

    refusals: list[PlatformError | PlatformUnreachable] = field(default_factory=list)
    late: bool = False
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    blind: int = 0  # looks that do not see what is there yet
    made: list[str] = field(default_factory=list)
    pods: list[dict[str, Any]] = field(default_factory=list)

    def listed(self, path: str, **params: Any) -> list[dict[str, Any]]:
        return self.pods

    def find(self, path: str) -> dict[str, Any] | None:
        self.blind -= 1
        return None if self.blind >= 0 else self.jobs.get(path)

    def get(self, path: str) -> dict[str, Any]:
        if path not in self.jobs:
            raise NotFound("not found")
        return self.jobs[path]

    def create(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        refusal = self.refusals.pop(0) if self.refusals else None
        if refusal is not None and not self.late:
            raise refusal
        at = f"{path}/{body['metadata']['name']}"
        if at in self.jobs:
            raise Refused("it already exists", 409, "AlreadyExists")
        self.made.append(at)
        self.jobs[at] = {**body, "metadata": {**body["metadata"], "uid": f"uid of {at}"}}
        if refusal is not None:
            raise refusal
        return self.jobs[at]

    def delete(self, path: str, uid: str, *, and_dependents: bool) -> None:
        assert and_dependents and self.jobs.pop(path)["metadata"]["uid"] == uid

    def end(self) -> None:
        for job in self.jobs.values():
            job["status"] = DONE


def checking(server: Server, *command: str) -> JobCheck:
    ids = (str(number) for number in range(99))
    cluster = cast(Cluster, server)
    return JobCheck(lambda _: cluster, "smoke:1", command, 60, new_id=lambda: next(ids))


def pod(*containers: str, side: str = "web:1") -> Subject:
    spec = {"containers": [{"name": image.split(":")[0], "image": image} for image in containers]}
    return Subject(ASSET, "web", ("10.0.0.1",), {"spec": spec}, {"web": side})


def test_pods_of_one_side_share_a_job_whatever_was_put_beside_them() -> None:
    server = Server()
    check = checking(server)
    for _ in range(2):
        for one in (pod("web:1", "proxy:1"), pod("web:1", "proxy:2")):
            check.check(one)
    assert len(server.made) == 1
    check.check(pod("web:2", "proxy:2", side="web:2"))
    assert len(server.made) == 2 and len(server.jobs) == 1, "that of the other side is deleted"


WORDS = ("--url", "http://{address}:8080/", "--host={address}")


@pytest.mark.parametrize(
    ("addresses", "filled"),
    [
        (("10.0.0.1", "fd00::1"), ["--url", "http://10.0.0.1:8080/", "--host=10.0.0.1"]),
        (("fd00::1",), ["--url", "http://[fd00::1]:8080/", "--host=fd00::1"]),
        ((), None),
    ],
)
def test_command_has_the_address_of_a_pod(
    addresses: tuple[str, ...], filled: list[str] | None
) -> None:
    server = Server()
    result = checking(server, *WORDS).check(replace(pod(), addresses=addresses))
    commands = [
        job["spec"]["template"]["spec"]["containers"][0]["command"] for job in server.jobs.values()
    ]
    assert commands == ([filled] if filled else [])
    assert ("no address" in result.detail) == (filled is None)


LOST = PlatformUnreachable("no answer")


@pytest.mark.parametrize("blind", [1, 2])
def test_job_whose_answer_was_lost_is_found_again(blind: int) -> None:
    server = Server([LOST], late=True, blind=blind)
    check = checking(server)
    first = check.check(pod())
    second = check.check(pod())
    server.end()
    third = check.check(pod())
    assert first.state is second.state is CheckState.UNKNOWN
    assert "at work" in second.detail
    assert third.state is CheckState.PASSED, third
    assert len(server.made) == 1 and server.jobs == {}


def test_job_whose_answer_was_lost_is_deleted_where_the_side_changes() -> None:
    server = Server([LOST], late=True)
    check = checking(server)
    check.check(pod())
    check.check(replace(pod(), images={"web": "web:2"}))
    assert len(server.made) == 2 and list(server.jobs) == server.made[1:]


# what the server says to the first try, and whether there is a second
REFUSED = [
    (Refused('User "sau" cannot create resource "jobs"', 403, "Forbidden"), False),
    (Refused("spec.template: Invalid value", 422, "Invalid"), False),
    (Refused("is forbidden: exceeded quota: jobs", 403, "Forbidden"), True),
    (Refused('admission webhook "w" denied the request: later', 403, "Forbidden"), True),
    (Refused('admission webhook "w" denied the request: later', 400, ""), True),
    (Refused("object is being deleted", 409, "AlreadyExists"), True),
    (NotFound("namespace not found"), True),
    (LOST, True),
]


@pytest.mark.parametrize(("refusal", "again"), REFUSED)
def test_only_what_cannot_change_is_final(
    refusal: PlatformError | PlatformUnreachable, again: bool
) -> None:
    server = Server([refusal])
    check = checking(server)
    first = check.check(pod())
    check.check(pod())
    assert first.state is CheckState.UNKNOWN
    assert len(server.made) == (1 if again else 0)


def ended_pod(code: int, **meta: Any) -> dict[str, Any]:
    status = {"name": jobs.CONTAINER, "state": {"terminated": {"exitCode": code}}}
    return {"metadata": {"name": "p", **meta}, "status": {"containerStatuses": [status]}}


EVICTED = ended_pod(137)
EVICTED["status"]["conditions"] = [{"type": "DisruptionTarget", "status": "True"}]


def waiting_pod(reason: str, message: str) -> dict[str, Any]:
    waits = {"waiting": {"reason": reason, "message": message}}
    status = {"name": jobs.CONTAINER, "state": waits}
    return {"metadata": {"name": "p"}, "status": {"containerStatuses": [status]}}


def test_job_that_can_never_begin_is_deleted_and_one_that_may_yet_is_waited_for() -> None:
    server = Server(pods=[waiting_pod("ImagePullBackOff", "connection refused")])
    check = checking(server)
    waits = [check.check(pod()) for _ in range(2)]
    assert waits[-1].detail.endswith("is at work: check: ImagePullBackOff: connection refused"), (
        waits
    )
    server.pods = []
    (job,) = server.jobs.values()
    job["status"] = {
        "conditions": [{"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}]
    }
    assert "did not end within 60 s: check: ImagePullBackOff" in check.check(pod()).detail

    server = Server(pods=[waiting_pod("ErrImagePull", "not found")])
    check = checking(server)
    never = [check.check(pod()) for _ in range(2)][-1]
    assert never.state is CheckState.UNKNOWN
    assert never.detail.endswith("cannot begin: check: ErrImagePull: not found"), never
    assert not server.jobs and len(server.made) == 1


@pytest.mark.parametrize(
    ("pods", "code"),
    [
        ([ended_pod(3)], 3),
        ([], None),
        ([ended_pod(143, deletionTimestamp="now")], None),
        ([EVICTED], None),
        ([EVICTED, ended_pod(1)], 1),
    ],
)
def test_only_a_program_that_ended_by_itself_has_failed(
    pods: list[dict[str, Any]], code: int | None
) -> None:
    assert jobs.exit_code(pods) == code
