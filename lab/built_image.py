"""The project's own image, built on an engine of the lab as `deploy/image` builds it.

What is other than elsewhere is said by build arguments: the base is of Debian's packages, wheels
lie in the context, and helm's archive is packed from the lab's, with a checksum of its own. The
context is made by `python -m lab build`: from inside a lab no registry of packages can be reached.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import tarfile
from pathlib import Path

from lab import base_image
from lab.cluster import programs
from lab.commands import told
from lab.layout import Layout

BASE = "lab-base:1"
STAND_IN, WATCHTOWER = "lab-watchtower:1", "lab-watchtower:real"
_SOURCES = ("src/**/*.py", "deploy/image/*", "uv.lock", "pyproject.toml")
_STAND_IN = """\
FROM {base}
COPY . /standin
ENV PYTHONPATH=/standin PYTHONDONTWRITEBYTECODE=1
ENTRYPOINT ["python3", "-m", "tests.docker.watchtower.contained"]
"""

_WATCHTOWER = """\
FROM {base}
COPY watchtower /watchtower
ENTRYPOINT ["/watchtower"]
"""


def built(docker: str, layout: Layout) -> str:
    """The image's name on the engine, where it is built if it is not there yet."""
    image = f"safe-auto-updater:lab-{_content(layout.clone)[:12]}"
    with (layout.home / "own-image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _has(docker, layout, image):
            base_image.load(docker, _host(layout), BASE)
            _build(docker, layout, image)
    return image


def prepare(clone: Path) -> None:
    """Have the folder that the image is built from, and in the cache what it is built on."""
    base_image.build()
    context, known = _context(clone), _known(clone)
    if known.exists() and known.read_text() == _content(clone):
        return
    told([str(clone / "deploy/image/build"), "--context", str(context)])
    base_image.wheels(context / "requirements.txt", context / "wheels")
    _pack_helm(context)
    known.write_text(_content(clone))


def is_prepared(clone: Path) -> bool:
    """Whether the image can be built, from the sources as they are now."""
    known = _known(clone)
    made = known.exists() and known.read_text() == _content(clone)
    return made and base_image.is_built()


def _context(clone: Path) -> Path:
    return clone / ".lab/own-image/context"


def _known(clone: Path) -> Path:
    return clone / ".lab/own-image/made-of"


def _content(clone: Path) -> str:
    """Told by what it is made of."""
    told_by = hashlib.sha256()
    for pattern in _SOURCES:
        for file in sorted(clone.glob(pattern)):
            told_by.update(f"{file} ".encode() + file.read_bytes())
    return told_by.hexdigest()


def _build(docker: str, layout: Layout, image: str) -> None:
    arguments = {"BASE": BASE, "PIP_OPTIONS": "--no-index", "VERSION": "0.1.0"}
    build(docker, layout, image, _context(layout.clone), arguments)


def build(
    docker: str, layout: Layout, tag: str, context: Path, arguments: dict[str, str] | None = None
) -> None:
    """By the builder that every engine has, without a network."""
    words = [docker, "--host", _host(layout), "build", "--quiet", "--force-rm", "--network=none"]
    for name, value in (arguments or {}).items():
        words += ["--build-arg", f"{name}={value}"]
    told([*words, "--tag", tag, str(context)], env=os.environ | {"DOCKER_BUILDKIT": "0"})


def stand_in(docker: str, layout: Layout, folder: Path) -> str:
    """An image of the tests' own Watchtower at the wire."""
    clone = layout.clone
    built(docker, layout)
    for name in ("lab", "tests/docker/watchtower"):
        for file in (clone / name).glob("*.py"):
            place = folder / name / file.name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.read_bytes())
    for name in ("tests/http_kit.py", "tests/lab_kit.py"):
        (folder / name).write_bytes((clone / name).read_bytes())
    (folder / "Dockerfile").write_text(_STAND_IN.format(base=BASE))
    build(docker, layout, STAND_IN, folder)
    return STAND_IN


def watchtower(docker: str, layout: Layout, folder: Path, program: Path) -> str:
    """An image of a real Watchtower: a program that needs no libraries, as its own image has it."""
    built(docker, layout)
    folder.mkdir()
    shutil.copy(program, folder / "watchtower")
    (folder / "Dockerfile").write_text(_WATCHTOWER.format(base=BASE))
    build(docker, layout, WATCHTOWER, folder)
    return WATCHTOWER


def _pack_helm(context: Path) -> None:
    """The release's archive cannot be had here: one of the same shape, and its checksum."""
    tools = context / "tools.txt"
    found = re.search(r"^helm linux/amd64 (\w+) (\S+) \S+/(\S+)$", tools.read_text(), re.M)
    assert found is not None, "tools.txt has no helm for linux/amd64"
    archive = context / "archives" / found[3]
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(programs.helm_3_made(), found[2])
    checksum = hashlib.sha256(archive.read_bytes()).hexdigest()
    tools.write_text(tools.read_text().replace(found[1], checksum))


def _has(docker: str, layout: Layout, image: str) -> bool:
    listed = told([docker, "--host", _host(layout), "image", "ls", "--quiet", image])
    return bool(listed.strip())


def _host(layout: Layout) -> str:
    return f"unix://{layout.socket}"
