"""Who acts on a state folder, one after the other: the service lets a person in between updates.

A person who finds the service at work shows that by a lock of their own, which the kernel lets go
with their process; the service looks for it before each update.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from safe_auto_updater.core.errors import Busy
from safe_auto_updater.core.ports import Clock
from safe_auto_updater.engine.state import acting, locked

SERVICE = "sau run"
_WANTED, _SERVICE = "wanted.lock", "service.lock"
_PAUSE_S = 0.1
LONG_S = 300.0  # that somebody else is at work before the service says so


@contextmanager
def person(
    folder: Path,
    command: str,
    now: Callable[[], float],
    sleep: Callable[[float], None],
    told: Callable[[str], None],
) -> Iterator[None]:
    """Hold the folder as its one actor; wait for the service, and for nobody else. Raises Busy."""
    with ExitStack() as held:
        with ExitStack() as asking:
            asked = False
            while True:
                try:
                    held.enter_context(acting(folder, command, now()))
                    break
                except Busy as error:
                    if error.holder != SERVICE:
                        raise
                if not asked:
                    told("The service is at work; it lets us in after the update under way.")
                    asked = True
                    asking.enter_context(_request(folder, sleep))
                sleep(_PAUSE_S)
        yield


@contextmanager
def _request(folder: Path, sleep: Callable[[float], None]) -> Iterator[None]:
    """Show that somebody waits. Others may wait too; whoever looks holds the lock for a moment."""
    with ExitStack() as shown:
        while True:
            try:
                shown.enter_context(locked(folder, _WANTED, fcntl.LOCK_SH))
                break
            except Busy:
                sleep(_PAUSE_S)
        yield


def is_wanted(folder: Path) -> bool:
    """Whether a person waits to be let in."""
    try:
        handle = os.open(folder / _WANTED, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(handle)


@contextmanager
def only_service(folder: Path) -> Iterator[None]:
    """Be the one service of a folder. Raises Busy where there is another."""
    with locked(folder, _SERVICE, fcntl.LOCK_EX):
        yield


@contextmanager
def turn(
    folder: Path, clock: Clock, stopping: Callable[[], bool], told: Callable[[str], None]
) -> Iterator[bool]:
    """Hold the folder as its one actor, as the service does: after whoever else is at work.

    Who that is gets told where it takes long: a question that nobody answers holds up everything.
    False where the service was asked to end before it was its turn.
    """
    with ExitStack() as held:
        mine, began, warned = False, clock.monotonic(), False
        while not stopping():
            why = "somebody waits to be let in"
            try:
                if not is_wanted(folder):
                    held.enter_context(acting(folder, SERVICE, clock.now()))
                    mine = True
                    break
            except Busy as error:
                why = str(error)
            if not warned and clock.monotonic() - began >= LONG_S:
                told(f"the service waits: {why}")
                warned = True
            clock.sleep(_PAUSE_S)
        yield mine
