"""Well when a Job, made once for what runs now, does its work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from safe_auto_updater.core.errors import PlatformError, PlatformUnreachable, SafeAutoUpdaterError
from safe_auto_updater.core.ports import CheckResult, CheckState, Subject
from safe_auto_updater.core.probing import cannot_tell, fill, no_address
from safe_auto_updater.platforms.kubernetes import jobs
from safe_auto_updater.platforms.kubernetes.cluster import Cluster, Json, Refused
from safe_auto_updater.platforms.kubernetes.pods import Trouble
from safe_auto_updater.platforms.kubernetes.runs import worst
from safe_auto_updater.platforms.kubernetes.workloads import Workloads

_FINAL = ("Forbidden", "Invalid")
_PASSING = ("exceeded quota", "admission webhook")  # they say Forbidden, too


@dataclass
class _Run:
    """One Job, and what runs while it looks."""

    side: Mapping[str, str]
    namespace: str
    id: str
    uid: str | None = None  # None: nobody knows whether it was made
    verdict: CheckResult | None = None
    ailing: Trouble | None = None  # what was last wrong with its pod

    @property
    def name(self) -> str:
        return jobs.name_of(self.id)

    @property
    def illness(self) -> str:
        """What was last wrong, to be added to a fact."""
        return "" if self.ailing is None else f": {self.ailing.fact}"


class JobCheck:
    """In the asset's namespace, with the image and command that are configured.

    One Job for all pods of a side: the images that are judged tell the sides apart. `{address}` in
    the command is the address of one of them. Its failure is final. That it could not be made, did
    not end in time or was deleted is *unknown*.
    """

    def __init__(
        self,
        cluster_of: Callable[[str], Cluster],
        image: str,
        command: Sequence[str],
        timeout_s: float,
        *,
        new_id: Callable[[], str],
    ) -> None:
        self._cluster_of = cluster_of
        self._image = image
        self._command = tuple(command)
        self._timeout_s = timeout_s
        self._new_id = new_id
        self._runs: dict[str, _Run] = {}

    def check(self, subject: Subject) -> CheckResult:
        """One look at the Job, which the first look makes."""
        asset = subject.asset
        if not asset.startswith("kubernetes:"):
            return cannot_tell("job", "a Job is run for workloads of a cluster only")
        try:
            filled = [fill(word, subject, in_url="://" in word) for word in self._command]
            command = [word for word in filled if word is not None]
            if command != filled:
                return no_address("job", subject)
            cluster = self._cluster_of(asset)
            run = self._run(cluster, asset, subject.images)
            if run.verdict is None:
                run.verdict = self._judged(cluster, asset, command, run)
        except SafeAutoUpdaterError as error:  # no answer: looked for again
            return cannot_tell("job", str(error))
        waiting = cannot_tell("job", f"job {run.namespace}/{run.name} is at work{run.illness}")
        return run.verdict or waiting

    def _run(self, cluster: Cluster, asset: str, side: Mapping[str, str]) -> _Run:
        run = self._runs.get(asset)
        if run is None or run.side != side:
            if run is not None and run.verdict is None:
                _left_over(cluster, run)
            run = _Run(side, asset.split("/")[1], self._new_id())
            self._runs[asset] = run
        return run

    def _judged(
        self, cluster: Cluster, asset: str, command: Sequence[str], run: _Run
    ) -> CheckResult | None:
        where = f"job {run.namespace}/{run.name}"
        job = cluster.find(jobs.path(run.namespace, run.name))
        if job is None and run.uid is not None:
            return cannot_tell("job", f"{where} is gone: somebody deleted it")
        if job is None:
            try:
                job = self._made(cluster, asset, command, run)
            except PlatformError as error:
                fact = f"{where} cannot be made: {error}"
                if _is_final(error):
                    return cannot_tell("job", fact)
                raise PlatformError(fact) from error  # tried again at the next look
        run.uid = job["metadata"]["uid"]
        found = jobs.ended(job)
        if found is None:
            return self._unfinished(cluster, where, run)
        done, reason = found
        pods = [] if done else _pods(cluster, run)
        lines = [line for pod in pods for line in _log(cluster, pod)][-3:]
        left = _left_over(cluster, run)
        if done:
            return CheckResult("job", CheckState.PASSED, f"{where} did its work{left}")
        if reason == "DeadlineExceeded":
            fact = f"{where} did not end within {self._timeout_s:g} s{run.illness}"
            return cannot_tell("job", f"{fact}{_told(lines)}{left}")
        code = jobs.exit_code(pods)
        if code is None:
            return cannot_tell("job", f"{where} did not end by itself: its pod was removed{left}")
        fact = f"{where} failed with exit code {code}{_told(lines)}{left}"
        return CheckResult("job", CheckState.FAILED, fact)

    def _unfinished(self, cluster: Cluster, where: str, run: _Run) -> CheckResult | None:
        """None while it may still come to its end; what keeps it is remembered, for pods go."""
        run.ailing = worst(_pods(cluster, run)) or run.ailing
        if run.ailing is None or run.ailing.state is not CheckState.FAILED:
            return None
        left = _left_over(cluster, run)
        return cannot_tell("job", f"{where} cannot begin{run.illness}{left}")

    def _made(self, cluster: Cluster, asset: str, command: Sequence[str], run: _Run) -> Json:
        """The Job, made now or by an earlier try whose answer was lost."""
        body = jobs.manifest(run.id, asset, self._image, command, self._timeout_s)
        try:
            return cluster.create(jobs.path(run.namespace), body)
        except Refused as error:
            if error.reason != "AlreadyExists":
                raise
        found: Json = cluster.get(jobs.path(run.namespace, run.name))
        return found


def _is_final(error: PlatformError) -> bool:
    """Whether asking again makes no sense; what is used up or told by others passes."""
    if not isinstance(error, Refused) or error.reason not in _FINAL:
        return False
    return not any(words in str(error) for words in _PASSING)


def _pods(cluster: Cluster, run: _Run) -> list[Json]:
    asked = {"labelSelector": f"{jobs.RUN}={run.id}"}
    return list(cluster.listed(f"/api/v1/namespaces/{run.namespace}/pods", **asked))


def _log(cluster: Cluster, pod: Json) -> list[str]:
    """What it said last."""
    return Workloads(cluster).log(pod, (jobs.CONTAINER,))


def _told(lines: Sequence[str]) -> str:
    return f": {' / '.join(lines)}" if lines else ""


def _left_over(cluster: Cluster, run: _Run) -> str:
    """Delete it with its pods; what is to be said where that cannot be."""
    try:
        if run.uid is None:
            job = cluster.find(jobs.path(run.namespace, run.name))
            if job is None:
                return ""
            run.uid = job["metadata"]["uid"]
        cluster.delete(jobs.path(run.namespace, run.name), run.uid, and_dependents=True)
    except (PlatformError, PlatformUnreachable) as error:
        return f" (left over for {jobs.KEPT_S} s: {error})"
    return ""
