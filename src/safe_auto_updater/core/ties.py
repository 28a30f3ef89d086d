"""Who must move with whom, and in which order. Pure, over what was scanned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from safe_auto_updater.core.model import Asset, Bond, Need, Status

_RESTARTED = (Status.RUNNING, Status.RESTARTING, Status.PAUSED)


class Ties:
    """The needs of all assets, both ways round."""

    def __init__(self, assets: Iterable[Asset]) -> None:
        self._assets = {asset.id: asset for asset in assets}
        self._dependents: dict[str, list[str]] = {}
        for asset in self._assets.values():
            for need in asset.needs:
                self._dependents.setdefault(need.asset, []).append(asset.id)

    def followers(self, moving: Iterable[str]) -> Mapping[str, Need]:
        """Whoever is made again or restarted when these are replaced, chains included, and why."""
        found: dict[str, Need] = {}
        moved = list(moving)
        roots = set(moved)
        while moved:
            needed = moved.pop()
            for asset in self._dependents.get(needed, ()):
                need = self._binding(asset, needed)
                if need is None or asset in roots:
                    continue
                known = found.get(asset)
                if known is None:
                    moved.append(asset)
                if known is None or need.bond is Bond.RECREATE is not known.bond:
                    found[asset] = need
        return found

    def among(self, members: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """Pairs of these assets of which the first needs the second."""
        inside = set(members)
        pairs = {
            (one, need.asset)
            for one in inside & self._assets.keys()
            for need in self._assets[one].needs
            if need.asset in inside and need.asset != one
        }
        return tuple(sorted(pairs))

    def _binding(self, asset: str, needed: str) -> Need | None:
        """The strongest need of one for another; none where it only comes after it."""
        needs = [need for need in self._assets[asset].needs if need.asset == needed]
        bonds = {need.bond: need for need in reversed(needs)}
        if Bond.RECREATE in bonds:
            return bonds[Bond.RECREATE]
        restarts = self._assets[asset].status in _RESTARTED
        return bonds.get(Bond.RESTART) if restarts else None


def in_order(nodes: Iterable[str], needs: Iterable[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Nodes with what they need before them, else by name; and those left over in a circle.

    The second list is one circle, each of which needs the next; empty where there is none.
    """
    left = {node: set[str]() for node in nodes}
    for one, other in needs:
        if one in left and other in left:
            left[one].add(other)
    ordered: list[str] = []
    while ready := sorted(node for node, missing in left.items() if not missing):
        node = ready[0]
        ordered.append(node)
        del left[node]
        for missing in left.values():
            missing.discard(node)
    return ordered, _circle(left)


def _circle(left: Mapping[str, set[str]]) -> list[str]:
    """One circle among nodes that all need one another in the end."""
    if not left:
        return []
    path = [min(left)]
    while (following := min(left[path[-1]])) not in path:
        path.append(following)
    return path[path.index(following) :]
