"""The archive of a chart: a gzipped tar, read without trusting it. Pure.

Whatever it holds, no more than so much memory is taken, and what comes out is a tree of files
under the chart's own folder: no links, no devices, no way out of it, nothing twice. Charts that
are packed inside it are unpacked in their place.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LARGEST_ARCHIVE = 32 << 20  # bytes, packed
_LARGEST = 64 << 20  # bytes of one archive with all that is packed inside it
_LARGEST_FILE = 5 << 20  # as Helm has it
_MOST_FILES = 20_000
_DEEPEST = 8  # charts packed inside each other
_BLOCK = 512


class NotAChart(ValueError):
    """What came is no archive of a chart, or one that may harm."""


@dataclass(frozen=True)
class ChartFiles:
    """The files of one chart by their paths below its folder, those of its subcharts too."""

    files: Mapping[str, bytes]

    @property
    def metadata(self) -> bytes:
        """Chart.yaml."""
        return self.files["Chart.yaml"]

    @property
    def values(self) -> bytes:
        """values.yaml, empty where there is none."""
        return self.files.get("values.yaml", b"")

    @property
    def schema(self) -> bytes | None:
        """values.schema.json."""
        return self.files.get("values.schema.json")

    @property
    def templates(self) -> Mapping[str, bytes]:
        """What is rendered, by its path."""
        return self.under("templates/")

    @property
    def crds(self) -> Mapping[str, bytes]:
        """What is installed as it is, once, and never changed by an upgrade."""
        return self.under("crds/")

    @property
    def subcharts(self) -> Mapping[str, ChartFiles]:
        """The charts within this one, by the names of their folders."""
        found: dict[str, dict[str, bytes]] = {}
        for path, content in self.under("charts/").items():
            folder, slash, rest = path.removeprefix("charts/").partition("/")
            if slash and folder[0] not in "._":
                found.setdefault(folder, {})[rest] = content
        return {name: ChartFiles(one) for name, one in found.items() if "Chart.yaml" in one}

    def under(self, folder: str) -> Mapping[str, bytes]:
        """The files below a folder (`crds/`), by their whole paths."""
        return {path: body for path, body in self.files.items() if path.startswith(folder)}


def read_archive(archive: bytes) -> ChartFiles:
    """The files of a chart. Raises NotAChart, which says what is wrong."""
    return ChartFiles(_read(archive, _Budget(_LARGEST, _MOST_FILES), 0))


@dataclass
class _Budget:
    """What may still be unpacked."""

    size: int
    files: int


def _read(archive: bytes, budget: _Budget, depth: int) -> dict[str, bytes]:
    raw = _unpacked(archive, budget)
    found: dict[str, bytes] = {}
    base: str | None = None
    for path, content in _members(raw, budget):
        folder, slash, inside = path.partition("/")
        if not slash or (base is not None and folder != base):
            raise NotAChart(f"holds {path!r} outside of the chart's folder")
        base = folder
        for name, body in _placed(inside, content, budget, depth):
            if name in found:
                raise NotAChart(f"holds {name!r} twice")
            found[name] = body
    if "Chart.yaml" not in found:
        raise NotAChart("holds no Chart.yaml")
    return found


def _placed(
    inside: str, content: bytes, budget: _Budget, depth: int
) -> Iterator[tuple[str, bytes]]:
    """A file where it is, or the files of the chart that is packed in it."""
    folder, _, packed = inside.rpartition("/")
    if folder != "charts" or not packed.endswith(".tgz") or packed[0] in "._":
        yield inside, content
        return
    if depth == _DEEPEST:
        raise NotAChart(f"holds charts in charts, more than {_DEEPEST} deep")
    try:
        files = _read(content, budget, depth + 1)
    except NotAChart as error:
        raise NotAChart(f"{inside}: {error}") from error
    name = packed.removesuffix(".tgz")
    yield from ((f"charts/{name}/{path}", body) for path, body in files.items())


def _unpacked(archive: bytes, budget: _Budget) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(archive)) as packed:
            raw = packed.read(budget.size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise NotAChart(f"is no whole gzip archive ({error})") from error
    if len(raw) > budget.size:
        raise NotAChart(f"unpacks to more than {_LARGEST >> 20} MiB")
    budget.size -= len(raw)
    return raw


def _members(raw: bytes, budget: _Budget) -> Iterator[tuple[str, bytes]]:
    """Path and content of each file. Paths lead nowhere else."""
    end = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:", encoding="utf-8") as tar:
            for member in tar:
                end = member.offset_data
                budget.files -= 1
                if budget.files < 0:
                    raise NotAChart(f"holds more than {_MOST_FILES} files")
                if member.isdir():
                    continue
                if not member.isreg() or member.issparse():
                    raise NotAChart(f"holds {member.name!r}, which is no plain file")
                if member.size > _LARGEST_FILE:
                    limit = _LARGEST_FILE >> 20
                    raise NotAChart(f"holds {member.name!r} of more than {limit} MiB")
                end += -(-member.size // _BLOCK) * _BLOCK
                body = raw[member.offset_data : member.offset_data + member.size]
                if len(body) < member.size:
                    raise NotAChart(f"is cut short within {member.name!r}")
                yield _safe(member.name), body
    except (tarfile.TarError, ValueError, OverflowError) as error:
        if isinstance(error, NotAChart):
            raise
        raise NotAChart(f"is no tar archive ({error})") from error
    if raw[end:].strip(b"\0"):
        raise NotAChart("goes on with something else behind its last file")


def _safe(path: str) -> str:
    parts = path.split("/")
    if {"", ".", ".."} & set(parts) or "\\" in path or ":" in parts[0] or not path.isprintable():
        raise NotAChart(f"holds {path[:200]!r}, which leads out of the chart's folder")
    return path
