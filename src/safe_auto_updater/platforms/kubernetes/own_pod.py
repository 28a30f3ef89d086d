"""The pod that this program itself runs in: what replaces it would stop the program half way."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safe_auto_updater.core.model import Obstacle

_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
ITSELF = Obstacle(
    "self",
    "the program itself runs in a pod of it, and would be stopped in the middle: update it from "
    "outside",
)


@dataclass(frozen=True)
class OwnPod:
    """By its name: what its manifest says it is, else its host name, which is the node's name in
    the node's network. `namespace` is None where nothing tells it.
    """

    name: str
    namespace: str | None = None

    @classmethod
    def found(cls, environ: Mapping[str, str], namespace: Path = _NAMESPACE) -> OwnPod | None:
        """None where the program runs in no pod."""
        if "KUBERNETES_SERVICE_HOST" not in environ:
            return None
        try:
            within = namespace.read_text().strip()
        except OSError:  # it has no account mounted
            within = None
        return cls(environ.get("SAFE_AUTO_UPDATER_POD") or socket.gethostname(), within)

    def is_it(self, pod: Mapping[str, Any]) -> bool:
        """Whether it is this one."""
        meta = pod["metadata"]
        return meta["name"] == self.name and self.namespace in (None, meta["namespace"])
