"""How Helm packs a release: JSON, gzipped, base64. Anybody may write one, so nothing is believed.

Source: Helm's storage drivers (`encodeRelease`); a payload without gzip is of before Helm 2.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any, NoReturn

LARGEST = 64 * 1024 * 1024  # bytes of JSON; a Secret holds a megabyte, and gzip a thousand times it
_GZIP = b"\x1f\x8b\x08"
_BLANK = " \t\n\r"


class Unreadable(ValueError):
    """A payload that is none; its text is the fact alone."""


def unpacked(payload: str) -> str:
    """The JSON text of a release. Raises Unreadable."""
    try:
        content = base64.b64decode("".join(payload.split()), validate=True)
    except ValueError as error:
        raise Unreadable("it is not base64") from error
    if content.startswith(_GZIP):
        content = _inflated(content)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("it is neither gzip nor text") from error


def members(text: str) -> dict[str, tuple[Any, str]]:
    """Each member of a JSON object: its value, and its own text to the byte. Raises Unreadable."""
    try:
        return _members(text)
    except (ValueError, RecursionError, IndexError) as error:
        why = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise Unreadable(f"it is no JSON object: {why}") from error


def _inflated(content: bytes) -> bytes:
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        found = stream.decompress(content, LARGEST)
    except zlib.error as error:
        raise Unreadable(f"its gzip is damaged: {error}") from error
    if not stream.eof:
        too_large = bool(stream.unconsumed_tail)
        raise Unreadable(
            f"it unpacks to more than {LARGEST >> 20} MiB" if too_large else "its gzip is cut off"
        )
    return found


def _members(text: str) -> dict[str, tuple[Any, str]]:
    found: dict[str, tuple[Any, str]] = {}
    at = _past(text, 0, "{")
    if text[at] == "}":
        at += 1
    else:
        while True:
            name, at = _DECODER.raw_decode(text, at)
            if not isinstance(name, str):
                raise ValueError(f"{name!r} is no name")
            at = _past(text, at, ":")
            value, end = _DECODER.raw_decode(text, at)
            found[name] = value, text[at:end]
            at = _blanks(text, end)
            if text[at] == "}":
                at += 1
                break
            at = _past(text, at, ",")
    if _blanks(text, at) != len(text):
        raise ValueError("something stands behind it")
    return found


def _past(text: str, at: int, mark: str) -> int:
    at = _blanks(text, at)
    if text[at] != mark:
        raise ValueError(f"{text[at]!r} where {mark!r} belongs")
    return _blanks(text, at + 1)


def _blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)
