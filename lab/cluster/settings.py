"""What containerd, the kubelet and the pods' network are told."""

from __future__ import annotations

import json
from pathlib import Path

from lab.cluster import cgroups
from lab.cluster.identities import ADDRESS
from lab.layout import REGISTRY, Layout

BRIDGE = "pods"
PODS = "10.244.0.0/24"
PAUSE = f"{REGISTRY}/pause:1"
FROM_PODS = f"{ADDRESS}:{REGISTRY.rpartition(':')[2]}"
"""The same registry by a name that pods reach it by, too."""

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


def containerd(layout: Layout) -> Path:
    """The file that containerd reads."""
    return layout.data / "containerd.toml"


def kubelet(layout: Layout) -> Path:
    """The file that the kubelet reads."""
    return layout.data / "kubelet.yaml"


def write(layout: Layout) -> None:
    """Write all of it."""
    registries = layout.data / "registries"
    network = layout.data / "cni"
    told = _CONTAINERD.format(
        root=layout.data / "containerd",
        state=layout.run / "containerd",
        socket=layout.containerd_socket,
        pause=PAUSE,
        cni=network,
        registries=registries,
    )
    for file, content in (
        (containerd(layout), told),
        *((registries / one / "hosts.toml", _plain(one)) for one in (REGISTRY, FROM_PODS)),
        (network / "10-lab.conflist", json.dumps(_network(layout))),
        (kubelet(layout), json.dumps(_kubelet(layout))),  # JSON is YAML
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


def _plain(registry: str) -> str:
    return f'server = "http://{registry}"\n[host."http://{registry}"]\n'


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
