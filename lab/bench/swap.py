"""How long a service is away when its container is replaced: by the program, and by hand.

Both sides begin alike: the old container serves on a published port, the image of the new one
is on the engine. By hand, the new container is made beforehand and two requests remain. A
failed update is undone likewise: stop the new container, start the old one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lab.bench.figures import Series, in_turns
from lab.bench.prober import Prober
from lab.bench.processes import wait_until
from lab.bench.sandbox import PREFIX, Sandbox

PORT = 18077
OLD, NEW = "1.0.0", "1.1.0"
_HOST = {
    "RestartPolicy": {"Name": "unless-stopped"},
    "PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(PORT)}]},
}
_SUCCEEDED, _ROLLED_BACK = 0, 3


class Swap:
    """One service whose new version is good, or serves and is unhealthy."""

    def __init__(self, sandbox: Sandbox, name: str, new_is_good: bool) -> None:
        self._sandbox, self._name, self._good = sandbox, name, new_is_good
        self._runs = 0
        self._old_image = sandbox.publish(name, OLD)
        behaviour = "good" if new_is_good else "unhealthy"
        self._new_image = sandbox.publish(name, NEW, behaviour=behaviour)

    def measure(self, pairs: int) -> tuple[Series, Series]:
        """The program and its limit, in turns."""
        by_hand = "by hand: stop old, start new" if self._good else "by hand: stop new, start old"
        return in_turns(pairs, ("sau apply", self._ours), (by_hand, self._by_hand))

    def _ours(self) -> float:
        sandbox = self._sandbox
        with self._service() as (_, prober):
            self._runs += 1
            state = f"{self._name}-{self._runs}"  # a new one: a bad version is tried only once
            words = ("apply", "--yes", PREFIX + self._name)
            code = _SUCCEEDED if self._good else _ROLLED_BACK
            sandbox.sau(state, self._name, *words, code=code)
            away = prober.change(OLD, NEW)
            return away.gap_s if self._good else prober.change(NEW, OLD).gap_s

    def _by_hand(self) -> float:
        sandbox = self._sandbox
        with self._service() as (old, prober):
            new = sandbox.create(f"{self._name}-new", self._new_image, _HOST)
            sandbox.stop(old)
            sandbox.start(new)
            away = prober.change(OLD, NEW)
            if self._good:
                return away.gap_s
            wait_until(lambda: sandbox.health(new) == "unhealthy", f"{new} stays healthy")
            sandbox.stop(new)
            sandbox.start(old)
            return prober.change(NEW, OLD).gap_s

    @contextmanager
    def _service(self) -> Iterator[tuple[str, Prober]]:
        """The old container, serving and probed; afterwards nothing of either side."""
        for image in (self._old_image, self._new_image):
            self._sandbox.pull(image)
        try:
            old = self._sandbox.run(self._name, self._old_image, _HOST)
            with Prober(PORT) as prober:
                prober.change("", OLD)
                yield old, prober
        finally:
            self._sandbox.remove(self._name)
