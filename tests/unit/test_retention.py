"""Which images may go: only those that we replaced or pulled, and not while the rule keeps them."""

from __future__ import annotations

from safe_auto_updater.core.model import Action, Change, Image, Step
from safe_auto_updater.core.phases import Phase
from safe_auto_updater.core.policy import Keep
from safe_auto_updater.engine.journal import Record, Row
from safe_auto_updater.platforms.docker.retention import DAY_S, expired

NOW = 100 * DAY_S


def record(
    asset: str, replaced: str, end: str, days_ago: float, pulled: str = "", written: str = ""
) -> Record:
    """An update of `asset` that replaced one image by another, and how it ended."""
    change = Change(asset, "web", Image("web:1"), Image("web:2"), "minor")
    facts = {
        "prepared": {"image_id": pulled, "pulled": bool(pulled)},
        "snapshot": {
            "image": {"Id": replaced},
            "container": {"Config": {"Image": written or f"web:{replaced}"}},
        },
    }
    at = NOW - days_ago * DAY_S
    rows = (Row(Phase.STAGE.value, at, facts), Row(end, at, {}))
    return Record(f"{asset}{replaced}", asset, at, Step(asset, Action.UPDATE, (), (change,)), rows)


def gone(*records: Record, versions: int = 1) -> set[str]:
    return {item.image_id for item in expired(records, Keep(versions, 7.0), NOW)}


def test_the_last_replaced_image_stays_and_older_ones_go() -> None:
    newest_first = [record("a", name, "SUCCEEDED", day) for day, name in enumerate("dcb")]
    assert gone(*newest_first) == {"c", "b"}
    assert gone(*newest_first, versions=2) == {"b"}


def test_a_kept_image_goes_after_its_days() -> None:
    assert gone(record("a", "x", "SUCCEEDED", 6.9)) == set()
    assert gone(record("a", "x", "SUCCEEDED", 7.1)) == {"x"}


def test_image_that_a_human_went_back_to_stays_while_its_container_is_away() -> None:
    there = record("a", "old", "SUCCEEDED", 3, pulled="new")
    back = record("a", "new", "SUCCEEDED", 2, pulled="old")
    failed = record("a", "old", "ROLLED_BACK", 1, pulled="newest")
    assert gone(failed, back, there) == {"newest"}
    later = record("a", "old", "SUCCEEDED", 0, pulled="newest")
    assert gone(later, failed, back, there) == {"new"}


def test_an_image_that_another_asset_keeps_stays() -> None:
    old, kept = record("a", "x", "SUCCEEDED", 8), record("b", "x", "SUCCEEDED", 1)
    assert gone(kept, old) == set()


def test_what_a_failed_update_pulled_goes_and_what_was_there_before_stays() -> None:
    assert gone(record("a", "x", "ROLLED_BACK", 0, pulled="bad")) == {"bad"}
    assert gone(record("a", "x", "ROLLED_BACK", 0)) == set()


def test_nothing_of_an_interrupted_update_goes() -> None:
    interrupted = record("a", "x", "APPLY", 0, pulled="new")
    failed = record("b", "y", "ROLLED_BACK", 0, pulled="new")
    replaced_before = record("c", "x", "SUCCEEDED", 9)
    assert gone(interrupted, failed, replaced_before) == set()


def test_only_references_that_the_container_had_are_given_up() -> None:
    (item,) = expired((record("a", "x", "SUCCEEDED", 8),), Keep(1, 7.0), NOW)
    assert item.references == {"web:x"}


def test_reference_is_known_in_the_words_of_the_engine_too() -> None:
    written = "docker.io/library/nginx:1.25.0"
    (old,) = expired([record("a", "x", "SUCCEEDED", 8, written=written)], Keep(1, 7.0), NOW)
    assert old.references == {written, "nginx:1.25.0"}
    by_id = "sha256:" + "a" * 64
    (old,) = expired([record("a", "x", "SUCCEEDED", 8, written=by_id)], Keep(1, 7.0), NOW)
    assert by_id in old.references
