"""Between two cycles: what changes is seen as it happens, and nothing is done about it."""

from __future__ import annotations

from safe_auto_updater.core.errors import SafeAutoUpdaterError
from safe_auto_updater.core.news import News
from safe_auto_updater.service.known import Known, assets_of
from safe_auto_updater.service.lookout import Lookout
from safe_auto_updater.service.round import Round, Seen
from safe_auto_updater.service.wired import Wired


class Between:
    """Keeps the inventory fresh, where `detection.watch` says so; for the service's own thread.

    What a cycle did is no news, and what is news is told: to act stays the schedule's business.
    """

    def __init__(self, wired: Wired) -> None:
        self._wired = wired
        self._lookout: Lookout | None = None
        self._known: Known | None = None

    def watch(self) -> None:
        """Hear from now on of changes on what the configuration has, and of no others."""
        self.end()
        try:
            watches = self._wired.watches()
        except SafeAutoUpdaterError as error:
            self._warn(f"nothing is watched between two cycles: {error}")
            return
        if watches:
            self._lookout = Lookout(watches, self._wired.clock, self._warn)
            self._wired.metrics.watched_by(self._lookout.watched)
            names = ", ".join(self._lookout.sources)
            self._wired.tell("service", f"watches {names} between two cycles")

    def end(self) -> None:
        """Hear no more."""
        if self._lookout is not None:
            self._lookout.end()
            self._lookout = None
            self._wired.metrics.watched_by(dict)

    def cycle_begins(self) -> None:
        """A whole one, which looks at everything by itself."""
        if self._lookout is not None:
            self._lookout.forget()

    def cycle_ended(self, seen: Seen, *, whole: bool) -> None:
        """What it saw is what is known, where it was a whole one."""
        if whole:
            self._known = Known(seen.checked, seen.plan)
        if self._known is not None:
            self._known = self._known.acted(seen.records)

    def looked(self) -> bool:
        """Look where something has changed, if it is time to; whether it was."""
        sources = self._lookout.due() if self._lookout is not None else frozenset()
        if not sources:
            return False
        try:
            self._look(sources)
        except Exception as error:  # the next cycle sees it, and nobody is there to restart us
            self._warn(f"what has changed on {', '.join(sorted(sources))} was not seen: {error}")
        return True

    def _look(self, sources: frozenset[str]) -> None:
        wired = self._wired
        with wired.app() as app:
            if self._known is None:  # no cycle has begun yet: all of it would be news
                known, news = Known.of(app.cycle.scan()), News()
            else:
                inventory = app.cycle.scan_of(sources)
                known, news = self._known.look(inventory, assets_of(app.journal.unfinished()))
                if news.changed:
                    whose = wired.config.service.unattended
                    round_ = Round(app, wired.folder, whose, wired.signals, self._warn)
                    known = known.checked_anew(*round_.look(news.changed, inventory))
        self._known = known
        wired.metrics.looked(known.checked, known.plan)
        if news:
            wired.tell("service", f"seen between two cycles: {news}")

    def _warn(self, text: str) -> None:
        self._wired.tell("warning", text)
