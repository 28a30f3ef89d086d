"""Read a configuration file, or say everything that is wrong with it, each with its place."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from safe_auto_updater.config.config import Config
from safe_auto_updater.config.convert import config_of
from safe_auto_updater.config.messages import problem
from safe_auto_updater.config.models import File
from safe_auto_updater.config.problems import Location, Problem, path_text, report
from safe_auto_updater.config.relations import contradictions
from safe_auto_updater.config.tree import Place, grow
from safe_auto_updater.core.errors import ConfigError

MAX_BYTES = 1 << 20
_START: Location = (1, 1)


class ConfigLoader:
    """Makes a Config from YAML. Every method raises ConfigError, with one line per problem."""

    def load(self, path: Path | str | None) -> Config:
        """The configuration in this file; without a path, the defaults.

        A path that was given and cannot be read is an error, never the defaults in silence.
        """
        if path is None:
            return Config()
        try:
            content = _content(path)
        except FileNotFoundError:
            text = "no such file; correct the path, or write one with 'sau config init'"
            raise _refusal(path, text) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise _refusal(
                path, f"cannot be read: {reason}; correct the path or its mode"
            ) from error
        return self.load_bytes(content, str(path))

    def load_bytes(self, content: bytes, name: str) -> Config:
        """The configuration in these bytes, which must be UTF-8; `name` is for messages."""
        if len(content) > MAX_BYTES:
            raise _refusal(name, "larger than 1 MiB; this is no configuration file")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            before = content[: error.start].decode("utf-8", "replace")
            at = (before.count("\n") + 1, len(before) - before.rfind("\n"))
            raise _refusal(name, "not UTF-8 text; save the file as UTF-8", at) from error
        return self._load(text, name)

    def load_text(self, text: str, name: str) -> Config:
        """The configuration in this text; `name` is for messages."""
        if len(text) > MAX_BYTES:
            raise _refusal(name, "larger than 1 MiB; this is no configuration file")
        return self._load(text.removeprefix("\ufeff"), name)

    def _load(self, text: str, name: str) -> Config:
        tree = grow(text)
        found = list(tree.problems)
        if tree.place is None or (tree.data is None and not found):
            if not found:
                raise _refusal(name, "the file is empty; write one with 'sau config init'")
            raise ConfigError(report(name, found))
        told = {problem.at for problem in found}
        for value_missing in _without_value(tree.data, tree.place):
            told.add(value_missing.at)
            found.append(value_missing)
        file, wrong = _validate(tree.data, tree.place)
        found += [each for each in wrong if each.at not in told]
        if found or file is None:
            raise ConfigError(report(name, found))
        return config_of(file)


def _validate(data: Any, root: Place) -> tuple[File | None, list[Problem]]:
    wrong = []
    for loc, text in contradictions(data):
        place, _ = root.walk(loc)
        wrong.append(Problem(place.at, text, path_text(loc)))
    try:
        return File.model_validate(data), wrong
    except ValidationError as error:
        errors = error.errors(include_url=False)
        # pydantic also calls a list too short whose entries are all wrong
        real = [each for each in errors if each["type"] != "too_short" or not each["input"]]
        return None, [problem(each, root) for each in real] + wrong


def _without_value(data: Any, place: Place) -> Iterator[Problem]:
    """Keys without a value. What stands under a plugin's `options` is the plugin's own."""
    waiting: list[tuple[Any, Place, tuple[str | int, ...]]] = [(data, place, ())]
    while waiting:
        value, where, loc = waiting.pop()
        if value is None and loc:
            yield Problem(where.at, "has no value; give it one or remove the line", path_text(loc))
        if loc[-1:] == ("options",):
            continue
        if isinstance(value, dict):
            waiting += [(value[key], where.children[key], (*loc, key)) for key in value]
        elif isinstance(value, list):
            waiting += [(each, where.children[n], (*loc, n)) for n, each in enumerate(value)]


def _content(path: Path | str) -> bytes:
    """At most one byte more than is allowed, and only of a regular file: no pipe can block us."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ValueError("it is no regular file")
    with os.fdopen(descriptor, "rb") as file:
        return file.read(MAX_BYTES + 1)


def _refusal(name: Path | str, text: str, at: Location = _START) -> ConfigError:
    return ConfigError((Problem(at, text).line(str(name)),))
