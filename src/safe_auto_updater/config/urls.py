"""URLs as they are configured. ValueError names the remedy."""

import re
from urllib.parse import SplitResult, urlsplit

from safe_auto_updater.core.errors import InvalidReference
from safe_auto_updater.core.probing import ADDRESS
from safe_auto_updater.core.reference import Reference


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


def url(text: str) -> str:
    """A URL of the web."""
    if not text.lower().startswith(("http://", "https://")):
        raise ValueError("not a web URL; start it with http:// or https://")
    split(text)
    import httpx2  # here, because a configuration without URLs needs no HTTP library

    try:
        httpx2.URL(text)
    except httpx2.InvalidURL as error:
        raise ValueError(f"not a URL: {error}; correct it") from None
    return text


def web_url(text: str) -> str:
    """One to which paths are added: without query and fragment."""
    if not text.lower().startswith(("http://", "https://")):
        raise ValueError("not a web URL; start it with http:// or https://")
    parts = split(text)
    if parts.query or parts.fragment:
        raise ValueError("ends in a query or fragment; take it out")
    return text


def probe_url(text: str) -> str:
    """One in which `{address}` may stand for the host."""
    filled = text.replace(ADDRESS, "192.0.2.1")
    if "{" in filled or "}" in filled:
        raise ValueError(f"unknown placeholder; the only one is {ADDRESS}")
    url(filled)
    return text


def chart_repository(text: str) -> str:
    """A classic repository of charts, or the path of a registry that holds some."""
    scheme, _, rest = text.partition("://")
    if scheme.lower() in ("http", "https"):
        return web_url(text)
    if scheme != "oci":
        raise ValueError("not a repository of charts; start it with https://, http:// or oci://")
    try:
        found = Reference.parse(f"{rest.rstrip('/')}/chart")
    except InvalidReference as error:
        raise ValueError(f"not a registry's path: {error}; write oci://host/path") from None
    if not rest.lower().startswith(found.host):
        raise ValueError("names no registry; write oci://host/path")
    return text.rstrip("/")


def apprise_url(text: str) -> str:
    """An address as the apprise library reads it."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*://[!-~]+", text):
        raise ValueError("not an address of apprise; write for example ntfy://host/topic")
    return text
