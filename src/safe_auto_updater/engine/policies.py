"""Asking the policies of plugins: one that raises, hangs or talks nonsense holds, by its name."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from copy import deepcopy
from queue import Empty, SimpleQueue

from safe_auto_updater.core.case import Veto
from safe_auto_updater.core.ports import Policy, Proposal

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
        self._hanging: dict[int, threading.Thread] = {}

    def judge(self, proposal: Proposal) -> tuple[Veto, ...]:
        """Every no to one proposal."""
        asked = self._policies_for(proposal.asset.id)
        said = [(name, self._ask(policy, proposal)) for name, policy in asked]
        return tuple(Veto("plugin", f"policy {name}: {no}") for name, no in said if no is not None)

    def _ask(self, policy: Policy, proposal: Proposal) -> str | None:
        """One answer in time, or why there is none. One that hangs is not asked again meanwhile."""
        hanging = self._hanging.get(id(policy))
        if hanging is not None and hanging.is_alive():
            return "has still not answered the last question; ask its author"
        answers: SimpleQueue[str | None] = SimpleQueue()
        # A daemon: a policy that hangs must not keep the program from ending.
        thread = threading.Thread(target=_answer, args=(policy, proposal, answers), daemon=True)
        thread.start()
        try:
            answer = answers.get(timeout=self._deadline_s)
        except Empty:
            self._hanging[id(policy)] = thread
            return f"gave no answer within {self._deadline_s:g} s; ask its author"
        return answer


def _answer(policy: Policy, proposal: Proposal, answers: SimpleQueue[str | None]) -> None:
    try:
        answers.put(policy.judge(deepcopy(proposal)))  # what it does to it stays with it
    except BaseException as error:  # a stranger's code: anything may come out of it
        answers.put(f"failed: {str(error) or type(error).__name__}; ask its author")
