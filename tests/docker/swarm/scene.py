"""A service worth keeping, an update for it, and `sau` started so that it can be killed."""

from __future__ import annotations

from safe_auto_updater.core.outcome import Outcome
from tests.docker.kill.promise import assert_legal
from tests.docker.kill.scene import Scene
from tests.docker.swarm.kit import Services, pinned
from tests.lab_kit import eventually


class ServiceScene(Scene):
    """What `Scene` is for a container: the same ways to run and to hit the program."""

    def __init__(self, services: Services, behaviour: str) -> None:
        world = self.world = services.world
        self.services = services
        self.folder = world.state_dir
        self.state = self.folder / "state"
        old = world.publish("1.0.0")
        self.name = services.create(pinned(old), replicas=1)
        self.new = world.publish("1.1.0", behaviour=behaviour)
        self.before_spec = services.spec()
        self.config = self.folder / "config.yml"
        self.config.write_text(self._config())

    @property
    def container(self) -> str:
        """The asset's name on the command line."""
        return self.name

    def assert_kept(self) -> str:
        """Old or new runs whole, nothing is under way, and the journal says which; which."""
        records = self.journal()
        for record in records:
            assert record.outcome is not None, [row.name for row in record.rows]
            assert record.outcome is not Outcome.INCONSISTENT, record.facts
            assert_legal(record)
        side = "new" if records and records[0].outcome is Outcome.SUCCEEDED else "old"
        wanted = {"TaskTemplate": {**self.before_spec["TaskTemplate"]}}
        if side == "new":
            container = self.before_spec["TaskTemplate"]["ContainerSpec"]
            changed = {**container, "Image": pinned(self.new)}
            wanted["TaskTemplate"]["ContainerSpec"] = changed
        assert self.services.spec() == {**self.before_spec, **wanted}
        image = wanted["TaskTemplate"]["ContainerSpec"]["Image"]
        eventually(lambda: self.services.settled() and self.services.running() == [image], 30)
        return side
