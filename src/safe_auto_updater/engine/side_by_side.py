"""Work on many assets at once, so that those of one slow place wait for nobody else's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TypeVar

from safe_auto_updater.core.charts import chart_name
from safe_auto_updater.core.errors import InvalidReference
from safe_auto_updater.core.model import Asset
from safe_auto_updater.core.reference import Reference

AT_ONCE = 8  # threads for each place

T = TypeVar("T")


def side_by_side(
    assets: Iterable[Asset], place: Callable[[Asset], str], work: Callable[[Asset], T]
) -> tuple[T, ...]:
    """The results in the order of the assets; each place has threads of its own.

    What one raises is raised once those under way have ended; nothing more is begun then.
    """
    with ExitStack() as pools:
        of: dict[str, ThreadPoolExecutor] = {}
        coming = []
        try:
            for asset in assets:
                where = place(asset)
                if where not in of:
                    of[where] = pools.enter_context(ThreadPoolExecutor(AT_ONCE))
                coming.append(of[where].submit(work, asset))
            return tuple(result.result() for result in coming)
        except BaseException:  # the person at the keyboard, too
            for pool in of.values():
                pool.shutdown(wait=False, cancel_futures=True)
            raise


def place_of(asset: Asset) -> str:
    """Where an asset's image comes from: its registry, empty where none can be read.

    Of a release it is the chart's name: those of one chart wait for one answer.
    """
    reference = asset.images[0].image.reference
    if asset.platform == "helm":
        return f"chart {chart_name(reference)}"
    try:
        return Reference.parse(reference).host
    except InvalidReference:
        return ""
