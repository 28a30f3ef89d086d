"""What stands behind the numbers of a tag: prereleases, distributions, builds, hashes.

Only numbers that are known to count something may differ between two tags of one track: builds
(`-r4`, `-ls120`, `p13`, a bare `-1`), dates, distributions (`-alpine3.19`) and a second version
(`16-3.4`). What an application or its data rests on (`-php8.2`, `-jdk17`, `-pg16`, `-cuda12.1`) and
what the machine is (`-arm64v8`, `-ltsc2022`) parts tracks, as words do.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

_DISTRIBUTIONS = frozenset(
    {"alpine", "debian", "deb", "ubuntu", "centos", "el", "ubi", "rhel", "rocky", "rockylinux",
     "almalinux", "fedora", "fc", "oraclelinux", "ol", "leap", "photon", "amazonlinux", "al"}
)  # fmt: skip
_BUILDS = frozenset(
    {"", "v", "r", "rev", "revision", "build", "b", "p", "pl", "patch", "ls", "u", "post",
     "hotfix", "security"}
)  # fmt: skip
_MACHINE = re.compile(r"(?:amd|arm|aarch|x86[-_.]?|i|riscv|mips|ppc)[0-9]+$", re.IGNORECASE)
_WORDS = re.compile(r"[0-9A-Za-z]+")
# What may be a commit hash, a date with dashes, or a number with its dots.
_TOKEN = re.compile(
    r"(?<![0-9A-Za-z])g?(?P<hex>[0-9a-f]{7,40})(?![0-9A-Za-z])"
    r"|(?P<date>(?:19|20|21)[0-9]{2}-[01][0-9]-[0-3][0-9])(?![0-9])"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)*)"
)
_NUMBERED = r"(?:[-_.]?([0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])|[0-9]+(?:\.[0-9]+)*))"
# A channel without a number (`3.12-dev`) is a flavour that goes on beside the releases.
_PRERELEASE = re.compile(
    r"(?:[-_.]|^)(?:"
    r"(snapshot|alpha|beta|milestone|preview|pre|ea|rc|cr|m(?=[0-9])|(?<![-_.])[ab](?=[0-9]))"
    rf"{_NUMBERED}?|(nightly|dev|canary|unstable){_NUMBERED})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_RANKS = {
    "snapshot": 0, "nightly": 0, "dev": 0, "canary": 0, "unstable": 0,
    "alpha": 1, "a": 1, "beta": 2, "b": 2, "ea": 2, "milestone": 3, "m": 3,
    "pre": 4, "preview": 4, "rc": 5, "cr": 5,
}  # fmt: skip

Rank = tuple[int, int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Part:
    """A number of a suffix that may move, and whether it only counts builds."""

    numbers: tuple[int, ...]
    is_build: bool


@dataclass(frozen=True, slots=True)
class Suffix:
    """A suffix taken apart. Two of one `shape` are of one track; a hash never orders anything."""

    shape: str
    parts: tuple[Part, ...]
    numbers: tuple[tuple[int, ...], ...]
    has_hash: bool


PLAIN = Suffix("", (), (), False)


@lru_cache(maxsize=1024)  # a repository of ten thousand tags has some dozens of suffixes
def read_suffix(text: str) -> Suffix:
    """Take a suffix apart: `-debian-12-r4` has a distribution 12 and a build 4."""
    if not text:
        return PLAIN
    shape, end, has_hash = "", 0, False
    parts: list[Part] = []
    for token in _TOKEN.finditer(text):
        between = text[end : token.start()]
        # NUL stands for what may differ: no tag has it.
        if token["hex"] is not None and not _is_date(token[0]):
            is_hash = not token[0].isalpha()  # `defaced` is a word
            has_hash, mark = has_hash or is_hash, "\0hash" if is_hash else token[0]
        else:
            part = _part(token, between, text[:end])
            mark = token[0] if part is None else f"\0{_kind(token[0])}"
            parts += [] if part is None else [part]
        shape, end = shape + between + mark, token.end()
    numbers = tuple(part.numbers for part in parts)
    return Suffix(shape + text[end:], tuple(parts), numbers, has_hash)


def split_prerelease(text: str) -> tuple[str, str]:
    """Part `-rc1-alpine` into the prerelease `rc1` and the suffix `-alpine`; each may be empty."""
    match = _PRERELEASE.search(text)
    if match is None:
        return "", text
    return match[0].lstrip("-_."), text[: match.start()] + text[match.end() :]


def prerelease_rank(prerelease: str) -> Rank:
    """The place of a prerelease among those of its version; the release, without one, is last."""
    if not prerelease:
        return 1, 0, ()
    match = _PRERELEASE.match(prerelease)
    assert match is not None, prerelease
    word, number = match[1] or match[3], match[2] or match[4]
    return 0, _RANKS[word.lower()], _numbers(number) if number else ()


def is_date_number(number: int) -> bool:
    """Whether a number reads as YYYYMMDD, perhaps with a time behind it."""
    if not 19000101 <= number < 10**14:
        return False
    text = str(number)
    if len(text) % 2:
        return False
    return "1900" <= text[:4] <= "2199" and "01" <= text[4:6] <= "12" and "01" <= text[6:8] <= "31"


def _part(token: re.Match[str], between: str, before: str) -> Part | None:
    """The number as one that may move, or None where it names what parts tracks."""
    numbers = _numbers(token[0])
    if token["date"] is not None or _is_date(token[0]):
        return Part(numbers, True)
    words = _WORDS.findall(between)
    word = words[-1].lower() if words else ""
    if word in _DISTRIBUTIONS:
        return Part(numbers, False)
    if words and words[-1] == "CU":  # SQL Server's; `cu124` is a CUDA
        return Part(numbers, True)
    # `arm-v7`, `arm64v8` and `x86-64-v3` are machines: a v counts alone, behind a separator.
    of_machine = len(words) > 1 or between[:1] == "v" or _MACHINE.search(before) is not None
    if word not in _BUILDS or (word == "v" and of_machine):
        return None
    return Part(numbers, len(numbers) == 1)


def _kind(number: str) -> str:
    if "-" in number or _is_date(number):
        return f"date{len(number)}"
    return "number" + "." * number.count(".")


def _is_date(text: str) -> bool:
    return text.isdigit() and is_date_number(int(text))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, re.split(r"[-.]", text)))
