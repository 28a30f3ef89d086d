"""The service's own pages for those who watch it: /metrics, /healthz and /readyz.

One thread serves all connections, so that a thousand of them cost no thousand threads. Whoever is
slow loses: a connection has a few seconds in all, and where there are too many the oldest goes. A
request that comes whole is answered in the turn in which it comes.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from safe_auto_updater.metrics.address import listening
from safe_auto_updater.metrics.pages import LONGEST_REQUEST, Page, Pages, answer, said

AT_ONCE = 128
_DEADLINE_S = 5.0
_REST_S = 0.1  # where the process has no file descriptor left for a connection
_METRICS = "text/plain; version=0.0.4; charset=utf-8"

Trouble = Callable[[], str | None]


@dataclass
class _Client:
    """One connection. `to_send` is None until its request is whole."""

    sock: socket.socket
    until: float
    received: bytes = b""
    to_send: memoryview | None = None


class Server:
    """Listens from when it is made until it is closed.

    `address` is `host:port`, an IPv6 address in brackets; port 0 takes a free one. `metrics` gives
    the text of all metrics; `alive` and `ready` None, or why not. They are asked in the server's
    thread, one after the other, and must not take long. Raises CannotListen.
    """

    def __init__(
        self, address: str, metrics: Callable[[], bytes], alive: Trouble, ready: Trouble
    ) -> None:
        self._pages: Pages = {
            "/metrics": lambda: Page(HTTPStatus.OK, metrics(), _METRICS),
            "/healthz": lambda: _verdict(alive()),
            "/readyz": lambda: _verdict(ready()),
        }
        self._listener = listening(address)
        self.port: int = self._listener.getsockname()[1]
        self._clients: dict[socket.socket, _Client] = {}  # the oldest first
        self._wake, self._woken = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hang up on everybody and give the port back. Also a second time."""
        with suppress(OSError):
            self._wake.send(b"!")
        self._thread.join()
        self._wake.close()

    def _serve(self) -> None:
        while True:
            ready = self._selector.select(self._patience())
            if any(key.fileobj is self._woken for key, _ in ready):
                break
            for key, _ in ready:
                if isinstance(key.data, _Client):
                    self._go_on(key.data)
            if any(key.fileobj is self._listener for key, _ in ready):
                self._accept()  # last: nobody who has spoken goes for one who is new
            now = time.monotonic()
            for client in [one for one in self._clients.values() if one.until <= now]:
                self._hang_up(client)
        for client in list(self._clients.values()):
            self._hang_up(client)
        for each in (self._selector, self._listener, self._woken):
            each.close()

    def _patience(self) -> float | None:
        """How long there is nothing to do if nobody says anything."""
        oldest = next(iter(self._clients.values()), None)
        return None if oldest is None else max(0.0, oldest.until - time.monotonic())

    def _accept(self) -> None:
        if len(self._clients) >= AT_ONCE:
            self._hang_up(next(iter(self._clients.values())))
        try:
            sock, _ = self._listener.accept()
        except (BlockingIOError, ConnectionError):  # it has left again
            return
        except OSError:  # no file descriptor is left, for a while
            time.sleep(_REST_S)
            return
        sock.setblocking(False)
        client = _Client(sock, time.monotonic() + _DEADLINE_S)
        self._clients[sock] = client
        self._selector.register(sock, selectors.EVENT_READ, client)
        self._go_on(client)

    def _go_on(self, client: _Client) -> None:
        try:
            if client.to_send is None:
                self._receive(client)
            elif client.to_send:
                self._send(client)
            elif not client.sock.recv(LONGEST_REQUEST):  # it has read all, and leaves
                self._hang_up(client)
        except BlockingIOError:
            pass
        except OSError:
            self._hang_up(client)

    def _receive(self, client: _Client) -> None:
        part = client.sock.recv(LONGEST_REQUEST + 1)
        client.received += part
        whole = answer(client.received, self._pages)
        if whole is not None:
            client.to_send = memoryview(whole)
            self._selector.modify(client.sock, selectors.EVENT_WRITE, client)
            self._send(client)
        elif not part:
            self._hang_up(client)

    def _send(self, client: _Client) -> None:
        assert client.to_send is not None
        client.to_send = client.to_send[client.sock.send(client.to_send) :]
        if not client.to_send:
            # What it still sends is read and dropped: hanging up at once would undo the answer.
            client.sock.shutdown(socket.SHUT_WR)
            self._selector.modify(client.sock, selectors.EVENT_READ, client)

    def _hang_up(self, client: _Client) -> None:
        del self._clients[client.sock]
        self._selector.unregister(client.sock)
        client.sock.close()


def _verdict(trouble: str | None) -> Page:
    if trouble is None:
        return said(HTTPStatus.OK, "ok")
    return said(HTTPStatus.SERVICE_UNAVAILABLE, trouble)
