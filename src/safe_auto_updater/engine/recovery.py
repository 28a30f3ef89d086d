"""What was interrupted is finished or undone, before anything else is begun."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from safe_auto_updater.core.errors import SafeAutoUpdaterError
from safe_auto_updater.core.identity import source_of
from safe_auto_updater.core.model import Step
from safe_auto_updater.core.outcome import Outcome
from safe_auto_updater.engine.executor import UpdateExecutor
from safe_auto_updater.engine.journal import Journal, Record
from safe_auto_updater.engine.telling import Telling

_Carried = tuple[UpdateExecutor, Record]  # a record, and who carries it on


class Recovery:
    """Carries on what the journal has as unfinished. `alone`: only one platform is configured."""

    def __init__(
        self,
        journal: Journal,
        executor_for: Callable[[Step], UpdateExecutor],
        telling: Telling,
        *,
        alone: bool,
    ) -> None:
        self._journal = journal
        self._executor_for = executor_for
        self._telling = telling
        self._alone = alone

    def run(self, stopping: Callable[[], bool], wait: bool = True) -> tuple[Record, ...]:
        """All of it, oldest first.

        Where some platforms do not answer, those that do come first; the others are waited for, or
        without `wait` left for another time.
        """
        interrupted = self._journal.unfinished()
        answering, silent = self._answering(interrupted)
        for executor, record in answering:
            if stopping():
                break
            executor.recover(record)
        given_up = not wait and bool(answering or not self._alone)
        for executor, record in silent:
            if stopping():
                break
            if given_up and not executor.reachable():
                self._telling.tell(
                    "unfinished", record.asset, f"update {record.id} waits for its platform"
                )
                continue
            given_up = executor.recover(record) is Outcome.UNFINISHED
        return tuple(self._journal.get(record.id) for record in interrupted)

    def _answering(self, records: Sequence[Record]) -> tuple[list[_Carried], list[_Carried]]:
        """Who carries on each record: where the platform answers, and where it does not."""
        asked: dict[str, bool] = {}
        answering: list[_Carried] = []
        silent: list[_Carried] = []
        for record in records:
            try:
                executor = self._executor_for(record.step)
            except SafeAutoUpdaterError as error:
                self._telling.tell("unfinished", record.asset, f"update {record.id} waits: {error}")
                continue
            source = source_of(record.asset)
            if source not in asked:
                asked[source] = executor.reachable()
            (answering if asked[source] else silent).append((executor, record))
        return answering, silent
