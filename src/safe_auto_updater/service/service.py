"""The service: recover, then cycle after cycle until it is asked to end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from safe_auto_updater.app import App
from safe_auto_updater.core.errors import ConfigError, SafeAutoUpdaterError
from safe_auto_updater.core.memory import Memory
from safe_auto_updater.engine.summary import WEEK_S, weekly
from safe_auto_updater.engine.turns import turn
from safe_auto_updater.service.alone import Lease, alone
from safe_auto_updater.service.between import Between
from safe_auto_updater.service.requests import Requests
from safe_auto_updater.service.round import NEVER, Round, Seen
from safe_auto_updater.service.steps import Steps
from safe_auto_updater.service.timetable import longest_gap
from safe_auto_updater.service.wired import Wired

LISTEN_EVERY_S = 0.5  # for what a person has approved meanwhile
AGAIN_S = 60.0  # after a cycle that could not be made


class Service:
    """Everything between start and end."""

    def __init__(self, wired: Wired, lease: Lease | None = None) -> None:
        self._wired = wired
        self._lease = lease
        self._clock = wired.clock
        self._signals = wired.signals
        self._failures: frozenset[tuple[str, str]] = frozenset()  # of the last scan: told once
        self._not_ready: str | None = "what an earlier run left behind is not looked at yet"
        self._unwell: str | None = None
        self._wanted: tuple[str, ...] = ()  # what people have named, until it was looked at
        self._away: tuple[str, ...] = ()  # of that what cannot be seen: told once
        self._missed: tuple[str, ...] = ()  # of that what a cycle of everything has not seen either
        self._between = Between(wired)

    def ready(self) -> str | None:
        """Why it is not ready; None where it is."""
        return self._not_ready

    def alive(self) -> str | None:
        """Why its last cycle could not be made; None where all is well."""
        return self._unwell

    def run(self, once: bool = False) -> None:
        """Until asked to end, or for one cycle.

        Raises Busy where the folder has its service, and where the Lease was lost.
        """
        folder, clock = self._wired.folder, self._clock
        with (
            self._signals.listening(),
            alone(folder, self._lease, self._is_next, self._signals, self._waits, clock) as mine,
        ):
            if mine:
                self._begin(once)

    def _waits(self, kind: str, text: str) -> None:
        self._not_ready = text
        self._wired.tell(kind, text)

    def _begin(self, once: bool) -> None:
        requests = Requests(self._wired.folder, self._clock.now)
        try:
            self._go(requests, once)
        finally:
            self._between.end()
            requests.close()

    def _is_next(self) -> bool:
        """Whether the service before us hands over to this one."""
        with self._wired.app() as app:
            under_way = app.journal.unfinished()
            return any(app.docker.hands_over_to_us(record.facts) for record in under_way)

    def _go(self, requests: Requests, once: bool) -> None:
        self._tell(f"the service begins, with its state in {self._wired.folder}")
        if not once:
            self._between.watch()
        due = again = self._clock.now()
        steps = Steps(self._clock)
        if not once:
            self._guarded(self._recover)
            due = due if self._wired.timetable().at_start else self._next()
        while not self._signals.stopping():
            if self._signals.wants_reload() and self._reloaded():
                due = min(due, self._next())
            if steps.back():
                due, again = min(due, self._next()), self._clock.now()
            heard = requests.approved()
            self._wanted = tuple(dict.fromkeys((*self._wanted, *heard)))
            if self._clock.now() >= due:
                self._between.cycle_begins()
                opens = self._guarded(self._cycle)
                if once:
                    return
                due = min(self._next(), opens)
            elif heard or (self._wanted and self._clock.now() >= again):
                again = self._guarded(self._named)
            elif not self._between.looked():
                self._signals.rest(max(0.0, min(LISTEN_EVERY_S, due - self._clock.now())))

    def _next(self) -> float:
        """When the next cycle is due by the timetable, which is told to whoever watches."""
        table, now = self._wired.timetable(), self._clock.now()
        due = table.next(now)
        self._wired.metrics.cycle_due(due, longest_gap(table, now, due))
        self._tell(f"the next cycle begins {_moment(due)}")
        return due

    def _guarded(self, work: Callable[[], float]) -> float:
        """Do it; what keeps it from being done is told, and it is done again before long."""
        try:
            again = work()
        except SafeAutoUpdaterError as error:
            self._unwell = str(error)
        except Exception as error:  # the next cycle may go well, and nobody is there to restart us
            self._unwell = f"{type(error).__name__}: {error}"
        else:
            self._unwell = None
            return again
        self._warn(f"this cycle could not be made: {self._unwell}")
        return self._clock.now() + AGAIN_S

    def _recover(self) -> float:
        with self._wired.app() as app:
            self._finish(app)
            self._wired.metrics.remembered(app.cycle.memory())
        return NEVER

    def _finish(self, app: App) -> None:
        """What was interrupted comes first."""
        if app.journal.unfinished():
            stopping = self._signals.stopping
            with turn(self._wired.folder, self._clock, stopping, self._warn) as mine:
                if mine:
                    app.recover(stopping, wait=False)
        self._not_ready = None

    def _named(self) -> float:
        """One cycle of what people have named; when what cannot be seen now is looked for again.

        What is gone is passed over.
        """
        with self._wired.app() as app:
            inventory = app.cycle.scan(self._wanted)
        there = {asset.id for asset in inventory.assets}
        if names := tuple(name for name in self._wanted if name in there):
            self._cycle(names)
        known = {asset.id for asset in inventory.everything}
        away = [name for name in self._wanted if inventory.failures and name not in known]
        self._wanted = tuple(away)
        if news := [name for name in away if name not in self._away]:
            self._warn(f"{', '.join(news)}: not seen now; looked for again every minute")
        self._away = self._wanted
        return self._clock.now() + AGAIN_S

    def _cycle(self, names: tuple[str, ...] = ()) -> float:
        """One cycle, of everything or of some assets; when a window opens that one waits for."""
        wired = self._wired
        with wired.app() as app:
            self._finish(app)
            whose = wired.config.service.unattended
            seen = Round(app, wired.folder, whose, self._signals, self._warn).run(names)
            memory = app.cycle.memory()
            wired.metrics.remembered(memory)
            self._between.cycle_ended(seen, whole=not names)
            if not names:
                self._wanted = self._missed = self._out_of_sight(seen)
                self._compare(seen)
                seconds = seen.ended - seen.began
                wired.metrics.cycle_ended(seen.checked, seen.plan, seconds, seen.ended)
            wired.tell("cycle", seen.summary, **seen.details)
            if not names:
                self._tell_week(app, memory)
            return seen.opens

    def _out_of_sight(self, seen: Seen) -> tuple[str, ...]:
        """What is still to be looked for; what was so in the cycle before, too, is given up."""
        if not seen.checked.inventory.failures:
            return ()
        return tuple(name for name in self._wanted if name not in self._missed)

    def _tell_week(self, app: App, memory: Memory) -> None:
        if app.decisions.is_due("summary", WEEK_S):
            steps, now = app.decisions.proposals(), self._clock.now()
            self._wired.tell("summary", weekly(app.journal.history(), memory, steps, now))

    def _compare(self, seen: Seen) -> None:
        """Tell which sources cannot be seen any more, and which are seen again."""
        failures = frozenset(seen.checked.inventory.failures)
        for source, error in sorted(failures - self._failures):
            self._warn(f"{source}: {error}")
        silent = {source for source, _ in failures}
        for source in sorted({source for source, _ in self._failures} - silent):
            self._tell(f"{source} is seen again")
        self._failures = failures

    def _reloaded(self) -> bool:
        try:
            self._wired.reload()
        except ConfigError as error:
            fact = "the configuration was not taken over, and the old one holds"
            self._warn(f"{fact}:\n{error}")
            return False
        self._tell("the configuration was read anew")
        self._between.watch()
        return True

    def _warn(self, text: str) -> None:
        self._wired.tell("warning", text)

    def _tell(self, text: str) -> None:
        self._wired.tell("service", text)


def _moment(at: float) -> str:
    return f"at {datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M:%S %Z}"
