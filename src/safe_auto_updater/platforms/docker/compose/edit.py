"""One value of a file that is to become another, with every other byte kept. Pure."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from safe_auto_updater.platforms.docker.compose.errors import Unclear


@dataclass(frozen=True)
class Edit:
    """`old` at character `start` of a file becomes `new`.

    `key`, `before` and `after` are what people are shown: the whole value as it is written.
    """

    path: str
    line: int
    start: int
    old: str
    new: str
    key: str
    before: str
    after: str

    def applied(self, content: bytes) -> bytes:
        """The edited file. Unclear where the place does not say what it did."""
        text = content.decode("utf-8")
        end = self.start + len(self.old)
        if text[self.start : end] != self.old:
            raise Unclear(f"{self.path}:{self.line} no longer says {self.old}")
        return (text[: self.start] + self.new + text[end:]).encode("utf-8")

    def told(self, folder: str | None) -> str:
        """`compose.yml:12: image: web:1.2 -> web:1.4`, the path as seen from a folder."""
        near = folder is not None and self.path.startswith(folder.rstrip("/") + "/")
        path = posixpath.relpath(self.path, folder) if near and folder else self.path
        return f"{path}:{self.line}: {self.key}{self.before} -> {self.after}"
