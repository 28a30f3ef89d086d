"""The rule table for images: what about a change matters, how much, and why. Data.

The trees have two parts. `image` is what an image says of itself. `container` is what counts for
this one: `container/inherited` holds the image's settings that the user has not set, so a default
that the user overrides is no finding; `container/set` names what the user has set;
`container/mounted` lists every mount and `container/data` the writable ones.
"""

from __future__ import annotations

from typing import Any

from safe_auto_updater.core.risk import (
    Condition,
    On,
    Reversibility,
    RiskRule,
    Severity,
    Situation,
    Tree,
    at,
)
from safe_auto_updater.core.stateful import Kind, is_stateful
from safe_auto_updater.core.versions import Bump

INFO, LOW, MEDIUM = Severity.INFO, Severity.LOW, Severity.MEDIUM
HIGH, BLOCKER = Severity.HIGH, Severity.BLOCKER
R0, R1, R2, R3 = Reversibility
MUCH_LARGER_BYTES = 100_000_000


def _data(situation: Situation) -> tuple[str, ...]:
    return _texts(situation.before, "container", "data")


def _texts(tree: Tree, *path: str) -> tuple[str, ...]:
    found = at(tree, path)
    return tuple(map(str, found)) if isinstance(found, list | tuple) else ()


def _bump(*bumps: Bump) -> Condition:
    words = " or ".join(f"`{bump}`" for bump in bumps)
    return Condition(f"the step is {words}", lambda situation: situation.step.bump in bumps)


def _of(*kinds: Kind) -> Condition:
    def one_way(situation: Situation) -> bool:
        known = is_stateful(situation.step.image)
        return (
            known is not None and known.kind in kinds and known.moves_one_way(situation.step.bump)
        )

    words = " or ".join(kind.value for kind in kinds)
    return Condition(f"a known {words} changes its data for good in such a step", one_way)


def _ordinary(situation: Situation) -> bool:
    known = is_stateful(situation.step.image)
    return known is None or not known.moves_one_way(situation.step.bump)


def _another_appears(situation: Situation) -> bool:
    old = _texts(situation.before, "image", "volumes")
    new = _texts(situation.after, "image", "volumes")
    return bool(set(new) - {*old, *_texts(situation.before, "container", "mounted")})


def _inside_data(situation: Situation) -> bool:
    return any(situation.name.startswith(path.rstrip("/") + "/") for path in _data(situation))


def _named_data(situation: Situation) -> bool:
    """Whether the old value names a path where data lies, and the new one does not."""
    old, new = str(situation.old), str(situation.new)
    return any(path in old and path not in new for path in _data(situation) if path != "/")


def _much_larger(situation: Situation) -> bool:
    match situation.old, situation.new:
        case int(old), int(new):
            return new >= 1.5 * old and new - old >= MUCH_LARGER_BYTES
        case _:
            return False


def _older(situation: Situation) -> bool:
    match situation.old, situation.new:
        case str(old), str(new):
            return new[:_SECOND] < old[:_SECOND]
        case _:
            return False


_SECOND = len("2024-05-01T02:00:00")
_CMD = ("container", "set", "cmd")

OVER_DATA = Condition("writable mounts hold data", lambda s: bool(_data(s)))
KNOWN = Condition(
    "the image is a known stateful one", lambda s: is_stateful(s.step.image) is not None
)
ORDINARY = Condition("no such row for a known image says more", _ordinary)
HELD_THERE = Condition("data lies at this path", lambda s: s.name in _data(s))
MOUNTED = Condition(
    "something is mounted there", lambda s: s.name in _texts(s.before, "container", "mounted")
)
INSIDE_DATA = Condition("it lies inside mounted data", _inside_data)
ANOTHER_APPEARS = Condition("another path appears that nothing is mounted on", _another_appears)
NAMED_DATA = Condition("the old value names a path where data lies, the new one not", _named_data)
USERS_CMD = Condition("the user set the command", lambda s: bool(at(s.before, _CMD)))
NONE_SHARED = Condition("none is shared with what runs", lambda s: s.new == 0)
LARGER = Condition("it is at least half as large again, and by 100 MB", _much_larger)
OLDER = Condition("it is older than what runs", _older)
STEP_SAYS_LESS = Condition(
    "the step calls itself less than that",
    lambda s: s.step.bump in (Bump.DIGEST, Bump.PATCH, Bump.MINOR) and _ordinary(s),
)
SMALL = _bump(Bump.PATCH, Bump.DIGEST)

_ENV = "container/inherited/env/"
_LABELS = "image/labels/"


def _row(
    name: str,
    paths: str,
    on: On,
    severity: Severity,
    points: int,
    reversibility: Reversibility,
    why: str,
    *when: Condition,
    **how: Any,
) -> RiskRule:
    return RiskRule(
        name, tuple(paths.split()), on, severity, points, reversibility, why, when, **how
    )


RULES = (
    # How far the step goes.
    _row("major", "step/bump", On.STEP, MEDIUM, 20, R0,
         "A major version may change what the container is told and what it answers.",
         _bump(Bump.MAJOR)),
    _row("minor", "step/bump", On.STEP, INFO, 5, R0,
         "A minor version adds, and should take nothing away.", _bump(Bump.MINOR)),
    _row("prerelease", "step/bump", On.STEP, MEDIUM, 20, R0,
         "A prerelease is not what its makers call finished.", _bump(Bump.PRERELEASE)),
    _row("unknown-step", "step/bump", On.STEP, MEDIUM, 20, R0,
         "Nobody can say how far this step goes.", _bump(Bump.UNKNOWN)),
    _row("digest", "step/bump", On.STEP, INFO, 0, R0,
         "New content behind the same tag: mostly a rebuild.", _bump(Bump.DIGEST)),

    # What it may do to data.
    _row("one-way-data", "step/image", On.STEP, HIGH, 35, R3,
         "Its data format moves one way: the old version may refuse what the new one has touched. "
         "Make a dump before; taking the image back does not take the data back.",
         _of(Kind.DATABASE, Kind.BROKER)),
    _row("one-way-schema", "step/image", On.STEP, HIGH, 30, R3,
         "It migrates its schema one way: the old version may refuse to start afterwards. "
         "Make a backup before; taking the image back does not take the data back.",
         _of(Kind.APPLICATION)),
    _row("stateful", "step/image", On.STEP, LOW, 10, R0,
         "The image is known to keep data: what goes wrong here costs more than a restart.",
         KNOWN),
    _row("step-over-data", "container/data", On.STEP, LOW, 5, R2,
         "Writable data is mounted: taking the image back does not take the data back.",
         OVER_DATA, ORDINARY, _bump(Bump.MINOR)),
    _row("unknown-over-data", "container/data", On.STEP, LOW, 10, R2,
         "Writable data is mounted, and nobody can say how far this step goes: taking the image "
         "back does not take the data back.",
         OVER_DATA, ORDINARY, _bump(Bump.UNKNOWN)),
    _row("patch-over-data", "container/data", On.STEP, INFO, 0, R1,
         "Writable data is mounted; a step this small is not expected to change its format.",
         OVER_DATA, SMALL),
    _row("major-over-data", "container/data", On.STEP, HIGH, 30, R2,
         "Writable data is mounted and the new version may change it for good: taking the image "
         "back does not take the data back. Make a backup before.",
         OVER_DATA, ORDINARY),
    _row("series", "image/series", On.CHANGED, HIGH, 35, R3,
         "The image itself states another series than the one that runs, and its data format "
         "moves one way between them. Make a dump before.",
         STEP_SAYS_LESS),

    # Where its data lies.
    _row("volume-moved", "image/volumes/*", On.REMOVED, BLOCKER, 60, R2,
         "Data lies at this path, and the new image keeps its data at another: it would start "
         "without it. Move the mount by hand.",
         HELD_THERE, ANOTHER_APPEARS, unordered=True),
    _row("volume-gone", "image/volumes/*", On.REMOVED, HIGH, 30, R2,
         "Data lies at this path, and the new image no longer declares it: it may look for its "
         "data elsewhere.",
         HELD_THERE, unordered=True),
    _row("volume-dropped", "image/volumes/*", On.REMOVED, LOW, 5, R0,
         "The image no longer declares a volume at this path.", unordered=True),
    _row("volume-mounted", "image/volumes/*", On.ADDED, INFO, 0, R0,
         "The image declares a volume where something is mounted already.",
         MOUNTED, unordered=True),
    _row("volume-over-data", "image/volumes/*", On.ADDED, HIGH, 30, R2,
         "A new volume would be laid over a folder inside mounted data, and hide what is there.",
         INSIDE_DATA, unordered=True),
    _row("volume-new", "image/volumes/*", On.ADDED, LOW, 5, R1,
         "The image declares a new volume: what is written there lies in an anonymous volume, and "
         "goes with the new container.",
         unordered=True),

    # Who runs, and what.
    _row("user-over-data", "container/inherited/user", On.ANY, HIGH, 30, R2,
         "Another user runs the process, and mounted data belongs to the old one: it may not be "
         "able to read or write it, or leave files that the old one cannot.",
         OVER_DATA),
    _row("user", "container/inherited/user", On.ANY, MEDIUM, 12, R0,
         "Another user runs the process."),
    _row("data-path", "container/inherited/cmd container/inherited/entrypoint "
         "container/inherited/workdir " + _ENV + "*", On.ANY, HIGH, 30, R2,
         "The image's default led to the mounted data and no longer does: it may start without it.",
         NAMED_DATA, masked=True),
    _row("entrypoint-under-cmd", "container/inherited/entrypoint", On.ANY, HIGH, 30, R0,
         "The user's command becomes the arguments of another program.", USERS_CMD),
    _row("entrypoint", "container/inherited/entrypoint", On.ANY, LOW, 5, R0,
         "Another program is started."),
    _row("cmd", "container/inherited/cmd", On.ANY, LOW, 5, R0,
         "The program is started with other arguments."),
    _row("workdir", "container/inherited/workdir", On.ANY, LOW, 5, R0,
         "Relative paths lead elsewhere."),
    _row("stop-signal", "container/inherited/stop_signal", On.ANY, LOW, 2, R0,
         "It is stopped by another signal."),

    # Its environment. Names are shown, values never.
    _row("env-build", " ".join(_ENV + name for name in (
             "*VERSION*", "*_MAJOR", "*_MINOR", "*SHA256*", "*SHA512*", "*_SHA", "*CHECKSUM*",
             "*_REVISION", "*_RELEASE")), On.ANY, INFO, 0, R0,
         "A variable that says what was built; it changes with every version.", masked=True),
    _row("env-removed", _ENV + "*", On.REMOVED, MEDIUM, 12, R0,
         "The container relies on this default of the image, and it goes.", masked=True),
    _row("env-changed", _ENV + "*", On.CHANGED, LOW, 5, R0,
         "The container relies on this default of the image, and it changes.", masked=True),
    _row("env-added", _ENV + "*", On.ADDED, INFO, 0, R0,
         "The image sets a new default.", masked=True),

    # How it is reached and watched.
    _row("published-port-gone", "container/ports/published/*", On.REMOVED, HIGH, 30, R0,
         "The image no longer exposes a port that is published: who connects may find nothing.",
         unordered=True),
    _row("published-port-new", "container/ports/published/*", On.ADDED, LOW, 5, R0,
         "The image exposes a port more, and this container publishes it.", unordered=True),
    _row("port-gone", "container/ports/unpublished/*", On.REMOVED, LOW, 5, R0,
         "The image no longer exposes this port; containers beside it may have used it.",
         unordered=True),
    _row("port-new", "container/ports/unpublished/*", On.ADDED, INFO, 0, R0,
         "The image exposes a port more; it is not published.", unordered=True),
    _row("healthcheck-gone", "container/inherited/healthcheck", On.REMOVED, MEDIUM, 12, R0,
         "The image has no health check any more: the update is watched, and proves less."),
    _row("healthcheck-new", "container/inherited/healthcheck", On.ADDED, INFO, 0, R0,
         "The image has a health check now."),
    _row("healthcheck", "container/inherited/healthcheck", On.CHANGED, LOW, 2, R0,
         "The image checks its health in another way."),

    # What it is made of.
    _row("platform", "image/os image/architecture", On.CHANGED, BLOCKER, 60, R0,
         "The image is made for another platform: it cannot run here."),
    _row("base", "image/base/name", On.ANY, LOW, 5, R0,
         "The image says that it is built on another base."),
    _row("base-content", "image/base/digest", On.ANY, INFO, 0, R0,
         "The image says that its base was renewed."),
    _row("layers", "image/layers/shared", On.ANY, LOW, 2, R0,
         "No layer is shared with the image that runs: its base is another, or was renewed.",
         NONE_SHARED),
    _row("size", "image/size", On.CHANGED, INFO, 0, R0,
         "The image is much larger: the pull takes longer and needs room.", LARGER),
    _row("created", "image/created", On.CHANGED, INFO, 0, R0,
         "The image says that it is older than the one that runs. Dates can be forged: this "
         "decides nothing.",
         OLDER),
    _row("labels", " ".join(_LABELS + "org.opencontainers.image." + name for name in (
             "version", "revision")), On.ANY, INFO, 0, R0,
         "What the image says of its own version."),
)  # fmt: skip
