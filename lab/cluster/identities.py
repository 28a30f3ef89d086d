"""Who is who: the API server's certificate, tokens, and a kubeconfig for each user."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from lab.commands import told
from lab.layout import Layout

NODE = "lab"
ADDRESS = "10.244.0.1"
"""The node's address: that of the bridge its pods hang on."""
PORT = 6443
TESTED = ("reader", "updater", "stranger")
"""Users in no group, who may do nothing until a test says what."""
_USERS = {
    "admin": ("admin", "system:masters"),
    "kubelet": (f"system:node:{NODE}", "system:nodes"),
    "kube-proxy": ("system:kube-proxy", ""),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
} | {name: (name, "") for name in TESTED}
"""Name of the kubeconfig -> the user's name and group. What `system:` users may do is built in."""

_AUTHORITY = """\
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""
_SERVER = f"""\
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = IP:127.0.0.1, IP:{ADDRESS}, IP:10.96.0.1, DNS:localhost, \
DNS:kubernetes.default.svc
"""


def folder(layout: Layout) -> Path:
    """Where keys and tokens are."""
    return layout.data / "identities"


def kubeconfig(layout: Layout, user: str) -> Path:
    """The file with which a program is this user."""
    return folder(layout) / f"{user}.kubeconfig"


def make(layout: Layout) -> None:
    """Make all of it anew; the tokens are no secret, for nothing outside can reach the server."""
    where = folder(layout)
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, extensions in (("ca", _AUTHORITY), ("apiserver", _SERVER)):
        _certificate(where, name, extensions)
    _key(where / "accounts.key")
    _openssl("pkey", "-in", where / "accounts.key", "-pubout", "-out", where / "accounts.pub")
    rows = [f'{key}-token,{name},{key},"{group}"' for key, (name, group) in _USERS.items()]
    (where / "tokens.csv").write_text("\n".join(rows) + "\n")
    for user in _USERS:
        kubeconfig(layout, user).write_text(_kubeconfig(where, user))


def _kubeconfig(where: Path, user: str) -> str:
    authority = base64.b64encode((where / "ca.crt").read_bytes()).decode()
    server = {"server": f"https://127.0.0.1:{PORT}", "certificate-authority-data": authority}
    told_by = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "lab",
        "clusters": [{"name": "lab", "cluster": server}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": user}}],
        "users": [{"name": user, "user": {"token": f"{user}-token"}}],
    }
    return json.dumps(told_by, indent=2) + "\n"  # JSON is YAML


def _certificate(where: Path, name: str, extensions: str) -> None:
    """A key and its certificate: the authority's by itself, another by the authority."""
    key, request, certificate = (where / f"{name}.{kind}" for kind in ("key", "csr", "crt"))
    (where / f"{name}.ext").write_text(extensions)
    _key(key)
    _openssl("req", "-new", "-key", key, "-subj", f"/CN=lab {name}", "-out", request)
    signer: tuple[str | Path, ...] = ("-signkey", key)
    if name != "ca":
        signer = ("-CA", where / "ca.crt", "-CAkey", where / "ca.key", "-CAcreateserial")
    _openssl(
        "x509", "-req", "-in", request, *signer, "-days", "365",
        "-extfile", where / f"{name}.ext", "-out", certificate,
    )  # fmt: skip


def _key(path: Path) -> None:
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path)


def _openssl(*words: str | Path) -> None:
    told(["openssl", *map(str, words)])
