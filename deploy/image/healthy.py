"""Whether the service in this container is well: asks /healthz where the service listens.

It runs twice a minute for as long as the container lives, and so imports next to nothing.
"""

import os
import socket
import sys

host, _, port = os.environ.get("SAFE_AUTO_UPDATER_LISTEN", "").rpartition(":")
host = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host.strip("[]"))
try:
    with socket.create_connection((host, int(port)), 4) as connection:
        connection.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
except (OSError, ValueError) as error:
    sys.exit(f"no service answers at {host}:{port} (SAFE_AUTO_UPDATER_LISTEN): {error}")
head, _, said = answer.partition(b"\r\n\r\n")
print(said.decode(errors="replace").strip())
sys.exit(0 if head.split(b" ", 2)[1:2] == [b"200"] else 1)
