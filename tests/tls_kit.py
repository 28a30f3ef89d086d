"""Certificates of a moment, made by openssl."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

_NEW = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def certified(folder: Path) -> Path:
    """One for 127.0.0.1 that is its own authority, as `ca.pem`; its key beside it is `key.pem`."""
    file = folder / "ca.pem"
    _openssl(
        *_NEW, "-x509", "-days", "2", "-subj", "/CN=here", "-addext",
        "subjectAltName=IP:127.0.0.1", "-keyout", key_of(file), "-out", file,
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


class Authority:
    """Certificates, made by openssl as a careful operator makes them."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.ca = folder / f"{name}.pem"
        self._key = folder / f"{name}-key.pem"
        _openssl(
            *(*_NEW, "-x509", "-days", "2"),
            *("-subj", f"/CN={name}", "-keyout", self._key, "-out", self.ca),
        )

    def signed(self, name: str, names: str = "") -> tuple[Path, Path]:
        """Certificate and key; `names` as in `DNS:nas,IP:127.0.0.1`."""
        cert, key = self.folder / f"{name}-cert.pem", self.folder / f"{name}-key.pem"
        request, more = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        usage = "serverAuth" if names else "clientAuth"
        lines = [f"extendedKeyUsage={usage}", f"subjectAltName={names}" if names else ""]
        more.write_text("\n".join(lines) + "\n")
        _openssl(*_NEW, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        _openssl(
            *("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self._key),
            *("-CAcreateserial", "-days", "2", "-extfile", more, "-out", cert),
        )
        return cert, key


def _openssl(*words: str | Path) -> None:
    command = ["openssl", *(str(word) for word in words)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
