"""One chart's block out of a repository's `index.yaml`, without parsing the whole.

An index of 10 MB takes a parser seconds and hundreds of megabytes, and a release needs one entry of
a thousand. So the text is walked over by a regular expression that knows what each line carries
over into the next ones, and only the block that is wanted is parsed. Where a line does anything
else (a quoted text over several lines, an anchor, a flow mapping), nothing is guessed: the whole is
parsed if it is small enough.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from safe_auto_updater.engine.texts import NoTexts, read_texts

LARGEST_INDEX = 64 << 20  # bytes
_LARGEST_PARSED = 4 << 20  # some three seconds
_LARGEST_BLOCK = 8 << 20
_LARGEST_JSON = 16 << 20
_BREAKS = (b"\r", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9")  # lines end there too
_FINE = bytes([9, 10, *range(32, 127), *range(128, 256)])

_QUOTED = rb"""(?:"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"|'[^'\n]*+(?:''[^'\n]*+)*+')"""
# A plain text begins with no indicator, and holds no `: ` and no comment.
_PLAIN = (
    rb"""(?:(?:[^\s"'&*!|>%@`{}\[\],?:#-]|[?:-](?=[^\s]))"""
    rb"[^\n:#]*+(?:(?::(?=[^\s])|(?<=[^\s])#)[^\n:#]*+)*+)"
)
_FLOW = rb"(?:\[(?:[^\n\"'\[\]{}#&*!|>%@`]|" + _QUOTED + rb")*+\]|\{\})"
_END = rb"[ ]*+(?:(?<=[ ])#[^\n]*+)?+(?=\n|\Z)"
_KEY = rb"(?:" + _QUOTED + rb"|" + _PLAIN + rb")[ ]*+:(?=[ \n]|\Z)"
_VALUE = rb"(?:" + _QUOTED + rb"|" + _PLAIN + rb"|" + _FLOW + rb")"
_INDENT = rb"[ ]{0,60}+"  # of which there can be no deep nesting
_HEADER = rb"[|>][-+0-9]{0,2}+" + _END
_NO_MARKER = rb"(?!(?:---|\.\.\.)(?:\s|\Z))"


_NOTHING = rb"[ ]*+(?:#[^\n]*+)?+(?=\n|\Z)"
_NAME = rb"""(?:[A-Za-z0-9_][\w./+-]*+|"[\w./+ -]++"|'[\w./+ -]++')"""
_ENTRIES = rb"""(?:entries|"entries"|'entries')[ ]*+:"""


def _line(once: bytes = b"") -> bytes:
    """One line, with all that it carries over into the next ones. `once` tells two of them apart
    where they stand in one expression."""

    def text_block(name: bytes, before: bytes, deeper: bytes = b"") -> bytes:
        indent = rb"(?P<" + name + once + rb">[ ]{0,60}+)"
        within = rb"(?:\n(?:(?P=" + name + once + rb")" + deeper + rb"[ ][^\n]*+|[ ]*+(?=\n|\Z)))*+"
        return indent + before + _HEADER + within

    kinds = (
        _INDENT + rb"(?:-[ ]++){0,8}+(?:" + _KEY + rb"[ ]*+)?+" + _VALUE + rb"?+" + _END,
        text_block(b"key", _KEY + rb"[ ]++"),
        text_block(b"item", rb"-[ ]" + _KEY + rb"[ ]++", rb"[ ]{2}"),
        text_block(b"bare", rb"-[ ]++"),
        _INDENT + rb"-" + _END,
        _NOTHING,
    )
    return _NO_MARKER + rb"(?:" + rb"|".join(kinds) + rb")"


@functools.cache
def _head() -> re.Pattern[bytes]:
    """Everything up to and with the line `entries:`, and what says nothing behind it."""
    before = rb"(?:(?!" + _ENTRIES + rb")" + _line() + rb"\n)*+"
    entries = _ENTRIES + rb"[ ]*+(?:\{\})?+" + _END
    return re.compile(rb"(?:---[ ]*+\n)?+" + before + entries + rb"(?:\n" + _NOTHING + rb")*+")


@functools.cache
def _entry(indent: int) -> re.Pattern[bytes]:
    """One chart with its block, whose key is indented so; a list may stand as far left as it."""
    by = b" " * indent
    below = rb"(?=" + by + rb"(?:[ ]|-(?:[ \n]|\Z))|" + _NOTHING + rb")"
    head = by + rb"(?P<name>" + _NAME + rb")[ ]*+:(?=[ \n]|\Z)[ ]*+(?:\[\])?+" + _END
    return re.compile(rb"\n" + head + rb"(?:\n" + below + _line() + rb")*+")


@functools.cache
def _tail() -> re.Pattern[bytes]:
    """What stands behind all entries, from the very left on; not `entries:` again."""
    more = rb"(?:\n(?!" + _ENTRIES + rb")" + _line(b"2") + rb")*+"
    first = rb"\n(?=[^\s-])(?!" + _ENTRIES + rb")" + _line(b"1")
    return re.compile(rb"(?:\n" + _NOTHING + rb")*+(?:" + first + more + rb")?+\n?\Z")


_FIRST_KEY = re.compile(rb"\n([ ]{1,60}+)(?=" + _NAME + rb"[ ]*+:)")


class NotAnIndex(ValueError):
    """What came is no index of a repository, or one that cannot be read here."""


class CannotSlice(Exception):
    """A line may carry something over that only a parser understands."""


@dataclass(frozen=True)
class Blocks:
    """Where the lines of each chart are; of one that is listed twice there are two places."""

    text: bytes
    places: Mapping[bytes, Sequence[tuple[int, int]]]

    @classmethod
    def cut(cls, index: bytes) -> Self:
        """Cut an index up. Raises CannotSlice where not every line is sure."""
        text = index.replace(b"\r\n", b"\n") if b"\r" in index else index
        if text.translate(None, _FINE) or any(end in text for end in _BREAKS):
            raise CannotSlice("holds characters that may end a line")
        head = _head().match(text)
        if head is None:
            raise CannotSlice("is no list of charts, or one in an unusual form")
        places: dict[bytes, list[tuple[int, int]]] = {}
        place = head.end()
        first = _FIRST_KEY.match(text, place)
        entry = _entry(len(first[1])) if first is not None else None
        while entry is not None and (match := entry.match(text, place)):
            name = match["name"].strip(b"\"'")
            places.setdefault(name, []).append((place + 1, match.end() + 1))
            place = match.end()
        if _tail().match(text, place) is None:
            line = text.count(b"\n", 0, place + 1) + 1
            raise CannotSlice(f"has a line {line} in an unusual form")
        return cls(text, places)

    def of(self, chart: str) -> bytes | None:
        """The lines of one chart, None where it is not listed. Raises NotAnIndex."""
        found = self.places.get(chart.encode(), ())
        if len(found) > 1:
            raise NotAnIndex(f"lists {chart} twice")
        return self.text[slice(*found[0])] if found else None


class Index:
    """An index, asked for one chart after the other; all scalars are texts."""

    def __init__(self, content: bytes) -> None:
        """Look at it. Raises NotAnIndex."""
        content = content.removeprefix(b"\xef\xbb\xbf")
        self._blocks: Blocks | None = None
        self._whole: Any = None
        if content.lstrip()[:1] == b"{":
            self._whole = _from_json(content)
            return
        try:
            self._blocks = Blocks.cut(content)
        except CannotSlice as error:
            if len(content) > _LARGEST_PARSED:
                size = len(content) / (1 << 20)
                fact = f"{error}, and with {size:.0f} MiB it is too large to be parsed whole"
                raise NotAnIndex(fact) from error
            self._whole = _parsed(content)

    def entries(self, chart: str) -> list[dict[str, Any]]:
        """What is listed of a chart, in the index's order; empty: nothing. Raises NotAnIndex."""
        if self._blocks is None:
            return _listed(self._whole, chart)
        block = self._blocks.of(chart)
        if block is None:
            return []
        if len(block) > _LARGEST_BLOCK:
            raise NotAnIndex(f"lists more than {_LARGEST_BLOCK >> 20} MiB about {chart}")
        return _listed({"entries": _parsed(block)}, chart)


def _parsed(text: bytes) -> Any:
    try:
        return read_texts(text, unique=True)
    except NoTexts as error:
        raise NotAnIndex(str(error)) from error


def _from_json(text: bytes) -> Any:
    if len(text) > _LARGEST_JSON:
        raise NotAnIndex(f"is JSON of more than {_LARGEST_JSON >> 20} MiB")
    try:
        return json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as error:
        raise NotAnIndex(f"is no JSON ({error})") from error


def _listed(index: Any, chart: str) -> list[dict[str, Any]]:
    match index:
        case {"entries": None | ""}:
            return []
        case {"entries": dict(entries)}:
            listed = entries.get(chart) or []
        case _:
            raise NotAnIndex("has no entries")
    if not isinstance(listed, list):
        raise NotAnIndex(f"lists {chart} as something that is no list")
    return [one for one in listed if isinstance(one, dict)]
