"""Say pydantic's errors in the operator's words, with the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel

from safe_auto_updater.config import checks, notifications
from safe_auto_updater.config.models import File
from safe_auto_updater.config.problems import Problem, path_text, shown
from safe_auto_updater.config.tree import Place

Loc = tuple[str | int, ...]

_TAGGED = checks.TAGGED | notifications.TAGGED

_TYPES = {
    "string_type": "must be text; put it in quotes",
    "bool_type": "must be true or false; write one of the two",
    "int_type": "must be a whole number; write one",
    "int_from_float": "must be a whole number; write one",
    "float_type": "must be a number; write one",
    "tuple_type": "must be a list; write [a, b] or one '- ' line per entry",
    "dict_type": "must be a mapping; write 'key: value' lines below it",
    "model_type": "must be a mapping; write 'key: value' lines below it",
    "too_short": "has no entry; add one or remove the key",
    "string_too_short": "is empty; fill it in or remove it",
    "greater_than": "must be more than {gt}; raise it",
    "greater_than_equal": "must be at least {ge}; raise it",
    "less_than_equal": "must be at most {le}; lower it",
}


def problem(error: Mapping[str, Any], root: Place) -> Problem:
    """One pydantic error as a problem at its place in the file."""
    tags = [part for part in error["loc"] if part in _TAGGED]
    loc: Loc = tuple(part for part in error["loc"] if part not in _TAGGED)
    if error["type"] == "extra_forbidden":
        parent, _ = root.walk(loc[:-1])
        key = str(loc[-1])
        fields = _fields_at(error["loc"][:-1])
        return Problem(parent.keys.get(key, parent.at), _unknown(loc, fields, tags), path_text(loc))
    place, reached = root.walk(loc)
    if error["type"] == "missing":
        return Problem(place.at, "missing; add it", path_text(loc))
    return Problem(place.at, _text(error), path_text(reached))


def _text(error: Mapping[str, Any]) -> str:
    context, value = error.get("ctx", {}), error.get("input")
    match error["type"]:
        case "value_error":
            return str(context["error"])
        case "enum" | "literal_error":
            return _choice(str(context["expected"]), value)
        case kind if kind in _TYPES:
            return _TYPES[kind].format(**context)
        case _:
            return f"{error['msg']}; correct it"


def _choice(expected: str, value: Any) -> str:
    if value == "halt" and expected == "'automatic'":
        return "'halt' is not supported by this version yet; write automatic or remove it"
    words = [word.strip(" '") for word in expected.replace(" or ", ",").split(",")]
    listed = ", ".join(words[:-1]) + (" or " if len(words) > 1 else "") + words[-1]
    near = difflib.get_close_matches(value, words, n=1) if isinstance(value, str) else []
    remedy = f"did you mean {near[0]}?" if near else f"use {listed}"
    return f"{shown(value)} is not known; {remedy}"


def _unknown(loc: Loc, fields: tuple[str, ...], tags: list[str]) -> str:
    near = difflib.get_close_matches(str(loc[-1]), fields, n=1)
    if near:
        return f"unknown key; did you mean {near[0]}?"
    if tags and "options" in fields:
        return "unknown key; the settings of a plugin (any type not built in) go under options"
    homes = sorted({".".join(path) for path in _paths() if path[-1] == loc[-1]})
    if 1 <= len(homes) <= 2:
        return f"unknown key here; it belongs at {' or '.join(homes)}"
    return f"unknown key; known here are {', '.join(fields)}"


def _fields_at(loc: Loc) -> tuple[str, ...]:
    """The keys that the mapping at a pydantic location knows."""
    model: type[BaseModel] = File
    for part in loc:
        if isinstance(part, str):
            fields = {info.alias or name: info for name, info in model.model_fields.items()}
            model = _TAGGED.get(part) or next(_models(fields[part].annotation), model)
    return tuple(info.alias or name for name, info in model.model_fields.items())


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _paths(model: type[BaseModel] = File, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for field, info in model.model_fields.items():
        name = info.alias or field
        yield (*above, name)
        for child in _models(info.annotation):
            yield from _paths(child, (*above, name))
