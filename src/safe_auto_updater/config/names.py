"""Names, patterns over names, and paths, as they are configured. ValueError names the remedy."""

import re

from safe_auto_updater.core.errors import InvalidReference
from safe_auto_updater.core.reference import Reference

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
_KIND = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_PLATFORM = re.compile(r"[a-z][a-z0-9_-]*:")
_BUILT_IN = ("docker:", "kubernetes:", "helm:")
_CONTEXT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


def name(text: str) -> str:
    """What an engine or cluster is called in identities."""
    if not _NAME.fullmatch(text):
        raise ValueError("not a name; use a-z, 0-9 and _ . - (at most 63, no sign first)")
    return text


def kind(text: str) -> str:
    """A type that is built in, or the name of a plugin."""
    if not _KIND.fullmatch(text):
        raise ValueError("not the name of a kind or plugin; use letters, digits and _ . -")
    return text


def pattern(text: str) -> str:
    """A pattern over the identities of assets that can match one.

    Before a wildcard the platform may be cut short where it is built in; a plugin's is whole.
    """
    literal = re.split(r"[*?\[]", text, maxsplit=1)[0]
    if not text or text != text.strip() or any(not c.isprintable() for c in text):
        raise ValueError("not a pattern; write for example docker:local/web or */db-*")
    is_cut = literal != text and any(platform.startswith(literal) for platform in _BUILT_IN)
    if not (_PLATFORM.match(literal) or is_cut) or not set("*:/") & set(text):
        raise ValueError(
            "can match no asset, whose names read docker:<host>/<container>; write */"
            + text[:40].lstrip("/")
        )
    if not set("*/") & set(text):
        raise ValueError(f"names no container; write {text[:40]}/*")
    return text


def namespace(text: str) -> str:
    """A namespace of a cluster."""
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", text):
        raise ValueError("not a namespace; use a-z, 0-9 and - (at most 63, no sign at its ends)")
    return text


def kube_context(text: str) -> str:
    """The name of a context of a kubeconfig."""
    if not text.strip() or not text.isprintable():
        raise ValueError("not the name of a context; `kubectl config get-contexts` lists them")
    return text


def context_name(text: str) -> str:
    """The name of a Docker context."""
    if not _CONTEXT.fullmatch(text):
        raise ValueError("not the name of a Docker context; `docker context ls` lists them")
    return text


def chart_pattern(text: str) -> str:
    """A pattern over the names of charts."""
    if not re.fullmatch(r"[A-Za-z0-9_.*?\[\]!-]+", text):
        raise ValueError("not the name of a chart; write for example web, or * for all of them")
    return text


def image(text: str) -> str:
    """A reference to an image."""
    try:
        Reference.parse(text)
    except InvalidReference as error:
        raise ValueError(f"not an image: {error}; write for example shop/smoke:1.2") from None
    return text


def user(text: str) -> str:
    """A user's name."""
    if not text or ":" in text or not text.isprintable():
        raise ValueError("not a user name; it is empty or contains a colon or control character")
    return text


def absolute(text: str) -> str:
    """An absolute path."""
    if not text.startswith("/") or not text.isprintable():
        raise ValueError("not an absolute path; start it with /")
    return text
