"""Be the one service: of a state folder, and of a Lease, without which nothing more begins."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Protocol

from safe_auto_updater.core.errors import Busy, SafeAutoUpdaterError
from safe_auto_updater.core.ports import Clock
from safe_auto_updater.engine.turns import only_service
from safe_auto_updater.service.signals import Signals

TRY_S = 2.0  # between two looks at one that another holds
RENEW_S = 5.0
GIVE_UP_S = 15.0
"""Without a renewal. A try may take ten seconds more, and then it still holds."""

Tell = Callable[[str, str], None]
"""A kind of event, and the text."""


class Lease(Protocol):
    """What only one of many can have. Its verbs raise SafeAutoUpdaterError."""

    named: str

    def take(self) -> str | None:
        """Make it ours, or renew it: who holds it instead, None where we do."""
        ...

    def release(self) -> None:
        """Let the next one have it at once."""
        ...


@contextmanager
def alone(
    folder: Path,
    lease: Lease | None,
    is_next: Callable[[], bool],
    signals: Signals,
    tell: Tell,
    clock: Clock,
) -> Iterator[bool]:
    """Be the one service of a state folder, and of the Lease where there is one.

    Another service of the folder is waited for where it hands over to this one (`is_next`), and
    with a Lease, for a pod may begin while the one before it still ends; else Busy is raised. False
    where we are to end before it is our turn.
    """
    with ExitStack() as ours:
        waits = is_next if lease is None else lambda: True
        mine = _until(partial(_enter, ours, folder, waits), signals, tell)
        if mine and lease is not None:
            mine = _until(partial(_take, lease), signals, tell)
            if mine:
                ours.enter_context(_kept(lease, signals, clock))
        yield mine


Waits = tuple[str, str] | None
"""What to tell while it is waited for: a kind of event, and the text."""


def _enter(ours: ExitStack, folder: Path, waits: Callable[[], bool]) -> Waits:
    try:
        ours.enter_context(only_service(folder))
    except Busy:
        if not waits():
            raise
        return "service", f"waits for the service before it, which still has {folder}"
    return None


def _take(lease: Lease) -> Waits:
    try:
        holder = lease.take()
    except SafeAutoUpdaterError as error:
        return "warning", f"the Lease {lease.named} cannot be had: {error}"
    if holder is None:
        return None
    return "service", f"waits for the Lease {lease.named}, which {holder} holds"


def _until(attempt: Callable[[], Waits], signals: Signals, tell: Tell) -> bool:
    """Try until it goes, and tell each reason once; False where we are to end before."""
    told: Waits = None
    while not signals.stopping():
        waits = attempt()
        if waits is None:
            return True
        if waits != told:
            tell(*waits)
            told = waits
        signals.rest(TRY_S)
    return False


@contextmanager
def _kept(lease: Lease, signals: Signals, clock: Clock) -> Iterator[None]:
    """Renew it meanwhile. Where it is lost it ends as by SIGTERM, and Busy is raised."""
    keeper = _Keeper(lease, signals, clock)
    try:
        yield
    finally:
        keeper.end()
    if keeper.lost is not None:
        raise Busy(f"the Lease {lease.named} was lost: {keeper.lost}")


class _Keeper:
    """Renews it in a thread of its own until the end. `lost` says why it could not."""

    def __init__(self, lease: Lease, signals: Signals, clock: Clock) -> None:
        self.lost: str | None = None
        self._lease = lease
        self._signals = signals
        self._clock = clock
        self._ended = threading.Event()
        self._renewed = clock.monotonic()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Renew it no more, and let it go. One that cannot be let go ends by itself."""
        self._ended.set()
        self._thread.join()
        if self.lost is None:
            with suppress(SafeAutoUpdaterError):
                self._lease.release()

    def _keep(self) -> None:
        while self.lost is None and not self._ended.wait(RENEW_S):
            self.lost = self._renew()
        if self.lost is not None:
            self._signals.end()

    def _renew(self) -> str | None:
        """Why it is not ours any more; None where it is, as far as we know."""
        began = self._clock.monotonic()
        try:
            holder = self._lease.take()
        except Exception as error:  # whatever it is: a thread that died would renew nothing
            late = self._clock.monotonic() - self._renewed
            return f"for {late:.0f} s it was not renewed: {error}" if late > GIVE_UP_S else None
        if holder is not None:
            return f"{holder} holds it"
        self._renewed = began
        return None
