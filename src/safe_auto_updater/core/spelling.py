"""How people write values, in labels and in the file alike. Each ValueError says what to write."""

from __future__ import annotations

import json
import math
import re
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlsplit

from safe_auto_updater.core.errors import InvalidReference
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.versions import Bump, PolicyLevel
from safe_auto_updater.core.windows import Freeze, Window, parse_freeze, parse_window

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_GROUP = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
# Characters of tags, `*` and `?`, and sets in brackets, which must be whole.
_TAG_PATTERN = re.compile(r"(?:[\w.*?-]|\[!?[\w.](?:[\w.-]*[\w.])?\])+", re.ASCII)
_RANGE = re.compile(r"(?<=[\[!\w.])([\w.])-([\w.])(?=[^\[]*\])", re.ASCII)
_VERSION = re.compile(r"sha256:[0-9a-f]{12,64}|\w[\w.-]{0,127}", re.ASCII)
_WALKS = (Bump.MINOR, Bump.MAJOR)

E = TypeVar("E", bound=StrEnum)


class Approval(StrEnum):
    """Whether a human must approve an update before it is made."""

    REQUIRED = "required"  # each
    RISKY = "risky"  # those that the risk bands ask for
    NONE = "none"  # none: the operator answers for what the bands would ask


class ComposeChange(StrEnum):
    """What becomes of the Compose file when the tag of one of its services changes."""

    HOLD = "hold"  # the update waits, and the edit is shown
    UPDATE_FILE = "update-file"
    CONTAINER_ONLY = "container-only"  # the file stays: the next `up` puts the old one back


class Pipeline(StrEnum):
    """Whether a workload that a pipeline's `kubectl apply` made is updated beside it."""

    TELL = "tell"  # the plan says what the next `kubectl apply` does
    HOLD = "hold"


class Strategy(StrEnum):
    """Which of the two containers serves while one takes over from the other."""

    STOP_FIRST = "stop-first"
    START_FIRST = "start-first"


class DockerUpdaters(StrEnum):
    """Who re-creates a container."""

    NATIVE = "native"
    WATCHTOWER = "watchtower"


def duration_s(text: str) -> float:
    """`90s`, `1h30m`, `500ms`, `2d` as seconds. ValueError says what a duration looks like."""
    parts = _DURATION.findall(text) if len(text) <= 200 else []
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError("not a duration; write for example 30s, 5m, 1h30m or 2d")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not math.isfinite(seconds) or seconds > 10 * 365 * 86400:
        raise ValueError("longer than ten years; write less")
    return seconds


def in_words(seconds: float) -> str:
    """Seconds as a duration, in its two largest units: `3d`, `1h30m`, `45s`, `0s`."""
    left, parts = round(seconds), []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2]) or "0s"


def level(text: str) -> PolicyLevel:
    """A version policy."""
    return _one_of(PolicyLevel, text, "policy")


def approval(text: str) -> Approval:
    """Who must approve."""
    return _one_of(Approval, text, "kind of approval")


def approved_versions(text: str) -> tuple[str, ...]:
    """Versions that are approved, parted by commas: tags, or digests from 12 digits on."""
    words = tuple(word.strip() for word in text.split(","))
    if not all(_VERSION.fullmatch(word) for word in words):
        raise ValueError(
            "names no version; write a tag such as 1.4.2, or a digest from 12 digits on such as "
            "sha256:0123456789ab; several are parted by commas"
        )
    return words


def compose_change(text: str) -> ComposeChange:
    """What becomes of a Compose file."""
    return _one_of(ComposeChange, text, "way to treat a Compose file")


def pipeline(text: str) -> Pipeline:
    """What to do beside a pipeline."""
    return _one_of(Pipeline, text, "way to treat a pipeline's workload")


def strategy(text: str) -> Strategy:
    """Which container serves meanwhile."""
    return _one_of(Strategy, text, "strategy")


def docker_updater(text: str) -> DockerUpdaters:
    """Who re-creates a container."""
    return _one_of(DockerUpdaters, text, "updater of containers")


def command(text: str) -> tuple[str, ...]:
    """A command inside a container: a line for its shell, or a JSON list for no shell at all."""
    if not text.strip():
        raise ValueError("empty; write a command or remove it")
    if not text.lstrip().startswith("["):
        return ("/bin/sh", "-c", text)
    try:
        words = json.loads(text)
    except ValueError as error:
        raise ValueError(f'not a JSON list ({error}); write ["/bin/program", "word"]') from None
    if not words or not all(isinstance(word, str) and word for word in words):
        raise ValueError('not a list of words; write ["/bin/program", "word"]')
    return tuple(words)


def walk(text: str) -> Bump:
    """Which steps are taken one at a time: `minor` or `major`."""
    for bump in _WALKS:
        if text == bump.value:
            return bump
    raise ValueError("not a kind of step; use minor or major")


def boolean(text: str) -> bool:
    """`true` or `false`, in any case."""
    match text.lower():
        case "true":
            return True
        case "false":
            return False
        case _:
            raise ValueError("neither true nor false")


def group(text: str) -> str:
    """The name of a group that moves together."""
    if not _GROUP.fullmatch(text):
        raise ValueError("not a name; use letters, digits and _ . - (at most 63, no sign first)")
    return text


def tag_patterns(text: str) -> tuple[str, ...]:
    """Patterns over tags, parted by commas: `1.*, *-alpine`."""
    return tuple(tag_pattern(part.strip()) for part in text.split(","))


def tag_pattern(text: str) -> str:
    """One pattern over tags. A tag has at most 128 of these characters; `* ? [ ] !` are signs."""
    if not _TAG_PATTERN.fullmatch(text) or len(text) > 128:
        raise ValueError(
            "not a pattern over tags; write for example 1.*, *-alpine or 1.[0-3].*, each on its "
            "own: a comma parts patterns"
        )
    for low, high in _RANGE.findall(text):
        if low > high:
            raise ValueError(f"the range {low}-{high} is empty; turn it round")
    return text


def mirror(text: str) -> str:
    """Where a registry's content can be had too: `https://host[:port][/prefix]`."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        if not usable or "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("write http(s)://HOST[:PORT][/PREFIX], without user name or query")
        Reference.parse(f"{parts.netloc}{parts.path.rstrip('/')}/name")
    except InvalidReference:
        fact = "its host or prefix cannot stand before a repository's name; correct it"
        raise ValueError(fact) from None
    except ValueError as error:
        raise ValueError(f"not a mirror; {error}") from None
    return text


def windows(text: str) -> tuple[Window, ...]:
    """Windows, parted by semicolons."""
    return tuple(parse_window(part) for part in text.split(";"))


def freezes(text: str) -> tuple[Freeze, ...]:
    """Freeze periods, parted by semicolons."""
    return tuple(parse_freeze(part) for part in text.split(";"))


def _one_of(kind: type[E], text: str, what: str) -> E:
    try:
        return kind(text)
    except ValueError:
        known = ", ".join(word.value for word in kind)
        raise ValueError(f"not a {what}; use one of {known}") from None
