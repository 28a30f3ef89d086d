"""Our own program as an image, put straight into a registry: this machine's Python and its shared
libraries, what the lock file names, helm, and the package as it lies here. No build, no engine."""

from __future__ import annotations

import gzip
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from pathlib import Path

from lab import cache, images, layers
from lab.commands import told
from lab.layout import Layout

NAME = "safe-auto-updater"
USER = "65532"
_PYTHON = f"python{sys.version_info[0]}.{sys.version_info[1]}"
_UNUSED = ("test", "idlelib", "tkinter", "ensurepip", "lib2to3", "site-packages")
_START = f"""\
#!/usr/local/bin/{_PYTHON}
import sys
from safe_auto_updater.cli import main
sys.exit(main())
"""


def publish(registry: str, helm: Path) -> images.Published:
    """Put it into a registry, for any user and a root that is read-only. Its tag is of its content,
    for nodes keep what they have pulled."""
    recipe = images.Recipe(
        entrypoint=("sau",),
        user=USER,
        env={
            "PATH": "/usr/local/bin:/bin",
            "PYTHONPATH": "/app/own:/app/dependencies",
        },
        exposed_ports=(),
    )
    made = build(helm)
    packed = (made / "layer.tar.gz").read_bytes()
    runtime = layers.Layer(packed, layers.digest_of(packed), (made / "diff_id").read_text())
    parts = (layers.base(), runtime, _package())
    tag = layers.digest_of("".join(part.digest for part in parts).encode())[-12:]
    return images.publish_layers(registry, NAME, tag, recipe, parts)


def build(helm: Path) -> Path:
    """Python, dependencies and helm: the costly part, made from packages outside the lab."""
    lock = (Layout.here().clone / "uv.lock").read_bytes()
    what = f"{platform.python_version()} {helm} {Path(__file__).read_text()}".encode()
    name = f"own-image-{hashlib.sha256(lock + what).hexdigest()[:8]}"
    return cache.made(name, lambda at: _make(at, helm))


def _make(where: Path, helm: Path) -> None:
    root = where / "root"
    (root / "usr/local/bin").mkdir(parents=True)
    stdlib = root / "usr/local/lib" / _PYTHON
    unused = shutil.ignore_patterns(*_UNUSED, "__pycache__", "config-*", "_tkinter*")
    shutil.copytree(sysconfig.get_path("stdlib"), stdlib, ignore=unused)
    python = root / "usr/local/bin" / _PYTHON
    shutil.copy(Path(sys.executable).resolve(), python)
    shutil.copy(helm, root / "usr/local/bin/helm")
    told([_uv(), "pip", "install", "--quiet", "--python", sys.executable, "--target",
          str(root / "app/dependencies"), "-r", str(_locked(where))])  # fmt: skip
    _compile(root)
    for library in _libraries(python, *root.rglob("*.so")):
        is_loader = library.name.startswith("ld-")  # programs name its whole path
        copy = root / (str(library)[1:] if is_loader else f"usr/lib/{library.name}")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, copy)
    made = _layer(_tar(root))
    (where / "layer.tar.gz").write_bytes(made.blob)
    (where / "diff_id").write_text(made.diff_id)
    shutil.rmtree(root)


def _package() -> layers.Layer:
    """The package as it lies here, and its command under both names."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(Layout.here().clone / "src", root / "app/own")
        (metadata,) = Path(sysconfig.get_path("purelib")).glob("safe_auto_updater-*.dist-info")
        shutil.copytree(metadata, root / "app/own" / metadata.name)
        _compile(root)
        commands = root / "usr/local/bin"
        commands.mkdir(parents=True)
        for name in ("sau", "safe-auto-updater"):
            (commands / name).write_text(_START)
            (commands / name).chmod(0o755)
        return _layer(_tar(root))


def _locked(where: Path) -> Path:
    words = ["export", "--quiet", "--frozen", "--no-dev", "--extra", "kubernetes"]
    file = where / "requirements.txt"
    told([_uv(), *words, "--no-emit-project", "--project", str(Layout.here().clone),
          "--output-file", str(file)])  # fmt: skip
    return file


def _compile(where: Path) -> None:
    """Its root is read-only: what is not compiled now would be at each start."""
    words = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(where)]
    cache_here = {key: os.environ[key] for key in os.environ if key != "PYTHONPYCACHEPREFIX"}
    subprocess.run([sys.executable, *words], check=False, capture_output=True, env=cache_here)


def _libraries(*programs: Path) -> set[Path]:
    """What they are linked with, and what loads them."""
    done = subprocess.run(["ldd", *programs], check=False, capture_output=True, text=True)
    return {Path(found) for found in re.findall(r"(?:=> |^\t)(/\S+) \(0x", done.stdout, re.M)}


def _uv() -> str:
    return str(Layout.here().clone / ".lab/tools/bin/uv")


def _layer(plain: bytes) -> layers.Layer:
    packed = gzip.compress(plain, compresslevel=1, mtime=0)
    return layers.Layer(packed, layers.digest_of(packed), layers.digest_of(plain))


def _tar(root: Path) -> bytes:
    """A folder as a layer: everybody may read it, and nothing in it changes from run to run."""

    def anybodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = entry.mtime = 0
        entry.uname = entry.gname = ""
        entry.mode |= 0o755 if entry.isdir() else 0o444
        return entry

    with tempfile.TemporaryFile() as file:
        with tarfile.open(fileobj=file, mode="w") as tar:
            for one in sorted(root.iterdir()):
                tar.add(one, one.name, filter=anybodys)
        file.seek(0)
        return file.read()
