"""Well when a Service answers with an expected status, asked through the API server.

Source: Kubernetes, "Access Services Running on Clusters"; the server answers for itself with a
`Status` object, and with plain text where it has too much to do ("API Priority and Fairness").
"""

from __future__ import annotations

from collections.abc import Callable

from safe_auto_updater.core.errors import SafeAutoUpdaterError
from safe_auto_updater.core.kept import Kept
from safe_auto_updater.core.ports import CheckResult, CheckState, Subject
from safe_auto_updater.core.probing import by_status, cannot_tell
from safe_auto_updater.platforms.kubernetes.cluster import Cluster

_UNREACHED, _NOBODY = "error trying to reach service", "connection refused"


class ServiceCheck:
    """`service` is `name:port` or `https:name:port`, in the asset's own namespace.

    A GET per look, however many pods there are. What the API server itself has to say (no such
    Service, no endpoints, not allowed, no way to the pod) is *unknown*; that nobody listens is not.
    """

    def __init__(
        self,
        cluster_of: Callable[[str], Cluster],
        service: str,
        path: str = "/",
        expect_status: tuple[int, ...] = (),
        timeout_s: float = 5.0,
        *,
        now: Callable[[], float],
    ) -> None:
        self._cluster_of = cluster_of
        self._service = service
        self._path = path
        self._expected = expect_status
        self._timeout_s = timeout_s
        self._looked = Kept(self._look, now)

    def check(self, subject: Subject) -> CheckResult:
        """One look, shared by the pods of one workload."""
        return self._looked(subject.asset)

    def _look(self, asset: str) -> CheckResult:
        if not asset.startswith("kubernetes:"):
            return cannot_tell(
                "http", "a Service is asked for workloads of a cluster only; name a url"
            )
        namespace = asset.split("/")[1]
        where = f"service {namespace}/{self._service}"
        path = f"/api/v1/namespaces/{namespace}/services/{self._service}/proxy{self._path}"
        try:
            status, own = self._cluster_of(asset).through(path, self._timeout_s)
        except SafeAutoUpdaterError as error:
            return cannot_tell("http", f"{where}: {error}")
        if own is not None and own.startswith(_UNREACHED) and _NOBODY in own:
            return CheckResult("http", CheckState.FAILING, f"{where}: {own}")
        if own is not None:
            return cannot_tell("http", f"{where}: {own}")
        return by_status("http", where, status, self._expected)
