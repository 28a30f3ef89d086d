"""Take credentials out of a text before anybody else reads it. Rather too much than too little."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.errors import InvalidReference
from safe_auto_updater.core.reference import Reference

MASK = "***"

# A name that says what follows is secret. `..._file` names a path, which is none.
_SECRET_NAME = (
    r"(?:password|passwd|passphrase|passcode|pwd|[_-]pass(?![a-z])|secret|token|credential"
    r"|(?<![a-z])pass(?=\\?[\"']?\s{0,8}=)|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|signature)[\w.-]{0,64}"
)
_HEADER = re.compile(
    r"(?i)(?P<name>(?:proxy-)?authorization|x-registry-auth|x-registry-config|set-cookie|cookie)"
    r"(?P<quote>[\"']?)(?P<sign>\s{0,8}[:=]\s{0,8})(?P<value>\"[^\"\r\n]*\"|'[^'\r\n]*'|[^\r\n]+)"
)
_PAIR = re.compile(
    rf"(?i)(?P<name>{_SECRET_NAME}|(?<![a-z])auth)"
    r"(?P<quote>\\?[\"']?)(?P<sign>\s{0,8}[:=]\s{0,8})"
    r"(?P<value>\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\s&]+)"
)
# An image may be called `external-secrets`: `path/name:1.2` and `name: 1.2 -> 1.3` tell versions.
_VERSION = re.compile(
    r"v?[0-9]{1,8}(?:\.[0-9]{1,8}){1,4}(?:[-_.][\w.-]{1,100})?(?:@sha256:[0-9a-f]{64})?[\"'.,;:)\]]*"
)
_IN_NAME = re.compile(r"[\w.-]*")
_LONGEST_PATH = 255
_REFERENCES = ("reference", "references")
_USERINFO = re.compile(  # over ssh a user without a password is no secret
    r"(?i)(?<=://)(?!(?<=ssh://)[^\s/?#\"'<>:@]+@)[^\s/?#\"'<>]+@"
)
_SCHEME = re.compile(
    r"(?i)\b(bearer|basic)(\s{1,8})(?!(?:auth\w*|tokens?|schemes?|challenges?|realm=\S*)(?!\S))"
    r"[^\s,;\"']{4,}"
)
_KNOWN = re.compile(
    r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|dckr_pat_[\w-]{16,}"
    r"|xox[a-z]-[\w-]{10,}|eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*)"
)


def redact(text: str) -> str:
    """The text without URL userinfo, authorization headers, tokens and secret `name=value` pairs.

    Pure, linear in the text, and idempotent.
    """
    text = _USERINFO.sub(MASK + "@", text)
    text = _HEADER.sub(_mask_value, text)
    text = _SCHEME.sub(lambda found: found[1] + found[2] + MASK, text)
    text = _PAIR.sub(_mask_pair, text)
    return _KNOWN.sub(MASK, text)


def redact_all(value: Any, key: str = "") -> Any:
    """The same for every text in a value. What stands under a secret name is masked whole.

    What stands under `reference` and names an image stays whole, whatever the image is called.
    """
    if key and _is_secret(key):
        return MASK if value is not None else None
    match value:
        case str() if key in _REFERENCES and _is_reference(value):
            return value
        case str():
            return redact(value)
        case Mapping():
            return {str(each): redact_all(value[each], str(each)) for each in value}
        case list() | tuple() | set() | frozenset():
            return [redact_all(each, key) for each in value]
        case None | bool() | int() | float():
            return value
        case _:
            return redact(str(value))


def _mask_pair(found: re.Match[str]) -> str:
    is_harmless = _names_file(found["name"]) or _tells_version(found)
    return found[0] if is_harmless else _mask_value(found)


def _mask_value(found: re.Match[str]) -> str:
    name, value = found["name"], found["value"]
    quote = value[0] if value[0] in "\"'" and value[-1:] == value[0] and len(value) > 1 else ""
    return f"{name}{found['quote']}{found['sign']}{quote}{MASK}{quote}"


def _tells_version(found: re.Match[str]) -> bool:
    if found["quote"] or not _VERSION.fullmatch(found["value"]):
        return False
    if found["sign"] == ":":
        before = found.string[max(0, found.start() - _LONGEST_PATH) : found.start()]
        path, _, name = before.rpartition("/")
        return path[-1:].isalnum() and _IN_NAME.fullmatch(name) is not None
    return found["sign"] == ": " and found.string.startswith(" -> ", found.end())


def _is_reference(text: str) -> bool:
    try:
        Reference.parse(text)
    except InvalidReference:
        return False
    return True


def _is_secret(key: str) -> bool:
    found = re.search(rf"(?i){_SECRET_NAME}|authorization|(?<![a-z])auth(?![a-z])", key)
    return found is not None and not _names_file(key)


def _names_file(name: str) -> bool:
    return name.lower().endswith(("_file", "-file"))
