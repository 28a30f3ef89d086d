"""Addresses as they are configured. Each error says what to write instead."""

from urllib.parse import SplitResult, urlsplit


def docker_host(text: str) -> str:
    """An engine's address, `unix:///path` or `tcp://host:port`. ValueError names the remedy."""
    scheme, _, rest = text.partition("://")
    if scheme == "unix" and rest.startswith("/"):
        return text
    if scheme == "tcp":
        parts = split(text)
        if parts.port is None:
            raise ValueError("has no port; write tcp://host:2375")
        return text
    raise ValueError("not an engine this version reaches; use unix:///path or tcp://host:port")


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
