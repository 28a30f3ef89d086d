"""Who serves: from the old container to the new one, and back, in one of two orders.

Stop-first: old stops, then new starts. Start-first: new starts, is well, takes the name, and then
old stops; and back likewise. The one that is not meant to serve is parked or staged by its name and
cannot be brought back by an engine that restarts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from safe_auto_updater.core.errors import PlatformError, StepFailed
from safe_auto_updater.platforms.docker.containers import (
    Containers,
    out_of_service_s,
    policy_name,
    stop_grace_s,
)
from safe_auto_updater.platforms.docker.marks import PARKED, STAGED
from safe_auto_updater.platforms.docker.networks import endpoints
from safe_auto_updater.platforms.docker.own import Own
from safe_auto_updater.platforms.docker.state import start_error_cause, start_remedy

Json = dict[str, Any]
STOP_LOOK_S, STOP_KILL_S, GONE_S = 0.2, 3.0, 1.0
START_AGAIN_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 10.0, 15.0, 15.0)


class Takeover:
    """The two orders, on one engine, for one step. Every act looks first and may be repeated."""

    def __init__(self, containers: Containers, sleep: Callable[[float], None], own: Own) -> None:
        self._containers = containers
        self._sleep = sleep
        self._own = own
        self._waited_s = 0.0  # for stops that may be under way

    def stop_first(self, old: Json, new: Json, name: str, *, start: bool) -> float | None:
        """New takes over from old, which stops before; the seconds between, None if unknown."""
        self._containers.retire(old)
        self._swap_names(old, new, name)
        if not start:
            return 0.0
        self._start_new(new)
        parked, started = self._containers.inspect(old["Id"]), self._containers.inspect(new["Id"])
        return out_of_service_s(parked, started)

    def start_first(
        self, old: Json, new: Json, name: str, well: Callable[[], None], *, retire: bool
    ) -> float:
        """New runs beside old; once `well` (which raises where it is not) it takes over."""
        self._start_new(new)
        well()
        self._swap_names(old, new, name)
        if retire:
            self.retire(old)
        return 0.0

    def retire(self, container: Json) -> None:
        """Stop it so that nothing brings it back. Our own container's stop ends this program."""
        if self._own.is_it(container):
            if policy_name(container) != "unless-stopped":
                # Nobody does it afterwards.
                self._containers.restart_policy(container, {"Name": "no"})
            self._own.leaving()
        self._containers.retire(container)

    def back(self, old: Json, new: Json | None, name: str, before: Json) -> None:
        """The old one serves again, as it did `before`; the new one stops first."""
        if new is not None:
            self._containers.retire(new)
        self._names_back(old, new, name, before)
        if before["State"]["Running"]:
            self._let_stop_end(old, before)
            self.start_again(old, before)

    def back_first(
        self, old: Json, new: Json | None, name: str, before: Json, well: Callable[[], object]
    ) -> None:
        """The old one serves again, and is waited for, before the new one stops."""
        if not before["State"]["Running"]:  # nobody to wait for
            self.back(old, new, name, before)
            return
        was_parked = old["Name"].lstrip("/") != name
        self._names_back(old, new, name, before)
        if was_parked:  # else it was never asked to stop
            self._let_stop_end(old, before)
        self.start_again(old, before)
        well()
        if new is not None:
            self.retire(new)

    def start_again(self, old: Json, before: Json) -> None:
        """Start an old container in the networks that it was in `before`.

        What stands in its way for a moment (a port) is waited out.
        """
        for pause in (*START_AGAIN_S, None):
            try:
                old = self._rejoined(old, before)
                self._containers.start(old)
                return
            except PlatformError as error:
                old = self._containers.inspect(old["Id"])
                if pause is None:
                    remedy = start_remedy(str(error))
                    fact = f"the old container cannot be started again: {error}{remedy}"
                    raise StepFailed(fact, start_error_cause(str(error))) from error
                self._sleep(pause)

    def is_gone(self, container_id: str) -> bool:
        """Whether somebody removed it, or does so now: by force it is ended first, then removed."""
        for _ in range(round(GONE_S / STOP_LOOK_S)):
            self._sleep(STOP_LOOK_S)  # the engine tells a moment later that it has ended
            found = self._containers.find(container_id)
            if found is None or found["State"]["Running"]:
                return found is None
        return False

    def _start_new(self, new: Json) -> None:
        try:
            self._containers.start(new)
        except PlatformError as error:
            fact = f"the new container cannot be started: {error}"
            raise StepFailed(fact, start_error_cause(str(error))) from error

    def _swap_names(self, old: Json, new: Json, name: str) -> None:
        self._containers.rename(old, name + PARKED)
        self._containers.rename(new, name)

    def _names_back(self, old: Json, new: Json | None, name: str, before: Json) -> None:
        if new is not None:
            self._containers.rename(new, name + STAGED)
        self._containers.rename(old, name)
        self._containers.restart_policy(old, before["HostConfig"]["RestartPolicy"])

    def _rejoined(self, old: Json, before: Json) -> Json:
        """In its networks again: engines forget them when a start fails, and start without.

        Seen with engine 29, whose firewall chains were gone.
        """
        missing = endpoints(before).keys() - (old["NetworkSettings"].get("Networks") or {}).keys()
        if not missing:
            return old
        self._containers.stop(old)
        return self._containers.join(self._containers.inspect(old["Id"]), endpoints(before))

    def _let_stop_end(self, old: Json, before: Json) -> None:
        """Wait where a stop may be under way: the engine goes on with it when its asker is killed.

        An old container that runs since before the update is either about to end, within its
        grace time, or was never asked to stop; the engine does not tell which. All of a unit were
        asked before the first of them comes back, so what one has waited counts for the next.
        """
        deadline_s = stop_grace_s(old) + STOP_KILL_S
        while self._waited_s < deadline_s:
            state = self._containers.inspect(old["Id"])["State"]
            if not state["Running"] or state["StartedAt"] != before["State"]["StartedAt"]:
                return
            self._sleep(STOP_LOOK_S)
            self._waited_s += STOP_LOOK_S
