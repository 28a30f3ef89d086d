"""Each question once: threads that ask the same thing at the same time share one answer."""

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from safe_auto_updater.core.errors import RegistryError

T = TypeVar("T")


class KeyedLocks:
    """One lock per key, made when first asked for."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[Hashable, threading.Lock] = {}

    def __call__(self, key: Hashable) -> threading.Lock:
        """The lock of this key."""
        with self._guard:
            return self._locks.setdefault(key, threading.Lock())


class Once:
    """Remembers answers, and refusals too: fifty containers of one image are one look-up."""

    def __init__(self) -> None:
        self._locks = KeyedLocks()
        self._answers: dict[Hashable, Any] = {}

    def __call__(self, key: Hashable, ask: Callable[[], T]) -> T:
        """The answer to `ask`, asked at most once per key; raises its RegistryError again."""
        with self._locks(key):
            if key not in self._answers:
                try:
                    self._answers[key] = ask()
                except RegistryError as error:
                    self._answers[key] = error
            answer: T | RegistryError = self._answers[key]
        if isinstance(answer, RegistryError):
            # A new traceback for each thread, or the old one would grow with every asker.
            raise answer.with_traceback(None)
        return answer
