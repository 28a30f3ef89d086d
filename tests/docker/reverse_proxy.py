"""A reverse proxy as it stands in front of containers: every request goes to who has the name now.

Run inside the network namespace of a container: `reverse_proxy.py NAME PORT`. It asks the engine's
name server for each request, tries the addresses in turn, and says 502 where none answers.
"""

from __future__ import annotations

import http.client
import http.server
import random
import socket
import struct
import sys


def addresses(name: str) -> list[str]:
    """Who has the name now, by the engine's own name server."""
    question = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    packet = struct.pack(">HHHHHH", random.getrandbits(16), 0x0100, 1, 0, 0, 0)
    packet += question + b"\0\0\1\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(2)
        asking.sendto(packet, ("127.0.0.11", 53))
        answer = asking.recv(4096)
    found = []
    rest = answer[len(packet) :]
    while rest:  # each answer: the name or a pointer to it, A, IN, time to live, 4 bytes
        rest = rest[2:] if rest[0] & 0xC0 else rest[rest.index(0) + 1 :]
        found.append(socket.inet_ntoa(rest[10:14]))
        rest = rest[14:]
    return found


class Proxy(http.server.BaseHTTPRequestHandler):
    """Passes a GET on."""

    def do_GET(self) -> None:
        """Try everybody who has the name."""
        for address in addresses(sys.argv[1]):
            try:
                to = http.client.HTTPConnection(address, 8080, timeout=2)
                to.request("GET", "/")
                answer = to.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException):
                continue
            self.send_response(answer.status)
            self.end_headers()
            self.wfile.write(body)
            return
        self.send_error(502)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[2])), Proxy).serve_forever()
