"""What a Watchtower on the host means for whoever updates it with this program. Pure.

Each finding is (is it well, the fact with its remedy).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from safe_auto_updater.platforms.docker.watchtower.labels import untold, users_labels
from safe_auto_updater.platforms.docker.watchtower.selection import PREFIX
from safe_auto_updater.platforms.docker.watchtower.settings import (
    WatchtowerSettings,
    is_watchtower,
    settings_of,
)

Json = Mapping[str, Any]
Found = tuple[str, bool, str]


def watchtowers(everyone: Iterable[Json]) -> tuple[WatchtowerSettings, ...]:
    """Every Watchtower that runs, by inspect JSON."""
    return tuple(
        settings_of(one) for one in everyone if is_watchtower(one) and one["State"]["Running"]
    )


def of_settings(theirs: WatchtowerSettings, *, asked: bool, labels: bool) -> Iterator[Found]:
    """What of one Watchtower's settings matters. `asked`: it replaces containers for us.

    `labels`: its labels count here too.
    """
    what = f"watchtower {theirs.container}"
    named = f"{theirs.line.value} {theirs.version or ''}".strip()
    api = "API on" if theirs.api else "API off"
    polls = f"looks by itself {theirs.every}" if theirs.polls else "waits to be asked"
    yield what, True, f"{named}; {api}; {polls}"
    for fact in _facts(theirs, asked, labels):
        yield what, False, fact


def _facts(theirs: WatchtowerSettings, asked: bool, labels: bool) -> Iterator[str]:
    if theirs.polls and "monitor-only" not in theirs.on:
        remedy = "leave WATCHTOWER_HTTP_API_PERIODIC_POLLS off" if theirs.api else "stop it"
        yield (
            f"it updates behind our back, {theirs.every}, and takes a version that we took back "
            f"once more: {remedy}"
        )
    if not asked:
        return
    if not theirs.api:
        yield (
            "its API is off, and docker_updater may ask it: set WATCHTOWER_HTTP_API_UPDATE=true "
            "and WATCHTOWER_HTTP_API_TOKEN"
        )
    for name in sorted(theirs.on & _WITH_US.keys()):
        yield f"{name}: {_WITH_US[name]}"
    if labels and "enable-lifecycle-hooks" in theirs.on:
        yield (
            "enable-lifecycle-hooks: with inventory.watchtower_labels we run the same hooks, so "
            "each runs twice; switch one of the two off"
        )
    only = [f"scope {theirs.value('scope')}"] if theirs.value("scope") else []
    only += [f"containers with {PREFIX}.enable"] if "label-enable" in theirs.on else []
    only += [f"the names {', '.join(theirs.names)}"] if theirs.names else []
    if only:
        yield (
            f"it looks after {' and '.join(only)} only; the others stay as they are when it is "
            "asked: docker_updater native for those"
        )


_WITH_US = {
    "cleanup": "it removes the old image by force before the new version is well; going back does "
    "not need it, `sau rollback` later pulls it again. Switch it off, execution.keep does it",
    "include-stopped": "it would replace the stopped container that waits for the way back, which "
    "is then made anew from the snapshot; switch it off",
    "monitor-only": "it replaces nothing, whoever asks; switch it off",
    "no-pull": "it looks at local images only, so that nothing new is found; switch it off",
    "no-restart": "it does not start what it makes, so that every update is taken back; switch it "
    "off",
    "remove-volumes": "it removes volumes without a name with the old container; switch it off",
    "rolling-restart": "it waits for health by itself, and our time-out runs meanwhile; switch it "
    "off",
    "revive-stopped": "it starts containers that were stopped; switch it off",
}


def of_labels(everyone: Iterable[tuple[Json, Json]], *, counted: bool) -> Iterator[Found]:
    """What of their labels is passed over here, of containers with their images.

    `counted`: inventory.watchtower_labels is on.
    """
    some = []
    for container, image in everyone:
        theirs = users_labels(container, image)
        name = container["Name"].lstrip("/")
        if theirs:
            some.append(name)
        for one in untold(theirs) if counted else ():
            yield f"labels of {name}", False, f"{one.label} {one.remedy}"
    if some and not counted:
        names = ", ".join(some[:5]) + (f" and {len(some) - 5} more" if len(some) > 5 else "")
        yield (
            "watchtower labels",
            True,
            (
                f"{names} bear labels of Watchtower, which do not count here; "
                "inventory.watchtower_labels: true lets them"
            ),
        )
