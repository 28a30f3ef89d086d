"""What is made when somebody first asks for it, and is then the same for all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def once(make: Callable[[], T]) -> Callable[[], T]:
    """A function that makes it with the first call; where that raises, with the next."""
    lock = threading.Lock()
    made: list[T] = []

    def kept() -> T:
        with lock:
            if not made:
                made.append(make())
            return made[0]

    return kept
