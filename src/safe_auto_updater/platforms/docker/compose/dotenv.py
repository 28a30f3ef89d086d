"""`.env` files: which value each name has, and where it is written.

Source: the specification's chapter on interpolation with `.env` files; the last of two lines wins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# A name, `=` or `:`, and what follows; values in quotes may go over several lines.
_LINE = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*
    (?:(?P<sign>[=:])[ \t]*
      (?: '(?P<single>[^']*)' | "(?P<double>(?:[^"\\]|\\.)*)" | (?P<plain>[^\r\n]*) )
    )?[^\r\n]*\r?$""",
    re.MULTILINE | re.VERBOSE,
)
_EXPANDED = {"double": r"[$\\]", "plain": r"""[$\\"']"""}
_COMMENT = re.compile(r"(?:^|[ \t])#.*")


@dataclass(frozen=True)
class Value:
    """One value as it is written, without its quotes. `fixed`: nothing in it is expanded."""

    name: str
    text: str
    start: int
    line: int
    fixed: bool


def values_in(text: str) -> tuple[Value, ...]:
    """Every line that gives a name a value, in order."""
    found = []
    text, position = text.replace("\ufeff", " ", 1), 0  # a mark of byte order is no letter
    while (line := _LINE.search(text, position)) is not None:
        position = max(line.end(), position + 1)
        if line["sign"] is None:
            continue
        kind = next(k for k in ("single", "double", "plain") if line[k] is not None)
        written = line[kind]
        if kind == "plain":
            written = _COMMENT.sub("", written).rstrip()
        fixed = kind == "single" or not re.search(_EXPANDED[kind], written)
        number = text.count("\n", 0, line.start(kind)) + 1
        found.append(Value(line["name"], written, line.start(kind), number, fixed))
    return tuple(found)
