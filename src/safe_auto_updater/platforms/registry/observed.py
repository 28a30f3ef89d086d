"""What whoever counts our questions is told of each."""

from collections.abc import Callable

from safe_auto_updater.core.registries import Asked
from safe_auto_updater.platforms.registry.answer import Answer
from safe_auto_updater.platforms.registry.limits import limit_in

Observe = Callable[[Asked], None]
"""Called from several threads, after each try; must not raise."""


def by_nobody(asked: Asked) -> None:
    """Nobody counts."""


def answered(place: str, method: str, answer: Answer) -> Asked:
    """A question that was answered, whatever the answer."""
    limit = limit_in(answer.headers)
    if limit is None:
        return Asked(place, method, _outcome(answer.status))
    return Asked(place, method, _outcome(answer.status), limit.remaining, limit.granted)


def _outcome(status: int) -> str:
    match status:
        case 401:
            return "unauthorized"
        case 429:
            return "rate_limited"
        case _ if status >= 500:
            return "server"
        case _ if status >= 400:
            return "refused"
        case _:
            return "ok"
