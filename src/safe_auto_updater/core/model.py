"""The words: assets, images, changes, steps, plans. Frozen: a plan shown is the plan that runs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from safe_auto_updater.core.risk import Risk

PIPELINE = "kubectl-apply"
"""What `managed_by` says of a workload that was made by plain `kubectl apply`."""
SERVER_SIDE = "server-side-apply"
"""What it says of one whose images are applied at the server, `kubectl apply --server-side`."""
BY_APPLY = (PIPELINE, SERVER_SIDE)


class Status(StrEnum):
    """What an asset's process is doing."""

    RUNNING = "running"
    RESTARTING = "restarting"
    PAUSED = "paused"
    EXITED = "exited"
    CREATED = "created"
    DEAD = "dead"
    UNKNOWN = "unknown"


class Health(StrEnum):
    """What the asset's own health check says; `none` where it has none."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    STARTING = "starting"
    NONE = "none"


class Action(StrEnum):
    """What a plan does with an asset: `none` means nothing newer exists, `hold` that it waits."""

    UPDATE = "update"
    HOLD = "hold"
    NONE = "none"


@dataclass(frozen=True)
class Image:
    """An image as a container uses it, or would use it.

    `digest` is what the tag resolves to at the registry (an index or a manifest), `content` the
    manifest for this host's platform (the quarantine key), `image_id` the engine's own name.
    """

    reference: str
    version: str | None = None
    digest: str | None = None
    content: str | None = None
    image_id: str | None = None

    def key(self) -> str:
        """What tells two images apart: the content where known, else what was written."""
        return self.content or self.digest or self.image_id or self.reference

    def own_tag(self, other: Image) -> str | None:
        """The reference without a digest; None where `other` has the same: no other version."""
        mine, theirs = (image.reference.partition("@")[0] for image in (self, other))
        return mine if mine != theirs else None


@dataclass(frozen=True)
class ImageUse:
    """One container of an asset and the image it runs."""

    container: str
    image: Image
    digests: tuple[str, ...] = ()  # every registry digest the engine knows for this image
    declared: str | None = None  # the version that the image itself says it is
    policy_labels: tuple[tuple[str, str], ...] = ()  # labels a user set, not the image
    claimed: tuple[str, ...] = ()  # instead of `digests`: so if the registry says it has them
    unseen: bool = False  # nothing of it runs: it would run what its tag points to


@dataclass(frozen=True)
class Obstacle:
    """Why an asset must not be touched, found while scanning. `rule` names the kind.

    What `yields_to_enable` goes away where an operator says `enable=true` of this very asset, what
    `yields_to_fix_forward` where a rule says that this asset may be mended by an update.
    """

    rule: str
    reason: str
    only_tag_changes: bool = False
    only_forward: bool = False  # whoever takes an update back by hand may
    yields_to_enable: bool = False
    yields_to_fix_forward: bool = False
    only_by: str | None = None  # the updater that it stands in the way of; None: of each


class UpdaterKind(StrEnum):
    """Which of a platform's updaters carries a step out."""

    NATIVE = "native"
    WATCHTOWER = "watchtower"
    SWARM = "swarm"
    SELF = "self"  # this program replaces itself
    KUBERNETES = "kubernetes"
    HELM = "helm"


class Bond(StrEnum):
    """What becomes of an asset when another one that it needs is replaced."""

    RECREATE = "recreate"  # it holds a part of the old one, and must be made again
    RESTART = "restart"  # it asked to be restarted then
    ORDER = "order"  # it only comes after it


@dataclass(frozen=True)
class Need:
    """Another asset without which this one is not whole. `what` it has of it, in words."""

    asset: str
    bond: Bond
    what: str


@dataclass(frozen=True)
class Asset:
    """Something that runs and can be updated as one."""

    id: str
    platform: str
    kind: str
    name: str
    images: tuple[ImageUse, ...]
    status: Status
    health: Health
    managed_by: str | None = None
    obstacles: tuple[Obstacle, ...] = ()
    needs: tuple[Need, ...] = ()
    exclusive: tuple[str, ...] = ()  # why a second one like it could not run beside it
    own: bool = False  # this program runs in it
    configuration: str | None = None  # how a person set it up, as a hash; None: nobody can tell

    @property
    def is_declared(self) -> bool:
        """Whether somebody else makes its containers as it says, and makes them anew."""
        return self.kind != "container"

    def __post_init__(self) -> None:
        if not self.images:
            raise ValueError(f"{self.id}: an asset runs at least one image")


@dataclass(frozen=True)
class Rejection:
    """A newer tag that was not chosen, and why."""

    tag: str
    reason: str


@dataclass(frozen=True)
class Change:
    """What detection found for one container: a candidate, nothing, or *unknown* (`error`)."""

    asset: str
    container: str
    current: Image
    candidate: Image | None = None
    bump: str | None = None
    rejected: tuple[Rejection, ...] = ()
    error: str | None = None
    note: str | None = None  # why no look-up was made, e.g. "built here"
    behind: str | None = None  # where the tag stays: how far the version behind it goes, if known
    first_seen: float | None = None  # when we first saw the candidate, seconds since the epoch
    path: tuple[str, ...] = ()  # tags still to be walked one at a time, the candidate's first
    remarks: tuple[str, ...] = ()  # what people must know of it, and that decides nothing
    link: str | None = None  # where people can read about the candidate

    @property
    def reach(self) -> str | None:
        """How far the change goes: between the versions behind a tag, else between the tags."""
        return self.behind or self.bump

    @property
    def moves_tag(self) -> bool:
        """Whether the reference itself changes, not only what it points to."""
        return self.candidate is not None and self.candidate.reference != self.current.reference


@dataclass(frozen=True)
class Follower:
    """A member of a unit that keeps its image, and is made again or restarted with the others."""

    asset: str
    container: str
    image: Image
    bond: Bond
    what: str  # what it has of the others, in words


@dataclass(frozen=True)
class Step:
    """What the plan does with one asset, or with several as a unit. Only `update` steps act.

    `members` are the assets of a unit in the order in which they start, empty for a single asset;
    `asset` is the first that changes. `followers` are those of them that keep their image, `needs`
    pairs of members of which the first cannot do without the second.
    """

    asset: str
    action: Action
    reasons: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    hold_rules: tuple[str, ...] = ()  # which guards said no, one per reason
    undoes: str | None = None  # the update that this step takes back
    members: tuple[str, ...] = ()
    risk: Risk | None = None
    updater: UpdaterKind = UpdaterKind.NATIVE
    followers: tuple[Follower, ...] = ()
    needs: tuple[tuple[str, str], ...] = ()
    joins: tuple[str, ...] = ()  # ids of the steps that were planned alone and are made in this one

    @property
    def assets(self) -> tuple[str, ...]:
        """Every asset that the step is about."""
        return self.members or (self.asset,)

    @property
    def links(self) -> tuple[str, ...]:
        """Where people can read about what it would bring."""
        found = (change.link for change in self.changes if change.candidate is not None)
        return tuple(dict.fromkeys(link for link in found if link is not None))

    @property
    def movers(self) -> tuple[str, ...]:
        """The assets whose image changes, in the order of the changes."""
        return tuple(dict.fromkeys(change.asset for change in self.changes)) or (self.asset,)

    def same_unit(self, other: Step) -> bool:
        """Whether another step does the same to the same assets, those that follow among them."""
        mine, theirs = ([(one.asset, one.bond) for one in s.followers] for s in (self, other))
        return (self.id, mine, self.needs) == (other.id, theirs, other.needs)

    @property
    def id(self) -> str:
        """Hash of assets, from and to: stable, so that approvals survive a new plan."""
        parts = [self.asset, *(self.movers if len(self.movers) > 1 else ())]
        for change in self.changes:
            parts += [change.asset, change.container, change.current.key()]
            if change.candidate is not None:
                parts += [change.candidate.reference, change.candidate.key()]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Plan:
    """Everything `apply` would do and why."""

    steps: tuple[Step, ...]

    @property
    def id(self) -> str:
        """Hash of the steps: two plans of the same world are the same plan."""
        told = "".join(f"{step.id}{step.action}" for step in self.steps)
        return hashlib.sha256(told.encode()).hexdigest()[:12]

    @property
    def hand_over(self) -> Plan:
        """The part by which this program replaces itself: the last, for it ends the program."""
        return Plan(tuple(step for step in self.updates if step.updater is UpdaterKind.SELF))

    @property
    def before_hand_over(self) -> Plan:
        """All the rest."""
        return Plan(tuple(step for step in self.steps if step not in self.hand_over.steps))

    @property
    def assets(self) -> tuple[str, ...]:
        """Every asset that some step is about."""
        return tuple(dict.fromkeys(asset for step in self.steps for asset in step.assets))

    @property
    def movers(self) -> tuple[str, ...]:
        """Every asset whose image some step changes."""
        return tuple(dict.fromkeys(asset for step in self.updates for asset in step.movers))

    @property
    def updates(self) -> tuple[Step, ...]:
        """The steps that act."""
        return tuple(step for step in self.steps if step.action is Action.UPDATE)
