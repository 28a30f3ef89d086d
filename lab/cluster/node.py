"""The node: containerd, kubelet and kube-proxy, with mounts of their own.

Kubernetes has fixed folders (/var/lib/kubelet, /run/netns) and sets the kernel for itself. In
a mount namespace these folders are the lab's, the kernel's settings look as they should, and
all mounts of all pods end with the last process: nothing of it reaches the machine.
"""

from __future__ import annotations

import json
from pathlib import Path

from lab.cluster import cgroups
from lab.cluster.control import daemon, start
from lab.cluster.identities import ADDRESS, NODE, kubeconfig
from lab.commands import told
from lab.layout import REGISTRY, Layout
from lab.namespace import enter, listens

BRIDGE = "pods"
PODS = "10.244.0.0/24"
PAUSE = f"{REGISTRY}/pause:1"

_CONTAINERD = """\
version = 2
root = "{root}"
state = "{state}"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"]
[grpc]
address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
restrict_oom_score_adj = true  # without the capability SYS_RESOURCE no pod would start
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{cni}"
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{registries}"
"""

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
        ("link", "add", BRIDGE, "type", "bridge"),
        ("address", "add", f"{ADDRESS}/24", "dev", BRIDGE),
        ("link", "set", BRIDGE, "up"),
    ):
        told(["ip", "-n", layout.name, *words])
    told([*enter(layout), "sysctl", "-qw", "net.ipv4.ip_forward=1"])
    cgroups.create(layout)
    layout.run.mkdir(mode=0o711, exist_ok=True)
    registry = layout.data / "registries" / REGISTRY / "hosts.toml"
    network = layout.data / "cni" / "10-lab.conflist"
    for file, content in (
        (registry, f'server = "http://{REGISTRY}"\n[host."http://{REGISTRY}"]\n'),
        (network, json.dumps(_network(layout))),
        (_kubelet_file(layout), json.dumps(_kubelet(layout))),  # JSON is YAML
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


def _network(layout: Layout) -> dict[str, object]:
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": PODS}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(layout.data / "addresses"),
    }
    bridge = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,  # a pod may reach itself by its Service
        "ipam": addresses,
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "lab", "plugins": [bridge, ports]}


def _kubelet_file(layout: Layout) -> Path:
    return layout.data / "kubelet.yaml"


def _kubelet(layout: Layout) -> dict[str, object]:
    kept = ("imagefs.available", "imagefs.inodesFree", "nodefs.available", "nodefs.inodesFree")
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{layout.containerd_socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroups.root(layout),
        # Nobody else is in the namespace that it listens in.
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "resolvConf": "",
        "clusterDNS": ["10.96.0.10"],  # nobody answers there; without one, each pod is warned of
        # The machine's disk and memory are not this node's to guard.
        "evictionHard": dict.fromkeys((*kept, "memory.available"), "0%"),
        "imageGCHighThresholdPercent": 100,
        "localStorageCapacityIsolation": False,
        "serializeImagePulls": False,
        "registryPullQPS": 0,
        "eventRecordQPS": 0,
    }


def start_containerd(layout: Layout) -> None:
    """Start containerd, which holds the mounts."""
    if daemon(layout, "containerd").pid() is not None:
        return
    config = layout.data / "containerd.toml"
    config.write_text(
        _CONTAINERD.format(
            root=layout.data / "containerd",
            state=layout.run / "containerd",
            socket=layout.containerd_socket,
            pause=PAUSE,
            cni=layout.data / "cni",
            registries=layout.data / "registries",
        )
    )
    own = layout.data / "node"
    command = [*enter(layout), "unshare", "--mount", "sh", "-euc", _MOUNTS, str(own)]
    command += ["containerd", "--config", str(config), "--log-level", "warn"]
    daemon(layout, "containerd").start(command, lambda _: layout.containerd_socket.exists(), 20)


def start_kubelet(layout: Layout) -> None:
    """Start the kubelet beside containerd."""
    options = {
        "kubeconfig": kubeconfig(layout, "kubelet"),
        "config": _kubelet_file(layout),
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
        "cluster-cidr": PODS,
        "conntrack-max-per-core": 0,
        "oom-score-adj": 0,
    }
    start(layout, "kube-proxy", options, lambda pid: listens(layout, pid, 10256))


def _beside_containerd(layout: Layout) -> tuple[str, ...]:
    return ("nsenter", f"--mount=/proc/{daemon(layout, 'containerd').pid()}/ns/mnt")
