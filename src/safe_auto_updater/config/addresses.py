"""Addresses as they are configured. Each error says what to write instead."""

import re
from urllib.parse import SplitResult, urlsplit

_CONTEXT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


def docker_host(text: str) -> str:
    """An engine's address. ValueError names the remedy.

    `unix:///path`, `tcp://host:port` or `ssh://[user@]host[:port][/path/of/the/socket]`.
    """
    scheme, _, rest = text.partition("://")
    if scheme == "unix" and rest.startswith("/"):
        return text
    if scheme == "tcp":
        parts = split(text)
        if parts.port is None:
            raise ValueError("has no port; write tcp://host:2375")
        return text
    if scheme == "ssh":
        return _ssh(text, rest)
    raise ValueError(
        "not an engine this version reaches; use unix:///path, tcp://host:port or ssh://user@host"
    )


def context_name(text: str) -> str:
    """The name of a Docker context. ValueError names the remedy."""
    if not _CONTEXT.fullmatch(text):
        raise ValueError("not the name of a Docker context; `docker context ls` lists them")
    return text


def _ssh(text: str, rest: str) -> str:
    user, at, _ = rest.partition("/")[0].rpartition("@")
    if ":" in user:
        raise ValueError("carries a password; take it out and use a key")
    parts = split(text.replace(f"{user}@", "", 1) if at else text)
    if (at and not user) or user.startswith("-") or (parts.hostname or "").startswith("-"):
        raise ValueError("has no usable user or host; write ssh://user@host")
    if parts.query or parts.fragment:
        raise ValueError("ends in what is no path; write ssh://user@host/path/of/the/socket")
    return text


def split(text: str) -> SplitResult:
    """A URL with a host, and no user. ValueError names the remedy."""
    if any(c.isspace() or not c.isprintable() for c in text):
        raise ValueError("not a URL; it contains a space or control character")
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError("not a URL; write for example http://host:8080/path") from None
    if "@" in parts.netloc:
        raise ValueError("carries a user or password; take it out")
    if not parts.hostname:
        raise ValueError("names no host; add it")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0 or parts.netloc.endswith(":"):
        raise ValueError("has no usable port; use 1 to 65535")
    return parts
