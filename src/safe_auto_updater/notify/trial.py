"""Ask each receiver for real, at once, whether notices arrive."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from safe_auto_updater.core.events import Event
from safe_auto_updater.notify.courier import Handler


@dataclass(frozen=True)
class Tried:
    """What became of one receiver's notice; `error` is None where it was taken."""

    name: str
    error: str | None


def try_all(handlers: Sequence[Handler], event: Event, timeout_s: float) -> list[Tried]:
    """Send the event to each, whatever it usually wants and when; one attempt, side by side.

    A receiver that has not ended within `timeout_s` has failed.
    """
    answers: list[str | None] = [f"no answer within {timeout_s:g} s"] * len(handlers)

    def attempt(number: int) -> None:
        try:
            handlers[number].deliver((event,))
            answers[number] = None
        except Exception as error:
            answers[number] = str(error) or type(error).__name__

    threads = [
        # daemons: a receiver that hangs must not keep the program from ending
        threading.Thread(target=attempt, args=(number,), daemon=True)
        for number in range(len(handlers))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout_s)
    return [Tried(h.name, answer) for h, answer in zip(handlers, answers, strict=True)]
