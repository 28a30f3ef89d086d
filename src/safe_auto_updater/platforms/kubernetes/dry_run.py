"""What the server would make of a change, asked of itself: the plan tells it, and `STAGE` insists.

A dry run is authorised as the write that it is about, so who may only look cannot ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from safe_auto_updater.core.model import Change
from safe_auto_updater.core.ports import Foreseen
from safe_auto_updater.platforms.kubernetes.cluster import Refused
from safe_auto_updater.platforms.kubernetes.comparing import differences
from safe_auto_updater.platforms.kubernetes.kinds import KINDS, images
from safe_auto_updater.platforms.kubernetes.target import Target, operations, pinned
from safe_auto_updater.platforms.kubernetes.workloads import Workloads

_NOT_OURS = "cannot patch resource"  # the API's own words, where no rule lets us


@dataclass(frozen=True)
class Answer:
    """Why not; None: the images change and nothing else. `differences` are what else would."""

    refusal: str | None = None
    differences: tuple[str, ...] = ()
    may_ask: bool = True


def dry_run(
    workloads: Workloads,
    target: Target,
    workload: Mapping[str, Any],
    before: Mapping[str, str],
    after: Mapping[str, str],
) -> Answer:
    """Ask about these images in place of those. PlatformUnreachable where nobody answers."""
    change = operations(target.kind, workload, before, after)
    try:
        would = workloads.cluster.patch(target.path, change, dry_run=True)
    except Refused as error:
        fact = f"the server would not take it: {error}"
        return Answer(fact, may_ask=_NOT_OURS not in str(error))
    found = differences(target.kind, workload, would, after)
    if found:
        fact = f"the server would change more than the image: {', '.join(found)}"
        return Answer(fact, tuple(found))
    return Answer()


def foreseen(workloads: Workloads, asset: str, changes: Iterable[Change]) -> Foreseen:
    """For the plan. What is not as it was scanned, later looks find out."""
    if asset.split("/")[2] not in KINDS:
        return Foreseen()
    target = Target.of(asset)
    workload = workloads.find(target)
    if workload is None:
        return Foreseen()
    has = images(target.kind.pod_spec(workload))
    wanted = {c.container: pinned(c.candidate) for c in changes if c.candidate is not None}
    if not wanted.keys() <= has.keys():
        return Foreseen()
    answer = dry_run(workloads, target, workload, has, wanted)
    if not answer.may_ask:
        return Foreseen(unasked="not checked by the server: a dry run needs the right to patch it")
    return Foreseen(answer.refusal)
