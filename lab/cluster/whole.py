"""The whole cluster: what `lab.life` asks of whatever runs containers in a lab."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import packages, sweep
from lab.cluster import cgroups, control, identities, node, programs
from lab.commands import told
from lab.errors import LabError
from lab.layout import Layout
from lab.namespace import enter
from lab.processes import PATH, wait_until

DAEMONS = (
    "kube-proxy", "kubelet", "kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd",
    "containerd",
)  # fmt: skip
"""In the order in which they end: an API server without its etcd would wait for it."""

_STEPS = (
    (node.start_containerd, control.start_store),
    (control.start_api,),
    (control.start_controllers, control.start_scheduler, node.start_kubelet, node.start_proxy),
)
"""What starts side by side, and what after what."""


def build(_: Layout) -> None:
    """Have all of it on the machine and in the cache."""
    packages.install_missing(packages.CLUSTER)
    programs.build()


def parts(layout: Layout) -> dict[str, bool]:
    """Which of its parts live."""
    alive = {name: control.daemon(layout, name).pid() is not None for name in DAEMONS[::-1]}
    return alive | {"node": all(alive.values()) and _ready(layout)}


def start(layout: Layout, timeout_s: float = 60) -> None:
    """Start what does not run and wait until the node is ready."""
    if not identities.folder(layout).exists():
        identities.make(layout)
        node.prepare(layout)
        _publish_pause(layout)
    with ThreadPoolExecutor() as pool:
        for beside in _STEPS:
            list(pool.map(lambda begin: begin(layout), beside))
    if not wait_until(lambda: _ready(layout), timeout_s):
        said = control.kubectl(layout, "describe", "node", identities.NODE)
        raise LabError(
            f"the node is not ready after {timeout_s} s; {layout.logs}/kubelet.log may tell why:\n"
            f"{said.stdout or said.stderr}"
        )


def _publish_pause(layout: Layout) -> None:
    clone = {"PYTHONPATH": str(layout.clone)}
    told([*enter(layout), sys.executable, "-m", "lab.cluster.pause"], env=os.environ | clone)


def _ready(layout: Layout) -> bool:
    path = '-o=jsonpath={.status.conditions[?(@.type=="Ready")].status}'
    return control.kubectl(layout, "get", "node", identities.NODE, path).stdout == "True"


def kill(layout: Layout) -> None:
    """SIGKILL to all of Kubernetes: what it knew is in etcd, and the pods run on.

    Its clients too: they would look for the API server more and more seldom, up to minutes.
    """
    for name in DAEMONS:
        if name not in ("etcd", "containerd"):
            control.daemon(layout, name).stop(signal.SIGKILL, 10)


def stop(layout: Layout) -> None:
    """End it. All it knows is wiped, so nobody is asked to end in good order."""
    for name in DAEMONS:
        control.daemon(layout, name).stop(signal.SIGKILL, 10)
    sweep.kill_shims(layout)
    cgroups.remove(layout)


def described(layout: Layout) -> dict[str, object]:
    """What tests must know of it."""
    users = ("admin", *identities.TESTED)
    return {
        "kubeconfig": str(identities.kubeconfig(layout, "admin")),
        "kubeconfigs": {user: str(identities.kubeconfig(layout, user)) for user in users},
        "node": identities.NODE,
        "kubernetes": programs.version(),
        "kubectl": programs.kubectl(),
        "helm": programs.helm(),
        "helm_3": programs.helm_3(),
    }


def inside(layout: Layout) -> dict[str, str]:
    """The environment of a command in this lab."""
    folder = Path(programs.kubectl()).parent
    path = f"{folder}:{os.environ.get('PATH', PATH)}"
    return {"KUBECONFIG": str(identities.kubeconfig(layout, "admin")), "PATH": path}
