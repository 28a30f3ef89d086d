"""Files that labels name: whoever made the container wrote the names, and anything may be there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from safe_auto_updater.platforms.docker.compose.errors import Unclear

MOST_BYTES = 4 << 20


def read(path: str) -> bytes | None:
    """A file's content; None where there is none. Unclear where it is no file of sensible size."""
    try:
        # A pipe would wait for somebody who writes.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            _must_be_a_file(path, os.fstat(file.fileno()).st_mode)
            content = file.read(MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Unclear(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise Unclear(f"{path} is larger than any Compose file: over {MOST_BYTES >> 20} MiB")
    return content


def must_be_files(*paths: str) -> None:
    """Unclear where one of them is there and no file: others would read it without an end."""
    for path in paths:
        try:
            mode = Path(path).stat().st_mode
        except OSError:
            continue  # who reads it says so
        _must_be_a_file(path, mode)


def _must_be_a_file(path: str, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise Unclear(f"{path} is no file that stays: a pipe, a device or a folder")
