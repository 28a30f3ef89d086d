"""Compose projects in memory, as tables tell them: files, one service, and what is to happen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from safe_auto_updater.platforms.docker.compose.edit import Edit
from safe_auto_updater.platforms.docker.compose.errors import Unclear
from safe_auto_updater.platforms.docker.compose.find import find_edit
from safe_auto_updater.platforms.docker.compose.labels import ComposeService

FOLDER = "/srv/shop"
OLD, NEW = "traefik:3.1.2", "traefik:3.1.4"
_MARK = re.compile(r"<<([^<>|\n]*)\|([^<>\n]*)>>")
Texts = Mapping[str, str]


@dataclass
class Row:
    """One project of a table. Texts may hold `<<old|new>>`."""

    name: str
    files: dict[str, str] = field(default_factory=dict)
    said: dict[str, list[str]] = field(default_factory=dict)
    shown: str = ""

    @property
    def before(self) -> dict[str, str]:
        return {name: _MARK.sub(r"\1", text) for name, text in self.files.items()}

    @property
    def after(self) -> dict[str, str]:
        return {name: _MARK.sub(r"\2", text) for name, text in self.files.items()}

    @property
    def images(self) -> tuple[str, str]:
        old, new = self.said.get("images", (OLD, NEW))
        return old, new

    @property
    def service(self) -> ComposeService:
        files = tuple(self.said.get("files", ("compose.yml",)))
        return service(files=files, env=tuple(self.said.get("env", ())))


def table(file: str) -> dict[str, Row]:
    """The rows of a table beside this file, by name."""
    rows: dict[str, Row] = {}
    now = Row("")
    path = None
    for line in (Path(__file__).parent / file).read_text().splitlines():
        if line.startswith("=== "):
            now = rows[line[4:]] = Row(line[4:])
            path = None
        elif line.startswith("--- "):
            path = line[4:]
            now.files[path] = ""
        elif line.startswith(">>> "):
            now.shown, path = line[4:], None
        elif path is not None:
            now.files[path] += line + "\n"
        elif ": " in line:
            key, _, words = line.partition(": ")
            now.said[key] = words.split()
    return rows


def service(
    name: str = "web", files: tuple[str, ...] = ("compose.yml",), env: tuple[str, ...] = ()
) -> ComposeService:
    paths, beside = ([f"{FOLDER}/{file}" for file in some] for some in (files, env))
    return ComposeService("shop", name, "1", None, FOLDER, tuple(paths), tuple(beside))


def edited(
    texts: Texts,
    old: str = OLD,
    new: str = NEW,
    of: ComposeService | None = None,
    environ: Mapping[str, str] | None = None,
) -> tuple[Edit | None, dict[str, str]]:
    """The edit, and all files with it made."""
    content = {f"{FOLDER}/{name}": text.encode() for name, text in texts.items()}
    edit = find_edit(of or service(), old, new, content.get, environ or {})
    if edit is not None:
        content[edit.path] = edit.applied(content[edit.path])
    return edit, {name: content[f"{FOLDER}/{name}"].decode() for name in texts}


def refusal(
    texts: Texts, old: str = OLD, new: str = NEW, environ: Mapping[str, str] | None = None
) -> str:
    """Why there is no edit."""
    try:
        edit, _ = edited(texts, old, new, environ=environ)
    except Unclear as error:
        return str(error).replace(f"{FOLDER}/", "")
    raise AssertionError(f"was edited: {edit}")
