"""Where an engine listens, and how one connection to it is made: Unix socket, TCP, TLS or ssh."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from safe_auto_updater.platforms.docker.line import Line

if TYPE_CHECKING:
    import ssl

CONNECT_S = 10.0
_ALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}  # a dead link is told in 60 s
_WHO = "it wants a certificate of ours that it accepts; set cert_file and key_file"
_TLS_SAYS = {  # OpenSSL's words, and what they mean here
    "CERTIFICATE_REQUIRED": _WHO,
    "BAD_CERTIFICATE": _WHO,
    "HANDSHAKE_FAILURE": _WHO,
    "UNKNOWN_CA": "it does not know who signed our certificate; look at cert_file",
    "CERTIFICATE_EXPIRED": "our certificate has expired; renew cert_file",
    "WRONG_VERSION_NUMBER": "it speaks no TLS there; use its TLS port, or leave the TLS files out",
    "RECORD_LAYER_FAILURE": "it speaks no TLS there; use its TLS port, or leave the TLS files out",
}
_CUT = "TLS ends so where it does not accept our certificate: set cert_file and key_file"


@dataclass(frozen=True)
class Tls:
    """Files in PEM for TLS: whom to trust (else the system's authorities), and who we are."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


@dataclass(frozen=True)
class Endpoint:
    """An engine's address: `unix://`, `tcp://` (plain, or with `tls`) or `ssh://`."""

    host: str
    tls: Tls | None = None

    @property
    def remedy(self) -> str:
        """What to look at when nothing answers there."""
        match urlsplit(self.host).scheme:
            case "unix":
                return "Is it running, and may this user open its socket?"
            case "ssh":
                return "`docker -H " + self.host + " version` must answer and ask for nothing"
            case _:
                return "Is it running, and does it listen there?"


class Dialler:
    """Makes connections to one endpoint. OSError where there is none. Thread-safe."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._to = urlsplit(endpoint.host)
        self._tls = endpoint.tls
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None
        self.peer: tuple[str, int] | None = None  # address and port that answered, by TCP

    @property
    def over_tls(self) -> bool:
        """Whether TLS is spoken."""
        return self._tls is not None

    @property
    def needs_proof(self) -> bool:
        """Whether only an answer shows that the other end is there."""
        return self._to.scheme == "ssh"

    def dial(self) -> Line:
        """One new connection."""
        match self._to.scheme:
            case "ssh":
                from safe_auto_updater.platforms.docker.ssh import dial_stdio

                return dial_stdio(self._to)
            case "unix":
                return Line(_unix(self._to.path))
            case _:
                return Line(self._tcp())

    def _tcp(self) -> socket.socket:
        sock = socket.create_connection((self._to.hostname, self._to.port), CONNECT_S)
        try:
            self.peer = sock.getpeername()[:2]
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _ALIVE.items():
                if hasattr(socket, option):
                    sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
            if self._tls is None:
                return sock
            return self._trusted(self._tls).wrap_socket(sock, server_hostname=self._to.hostname)
        except BaseException:
            sock.close()
            raise

    def _trusted(self, tls: Tls) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                self._context = _context(tls)
            return self._context


def _unix(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.settimeout(CONNECT_S)
        sock.connect(path)
    except BaseException:
        sock.close()
        raise
    return sock


def _context(tls: Tls) -> ssl.SSLContext:
    """Certificate and host name of the engine are always verified."""
    import ssl

    from safe_auto_updater.engine.trust import verifying

    for key in ("ca_file", "cert_file", "key_file"):
        path = getattr(tls, key)
        if path is not None:
            try:
                Path(path).open("rb").close()
            except OSError as error:
                raise ConnectionError(f"{key} {path} cannot be read: {error.strerror}") from error
    try:
        context = verifying(tls.ca_file)
    except ssl.SSLError as error:
        raise ConnectionError(f"ca_file {tls.ca_file} holds no certificate in PEM") from error
    if tls.cert_file is not None:
        try:
            # A key that asks for its password would ask on the terminal; it gets an empty one.
            context.load_cert_chain(tls.cert_file, tls.key_file, password=lambda: b"")
        except (ssl.SSLError, ValueError) as error:
            fact = f"cert_file {tls.cert_file} and key_file {tls.key_file} do not fit together"
            raise ConnectionError(f"{fact}, or are no PEM without password: {error}") from error
    return context


def plainly(error: Exception, over_tls: bool = False) -> str:
    """What an error of a connection means, with the remedy where TLS is the reason."""
    text = str(error) or type(error).__name__
    refused = getattr(error, "verify_message", None)
    if refused:
        return (
            f"its certificate is not accepted: {refused}; name its authority with ca_file, and the "
            "host as the certificate does"
        )
    for words, fact in _TLS_SAYS.items():
        if words in text:
            return fact
    cut = isinstance(error, ConnectionResetError | BrokenPipeError) or "EOF occurred" in text
    return f"{text}; {_CUT}" if over_tls and cut else text
