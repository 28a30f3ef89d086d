"""Whose certificates are believed: those of a plain private authority, on every Python."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.engine.trust import verifying
from tests.tls_kit import Authority

_made = ssl.create_default_context


def as_python_from_3_13_on(**words: Any) -> ssl.SSLContext:
    context = _made(**words)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def shaken(context: ssl.SSLContext, pair: tuple[Path, Path], name: str) -> None:
    """One handshake with a server that has this certificate and key."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with theirs:
            try:
                told = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                told.load_cert_chain(*pair)
                told.wrap_socket(theirs, server_side=True).close()
            except (ssl.SSLError, OSError):
                pass  # the other side tells why

    server = threading.Thread(target=serve)
    server.start()
    try:
        with ours, context.wrap_socket(ours, server_hostname=name):
            pass
    finally:
        server.join()


def test_private_authority_without_extensions_is_believed_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    ca, pair = authority.ca, authority.signed("nas", "IP:127.0.0.1")
    monkeypatch.setattr(ssl, "create_default_context", as_python_from_3_13_on)
    with pytest.raises(ssl.SSLError, match="key usage"):
        shaken(as_python_from_3_13_on(cafile=ca), pair, "127.0.0.1")
    shaken(verifying(ca), pair, "127.0.0.1")
    for context, name in ((verifying(), "127.0.0.1"), (verifying(ca), "127.0.0.2")):
        with pytest.raises(ssl.SSLCertVerificationError):
            shaken(context, pair, name)
