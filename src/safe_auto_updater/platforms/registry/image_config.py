"""Image configurations, checked where they come in: who reads them later need not doubt them."""

from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from safe_auto_updater.platforms.registry.failures import malformed


def read_config(what: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The configuration, where all that we read of it has the form that the specification gives it.

    Raises RegistryError (malformed), which names the first field that has another. What is absent
    or null is left so.
    """
    for section, fields in _FORMS.items():
        found = content if section == "" else content.get(section)
        if found is None:
            continue
        if not isinstance(found, dict):
            raise malformed(what, f"{section!r} in the image's configuration is no object")
        for name, fits in fields.items():
            value = found.get(name)
            if value is not None and not fits(value):
                raise malformed(what, f"{name!r} in the image's configuration has another form")
    return content


def _text(value: object) -> bool:
    """Text that can be written down: JSON knows halves of characters, which nothing else takes."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _named(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict) and all(map(_text, value))


def _labels(value: object) -> bool:
    return _named(value) and all(text is None or _text(text) for text in value.values())


def _healthcheck(value: object) -> bool:
    """A command, and times as numbers."""
    return _named(value) and all(
        part is None or (_texts(part) if name == "Test" else isinstance(part, int))
        for name, part in value.items()
    )


_FORMS: Mapping[str, Mapping[str, Callable[[object], bool]]] = {
    "": {"os": _text, "architecture": _text, "variant": _text, "created": _text},
    "rootfs": {"diff_ids": _texts},
    "config": {
        "User": _text,
        "WorkingDir": _text,
        "StopSignal": _text,
        "Env": _texts,
        "Entrypoint": _texts,
        "Cmd": _texts,
        "Labels": _labels,
        "ExposedPorts": _named,
        "Volumes": _named,
        "Healthcheck": _healthcheck,
    },
}
