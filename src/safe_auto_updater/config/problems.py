"""What is wrong with a configuration, where, and how to say it in one line."""

from __future__ import annotations

import re
from dataclasses import dataclass

Location = tuple[int, int]  # line and column, counted from 1

MAX_SHOWN = 100
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")


@dataclass(frozen=True)
class Problem:
    """One error: its place, what is wrong with the remedy, and the path of the key, if any."""

    at: Location
    text: str
    path: str = ""

    def line(self, name: str) -> str:
        """`file:line:column: path.to.key: what is wrong; the remedy`."""
        where = f"{one_line(name)}:{self.at[0]}:{self.at[1]}: "
        return where + (f"{self.path}: " if self.path else "") + one_line(self.text)


def path_text(loc: tuple[str | int, ...]) -> str:
    """`inventory.docker[0].name`; a key with odd characters is quoted."""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + _key(part)
    return text


def report(name: str, problems: list[Problem]) -> tuple[str, ...]:
    """Every problem once, in the file's order, as lines; a flood is cut and says so."""
    ordered = sorted(dict.fromkeys(problems), key=lambda problem: problem.at)
    lines = [problem.line(name) for problem in ordered[:MAX_SHOWN]]
    if len(ordered) > MAX_SHOWN:
        more = f"{len(ordered) - MAX_SHOWN} more problems; correct those above first"
        lines.append(Problem(ordered[MAX_SHOWN].at, more).line(name))
    return tuple(lines)


def one_line(text: str) -> str:
    """The text with everything unprintable escaped, so that it stays one harmless line."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def shown(value: object) -> str:
    """A value as a message may show it: quoted and short."""
    text = ascii(value) if not isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _key(part: str) -> str:
    return part if _PLAIN_KEY.fullmatch(part) else shown(part)
