"""Which asset a person means: what runs now, and what is only remembered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from safe_auto_updater.app import App
from safe_auto_updater.cli.names import asset_meant, step_meant
from safe_auto_updater.cli.root import sau
from safe_auto_updater.config import Config
from safe_auto_updater.config.config import DockerHost
from safe_auto_updater.config.contexts import Address
from safe_auto_updater.core.errors import PlatformUnreachable, UsageError
from safe_auto_updater.core.model import (
    Action,
    Asset,
    Bond,
    Change,
    Follower,
    Health,
    Image,
    ImageUse,
    Status,
    Step,
)
from safe_auto_updater.core.phases import Phase
from safe_auto_updater.core.ports import Scan
from safe_auto_updater.engine.inventory import AssetInventory, pick, who_sees

API = "docker:local/api"
VPN = "docker:local/vpn"
PROXY = "docker:local/proxy"
SCANNER = """
from safe_auto_updater.core.model import Asset, Health, Image, ImageUse, Status
from safe_auto_updater.core.ports import Scan

class Scanner:
    name = "names"
    def __init__(self, options): pass
    def scan(self):
        use = ImageUse("web", Image("web:1"))
        return Scan((Asset("names:here/web", "names", "container", "web", (use,),
                           Status.RUNNING, Health.HEALTHY),))
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """A program that sees `web` only; its engine is away."""
    (tmp_path / "names_scanner.py").write_text(SCANNER)
    info = tmp_path / "names_scanner-1.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: names-scanner\nVersion: 1.0.0\n")
    entry = "[safe_auto_updater.scanners]\nnames = names_scanner:Scanner\n"
    (info / "entry_points.txt").write_text(entry)
    monkeypatch.syspath_prepend(str(tmp_path))
    away = DockerHost("local", Address(f"unix://{tmp_path}/away.sock"))
    with App(Config(engines=(away,)), tmp_path / "state", {}, ()) as one:
        yield one


def test_what_runs_is_meant_before_what_only_begins_so(app: App) -> None:
    app.decisions.hold("names:here/web-old", "wait")
    assert asset_meant(app, "web", everything=False) == "names:here/web"


def test_what_is_only_remembered_is_found_too(app: App) -> None:
    app.decisions.hold("names:here/gone", "wait")
    assert asset_meant(app, "gone", everything=False) == "names:here/gone"


def test_every_member_of_a_group_is_remembered(app: App) -> None:
    members = ("docker:local/api", "docker:local/db")
    app.journal.begin("u1", Step(members[0], Action.UPDATE, members=members))
    assert asset_meant(app, "db", everything=False) == "docker:local/db"


def test_what_lives_on_no_engine_is_none_of_ours_whatever_its_place_is_called(app: App) -> None:
    with pytest.raises(UsageError, match="no updater for it"):
        app.docker.engine("names:local/web")
    workload = "kubernetes:local/shop/Deployment/web"
    change = Change(workload, "web", Image("web:1"), Image("web:2"))
    app.journal.begin("u1", Step(workload, Action.UPDATE, changes=(change,)))
    app.journal.enter("u1", Phase.STAGE, {"snapshot": {"workload": {}}})
    app.journal.enter("u1", Phase.SUCCEEDED, {})
    assert app.sweep() == []


def test_what_two_have_in_common_names_neither(app: App) -> None:
    app.decisions.hold("docker:nas/web", "wait")
    with pytest.raises(PlatformUnreachable, match=r"could be docker:nas/web, names:here/web.*away"):
        asset_meant(app, "web", everything=False)


@pytest.mark.parametrize(
    ("command", "unseen"),
    [
        ("approve {step}", None),
        ("deny {step}", None),
        ("rollback abcd1234", API),  # the update is known, and what it is to change is away
        ("approve nosuch", "nosuch"),
        ("rollback nosuch", "nosuch"),
    ],
)
def test_id_means_what_it_is_the_id_of_though_not_everything_could_be_seen(
    tmp_path: Path, command: str, unseen: str | None
) -> None:
    change = Change(API, "api", Image("api:1"), Image("api:2"))
    step = Step(API, Action.UPDATE, changes=(change,))
    config = tmp_path / "config.yml"
    config.write_text(f"inventory: {{docker: [{{name: local, host: 'unix://{tmp_path}/away'}}]}}\n")
    with App(Config(), tmp_path / "state", {}, ()) as app:
        app.decisions.propose(None, (step,))
        app.journal.begin("abcd1234", step)
        app.journal.enter("abcd1234", Phase.PREPARE, {"prepared": {"image_id": "sha256:two"}})
        app.journal.enter("abcd1234", Phase.SUCCEEDED, {})

    words = ["--config", str(config), "--state", str(tmp_path / "state")]
    said = CliRunner().invoke(sau, [*words, *command.format(step=step.id).split()])

    if unseen is None:
        assert said.exit_code == 0, said.output
    else:
        assert isinstance(said.exception, PlatformUnreachable)
        assert re.match(rf"{unseen}: no such asset.* or it was not seen", str(said.exception))


def moving(asset: str, *following: str) -> Step:
    """A step that moves one asset, with those who have to follow."""
    change = Change(asset, asset[-3:], Image(f"{asset[-3:]}:1"), Image(f"{asset[-3:]}:2"))
    others = tuple(
        Follower(one, one[-3:], Image("x:1"), Bond.RECREATE, "shares its network")
        for one in following
    )
    members = (asset, *following) if following else ()
    return Step(asset, Action.UPDATE, changes=(change,), members=members, followers=others)


def test_asset_means_the_step_that_moves_it_and_not_one_that_it_follows_in(app: App) -> None:
    app.decisions.propose(None, (moving(API), moving(VPN, API)))
    assert step_meant(app, API).movers == (API,)
    assert step_meant(app, VPN).movers == (VPN,)


def test_asset_that_only_follows_means_the_one_step_in_which_it_does(app: App) -> None:
    app.decisions.propose(None, (moving(VPN, API),))
    assert step_meant(app, API).movers == (VPN,)
    app.decisions.propose(None, (moving(VPN, API), moving(PROXY, API)))
    with pytest.raises(UsageError, match=r"follows in several steps: .* by its ID .*vpn"):
        step_meant(app, API)


@pytest.mark.parametrize("name", ["", "  "])
def test_an_empty_name_means_nothing(name: str) -> None:
    with pytest.raises(UsageError, match="empty name"):
        pick(name, ["docker:local/web"])


def test_what_the_configuration_leaves_out_is_said_to_be_left_out() -> None:
    kind, state = ("docker", "container"), (Status.RUNNING, Health.NONE)
    web, db = (
        Asset(f"docker:local/{name}", *kind, name, (ImageUse(name, Image(name)),), *state)
        for name in ("web", "db")
    )
    seen = AssetInventory((web,), (), (), (db,))
    with pytest.raises(UsageError, match=r"docker:local/db is excluded by inventory\.include or"):
        seen.meant("db")
    with pytest.raises(UsageError, match="no such asset"):
        seen.meant("cache")
    assert seen.meant("web") == web.id


class Blind:
    """A scanner that sees nothing."""

    def __init__(self, name: str) -> None:
        self.name = name

    def scan(self) -> Scan:
        return Scan(())


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        (["docker:nas/web"], ["docker:nas"]),
        (["kubernetes:prod/shop/Deployment/web"], ["kubernetes:prod"]),
        (["helm:prod/shop/web"], ["kubernetes:prod"]),
        (["docker:nas/web", "helm:prod/shop/web"], ["docker:nas", "kubernetes:prod"]),
        (["web"], ["docker:nas", "docker:local", "kubernetes:prod"]),
        (["docker:nas/web", "shop/web"], ["docker:nas", "docker:local", "kubernetes:prod"]),
        ([], ["docker:nas", "docker:local", "kubernetes:prod"]),
    ],
)
def test_who_can_see_what_is_named_in_full_is_asked_alone(
    names: list[str], asked: list[str]
) -> None:
    scanners = [Blind(name) for name in ("docker:nas", "docker:local", "kubernetes:prod")]
    assert sorted(one.name for one in who_sees(names, scanners)) == sorted(asked)
