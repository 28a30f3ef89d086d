"""Layers as bytes: the same content is the same bytes, and so the same digest, everywhere."""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import subprocess
import tarfile
from dataclasses import dataclass

from lab.behaviours import HEALTH, START
from lab.errors import LabError
from lab.packages import BUSYBOX, busybox_is_static


def digest_of(content: bytes) -> str:
    """The content's name in a registry."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Layer:
    """A compressed layer and the digest of its uncompressed form (``diff_id``)."""

    blob: bytes
    digest: str
    diff_id: str


class _Tree:
    """A tar archive with nothing in it that changes from run to run."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        self._tar = tarfile.TarFile(fileobj=self._bytes, mode="w", format=tarfile.USTAR_FORMAT)

    def _entry(self, name: str, mode: int) -> tarfile.TarInfo:
        entry = tarfile.TarInfo(name)
        entry.mode = mode
        return entry

    def folder(self, name: str, mode: int = 0o755) -> None:
        entry = self._entry(name, mode)
        entry.type = tarfile.DIRTYPE
        self._tar.addfile(entry)

    def file(self, name: str, content: bytes, mode: int = 0o644) -> None:
        entry = self._entry(name, mode)
        entry.size = len(content)
        self._tar.addfile(entry, io.BytesIO(content))

    def link(self, name: str, target: str) -> None:
        entry = self._entry(name, 0o777)
        entry.type = tarfile.SYMTYPE
        entry.linkname = target
        self._tar.addfile(entry)

    def layer(self) -> Layer:
        self._tar.close()
        plain = self._bytes.getvalue()
        packed = gzip.compress(plain, compresslevel=3, mtime=0)
        return Layer(packed, digest_of(packed), digest_of(plain))


@functools.cache
def base() -> Layer:
    """What all images share: busybox under all its names, users, the two scripts."""
    if not busybox_is_static():
        raise LabError(f"{BUSYBOX} is missing or not static; `python -m lab up` installs it")
    tree = _Tree()
    for folder in ("bin", "etc", "lab", "run", "var"):
        tree.folder(folder)
    tree.link("var/run", "/run")
    tree.folder("tmp", 0o1777)
    tree.file("bin/busybox", BUSYBOX.read_bytes(), 0o755)
    names = subprocess.run([str(BUSYBOX), "--list"], capture_output=True, text=True, check=True)
    for name in sorted(set(names.stdout.split()) - {"busybox"}):
        tree.link(f"bin/{name}", "busybox")
    tree.file("etc/passwd", b"root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
    tree.file("etc/group", b"root:x:0:\nnogroup:x:65534:\n")
    tree.file("lab/start", START.encode(), 0o755)
    tree.file("lab/health", HEALTH.encode(), 0o755)
    return tree.layer()


def version(behaviour: str, text: str) -> Layer:
    """What makes one version: its behaviour and the text that it serves."""
    tree = _Tree()
    tree.folder("lab")
    tree.file("lab/behaviour", f"{behaviour}\n".encode())
    tree.folder("lab/www")
    tree.file("lab/www/index.html", f"{text}\n".encode())
    if behaviour != "unhealthy":
        tree.file("lab/www/health", b"ok\n")
    return tree.layer()
