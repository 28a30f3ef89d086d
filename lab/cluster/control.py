"""The control plane: etcd, the API server, the controllers and the scheduler."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping

from lab.cluster import programs
from lab.cluster.identities import ADDRESS, PORT, folder, kubeconfig
from lab.layout import Layout
from lab.namespace import enter, listens
from lab.processes import Daemon

_STORE = "http://127.0.0.1:2379"
_PORTS = {"kube-controller-manager": 10257, "kube-scheduler": 10259}


def daemon(layout: Layout, name: str) -> Daemon:
    """One of the cluster's processes."""
    return Daemon(name, layout.pids / f"{name}.json", layout.logs / f"{name}.log")


def start(
    layout: Layout,
    name: str,
    options: Mapping[str, object],
    ready: Callable[[int], bool],
    prefix: tuple[str, ...] = (),
) -> None:
    """Start a program of the cluster's own in the lab's namespace; fine when it runs."""
    one = daemon(layout, name)
    if one.pid() is not None:
        return
    program = programs.daemon(programs.ETCD if name == "etcd" else name)
    words = [f"--{key}={value}" for key, value in options.items()]
    one.start([*enter(layout), *prefix, program, *words], ready, 60)


def start_store(layout: Layout) -> None:
    """Start etcd. What it keeps is wiped by down, so it waits for no disk."""
    options = {
        "data-dir": layout.data / "etcd",
        "unsafe-no-fsync": "true",
        "listen-client-urls": _STORE,
        "advertise-client-urls": _STORE,
        "listen-peer-urls": "http://127.0.0.1:2380",
        "log-level": "warn",
    }
    start(layout, "etcd", options, lambda pid: listens(layout, pid, 2379))


def start_api(layout: Layout) -> None:
    """Start the API server and wait until it calls itself ready."""
    where = folder(layout)
    options = {
        "etcd-servers": _STORE,
        "secure-port": PORT,
        "advertise-address": ADDRESS,
        "tls-cert-file": where / "apiserver.crt",
        "tls-private-key-file": where / "apiserver.key",
        "token-auth-file": where / "tokens.csv",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": where / "accounts.pub",
        "service-account-signing-key-file": where / "accounts.key",
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "kubelet-preferred-address-types": "InternalIP",  # there is no DNS to know its name
        "service-cluster-ip-range": "10.96.0.0/16",
        "allow-privileged": "true",
    }
    start(
        layout,
        "kube-apiserver",
        options,
        lambda pid: listens(layout, pid, PORT) and answers(layout),
    )


def start_controllers(layout: Layout) -> None:
    """Start what turns a Deployment into pods: it may ask often, for tests wait for it."""
    where = folder(layout)
    options = _client(layout, "kube-controller-manager") | {
        "service-account-private-key-file": where / "accounts.key",
        "root-ca-file": where / "ca.crt",
        "use-service-account-credentials": "true",
    }
    _start_client(layout, "kube-controller-manager", options)


def start_scheduler(layout: Layout) -> None:
    """Start what gives pods their node."""
    _start_client(layout, "kube-scheduler", _client(layout, "kube-scheduler"))


def _client(layout: Layout, name: str) -> dict[str, object]:
    return {
        "kubeconfig": kubeconfig(layout, name),
        "leader-elect": "false",
        "kube-api-qps": 500,
        "kube-api-burst": 1000,
    }


def _start_client(layout: Layout, name: str, options: Mapping[str, object]) -> None:
    start(layout, name, options, lambda pid: listens(layout, pid, _PORTS[name]))


def kubectl(layout: Layout, *words: str) -> subprocess.CompletedProcess[str]:
    """One command of the administrator's."""
    command = [*enter(layout), programs.kubectl()]
    command += ["--kubeconfig", str(kubeconfig(layout, "admin")), "--request-timeout=5s", *words]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)


def answers(layout: Layout) -> bool:
    """Whether the API server calls itself ready."""
    return kubectl(layout, "get", "--raw", "/readyz").stdout == "ok"
