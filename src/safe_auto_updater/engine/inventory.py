"""AssetInventory: everything that runs, from every scanner, with what could not be seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from safe_auto_updater.core.errors import PlatformUnreachable, UsageError
from safe_auto_updater.core.identity import short_name, source_of
from safe_auto_updater.core.model import Asset
from safe_auto_updater.core.policy import Settings
from safe_auto_updater.core.ports import Scan, Scanner

EXCLUDED = "excluded by inventory.include or inventory.exclude"


class NoSuchAsset(UsageError):
    """A name that means nothing that is known."""


@dataclass(frozen=True)
class AssetInventory:
    """The result of all scans. `failures` are parts that nothing is known about.

    `left_out` are assets that the configuration excludes; they may depend on others. `sources` are
    the scanners that were asked, `whole` those of them that could see everything.
    """

    assets: tuple[Asset, ...]
    images: tuple[object, ...]
    failures: tuple[tuple[str, str], ...]
    left_out: tuple[Asset, ...] = ()
    sources: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()

    @property
    def everything(self) -> tuple[Asset, ...]:
        """All that was seen, excluded or not."""
        return self.assets + self.left_out

    def named(self, names: Sequence[str]) -> tuple[Asset, ...]:
        """The assets a person means, by the shortest unique name; all where no name is given.

        Raises as `meant` does.
        """
        if not names:
            return self.assets
        by_id = {asset.id: asset for asset in self.assets}
        return tuple(by_id[id_] for id_ in dict.fromkeys(map(self.meant, names)))

    def meant(self, name: str, remembered: Iterable[str] = ()) -> str:
        """The identity that a name means, among what was seen and what is remembered.

        UsageError lists what an ambiguous name could mean, or says that the configuration leaves
        it out; PlatformUnreachable, where not everything could be seen, also what that was.
        """
        try:
            return pick(name, {*remembered, *(asset.id for asset in self.assets)})
        except UsageError as error:
            for one in self.left_out:
                if name in (one.id, short_name(one.id)) and isinstance(error, NoSuchAsset):
                    raise UsageError(f"{one.id} is {EXCLUDED}") from error
            if not self.failures:
                raise
            unseen = "; ".join(f"{source}: {fact}" for source, fact in self.failures)
            raise PlatformUnreachable(f"{error}, or it was not seen: {unseen}") from error


def seen_anew(before: AssetInventory, now: AssetInventory) -> AssetInventory:
    """What was seen before, with some of its sources as they are now.

    Of one that could not be seen whole nothing counts as gone.
    """
    there = {asset.id for asset in now.everything}

    def stays(asset: Asset) -> bool:
        return source_of(asset.id) not in now.whole and asset.id not in there

    def both(old: Iterable[Asset], new: Iterable[Asset]) -> tuple[Asset, ...]:
        return tuple(sorted((*filter(stays, old), *new), key=lambda asset: asset.id))

    return replace(
        before,
        assets=both(before.assets, now.assets),
        left_out=both(before.left_out, now.left_out),
    )


def pick(name: str, known: Iterable[str]) -> str:
    """The one identity that a name means: itself, its end after a `/`, or a unique beginning.

    NoSuchAsset where it means none, UsageError where it means several.
    """
    if not name.strip():
        raise UsageError("an empty name means nothing; write the asset's")
    ids = tuple(known)
    for fits in (
        [id_ for id_ in ids if id_ == name],
        [id_ for id_ in ids if short_name(id_) == name or id_.endswith(f"/{name}")],
        [id_ for id_ in ids if short_name(id_).startswith(name)],
        [id_ for id_ in ids if name in id_],
    ):
        if len(fits) == 1:
            return fits[0]
        if fits:
            raise UsageError(f"{name} could be {', '.join(sorted(fits))}; write more of it")
    raise NoSuchAsset(f"{name}: no such asset; `sau scan` and `sau history` list them")


def who_sees(names: Sequence[str], scanners: Sequence[Scanner]) -> Sequence[Scanner]:
    """The scanners that can see these assets: all, unless every name is whole and says where."""
    wanted = {one.name: one for one in scanners}
    parts = {source_of(name) for name in names}
    return [wanted[part] for part in parts] if parts and parts <= wanted.keys() else scanners


def take_inventory(scanners: Sequence[Scanner], settings: Settings) -> AssetInventory:
    """Ask every scanner at once; one that breaks is a failure of its part, not of the inventory."""
    if len(scanners) == 1:
        scans = [_scan(scanners[0])]
    else:
        with ThreadPoolExecutor(max(1, len(scanners))) as pool:
            scans = list(pool.map(_scan, scanners))
    found = {asset.id: asset for scan in scans for asset in scan.assets}
    everything = [found[id_] for id_ in sorted(found)]
    return AssetInventory(
        assets=tuple(asset for asset in everything if settings.covers(asset.id)),
        images=tuple(image for scan in scans for image in scan.images),
        failures=tuple(failure for scan in scans for failure in scan.failures),
        left_out=tuple(asset for asset in everything if not settings.covers(asset.id)),
        sources=tuple(scanner.name for scanner in scanners),
        whole=tuple(
            one.name for one, scan in zip(scanners, scans, strict=True) if not scan.failures
        ),
    )


def _scan(scanner: Scanner) -> Scan:
    try:
        scan = scanner.scan()
    except Exception as error:  # a plugin's code: anything may come out of it
        return Scan((), (), ((scanner.name, f"{type(error).__name__}: {error}"),))
    return scan
