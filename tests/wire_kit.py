"""The wire's other end, for what real servers do not do on demand."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Answering = Callable[[socket.socket], None]


@contextmanager
def serving(answer: Answering, family: int = socket.AF_INET) -> Iterator[int]:
    """A server that handles each connection with `answer`; gives its port."""
    address = "::1" if family == socket.AF_INET6 else "127.0.0.1"
    server = socket.create_server((address, 0), family=family)

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                answer(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)


def answering(head: str) -> Answering:
    """The same head to everybody, and nothing more."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(f"HTTP/1.1 {head}\r\n\r\n".encode())

    return answer


def saying(status: str, body: str) -> Answering:
    """Answers every question on a connection of its own."""
    length = len(body.encode())
    return answering(f"{status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")


def silent(connection: socket.socket) -> None:
    """Never answers."""
    connection.recv(65536)
    connection.settimeout(5)
    connection.recv(1)
