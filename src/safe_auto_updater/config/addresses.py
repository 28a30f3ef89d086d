"""Where something listens, as it is configured. ValueError names the remedy."""

import re
from urllib.parse import unquote

from safe_auto_updater.config.urls import split
from safe_auto_updater.core.probing import ADDRESS

_REGISTRY = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(\d{1,5}))?")


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


def registry(text: str) -> str:
    """A registry's host, in small letters."""
    host = text.lower()
    found = _REGISTRY.fullmatch(host)
    if not found or ".." in host or (found[1] and not 0 < int(found[1]) < 65536):
        raise ValueError("not a registry host; write host or host:port, no scheme and no path")
    return host


def probe_host(text: str) -> str:
    """A host to be probed, or `{address}`."""
    if text != ADDRESS and not re.fullmatch(r"[A-Za-z0-9_.:-]+", text):
        raise ValueError(f"not a host; write a name, an address or {ADDRESS}")
    return text


def service(text: str) -> str:
    """A Service of a cluster and its port."""
    if not re.fullmatch(r"(https?:)?[a-z]([a-z0-9-]{0,61}[a-z0-9])?:[a-z0-9-]{1,15}", text):
        raise ValueError("not a Service; write name:port or https:name:port")
    return text


def service_path(text: str) -> str:
    """What is asked of a Service."""
    unquoted = unquote(text)
    if not re.fullmatch(r"/[!-~]*", text) or "#" in text or "\\" in unquoted:
        raise ValueError("not a path; start it with /, and write other signs as %XX")
    if {".", ".."} & set(unquoted.partition("?")[0].split("/")):
        raise ValueError("leads out of the Service; write it without . and ..")
    return text


def mail_host(text: str) -> str:
    """A mail server, without its port."""
    if not re.fullmatch(r"[A-Za-z0-9_.:-]+", text):
        raise ValueError("not a host; write a name or an address, and the port under port")
    return text


def mail_address(text: str) -> str:
    """Whom mail is for."""
    if not re.fullmatch(r"[!#-'*+/-9=?A-Z^-~.-]{1,64}@[A-Za-z0-9.\[\]:-]{1,253}", text):
        raise ValueError("not a mail address; write for example admin@example.org")
    return text
