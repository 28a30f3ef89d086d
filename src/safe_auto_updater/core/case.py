"""One asset with everything that decides whether it may be updated now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from safe_auto_updater.core.memory import Memory
from safe_auto_updater.core.model import Asset, Change, Obstacle
from safe_auto_updater.core.policy import AssetPolicy
from safe_auto_updater.core.promql import Incident
from safe_auto_updater.core.risk import Bands, Risk
from safe_auto_updater.core.spelling import ComposeChange


@dataclass(frozen=True)
class Veto:
    """A no from outside the plan: of a plugin's policy, of the platform, or as nobody could see."""

    rule: str
    reason: str


@dataclass(frozen=True)
class FileEdit:
    """What the file that an asset was made from must say for a change to last.

    `text` names place, old and new; None where nobody can say. `refusal` is why the program cannot
    be the one to write it; neither is there where the file stays as it is. `hooks` are what runs
    only where the asset is made from the file again.
    """

    text: str | None
    refusal: str | None = None
    hooks: tuple[str, ...] = ()

    @property
    def is_wanted(self) -> bool:
        """Whether the file would have to say something else."""
        return self.text is not None or self.refusal is not None


@dataclass(frozen=True)
class Case:
    """One asset with everything that decides about it."""

    asset: Asset
    changes: tuple[Change, ...]
    policy: AssetPolicy
    memory: Memory
    bands: Bands = field(default_factory=Bands)
    risk: Risk | None = None
    vetoes: tuple[Veto, ...] = ()
    edits: tuple[FileEdit, ...] = ()
    notes: tuple[str, ...] = ()  # what else is to be known where it goes forward
    incidents: tuple[Incident, ...] = ()
    follows: bool = False  # it takes nothing itself, and would be touched for the sake of another

    @property
    def wanted(self) -> tuple[Change, ...]:
        """The changes that have a candidate."""
        return tuple(change for change in self.changes if change.candidate is not None)


def named_level(case: Case) -> str:
    """The policy and who set it: `minor (rule */db-*)`."""
    return f"{case.policy.level.value} ({case.policy.source('policy')})"


def in_one(reasons: Iterable[str]) -> str | None:
    """All of them as one, each once; None where there are none."""
    return "; ".join(dict.fromkeys(reasons)) or None


def stands(obstacle: Obstacle, policy: AssetPolicy, moves_tag: bool) -> bool:
    """Whether it keeps every updater from touching the asset, a new tag or not.

    What only one updater minds is asked where that one is chosen.
    """
    if obstacle.only_by is not None or (obstacle.only_tag_changes and not moves_tag):
        return False
    if obstacle.rule == "stack" and policy.compose is ComposeChange.CONTAINER_ONLY:
        return False  # the file stays, whatever it names
    if obstacle.yields_to_fix_forward and policy.fix_forward:
        return False
    return not (obstacle.yields_to_enable and policy.enabled_by_name)
