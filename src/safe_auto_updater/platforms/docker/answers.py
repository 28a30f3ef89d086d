"""What an engine's answers mean: JSON, refusals, and text in frames."""

from __future__ import annotations

import json
import re
from typing import Any

from safe_auto_updater.core.errors import (
    NotFound,
    PlatformError,
    PlatformUnfit,
    PlatformUnreachable,
)
from safe_auto_updater.platforms.docker.connections import Reply

CHANGING = "data changed during operation, retry"  # containerd's store, while others pull or tag
_AMBIGUOUS = "multiple ids found with provided prefix"  # no name: several IDs begin so
_UNFIT = {
    "no space left on device": "the engine's disk is full: make room there",
    "iptables failed": (
        "the engine's firewall rules are gone, somebody has flushed them: restart the engine"
    ),
}


def decoded(content: bytes, host: str, path: str) -> Any:
    """A whole answer as JSON. PlatformError where it is none."""
    try:
        return json.loads(content)
    except ValueError as error:
        raise PlatformError(f"{host}: the answer to {path} is no JSON: {error}") from error


def message_of(line: bytes, host: str, path: str) -> dict[str, Any]:
    """One message of a stream. PlatformError where it is none."""
    try:
        told = json.loads(line)
    except ValueError as error:
        raise PlatformError(f"{host}: the answer to {path} is damaged: {error}") from error
    if not isinstance(told, dict):
        raise PlatformError(f"{host}: the answer to {path} is damaged: {told!r:.80}")
    return told


def refusal(
    reply: Reply, host: str, method: str, path: str
) -> PlatformError | PlatformUnreachable | PlatformUnfit:
    """What a refusal means: the engine explains itself in JSON, a proxy before it does not."""
    text = reply.read().decode("utf-8", "replace")
    try:
        message = str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        said = f"{reply.status} {reply.reason}"
        if reply.status in (401, 403, 405):
            return PlatformError(
                f"{method} {pattern(path)} is not allowed ({said}): allow it in the socket "
                "proxy before the engine; docs/socket-proxy.md lists what is needed",
                reply.status,
            )
        if reply.status in (502, 503, 504):
            return PlatformUnreachable(
                f"{host}: {method} {path}: a proxy says {said}: the engine behind it does not "
                "answer. Is it running?"
            )
        message = text.strip()[:500] or reply.reason
    remedy = next((r for words, r in _UNFIT.items() if words in message.lower()), None)
    if reply.status >= 500 and remedy is not None:
        return PlatformUnfit(f"{host}: {remedy} ({message})")
    is_nobody = reply.status == 404 or _AMBIGUOUS in message.lower()
    kind = NotFound if is_nobody else PlatformError
    return kind(f"{message} ({path})", reply.status)


def pattern(path: str) -> str:
    """A path as one allows it: without the API version and whose it is."""
    path = re.sub(r"^/images/.+/(json|tag)$", r"/images/{name}/\1", path)
    path = re.sub(r"^/images/(?!json$|create$)[^{]+$", "/images/{name}", path)
    path = re.sub(r"^/distribution/.+/json$", "/distribution/{name}/json", path)
    kinds = "containers|networks|exec|services|tasks"
    return re.sub(rf"^/({kinds})/(?!json$|create$)[^/]+", r"/\1/{id}", path)


def demultiplexed(raw: bytes) -> str:
    """Text of a stream that may carry the engine's 8-byte frame headers (no-TTY containers)."""
    parts, at = [], 0
    while len(raw) - at >= 8 and raw[at] in (0, 1, 2) and raw[at + 1 : at + 4] == b"\0\0\0":
        size = int.from_bytes(raw[at + 4 : at + 8], "big")
        parts.append(raw[at + 8 : at + 8 + size])
        at += 8 + size
    return (b"".join(parts) or raw).decode("utf-8", "replace")
