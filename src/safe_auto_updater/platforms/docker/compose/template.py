"""Compose's variables: a text with `$NAME` and `${NAME:-default}` taken apart, every part placed.

Source: the interpolation chapter of the Compose specification.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from safe_auto_updater.platforms.docker.compose.errors import Unclear

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATORS = (":-", ":+", ":?", "-", "+", "?")


@dataclass(frozen=True)
class Literal:
    """Text that stands for itself, from `start` on in the text that was taken apart."""

    text: str
    start: int


@dataclass(frozen=True)
class Variable:
    """`${name<operator>word}`; without operator `word` is empty."""

    name: str
    operator: str
    word: tuple[Part, ...]


Part = Literal | Variable


@dataclass(frozen=True)
class Leaf:
    """One piece of an evaluated text: a literal at `start`, or the value of a variable."""

    text: str
    start: int | None
    variable: str | None = None


def parts_of(text: str, at: int = 0) -> tuple[Part, ...]:
    """The parts of a text whose first character is number `at`. Unclear where it is no template."""
    parts: list[Part] = []
    literal = position = 0
    while (sign := text.find("$", position)) >= 0:
        if text.startswith("$$", sign):
            position = sign + 2
            continue
        if sign > literal:
            parts.append(Literal(text[literal:sign], at + literal))
        variable, position = _variable(text, sign, at)
        parts.append(variable)
        literal = position
    if literal < len(text):
        parts.append(Literal(text[literal:], at + literal))
    return tuple(parts)


def _variable(text: str, sign: int, at: int) -> tuple[Variable, int]:
    braced = text.startswith("${", sign)
    name = _NAME.match(text, sign + 1 + braced)
    if name is None:
        raise Unclear(f"{text!r} has a $ that begins no variable")
    if not braced:
        return Variable(name.group(), "", ()), name.end()
    end = _closing(text, name.end())
    operator = next((o for o in _OPERATORS if text.startswith(o, name.end())), "")
    begin = name.end() + len(operator)
    if not operator and begin != end:
        raise Unclear(f"{text!r} has a variable that cannot be read")
    word = parts_of(text[begin:end], at + begin)
    return Variable(name.group(), operator, word), end + 1


def _closing(text: str, position: int) -> int:
    """Where the brace closes that is open at a position."""
    depth = 1
    while position < len(text):
        if text.startswith("${", position):
            depth += 1
        elif text[position] == "}":
            depth -= 1
            if depth == 0:
                return position
        position += 1
    raise Unclear(f"{text!r} has a brace that is not closed")


def leaves(parts: tuple[Part, ...], value: Callable[[str], str | None]) -> list[Leaf]:
    """What the parts say with these values of variables; empty pieces are left out, except
    variables that have no value and no default."""
    found: list[Leaf] = []
    for part in parts:
        match part:
            case Literal():
                found.append(Leaf(part.text.replace("$$", "$"), part.start))
            case Variable():
                found += _value_of(part, value)
    return found


def _value_of(variable: Variable, value: Callable[[str], str | None]) -> list[Leaf]:
    known = value(variable.name)
    counts = bool(known) if variable.operator.startswith(":") else known is not None
    match variable.operator[-1:]:
        case "+":
            return leaves(variable.word, value) if counts else []
        case "-" if not counts:
            return leaves(variable.word, value)
        case _:
            return [Leaf(known or "", None, variable.name)]


def names_in(text: str) -> set[str]:
    """Every variable that a text mentions, also where the text as a whole cannot be read."""
    return set(re.findall(r"(?<!\$)(?:\$\$)*\$\{?([A-Za-z_][A-Za-z0-9_]*)", text))
