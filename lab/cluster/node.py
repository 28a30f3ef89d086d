"""The node: containerd, kubelet and kube-proxy, with mounts of their own.

Kubernetes has fixed folders (/var/lib/kubelet, /run/netns) and sets the kernel for itself. In
a mount namespace these folders are the lab's, the kernel's settings look as they should, and
all mounts of all pods end with the last process: nothing of it reaches the machine.
"""

from __future__ import annotations

from lab.cluster import cgroups, settings
from lab.cluster.control import daemon, start
from lab.cluster.identities import ADDRESS, NODE, kubeconfig
from lab.commands import told
from lab.layout import Layout
from lab.namespace import enter, listens

_MOUNTS = """
mount --make-rshared /  # as on a host of systemd's: pods may ask for it
for path in /run/containerd /run/netns /var/lib/cni /var/lib/kubelet /var/log/containers \
    /var/log/pods; do
  mkdir -p "$0$path" "$path"
  mount --bind "$0$path" "$path"
done
mkdir -p "$0/kernel"
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
    kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  path=${setting%=*} file="$0/kernel/$(basename "${setting%=*}")"
  echo "${setting#*=}" > "$file"
  mount --bind "$file" "/proc/sys/$path"
done
exec "$@"
"""


def prepare(layout: Layout) -> None:
    """The bridge, the cgroup and the files that the daemons read."""
    for words in (
        ("link", "add", settings.BRIDGE, "type", "bridge"),
        ("address", "add", f"{ADDRESS}/24", "dev", settings.BRIDGE),
        ("link", "set", settings.BRIDGE, "up"),
    ):
        told(["ip", "-n", layout.name, *words])
    told([*enter(layout), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])
    cgroups.create(layout)
    layout.run.mkdir(mode=0o711, exist_ok=True)
    settings.write(layout)


def start_containerd(layout: Layout) -> None:
    """Start containerd, which holds the mounts."""
    if daemon(layout, "containerd").pid() is not None:
        return
    own = layout.data / "node"
    command = [*enter(layout), "unshare", "--mount", "sh", "-euc", _MOUNTS, str(own)]
    command += ["containerd", "--config", str(settings.containerd(layout)), "--log-level", "warn"]
    daemon(layout, "containerd").start(command, lambda _: layout.containerd_socket.exists(), 20)


def start_kubelet(layout: Layout) -> None:
    """Start the kubelet beside containerd."""
    options = {
        "kubeconfig": kubeconfig(layout, "kubelet"),
        "config": settings.kubelet(layout),
        "hostname-override": NODE,
        "node-ip": ADDRESS,
    }
    start(
        layout,
        "kubelet",
        options,
        lambda pid: listens(layout, pid, 10248),
        _beside_containerd(layout),
    )


def start_proxy(layout: Layout) -> None:
    """Start what makes Services answer. The limits of the machine's connections stay."""
    options = {
        "kubeconfig": kubeconfig(layout, "kube-proxy"),
        "hostname-override": NODE,
        "cluster-cidr": settings.PODS,
        "conntrack-max-per-core": 0,
        "oom-score-adj": 0,
    }
    start(layout, "kube-proxy", options, lambda pid: listens(layout, pid, 10256))


def _beside_containerd(layout: Layout) -> tuple[str, ...]:
    return ("nsenter", f"--mount=/proc/{daemon(layout, 'containerd').pid()}/ns/mnt")
