"""What a service makes of its image, in the form in which a container's settings are compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safe_auto_updater.platforms.docker.swarm.view import container_spec

Json = Mapping[str, Any]
_SET = {  # a container's words, and a service's
    "Env": "Env",
    "Entrypoint": "Command",
    "Cmd": "Args",
    "User": "User",
    "WorkingDir": "Dir",
    "StopSignal": "StopSignal",
    "Healthcheck": "Healthcheck",
}


def user_settings(spec: Json) -> dict[str, Any]:
    """What the service sets over its image, under the names of a container's configuration."""
    own = container_spec(spec)
    return {name: own[word] for name, word in _SET.items() if own.get(word)}


def as_container(spec: Json) -> dict[str, Any]:
    """The service's mounts and ports as a container's inspect JSON has them."""
    ports = (spec.get("EndpointSpec") or {}).get("Ports") or ()
    mounts = container_spec(spec).get("Mounts") or ()
    return {
        "Mounts": [
            {
                "Type": mount.get("Type", ""),
                "Source": mount.get("Source", ""),
                "Name": mount.get("Source", ""),
                "Destination": mount["Target"],
                "RW": not mount.get("ReadOnly", False),
            }
            for mount in mounts
        ],
        "HostConfig": {
            "PortBindings": {
                f"{port['TargetPort']}/{port.get('Protocol', 'tcp')}": [{}] for port in ports
            }
        },
    }
