"""A registry that lets nobody in but one user."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab_kit import eventually

USER, PASSWORD = "me", "geheim"
HTPASSWD = "me:$2b$04$bIE.a1XF0xTQDT8CYmaTEu2z64t5jnlMbgVQr61ROMDCEDR1teXrS\n"  # bcrypt of it


@contextmanager
def guarded_registry(storage: Path, folder: Path) -> Iterator[str]:
    """Where it listens; `storage` may be that of another registry."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    (folder / "htpasswd").write_text(HTPASSWD)
    config = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(storage)}},
        "auth": {"htpasswd": {"realm": "lab", "path": str(folder / "htpasswd")}},
        "http": {"addr": host},
    }
    (folder / "registry.yml").write_text(json.dumps(config))  # JSON is YAML
    with (folder / "registry.log").open("w") as log:
        command = ["docker-registry", "serve", str(folder / "registry.yml")]
        registry = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        eventually(lambda: _listens(host))
        yield host
    finally:
        registry.terminate()
        registry.wait(10)


def auths(host: str, password: str = PASSWORD) -> dict[str, object]:
    """What `docker login` would leave."""
    return {host: {"auth": base64.b64encode(f"{USER}:{password}".encode()).decode()}}


def _listens(host: str) -> bool:
    name, _, port = host.rpartition(":")
    try:
        socket.create_connection((name, int(port)), timeout=1).close()
    except OSError:
        return False
    return True
