"""The identities of assets: how they are written, read and matched."""

from fnmatch import fnmatchcase


def docker_id(host: str, container: str) -> str:
    """The identity of a container: `docker:<host>/<name>`. Fixed for ever."""
    return f"docker:{host}/{container}"


def kubernetes_id(cluster: str, namespace: str, kind: str, name: str) -> str:
    """The identity of a workload: `kubernetes:<cluster>/<namespace>/<Kind>/<name>`. For ever."""
    return f"kubernetes:{cluster}/{namespace}/{kind}/{name}"


def helm_id(cluster: str, namespace: str, release: str) -> str:
    """The identity of a Helm release: `helm:<cluster>/<namespace>/<release>`. For ever."""
    return f"helm:{cluster}/{namespace}/{release}"


def source_of(asset_id: str) -> str:
    """The name of the scanner that sees an asset: a release is seen with its cluster."""
    place = asset_id.partition("/")[0]
    return f"kubernetes:{place.removeprefix('helm:')}" if place.startswith("helm:") else place


def short_name(asset_id: str) -> str:
    """What a person calls an asset: the end of its identity."""
    return asset_id.rsplit("/", 1)[-1]


def matches(pattern: str, asset_id: str) -> bool:
    """Whether a pattern over the whole identity covers an asset; `*` crosses `/`.

    `docker:local/*`, `*/web` and `docker:*/db-*` are patterns.
    """
    return fnmatchcase(asset_id, pattern)
