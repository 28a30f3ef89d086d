"""A YAML text as plain data that remembers where everything stands.

Built from parser events, not by composing: every bound (nodes, depth, aliases, length) is checked
before anything is built. Scalars follow the YAML 1.2 core schema, so `no` and `on` are text.
What YAML allows and a configuration does not need (tags, merge keys, several documents) is a
problem that names its line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from safe_auto_updater.config.problems import Location, Problem, path_text
from safe_auto_updater.config.scalars import scalar

MAX_NODES = 10_000
MAX_DEPTH = 32


@dataclass
class Place:
    """Where a value stands, and where its keys and entries stand."""

    at: Location
    size: int = 1
    keys: dict[str, Location] = field(default_factory=dict)
    children: dict[str | int, Place] = field(default_factory=dict)

    def walk(self, loc: tuple[str | int, ...]) -> tuple[Place, tuple[str | int, ...]]:
        """The deepest place that exists along `loc`, and how much of `loc` it took."""
        place = self
        for depth, part in enumerate(loc):
            if part not in place.children:
                return place, loc[:depth]
            place = place.children[part]
        return place, loc


@dataclass(frozen=True)
class Tree:
    """The data, its places, and every problem of the YAML itself. `place` is None if empty."""

    data: Any
    place: Place | None
    problems: tuple[Problem, ...]


@dataclass
class _Frame:
    """A list or mapping that is still open. `key` is the key whose value comes next."""

    data: list[Any] | dict[str, Any]
    place: Place
    anchor: str | None = None
    key: str | None = None
    is_duplicate: bool = False


class _FatalError(Exception):
    """Reading cannot go on after this problem."""


def grow(text: str) -> Tree:
    """Read one YAML document. Never raises: what is wrong is in the tree's `problems`."""
    grower = _Grower()
    try:
        for event in _events(text):
            grower.take(event)
    except _FatalError:
        pass
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        grower.problems.append(Problem(at, _syntax(text, mark, error)))
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        at = (before.count("\n") + 1, error.position - before.rfind("\n"))
        code = text[error.position].encode("unicode-escape").decode()
        grower.problems.append(Problem(at, f"character {code} is not allowed; remove it"))
    return Tree(grower.data, grower.root, tuple(grower.problems))


def _events(text: str) -> Iterator[Any]:
    # SafeLoader is only asked for events: it constructs nothing here.
    yield from yaml.parse(text, Loader=yaml.SafeLoader)


def _syntax(text: str, mark: Any, error: yaml.MarkedYAMLError) -> str:
    if mark is not None and text[mark.index : mark.index + 1] == "\t":
        return "a tab cannot indent; use spaces"
    what = " ".join(part for part in (error.context, error.problem) if part)
    return f"not valid YAML: {what}; mind the indentation, quotes and brackets here"


class _Grower:
    def __init__(self) -> None:
        self.data: Any = None
        self.root: Place | None = None
        self.problems: list[Problem] = []
        self._open: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, Place] | None] = {}
        self._nodes = 0
        self._documents = 0

    def take(self, event: Any) -> None:
        at = (event.start_mark.line + 1, event.start_mark.column + 1)
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._stop(at, "a second document starts here; keep one per file")
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._refuse_tag(event, at)
                self._count(1, at)
                if len(self._open) >= MAX_DEPTH:
                    self._stop(at, f"nested deeper than {MAX_DEPTH} levels; flatten it")
                empty: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
                if event.anchor:
                    self._anchors[event.anchor] = None
                self._open.append(_Frame(empty, Place(at), event.anchor))
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                frame = self._open.pop()
                self._attach(frame.data, frame.place, frame.anchor)
            case yaml.AliasEvent():
                self._alias(str(event.anchor), at)
            case yaml.ScalarEvent():
                self._refuse_tag(event, at)
                self._count(1, at)
                self._scalar(event, at)

    def _scalar(self, event: Any, at: Location) -> None:
        value, wrong = scalar(event.value, plain=event.style is None)
        if self._expects_key():
            frame = self._open[-1]
            if event.value == "<<" and event.style is None:
                wrong = "merge keys are not supported; write the keys out"
            elif not isinstance(value, str):
                wrong = f"a key must be text; put {event.value[:40]!r} in quotes or correct it"
            self._key(frame, event.value, at)
            if event.anchor:
                self._anchors[event.anchor] = (value, Place(at))
            if wrong:
                self._problem(at, wrong)
            return
        if wrong:
            self._problem(at, wrong)
        self._attach(value, Place(at), event.anchor)

    def _key(self, frame: _Frame, key: str, at: Location) -> None:
        frame.key, frame.is_duplicate = key, key in frame.place.keys
        if frame.is_duplicate:
            first = frame.place.keys[key][0]
            self._problem(at, f"given twice, first in line {first}; keep one")
        else:
            frame.place.keys[key] = at

    def _alias(self, anchor: str, at: Location) -> None:
        if anchor not in self._anchors:
            self._stop(at, f"alias *{anchor[:40]} has no anchor before it; write the value out")
        known = self._anchors[anchor]
        if known is None:
            self._stop(at, f"alias *{anchor[:40]} contains itself; write the value out")
        assert known is not None
        data, place = known
        self._count(place.size, at)
        self._attach(data, place, None, alias_at=at)

    def _attach(
        self, data: Any, place: Place, anchor: str | None, alias_at: Location | None = None
    ) -> None:
        if anchor:
            self._anchors[anchor] = (data, place)
        if not self._open:
            self.data, self.root = data, place
            return
        frame = self._open[-1]
        frame.place.size += place.size
        if self._expects_key():
            self._problem(alias_at or place.at, "a key must be plain text; correct it")
            frame.key, frame.is_duplicate = "", True
        elif isinstance(frame.data, list):
            frame.place.children[len(frame.data)] = place
            frame.data.append(data)
        else:
            assert frame.key is not None
            if not frame.is_duplicate:
                frame.place.children[frame.key] = place
                frame.data[frame.key] = data
            frame.key = None

    def _expects_key(self) -> bool:
        return (
            bool(self._open)
            and isinstance(self._open[-1].data, dict)
            and not (self._open[-1].key is not None)
        )

    def _refuse_tag(self, event: Any, at: Location) -> None:
        if event.tag is not None:
            self._problem(at, f"tag {event.tag[:60]!r} is not accepted; write the plain value")

    def _count(self, nodes: int, at: Location) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            self._stop(at, f"more than {MAX_NODES} values, aliases written out; make it smaller")

    def _problem(self, at: Location, text: str) -> None:
        loc = tuple(
            frame.key if isinstance(frame.data, dict) else len(frame.data) for frame in self._open
        )
        known = tuple(part for part in loc if part is not None and part != "")
        self.problems.append(Problem(at, text, path_text(known)))

    def _stop(self, at: Location, text: str) -> None:
        self._problem(at, text)
        raise _FatalError
