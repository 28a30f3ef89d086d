"""One fresh connection to an engine, whichever way it was made."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """A fresh connection. `last_words` is what it said when it broke, `end` frees what it held."""

    sock: socket.socket
    end: Callable[[], None] = lambda: None
    last_words: Callable[[], str] = lambda: ""
