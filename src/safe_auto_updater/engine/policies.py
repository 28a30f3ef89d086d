"""Asking the policies of plugins: one that raises, hangs or talks nonsense holds, by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy

from safe_auto_updater.core.case import Veto
from safe_auto_updater.core.ports import Policy, Proposal
from safe_auto_updater.engine.in_time import InTime, Silent

DEADLINE_S = 10.0


class PluginPolicies:
    """The configured policies, by asset. Thread-safe."""

    def __init__(
        self,
        policies_for: Callable[[str], Sequence[tuple[str, Policy]]],
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._policies_for = policies_for
        self._deadline_s = deadline_s
        self._in_time: dict[int, InTime] = {}

    def judge(self, proposal: Proposal) -> tuple[Veto, ...]:
        """Every no to one proposal."""
        asked = self._policies_for(proposal.asset.id)
        said = [(name, self._ask(policy, proposal)) for name, policy in asked]
        return tuple(Veto("plugin", f"policy {name}: {no}") for name, no in said if no is not None)

    def _ask(self, policy: Policy, proposal: Proposal) -> str | None:
        """One answer in time, or why there is none."""
        in_time = self._in_time.setdefault(id(policy), InTime(self._deadline_s))
        try:
            # What it does to the proposal stays with it.
            return in_time.ask(lambda: policy.judge(deepcopy(proposal)))
        except Silent as error:
            return str(error)
        except Exception as error:  # a stranger's code: anything may come out of it
            return f"failed: {str(error) or type(error).__name__}; ask its author"
