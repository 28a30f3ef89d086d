"""Files of somebody else's, replaced whole or not at all: their mode, owner and links stay."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from safe_auto_updater.engine.state import give_to_owner

NEXT = ".sau-next"


def replace_content(path: Path, content: bytes) -> None:
    """Give a file another content. OSError where that cannot be, with the file as it was.

    By a file beside it that takes its place; where that cannot be (a file that was mounted by
    itself, several names for one file, an owner we may not give it), in the file itself.
    """
    real = path.resolve(strict=True)
    if real.stat().st_nlink > 1 or not _by_rename(real, content):
        _in_place(real, content)


def create(path: Path, content: bytes) -> None:
    """A new file, whole and on the disk when this returns; only its folder's owner may read it."""
    beside = _beside(path)
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    give_to_owner(beside, path.parent)
    beside.replace(path)
    _sync_folder(path.parent)


def leftover_removed(path: Path) -> None:
    """Take away what a kill in the middle left beside the file."""
    with suppress(OSError):
        _beside(path.resolve()).unlink()


def may_be_replaced(path: Path) -> bool:
    """Whether this process may write the file."""
    return os.access(path, os.W_OK)


def torn(before: bytes, after: bytes) -> bytes:
    """What a file holds that was being written in place when the writer died, at worst."""
    return after + before[len(after) :]


def _beside(real: Path) -> Path:
    return real.with_name(f".{real.name}{NEXT}")


def _by_rename(real: Path, content: bytes) -> bool:
    status, beside = real.stat(), _beside(real)
    try:
        with suppress(FileNotFoundError):
            beside.unlink()
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "wb") as stream:
            stream.write(content)
            os.fchown(stream.fileno(), status.st_uid, status.st_gid)
            os.fchmod(stream.fileno(), status.st_mode & 0o7777)
            for name in os.listxattr(real):
                os.setxattr(stream.fileno(), name, os.getxattr(real, name))
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(real)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        return False
    with suppress(OSError):  # it is renamed; not every file system knows how to make that last
        _sync_folder(real.parent)
    return True


def _in_place(real: Path, content: bytes) -> None:
    """Over the old content, never through an empty file."""
    file = os.open(real, os.O_WRONLY)
    try:
        written = 0
        while written < len(content):
            written += os.pwrite(file, content[written:], written)
        os.ftruncate(file, len(content))
        os.fsync(file)
    finally:
        os.close(file)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
