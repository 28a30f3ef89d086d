"""What the service knows between two cycles: what was seen anew over what was known."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from safe_auto_updater.core.model import Action, Asset, Plan, Step
from safe_auto_updater.core.news import News
from safe_auto_updater.core.policy import Settings
from safe_auto_updater.engine.inventory import AssetInventory, take_inventory
from safe_auto_updater.metrics import Metrics
from safe_auto_updater.service.known import Known
from tests.metrics_kit import Source, asset, change, checked, held, samples

WEB, DB = asset("web"), asset("db")
SHOP = asset("shop", place="helm:prod/shop")
BROKEN = (("part of it", "no answer"),)


def labelled(one: Asset) -> Asset:
    (use,) = one.images
    return replace(one, images=(replace(use, policy_labels=(("enable", "true"),)),))


def seen(*assets: Asset, source: str = "docker:local", failures: Any = ()) -> AssetInventory:
    return take_inventory([Source(source, *assets, failures=failures)], Settings())


def known() -> Known:
    sources = [Source("docker:local", WEB, DB), Source("kubernetes:prod", SHOP)]
    found = checked(sources, change(WEB), change(SHOP, "major"))
    steps = (held(WEB, "window"), held(SHOP, "approval"), Step(DB.id, Action.NONE))
    return Known(found, Plan(steps))


def ids(one: Known) -> list[str]:
    return [asset.id for asset in one.checked.assets]


def test_where_nothing_differs_all_stays_as_it_was() -> None:
    after, found = known().look(seen(WEB, DB), ())
    assert not found
    assert (after.plan, after.checked.changes) == (known().plan, known().checked.changes)
    assert ids(after) == sorted([WEB.id, DB.id, SHOP.id]), "another source's too"


def test_what_is_gone_leaves_the_plan_and_what_is_new_is_to_be_checked() -> None:
    new = asset("new")
    after, found = known().look(seen(DB, new), ())
    assert found == News((new.id,), (WEB.id,))
    assert ids(after) == sorted([DB.id, new.id, SHOP.id])
    assert WEB.id not in after.plan.assets
    planned = Plan((held(new, "approval"),))
    after = after.checked_anew(planned, checked([Source("docker:local", new)], change(new)))
    assert set(after.plan.assets) == {SHOP.id, DB.id, new.id}
    assert after.checked.changes[new.id] == (change(new),)
    assert after.checked.changes[SHOP.id] == (change(SHOP, "major"),)


def test_step_of_what_is_planned_anew_is_replaced() -> None:
    found = checked([Source("docker:local", labelled(WEB))], change(WEB, "patch"))
    after, _ = known().look(seen(labelled(WEB), DB), ())
    after = after.checked_anew(Plan((Step(WEB.id, Action.UPDATE),)), found)
    assert [step.action for step in after.plan.steps if step.asset == WEB.id] == [Action.UPDATE]


def test_of_a_source_that_is_not_seen_whole_nothing_is_gone() -> None:
    new = asset("new")
    after, found = known().look(seen(new, failures=BROKEN), ())
    assert found == News((new.id,))
    assert ids(after) == sorted([WEB.id, DB.id, SHOP.id, new.id])


def test_what_we_have_changed_is_no_news_once() -> None:
    record = cast(Any, SimpleNamespace(step=Step(WEB.id, Action.UPDATE)))
    after, found = known().acted([record]).look(seen(labelled(WEB), labelled(DB)), ())
    assert found == News((DB.id,))
    assert after.look(seen(WEB, labelled(DB)), ())[1] == News((WEB.id,)), "somebody else has"


def test_what_we_have_changed_elsewhere_is_no_news_there_either() -> None:
    record = cast(Any, SimpleNamespace(step=Step(SHOP.id, Action.UPDATE)))
    after, _ = known().acted([record]).look(seen(WEB, DB), ())
    assert not after.look(seen(labelled(SHOP), source="kubernetes:prod"), ())[1]


def test_what_is_under_way_is_news_when_it_has_ended() -> None:
    new = asset("new")
    under_way = {WEB.id, new.id}
    after, found = known().look(seen(labelled(WEB), DB, new), under_way)
    assert not found
    assert new.id not in ids(after)
    assert after.look(seen(labelled(WEB), DB, new), ())[1] == News((new.id, WEB.id))
    gone, found = known().look(seen(DB), under_way)
    assert not found and WEB.id in ids(gone), "between the old one and the new"


def test_metrics_show_what_is_known_and_count_no_cycle() -> None:
    metrics, before = Metrics(), known()
    metrics.cycle_ended(before.checked, before.plan, 1.0, 100.0)
    cycles = {k: v for k, v in samples(metrics).items() if "cycle" in k or "scan" in k}
    new = asset("new")
    after, _ = before.look(seen(DB, new), ())
    after = after.checked_anew(Plan(()), checked([Source("docker:local", new)], change(new)))

    metrics.looked(after.checked, after.plan)

    shown = {k.removeprefix("safe_auto_updater_"): v for k, v in samples(metrics).items()}
    assert shown['assets{platform="docker",status="running"}'] == 2
    assert shown['updates_available{bump="major",platform="helm"}'] == 1
    assert shown['updates_available{bump="minor",platform="docker"}'] == 1
    assert shown['holds{rule="approval"}'] == 1
    assert 'holds{rule="window"}' not in shown
    assert {k: v for k, v in samples(metrics).items() if k in cycles} == cycles
