"""A certificate of a moment, made by openssl."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path


def certified(folder: Path) -> Path:
    """One for 127.0.0.1 that is its own authority, as `ca.pem`; its key beside it is `key.pem`."""
    file = folder / "ca.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=here", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", key_of(file), "-out", file],
        check=True, capture_output=True,
    )  # fmt: skip
    return file


def key_of(certificate: Path) -> Path:
    """Where its key lies."""
    return certificate.with_name("key.pem")


def served_with(certificate: Path) -> ssl.SSLContext:
    """How a server shows it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key_of(certificate))
    return context
