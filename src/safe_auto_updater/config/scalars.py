"""What a YAML scalar means, by the YAML 1.2 core schema: `no` and `on` are text, not booleans."""

from __future__ import annotations

import math
import re

MAX_LENGTH = 4096
_LARGEST = 2**63 - 1

_NULL = ("", "~", "null", "Null", "NULL")
_TRUE = ("true", "True", "TRUE")
_FALSE = ("false", "False", "FALSE")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_ENDLESS = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")

Scalar = str | int | float | bool | None


def scalar(text: str, plain: bool) -> tuple[Scalar, str | None]:
    """The value of a scalar, and what is wrong with it. Quoted scalars are always text."""
    if len(text) > MAX_LENGTH:
        return "", f"longer than {MAX_LENGTH} characters; shorten it"
    if _NO_TEXT.search(text):
        return "", "contains a character that is no text; remove it"
    return _plain(text) if plain else (text, None)


def _plain(text: str) -> tuple[Scalar, str | None]:
    if text in _NULL:
        return None, None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE, None
    if _INT.fullmatch(text):
        return _whole(text)
    if _ENDLESS.fullmatch(text):
        return 0.0, "not a finite number; write one"
    if _FLOAT.fullmatch(text):
        number = float(text)
        return (number, None) if math.isfinite(number) else (0.0, "number too large; lower it")
    return text, None


def _whole(text: str) -> tuple[Scalar, str | None]:
    digits = text.lstrip("+-")
    if len(digits) > 64:
        return 0, "number too large; lower it"
    number = int(digits, 0) if digits[:2] in ("0x", "0o") else int(digits)
    if number > _LARGEST:
        return 0, "number too large; lower it"
    return -number if text.startswith("-") else number, None
