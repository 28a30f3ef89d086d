"""What the program may do on a cluster, asked of the cluster itself, and the rule that is missing.

Source: authorization.k8s.io/v1, SelfSubjectAccessReview.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from safe_auto_updater.platforms.kubernetes.cluster import Cluster
from safe_auto_updater.platforms.kubernetes.helm.owners import Declaring
from safe_auto_updater.platforms.kubernetes.kinds import KINDS

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True)
class Need:
    """One thing that is asked or done, and what for. All else works without an optional one."""

    verb: str
    group: str
    resource: str
    what_for: str
    subresource: str = ""
    optional: bool = False

    @property
    def only_looks(self) -> bool:
        """Whether nothing changes by it."""
        return self.verb in ("get", "list", "watch")

    @property
    def rule(self) -> str:
        """The rule that a Role needs for it."""
        resource = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        return f'{{apiGroups: ["{self.group}"], resources: [{resource}], verbs: [{self.verb}]}}'


def _needs() -> Iterator[Need]:
    for kind in KINDS.values():
        group = kind.group.partition("/")[0]
        yield Need("list", group, kind.plural, "to see them")
        yield Need("get", group, kind.plural, "to compare, and to watch an update")
        yield Need("patch", group, kind.plural, "to update them")
    yield Need("list", "", "pods", "to see what runs")
    yield Need("list", "batch", "jobs", "to watch the next run of a CronJob", optional=True)
    what_for = "to end the run of a CronJob whose version was taken back"
    yield Need("delete", "batch", "jobs", what_for, optional=True)
    yield Need("get", "", "pods", "to tell why an update failed", "log")
    yield Need("delete", "", "pods", "to free a StatefulSet on the way back")
    yield Need("create", "", "events", "to write Events on workloads", optional=True)
    yield Need("list", "", "events", "to tell why a pod cannot be made", optional=True)


NEEDS = tuple(_needs())


def helm(*, wanted: bool | None, served: Iterable[Declaring]) -> tuple[Need, ...]:
    """What seeing releases takes: all of it where they are asked for, else as far as it goes."""
    if wanted is False:
        return ()
    kept = {"secrets": "to see Helm releases", "configmaps": "to see releases kept in ConfigMaps"}
    reading = [
        Need(verb, "", resource, what_for, optional=not wanted)
        for resource, what_for in kept.items()
        for verb in ("list", "get")
    ]
    what_for = "to know which releases others upgrade"
    asking = [Need("list", one.group, one.plural, what_for, optional=True) for one in served]
    return (*reading, *asking)


def watching(*, releases: bool | None) -> tuple[Need, ...]:
    """What hearing of changes takes: of workloads, and of releases as far as `helm` has them."""
    what_for = "to hear of changes"
    kinds = [
        Need("watch", kind.group.partition("/")[0], kind.plural, what_for)
        for kind in KINDS.values()
    ]
    if releases is False:
        return tuple(kinds)
    stores = ("secrets", "configmaps")
    return (*kinds, *(Need("watch", "", one, what_for, optional=not releases) for one in stores))


SERVICE = Need("get", "", "services", "to ask a Service in a health check", "proxy")
JOB = tuple(
    Need(verb, "batch", "jobs", "to run a Job as a health check")
    for verb in ("get", "create", "delete")
)
PULL_SECRETS = tuple(
    Need("get", "", resource, "to look up images as their nodes do")
    for resource in ("secrets", "serviceaccounts")
)


def missing(
    cluster: Cluster, namespaces: Sequence[str], needs: Sequence[Need]
) -> list[tuple[Need, str]]:
    """Everything that may not be done, with what it is for and the rule that allows it."""
    return [
        (need, lacking(need, namespace))
        for namespace in namespaces or ("",)
        for need in needs
        if not _allowed(cluster, need, namespace)
    ]


def lacking(need: Need, namespace: str) -> str:
    """That it may not be done (empty: in all namespaces), and the rule that allows it."""
    return (
        f"may not {need.verb} {_named(need)}{_where(namespace)}, {need.what_for}"
        f"{' (optional)' if need.optional else ''}: add {need.rule} "
        f"to its {'Role' if namespace else 'ClusterRole'}"
    )


def _allowed(cluster: Cluster, need: Need, namespace: str) -> bool:
    attributes = {
        "verb": need.verb,
        "group": need.group,
        "resource": need.resource,
        "subresource": need.subresource,
        "namespace": namespace,
    }
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
    }
    return bool(cluster.create(_REVIEWS, body)["status"].get("allowed"))


def _named(need: Need) -> str:
    group = f".{need.group}" if need.group else ""
    return f"{need.resource}{group}" + (f"/{need.subresource}" if need.subresource else "")


def _where(namespace: str) -> str:
    return f" in namespace {namespace}" if namespace else " in all namespaces"
