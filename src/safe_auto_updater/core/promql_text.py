"""Queries as operators write them, looked at for what would mean something else than it seems.

PromQL itself is the server's to understand. Here only its outermost comparisons are seen: without
`bool` one drops the series that are not so, with it one returns 0 or 1.
Source: Prometheus, "Operators", "Comparison binary operators".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from safe_auto_updater.core.probing import ADDRESS

NAME = "{name}"
LONGEST = 4000  # it goes into a URL

_OPAQUE = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`|#[^\n]*", re.DOTALL)
_INNER = re.compile(r"\{[^{}]*\}|\[[^\[\]]*\]")
_PART = re.compile(r"(?P<sign>==|!=|<=|>=|<|>)\s*(?P<bool>bool\b)?|[()]", re.IGNORECASE)


def check_query(text: str) -> str:
    """The query of a health check: gives one value, which `expect` judges. ValueError."""
    _readable(text)
    for sign, has_bool in _comparisons(text):
        if not has_bool:
            raise ValueError(
                f"compares by {sign}, which drops what is not so, and the rest would pass; write "
                "the value here and the comparison under expect (where it is meant, put it in "
                "parentheses within a larger query)"
            )
    return text


def incident_query(text: str) -> str:
    """The query of an incident: returns something while there is one, else nothing. ValueError."""
    _readable(text)
    for placeholder in (ADDRESS, NAME):
        if placeholder in text:
            raise ValueError(f"is asked once for all assets, {placeholder} means none; take it out")
    for sign, has_bool in _comparisons(text):
        if has_bool:
            raise ValueError(
                f"compares by {sign} bool, which always returns something, and so would hold for "
                "ever; take bool out"
            )
    return text


def _readable(text: str) -> None:
    if not text.strip() or any(not c.isprintable() and c not in "\n\t" for c in text):
        raise ValueError("not a query; write PromQL, for example sum(rate(errors_total[5m]))")
    if len(text) > LONGEST:
        raise ValueError(f"longer than {LONGEST} characters; make it a recording rule")


def _comparisons(text: str) -> Iterator[tuple[str, bool]]:
    """Sign and whether `bool` follows, of each comparison outside parentheses."""
    plain = _OPAQUE.sub(lambda found: " " if found[0][0] == "#" else '""', text)
    plain = _INNER.sub(" ", plain).strip()
    while plain.startswith("(") and _closing(plain) == len(plain) - 1:
        plain = plain[1:-1].strip()
    depth = 0
    for part in _PART.finditer(plain):
        if part["sign"] is None:
            depth += 1 if part[0] == "(" else -1
        elif depth == 0:
            yield part["sign"], part["bool"] is not None


def _closing(text: str) -> int:
    """Where the first parenthesis of a text is closed; -1 where it is not."""
    depth = 0
    for at, sign in enumerate(text):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth == 0:
            return at
    return -1
