"""How a registry says what it wants: the WWW-Authenticate header (RFC 9110, section 11)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

_LONGEST_HEADER = 8192
_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_PART = re.compile(
    rf"[\s,]*(?:(?P<key>{_TOKEN})\s*=\s*"
    r'(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s,"]+))'
    rf"|(?P<scheme>{_TOKEN})(?=[\s,]|$))"
)


@dataclass(frozen=True, slots=True)
class Basic:
    """The registry wants a user name and a password."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """The registry wants a token from the service at `realm`."""

    realm: str
    service: str | None


Challenge = Basic | Bearer


def parse_challenges(headers: Iterable[str]) -> tuple[Challenge, ...]:
    """The challenges that we can answer, as they come; others and garbage are left out."""
    found: list[tuple[str, dict[str, str]]] = []
    for header in headers:
        position = 0
        text = header[:_LONGEST_HEADER]
        while match := _PART.match(text, position):
            position = match.end()
            if match["scheme"]:
                found.append((match["scheme"].lower(), {}))
            elif found:
                value = match["plain"] or re.sub(r"\\(.)", r"\1", match["quoted"] or "")
                found[-1][1].setdefault(match["key"].lower(), value)
    return tuple(c for scheme, parameters in found if (c := _challenge(scheme, parameters)))


def choose(challenges: Iterable[Challenge]) -> Challenge | None:
    """A token is preferred: it is narrower than a password."""
    ordered = sorted(challenges, key=lambda challenge: isinstance(challenge, Basic))
    return ordered[0] if ordered else None


def realm_fault(realm: str, *, registry_is_plain: bool) -> str | None:
    """Why a realm must not be asked, or None. Secrets go over TLS, as the registry itself does."""
    try:
        parts = urlsplit(realm)
        host = parts.hostname
    except ValueError:
        return "is no URL"
    if parts.scheme not in ("http", "https") or not host:
        return "is no http(s) URL"
    if "@" in parts.netloc:
        return "holds a user name"
    if parts.scheme == "http" and not registry_is_plain:
        return "is not encrypted, though the registry is"
    return None


def _challenge(scheme: str, parameters: dict[str, str]) -> Challenge | None:
    match scheme:
        case "basic":
            return Basic()
        case "bearer" if "realm" in parameters:
            return Bearer(parameters["realm"], parameters.get("service"))
        case _:
            return None
