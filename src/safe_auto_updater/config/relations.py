"""Rules between keys. They read the plain data, so that they are told beside all other errors.

Each yields (location of the key, what is wrong with the remedy). Data of the wrong shape is
passed over: the models have said so already.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from safe_auto_updater.config.receivers import receiver
from safe_auto_updater.core.spelling import duration_s

Found = tuple[tuple[str | int, ...], str]


def contradictions(data: Any) -> Iterator[Found]:
    """Every pair of keys that cannot stand together."""
    yield from _twice(data, ("inventory", "docker"), "name", "engine name")
    yield from _twice(data, ("inventory", "docker"), "host", "engine")
    yield from _twice(data, ("inventory", "docker"), "context", "context")
    yield from _twice(data, ("inventory", "kubernetes"), "name", "cluster name")
    for number, entry in enumerate(_list(data, ("inventory", "kubernetes"))):
        if isinstance(entry, dict):
            for loc, text in _cluster(entry):
                yield ("inventory", "kubernetes", number, *loc), text
    engines = _at(data, ("inventory", "docker"))
    for number, entry in enumerate(engines if isinstance(engines, list) else ()):
        if isinstance(entry, dict):
            for loc, text in _engine(entry):
                yield ("inventory", "docker", number, *loc), text
    yield from _twice(data, ("detection", "registries"), "host", "registry")
    registries = _at(data, ("detection", "registries"))
    for number, entry in enumerate(registries if isinstance(registries, list) else ()):
        if isinstance(entry, dict):
            for loc, text in _registry(entry):
                yield ("detection", "registries", number, *loc), text
    for number, entry in enumerate(_list(data, ("detection", "helm_sources"))):
        if isinstance(entry, dict):
            for key, text in _helm_source(entry):
                yield ("detection", "helm_sources", number, key), text
    for loc in (("detection", "block_while"), ("execution", "health", "checks")):
        for number, entry in enumerate(_list(data, loc)):
            if isinstance(entry, dict):
                for key, text in _prometheus(entry):
                    yield (*loc, number, key), text
    for number, entry in enumerate(_list(data, ("notifications",))):
        if isinstance(entry, dict):
            for place, text in receiver(entry):
                yield ("notifications", number, *place), text
    yield from _watchtower(data)
    detection = _at(data, ("detection",))
    if isinstance(detection, dict) and {"interval", "schedule"} <= detection.keys():
        yield ("detection", "schedule"), "says when, and so does interval; remove one of them"
    yield from _never_stable(_at(data, ("execution", "health")))
    risk = _at(data, ("execution", "risk"))
    if isinstance(risk, dict):
        low, high = risk.get("automatic", 30), risk.get("approval", 60)
        if isinstance(low, int) and isinstance(high, int) and low > high:
            text = f"above approval ({high}), so nothing could need one; lower it or raise approval"
            yield ("execution", "risk", "automatic"), text


def _twice(data: Any, loc: tuple[str, ...], key: str, what: str) -> Iterator[Found]:
    seen: set[str] = set()
    entries = _at(data, loc)
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        value = entry.get(key) if isinstance(entry, dict) else None
        if isinstance(value, str):
            if value.lower() in seen:
                yield (*loc, number, key), f"this {what} is listed twice; keep one"
            seen.add(value.lower())


def _engine(entry: dict[str, Any]) -> Iterator[Found]:
    if "host" not in entry and "context" not in entry:
        yield (), "has neither host nor context; write where the engine listens"
    if "host" in entry and "context" in entry:
        yield ("context",), "says where the engine is, and so does host; remove one of them"
    over_tcp = str(entry.get("host", "")).startswith("tcp://")
    for key in ("ca_file", "cert_file", "key_file"):
        if key in entry and not over_tcp:
            yield (key,), "is for an engine at tcp://host:port; remove it"
    for given, other in (("cert_file", "key_file"), ("key_file", "cert_file")):
        if given in entry and other not in entry:
            yield (given,), f"needs {other} beside it; add it or remove both"


def _cluster(entry: dict[str, Any]) -> Iterator[Found]:
    """Only what is looked at can be looked up."""
    looked_at, read = entry.get("namespaces"), entry.get("pull_secrets")
    if isinstance(looked_at, list) and isinstance(read, list):
        for number, name in enumerate(read):
            if name not in looked_at:
                yield ("pull_secrets", number), "is not among namespaces; add it there"


def _watchtower(data: Any) -> Iterator[Found]:
    """Who is to be asked must be known, and which of several engines it works on."""
    section = _at(data, ("execution", "watchtower"))
    asked = [
        ("execution",),
        *(("detection", "rules", n) for n, _ in enumerate(_list(data, ("detection", "rules")))),
    ]
    for loc in asked:
        if section is None and _at(data, (*loc, "docker_updater")) == "watchtower":
            yield (
                (*loc, "docker_updater"),
                "needs execution.watchtower; say there where it listens (url, token_file)",
            )
    if not isinstance(section, dict):
        return
    names = [e.get("name") for e in _list(data, ("inventory", "docker")) if isinstance(e, dict)]
    given = section.get("docker")
    if given is None and len(names) > 1:
        text = "does not say which engine it works on; add docker: with the name of one of them"
        yield ("execution", "watchtower"), text
    known = names or ["local"]
    if isinstance(given, str) and given not in known:
        listed = ", ".join(str(name) for name in known)
        yield ("execution", "watchtower", "docker"), f"no engine of this name; known: {listed}"


def _list(data: Any, loc: tuple[str, ...]) -> list[Any]:
    found = _at(data, loc)
    return found if isinstance(found, list) else []


def _registry(entry: dict[str, Any]) -> Iterator[Found]:
    for given, other in (("username", "password_file"), ("password_file", "username")):
        if given in entry and other not in entry:
            yield (given,), f"needs {other} beside it; add it or remove both"
    if entry.get("plain_http") is True and "ca_file" in entry:
        yield ("ca_file",), "has no use with plain_http; remove one of them"


def _helm_source(entry: dict[str, Any]) -> Iterator[tuple[str, str]]:
    repository = str(entry.get("repository", "")).lower()
    if repository.startswith("oci://"):
        for key in sorted(entry.keys() - {"chart", "match", "repository"}):
            host = repository.removeprefix("oci://").partition("/")[0]
            text = f"is for classic repositories; say it in detection.registries (host: {host})"
            yield key, text
        return
    for given, other in (
        ("username", "password_file"),
        ("password_file", "username"),
        ("cert_file", "key_file"),
        ("key_file", "cert_file"),
    ):
        if given in entry and other not in entry:
            yield given, f"needs {other} beside it; add it or remove both"
    if "token_file" in entry and "password_file" in entry:
        yield "token_file", "says who we are, and so does password_file; remove one of them"
    for key in ("ca_file", "cert_file"):
        if key in entry and repository.startswith("http://"):
            yield key, "is for an https:// repository; remove it"


def _prometheus(entry: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """How its server is reached; a plugin's check has no such keys."""
    for given, other in (("username", "password_file"), ("password_file", "username")):
        if given in entry and other not in entry:
            yield given, f"needs {other} beside it; add it or remove both"
    if "token_file" in entry and "password_file" in entry:
        yield "token_file", "says who we are, and so does password_file; remove one of them"
    if "ca_file" in entry and str(entry.get("url", "")).lower().startswith("http://"):
        yield "ca_file", "is for an https:// url; remove it"


def _never_stable(health: Any) -> Iterator[Found]:
    if not isinstance(health, dict):
        return
    timeout, stable_for = _seconds(health.get("timeout")), _seconds(health.get("stable_for"))
    if timeout is not None and stable_for is not None and stable_for >= timeout > 0:
        text = "not shorter than timeout, so nothing could become stable; lower it"
        yield ("execution", "health", "stable_for"), text


def _seconds(value: Any) -> float | None:
    try:
        return duration_s(value) if isinstance(value, str) and len(value) < 100 else None
    except ValueError:
        return None


def _at(data: Any, loc: tuple[str | int, ...]) -> Any:
    for key in loc:
        if isinstance(key, int):
            data = data[key]
        else:
            data = data.get(key) if isinstance(data, dict) else None
    return data
