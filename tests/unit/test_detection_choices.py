"""What detection takes among several, over days: ages, denials, what was taken back."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.memory import Denied
from safe_auto_updater.core.model import Asset, Change, Health, Image, ImageUse, Status
from safe_auto_updater.core.policy import Keys, Settings, resolve
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.registries import ImageAnswer
from safe_auto_updater.core.semver import SemVerEvaluator
from safe_auto_updater.core.versions import Bump, PolicyLevel
from safe_auto_updater.engine.behind import VERSION_LABEL
from safe_auto_updater.engine.detection import ChangeDetector
from safe_auto_updater.engine.past import Past
from safe_auto_updater.engine.state import open_state
from tests.clock import FakeClock

WEB = "docker:local/web"
DAY = 86400.0
THREE_DAYS = Keys(policy=PolicyLevel.MINOR, minimum_age=3 * DAY)


@dataclass
class Shelf:
    """A registry with one repository: tags that point to contents, which are single words."""

    points: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)  # content: the version it says it is
    gone: set[str] = field(default_factory=set)  # contents that can be had no more
    hides_list: bool = False
    asked: list[str] = field(default_factory=list)

    def tags(self, reference: str) -> tuple[str, ...]:
        self.asked.append("tags")
        if self.hides_list:
            raise RegistryError("the list is for its owners", "auth")
        return tuple(self.points)

    def digest(self, reference: str) -> str:
        self.asked.append(f"HEAD {reference}")
        return f"sha256:{self._content(reference):0>64}"

    def image(self, reference: str) -> ImageAnswer:
        self.asked.append(f"GET {reference}")
        content = self._content(reference)
        return answer(content)

    def config(self, reference: str, answer: ImageAnswer) -> Mapping[str, Any]:
        said = self.labels.get(answer.content.partition("-")[2])
        return {"config": {"Labels": {VERSION_LABEL: said} if said else {}}}

    def _content(self, reference: str) -> str:
        asked = Reference.parse(reference)
        word = asked.digest[7:].lstrip("0") if asked.digest else self.points[asked.tag_or_latest]
        if word in self.gone:
            raise RegistryError(f"{word} is not here", "not_found")
        return word


def answer(content: str) -> ImageAnswer:
    inner = content.rstrip("0123456789")  # `a2` is another index around `a`
    return ImageAnswer(f"sha256:{content:0>64}", f"content-{inner}", f"config-{inner}")


@dataclass
class TickingClock(FakeClock):
    """No two looks at it are at the same instant."""

    def now(self) -> float:
        self.at += 0.001
        return self.at


class Story:
    """One container that runs a tag, seen by one run of the program after the other."""

    def __init__(self, folder: Path, tag: str, runs: str, keys: Keys, **points: str) -> None:
        self.folder, self.tag, self.keys = folder, tag, keys
        self.clock = TickingClock()
        self.left: set[tuple[str, str, str]] = set()
        self.shelf = Shelf({tag: runs, **{k.replace("_", "."): v for k, v in points.items()}})
        self.runs(runs)

    def runs(self, *contents: str, declared: str | None = None) -> None:
        """The container runs this content, known to the engine by these digests."""
        digests = tuple(f"sha256:{content:0>64}" for content in contents)
        image = Image(f"web:{self.tag}", self.tag, digests[0], image_id=f"config-{contents[0]}")
        self.use = ImageUse("web", image, digests, declared)

    def check(self, *denied: Denied) -> Change:
        use = (self.use,)
        asset = Asset(WEB, "docker", "container", "web", use, Status.RUNNING, Health.HEALTHY)
        with closing(open_state(self.folder)) as connection:
            past = Past(connection, denied, self.left, self.clock.now)
            detector = ChangeDetector(self.shelf, SemVerEvaluator(), past)
            (change,) = detector.check(asset, resolve(Settings(default=self.keys), WEB, {}))
            past.keep()
        return change

    def after(self, days: float, **points: str) -> Change:
        """What a check says so many days later, the tags pointing elsewhere by then."""
        self.clock.sleep(days * DAY)
        self.shelf.points |= {k.replace("_", "."): v for k, v in points.items()}
        return self.check()

    def ripe(self, change: Change) -> bool:
        seen = change.first_seen
        return seen is not None and seen + (self.keys.minimum_age or 0) <= self.clock.now()


def taken(change: Change) -> str | None:
    """The content that would be taken."""
    return None if change.candidate is None else (change.candidate.content or "").partition("-")[2]


def why(change: Change) -> dict[str, str]:
    return {rejection.tag: rejection.reason for rejection in change.rejected}


def test_the_newest_that_is_old_enough_is_taken_and_the_newer_one_told(tmp_path: Path) -> None:
    story = Story(tmp_path, "1.0.0", "a", THREE_DAYS, **{"1_1_0": "b"})
    assert not story.ripe(story.check())
    found = story.after(4, **{"1_2_0": "c"})
    assert (taken(found), story.ripe(found)) == ("b", True)
    assert why(found) == {"1.2.0": "younger than 3d (default)"}
    assert taken(story.after(3)) == "c"


def test_a_version_too_young_is_still_told_of_where_the_next_one_is_what_runs(
    tmp_path: Path,
) -> None:
    story = Story(tmp_path, "1.0.0", "a", THREE_DAYS, **{"1_1_0": "a", "1_2_0": "c"})
    found = story.check()
    assert (taken(found), found.note, story.ripe(found)) == ("c", None, False)
    assert taken(story.after(3)) == "c"


def test_new_content_of_the_tag_that_runs_is_taken_while_newer_versions_are_too_young(
    tmp_path: Path,
) -> None:
    story = Story(tmp_path, "1.0.0", "a", THREE_DAYS)
    story.check()
    story.after(1, **{"1.0.0": "feed"})
    found = story.after(3, **{"1_1_0": "b"})
    assert (taken(found), found.bump) == ("feed", Bump.DIGEST)
    assert why(found) == {"1.1.0": "younger than 3d (default)"}


def test_of_a_tag_that_moves_every_day_an_earlier_content_is_taken(tmp_path: Path) -> None:
    story = Story(tmp_path, "latest", "a", THREE_DAYS)
    story.check()
    for day in "bcd":
        assert not story.ripe(story.after(1, latest=day))
    found = story.after(1, latest="e")
    assert (taken(found), story.ripe(found)) == ("b", True)
    assert why(found) == {"latest": "younger than 3d (default)"}
    story.runs("b")
    assert taken(story.after(1, latest="f")) == "c"


def test_earlier_content_that_can_be_had_no_more_is_passed_over(tmp_path: Path) -> None:
    story = Story(tmp_path, "latest", "a", THREE_DAYS)
    story.check()
    for day in "bc":
        story.after(1, latest=day)
    story.shelf.gone.add("c")
    assert taken(story.after(3.5, latest="d")) == "b"


@pytest.mark.parametrize("back", ["a", "a2"], ids=["the same", "another index around it"])
def test_content_that_its_publisher_took_back_is_not_taken_when_it_gets_old(
    tmp_path: Path, back: str
) -> None:
    story = Story(tmp_path, "latest", "a", THREE_DAYS)
    story.check()
    assert taken(story.after(1, latest="bad")) == "bad"
    assert taken(story.after(1, latest=back)) is None
    found = story.after(5, latest="c")
    assert (taken(found), story.ripe(found)) == ("c", False)


def test_content_that_was_taken_back_and_comes_again_is_as_young_as_its_return(
    tmp_path: Path,
) -> None:
    story = Story(tmp_path, "latest", "a", THREE_DAYS)
    story.check()
    story.after(1, latest="b")
    story.after(1, latest="a")
    assert not story.ripe(story.after(5, latest="b"))
    assert story.ripe(story.after(3))


def test_content_in_between_two_that_the_tag_went_back_to_is_not_taken(tmp_path: Path) -> None:
    story = Story(tmp_path, "latest", "a", THREE_DAYS)
    story.check()
    for points in ("b", "bad", "b"):
        story.after(0.5, latest=points)
    assert taken(story.after(3.6, latest="d")) == "b"


def test_the_first_check_ever_starts_the_age_and_takes_nothing(tmp_path: Path) -> None:
    story = Story(tmp_path, "latest", "a", THREE_DAYS)
    story.shelf.points["latest"] = "b"
    assert not story.ripe(story.check())
    story.after(1, latest="c")
    assert taken(story.after(2.5)) == "b"


def test_the_path_begins_with_what_is_taken_also_where_a_newer_patch_is_too_young(
    tmp_path: Path,
) -> None:
    walking = Keys(policy=PolicyLevel.MINOR, minimum_age=3 * DAY, walk=Bump.MINOR)
    points = {"1_10_1": "b", "1_11_0": "d"}
    story = Story(tmp_path, "1.10.0", "a", walking, **points)
    assert story.check().path == ("1.10.1", "1.11.0")
    found = story.after(3, **{"1_10_2": "c"})
    assert (taken(found), found.path) == ("b", ("1.10.1", "1.11.0"))
    assert why(found) == {
        "1.10.2": "younger than 3d (default)",
        "1.11.0": "later on the path: first 1.10.2",
    }


def denied(content: str) -> Denied:
    return Denied(WEB, "web", f"content-{content}", "a1b2", "ann", 1.0)


def test_denied_version_is_skipped_and_the_next_lower_one_taken(tmp_path: Path) -> None:
    story = Story(tmp_path, "1.0.0", "a", Keys(policy=PolicyLevel.MINOR))
    story.shelf.points |= {"1.1.0": "b", "1.2.0": "c"}
    found = story.check(denied("c"))
    assert (taken(found), why(found)) == ("b", {"1.2.0": "denied by ann"})
    story.shelf.points["1.3.0"] = "d"
    assert taken(story.check(denied("c"))) == "d"
    assert taken(story.check(denied("d"), denied("c"), denied("b"))) is None


def test_denied_version_is_skipped_also_where_it_is_pushed_anew(tmp_path: Path) -> None:
    story = Story(tmp_path, "1.0.0", "a", Keys(policy=PolicyLevel.MINOR), **{"1_1_0": "b"})
    word = replace(denied("b"), reference="web:1.1.0")
    story.shelf.points["1.1.0"] = "c"
    assert taken(story.check(word)) is None


def test_a_tag_that_goes_back_to_what_an_update_left_is_no_mere_new_content(
    tmp_path: Path,
) -> None:
    story = Story(tmp_path, "latest", "b", Keys(policy=PolicyLevel.MINOR))
    story.left = {(WEB, "web", f"sha256:{'a':0>64}")}
    story.shelf.points["latest"] = "a"
    assert story.check().behind == "unknown"
    story.shelf.points["latest"] = "c"
    assert story.check().behind is None


def test_denied_content_of_a_tag_that_moves_is_skipped_until_it_moves_on(tmp_path: Path) -> None:
    story = Story(tmp_path, "latest", "a", Keys(policy=PolicyLevel.MINOR))
    story.check()
    story.shelf.points["latest"] = "b"
    found = story.check(denied("b"))
    assert (taken(found), why(found)) == (None, {"latest": "denied by ann"})
    story.shelf.points["latest"] = "c"
    assert taken(story.check(denied("b"))) == "c"


# what a container of `latest` says it runs, what the new content says, what the version tags point
# to (the old content is "a", the new one "b"), and how far it goes then
BEHIND = {
    "both say it": ("1.0.0", "2.0.0", {}, "major"),
    "both say it, with a v on one": ("v1.0.0", "1.0.1", {}, "patch"),
    "neither, and the tags tell": (None, None, {"1.0.0": "a", "1.1.0": "b"}, "minor"),
    "neither, and nothing tells": (None, None, {}, None),
    "neither, and the tags tell one": (None, None, {"1.1.0": "b"}, None),
    "the old one, and a tag tells the other": ("1.0.0", None, {"2.0.0": "b"}, "major"),
    "the new one, and a tag tells the other": (None, "2.0.0", {"1.0.0": "a"}, "major"),
    "it goes back": ("2.0.0", "1.0.0", {}, "unknown"),
    "the tags go back": (None, None, {"1.0.0": "b", "1.1.0": "a"}, "unknown"),
    "the same": ("1.0.0", "1.0.0", {}, "digest"),
    "words": ("main", "develop", {}, None),
    "a short tag's own numbers first": (
        None, None, {"1.2.0": "a", "1.3.0": "b", **{f"9.{n}.0": "x" for n in range(40)}}, "minor"),
    "a leap": ("8.0.0", "9999.0.0", {}, "unknown"),
    "another way of counting": ("1.5.0", "2024.1.0", {}, "unknown"),
    "another build of an older one": ("3.0.0", "1.2.3-ubuntu", {}, "unknown"),
    "a prerelease": ("1.2.0", "1.3.0-rc1", {}, "prerelease"),
    "a text that is no label": ("1.0.0", "2.0.0 " + "x" * 300, {}, None),
    "precise tags before short ones": (
        None, None, {"1": "a", "1.0": "a", "1.0.0": "a", "2": "b", "2.0": "b", "2.0.0": "b"},
        "major"),
}  # fmt: skip


@pytest.mark.parametrize("what", BEHIND)
def test_behind_a_tag_that_stays_the_versions_tell_how_far_it_goes(
    tmp_path: Path, what: str
) -> None:
    old, new, tags, far = BEHIND[what]
    tag = "1" if what.startswith("a short tag") else "latest"
    story = Story(tmp_path, tag, "a", Keys(policy=PolicyLevel.MINOR))
    story.runs("a", declared=old)
    story.shelf.points |= {tag: "b", **tags}
    story.shelf.labels = {"b": new} if new else {}
    found = story.check()
    assert (taken(found), found.bump, found.behind) == ("b", "digest", far)


def test_a_prerelease_behind_a_tag_goes_as_far_as_its_numbers_where_they_are_wanted(
    tmp_path: Path,
) -> None:
    story = Story(tmp_path, "edge", "a", Keys(policy=PolicyLevel.MINOR, prereleases=True))
    story.runs("a", declared="1.2.0")
    story.shelf.points["edge"], story.shelf.labels = "b", {"b": "1.3.0-rc1"}
    assert story.check().behind == "minor"


def test_a_listed_tag_that_is_gone_hides_no_versions_behind_another(tmp_path: Path) -> None:
    story = Story(tmp_path, "latest", "a", Keys(policy=PolicyLevel.MINOR))
    story.shelf.points |= {"latest": "b", "1.0.0": "a", "2.0.0": "b", "3.0.0": "c"}
    story.shelf.gone = {"c"}
    assert story.check().behind == "major"


def test_a_list_that_the_registry_shows_nobody_leaves_the_versions_untold(tmp_path: Path) -> None:
    story = Story(tmp_path, "latest", "a", Keys(policy=PolicyLevel.MINOR))
    story.shelf.points["latest"], story.shelf.hides_list = "b", True
    found = story.check()
    assert (taken(found), found.error, found.behind) == ("b", None, None)


@pytest.mark.slow
def test_the_newest_that_is_old_enough_is_taken_also_among_many_releases_a_day(
    tmp_path: Path,
) -> None:
    story = Story(tmp_path, "1.0.0", "a", THREE_DAYS)
    for number in range(1, 41):
        story.shelf.points[f"1.{number}.0"] = f"c{chr(97 + number // 26)}{chr(97 + number % 26)}"
        found = story.after(0.2)
    assert found.candidate is not None
    assert story.ripe(found)
    assert found.candidate.version == "1.25.0"


def test_a_list_cut_short_does_not_hide_how_far_the_tag_goes(tmp_path: Path) -> None:
    story = Story(tmp_path, "latest", "a", Keys(policy=PolicyLevel.MINOR))
    story.shelf.points |= {"1.0.0": "a", "2.0.0": "b", "latest": "b"}
    assert story.check().behind == "major"
    del story.shelf.points["2.0.0"], story.shelf.points["1.0.0"]
    found = story.check()
    assert taken(found) is None
    assert "lists 1 tags, and listed 3 before" in (found.error or "")


def test_a_newer_tag_with_the_content_that_runs_is_no_update(tmp_path: Path) -> None:
    story = Story(tmp_path, "1.11", "a", Keys(policy=PolicyLevel.MINOR))
    story.shelf.points |= {"1.11.0": "a", "1.12": "a", "latest": "a"}
    found = story.check()
    assert (taken(found), found.note) == (
        None,
        "1.12 is the newest allowed, and is what runs already",
    )


def test_unchanged_image_costs_one_head_and_one_list(tmp_path: Path) -> None:
    story = Story(tmp_path, "1.0.0", "a", Keys(policy=PolicyLevel.MINOR))
    story.check()
    assert story.shelf.asked == ["tags", "HEAD web:1.0.0"]
    other = Story(tmp_path, "latest", "a", Keys(policy=PolicyLevel.MINOR))
    other.check()
    assert other.shelf.asked == ["HEAD web:latest"]


def test_under_policy_digest_an_unchanged_image_costs_one_head_and_no_list(tmp_path: Path) -> None:
    story = Story(tmp_path, "1.0.0", "a", Keys(policy=PolicyLevel.DIGEST), **{"1_1_0": "b"})
    found = story.check()
    assert story.shelf.asked == ["HEAD web:1.0.0"]
    assert (taken(found), found.note) == (
        None,
        "policy digest (default): newer tags are not looked for",
    )
