"""Several updates at once, as far as they have nothing to do with each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from safe_auto_updater.core.model import Step

T = TypeVar("T")


def in_turn(
    steps: Sequence[Step],
    at_once: int,
    needs: Sequence[tuple[str, str]],
    work: Callable[[Step], T],
    stopping: Callable[[], bool],
) -> list[T]:
    """The results of `work` on each step, in the order in which they began.

    Steps that share a candidate run one after the other, so that the first that fails can spare
    the others; so do steps of which one `needs` the other (pairs of assets). With
    `stopping` nothing more is begun. What one raises is raised once those under way have ended.
    """
    if at_once == 1:
        return _one_by_one(steps, work, stopping)
    waiting, running = list(steps), dict[Future[T], Step]()
    begun: list[Future[T]] = []
    with ThreadPoolExecutor(at_once) as pool:
        while waiting or running:
            failed = any(one.done() and one.exception() is not None for one in begun)
            if stopping() or failed:
                waiting.clear()
            step = _next(waiting, list(running.values()), needs) if len(running) < at_once else None
            if step is not None:
                waiting.remove(step)
                future = pool.submit(work, step)
                running[future] = step
                begun.append(future)
            elif running:
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for one in ended:
                    del running[one]
    return [one.result() for one in begun]


def _one_by_one(
    steps: Sequence[Step], work: Callable[[Step], T], stopping: Callable[[], bool]
) -> list[T]:
    done = []
    for step in steps:
        if stopping():
            break
        done.append(work(step))
    return done


def _next(
    waiting: Sequence[Step], running: Sequence[Step], needs: Sequence[tuple[str, str]]
) -> Step | None:
    """The first that nobody who runs, or still waits before it, keeps from beginning."""
    before = list(running)
    for step in waiting:
        if not any(_after(step, other, needs) for other in before):
            return step
        before.append(step)
    return None


def _after(step: Step, other: Step, needs: Sequence[tuple[str, str]]) -> bool:
    """Whether a step has to come after another one that stands before it."""
    if not _contents(step).isdisjoint(_contents(other)):
        return True
    mine, theirs = set(step.assets), set(other.assets)
    return any(
        (one in mine and needed in theirs) or (one in theirs and needed in mine)
        for one, needed in needs
    )


def _contents(step: Step) -> set[str]:
    """What candidates there are, and which local tags are moved for a while."""
    found = {c.candidate.key() for c in step.changes if c.candidate is not None}
    found |= {c.candidate.reference for c in step.changes if c.candidate is not None}
    return found | {one.image.reference for one in step.followers}
