"""A source that goes away between plan and update: what it runs waits, and the others go on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from safe_auto_updater.cli.commands.apply import command
from safe_auto_updater.cli.context import Options
from safe_auto_updater.core.model import Asset, Change, Health, Image, ImageUse, Status, Step
from safe_auto_updater.core.phases import Phase
from safe_auto_updater.core.policy import AssetPolicy, Settings
from safe_auto_updater.core.ports import Scan, Trees
from tests.cycle_kit import CycleScene

API, WEB, ZEB = "docker:local/api", "docker:nas/web", "docker:zoo/zeb"


@dataclass
class Host:
    """An engine with one container, and whether it answers."""

    asset: str
    answers: bool = True

    @property
    def name(self) -> str:
        return self.asset.partition("/")[0]

    def scan(self) -> Scan:
        if not self.answers:
            return Scan((), (), ((self.name, "does not answer"),))
        name = self.asset.rpartition("/")[2]
        use = ImageUse(name, Image(f"r/{name}:1.0", "1.0", "sha256:1.0"))
        running = (Status.RUNNING, Health.HEALTHY)
        return Scan((Asset(self.asset, "docker", "container", name, (use,), *running),))


class Hosts(CycleScene):
    """Three engines, of which one goes away with the first update; `App` as commands see it."""

    def __init__(self, folder: Path) -> None:
        self.hosts = [Host(API), Host(WEB), Host(ZEB)]
        self.swept = False
        super().__init__(folder, self.hosts, Settings(), lambda step: self)

    def check(self, asset: Asset, policy: AssetPolicy) -> tuple[Change, ...]:
        now = asset.images[0].image
        new = Image(f"r/{asset.name}:1.1", "1.1", f"sha256:{asset.name}", f"sha256:{asset.name}")
        found = Change(asset.id, asset.name, now, bump="minor", first_seen=self.clock.at)
        return (replace(found, candidate=new),)

    def trees(self, asset: Asset, change: Change) -> Trees:
        return Trees({"image": {}}, {"image": {}})

    def execute(self, update: str, step: Step) -> None:
        self.hosts[1].answers = False
        self.journal.begin(update, step)
        self.journal.enter(update, Phase.SUCCEEDED, {})

    def recover(self, *_: object, **__: object) -> tuple[()]:
        return ()

    def sweep(self) -> list[str]:
        self.swept = True
        return []


def test_step_whose_source_went_away_waits_and_the_others_go_on(tmp_path: Path) -> None:
    hosts = Hosts(tmp_path)
    plan, _ = hosts.cycle.plan()
    unseen: list[Step] = []

    records = hosts.cycle.execute(plan, lambda: False, unseen.append)

    assert [record.asset for record in records] == [API, ZEB]
    assert [step.asset for step in unseen] == [WEB]
    [event] = hosts.events
    assert (event.kind, event.asset) == ("held", WEB)
    assert "docker:nas: does not answer" in event.message


@pytest.mark.slow
def test_apply_tells_what_it_did_and_what_it_could_not_see_any_more(tmp_path: Path) -> None:
    hosts = Hosts(tmp_path)

    class Given(Options):
        @contextmanager
        def actor(self, command: str, *listeners: Any) -> Iterator[Any]:
            yield hosts

    given = Given({}, None, tmp_path, "json", "text", False)
    said = CliRunner().invoke(command, ["--yes"], obj=given)

    assert said.exit_code == 1, said.output
    told = json.loads(said.stdout)
    assert [update["asset"] for update in told["updates"]] == [API, ZEB]
    assert told["not_begun"] == [WEB]
    assert hosts.swept
