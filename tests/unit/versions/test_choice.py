"""Patterns, prereleases, leaps, indistinct builds, and versions that are walked step by step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safe_auto_updater.core.semver import SemVerEvaluator, Wanted
from safe_auto_updater.core.versions import Bump, PolicyLevel

EVALUATOR = SemVerEvaluator()
MAJOR, MINOR, PATCH = PolicyLevel.MAJOR, PolicyLevel.MINOR, PolicyLevel.PATCH
BUILDS = "one of 2 builds of this version: nothing tells which is the later"

NODES = " ".join(f"4.0.{patch}-{node}" for patch in (2, 3) for node in (16, 18, 20, 22))
MINIMAL = " ".join(f"{tag}-minimal" for tag in NODES.split())


def other_nodes(flavour: str) -> dict[str, str]:
    """What is newer than 4.0.2-18 by its numbers, and why it does not follow."""
    nodes = ("4.0.2-20", "4.0.2-22", "4.0.3-16", "4.0.3-20", "4.0.3-22")
    return {
        f"{tag}{flavour}": f"another track: {tag[5:]}{flavour} is no later build of -18{flavour}"
        for tag in nodes
    }


def chosen(current: str, tags: str, wanted: Wanted) -> tuple[list[str], dict[str, str], list[str]]:
    choice = EVALUATOR.choose(current, tags.split(), wanted)
    options = [option.tag for option in choice.options]
    return options, {r.tag: r.reason for r in choice.rejected}, list(choice.path)


@pytest.mark.parametrize(
    ("current", "tags", "wanted", "options", "rejected"),
    [
        # Patterns
        ("1.2.0", "1.2.1 1.3.0", Wanted(MINOR, exclude=("1.3.*",)), "1.2.1",
         {"1.3.0": "excluded by 1.3.*"}),
        ("1.2.0", "1.2.1 1.30.0", Wanted(MINOR, include=("1.2.*", "1.2?.*")), "1.2.1",
         {"1.30.0": "not included by 1.2.*, 1.2?.*"}),
        ("1.2.0", "1.3.0 1.4.0", Wanted(MINOR, ("1.*",), ("1.4.*",)), "1.3.0",
         {"1.4.0": "excluded by 1.4.*"}),
        ("1.2.0-A", "1.3.0-A", Wanted(MINOR, exclude=("*-a",)), "1.3.0-A", {}),
        ("1.2.0", "2.0.0", Wanted(MINOR, include=("2.*",)), "",
         {"2.0.0": "major, policy is minor"}),
        # Prereleases
        ("1.2.0-rc1", "1.2.0-rc2 1.2.0", Wanted(PATCH), "1.2.0 1.2.0-rc2", {}),
        ("1.2.0-rc1", "1.2.0-rc2", Wanted(PolicyLevel.DIGEST), "",
         {"1.2.0-rc2": "patch, policy is digest"}),
        ("1.2.0-rc1", "1.3.0-rc1 1.2.1-rc1", Wanted(MAJOR), "",
         {"1.3.0-rc1": "prerelease", "1.2.1-rc1": "prerelease"}),
        ("1.2.0", "1.3.0-rc1", Wanted(MAJOR), "", {"1.3.0-rc1": "prerelease"}),
        ("1.2.0", "1.3.0-rc1 1.3.0-rc2", Wanted(MINOR, prereleases=True), "1.3.0-rc2 1.3.0-rc1",
         {}),
        ("1.2.0", "1.3.0-rc1 1.3.0", Wanted(MINOR, prereleases=True), "1.3.0 1.3.0-rc1", {}),
        ("1.2.0", "2.0.0-rc1 1.2.1", Wanted(MINOR, prereleases=True), "1.2.1",
         {"2.0.0-rc1": "major, policy is minor"}),
        ("1.2.0", "1.2.0-rc9", Wanted(MAJOR, prereleases=True), "", {}),
        # Tags of equal precedence: one answer
        ("1.1.0", "1.2.0 1.02.0", Wanted(MINOR), "1.2.0 1.02.0", {}),
        ("1.2.3", "1.02.3 01.2.3", Wanted(MAJOR), "", {}),
        ("1.2.3-0d1e2f3", "1.2.4-abc1234 1.2.4-def5678 1.2.3-9e8d7c6", Wanted(MAJOR), "",
         {"1.2.4-abc1234": BUILDS, "1.2.4-def5678": BUILDS}),
        ("1.2.3-0d1e2f3", "1.2.4-abc1234", Wanted(MAJOR), "1.2.4-abc1234", {}),
        # Leaps
        ("7", "8 9999 10000", Wanted(MAJOR), "8", dict.fromkeys(
            ("9999", "10000"), "leaps from 8 to 9999: a mistake, or another way of counting")),
        ("44", "183", Wanted(MAJOR), "183", {}),
        ("1.9.0", "1.10.0 1.20000.0", Wanted(MINOR), "1.10.0",
         {"1.20000.0": "leaps from 10 to 20000: a mistake, or another way of counting"}),
        ("2024.1.0", "2025.1.0 2099.1.0", Wanted(MAJOR), "2025.1.0",
         {"2099.1.0": "leaps from 2025 to 2099: a mistake, or another way of counting"}),
        ("2112.1", "2201.1", Wanted(MAJOR), "2201.1", {}),
        ("20240101", "20250101 20991231", Wanted(MAJOR), "20250101",
         {"20991231": "leaps from 2025 to 2099: a mistake, or another way of counting"}),
        ("1.40.0.79", "1.40.0.7998", Wanted(MAJOR), "1.40.0.7998", {}),
        ("6.14.0", "2021.12.14", Wanted(MAJOR), "", {"2021.12.14": "another track: a date"}),
        # Suffixes
        ("1.2.3-alpine3.20", "1.2.4-alpine3.19", Wanted(MAJOR), "",
         {"1.2.4-alpine3.19": "its suffix goes back from -alpine3.20 to -alpine3.19"}),
        ("1.2.3-ls9", "1.2.4-ls2", Wanted(PATCH), "1.2.4-ls2", {}),
        # A bare number behind the version: a build, or what the image rests on
        ("4.0.2-18", NODES, Wanted(PATCH), "4.0.3-18",
         other_nodes("")),
        ("4.0.2-18-minimal", MINIMAL, Wanted(PATCH), "4.0.3-18-minimal",
         other_nodes("-minimal")),
        ("23.0.3-0", "23.0.3-1 23.0.4-0", Wanted(PATCH), "23.0.4-0 23.0.3-1", {}),
        ("10.8.13-1", "10.8.12-1 10.8.13-2", Wanted(PATCH), "10.8.13-2", {}),
        ("1.2.0-5", "1.1.0-5 1.1.0-1 1.2.0-6", Wanted(PATCH), "1.2.0-6", {}),
        ("1.2.0-812", "1.1.0-790 1.2.0-813 1.2.1-820", Wanted(PATCH), "1.2.1-820 1.2.0-813", {}),
        ("1.2.0-20240101", "1.1.0-20240101 1.2.1-20240201", Wanted(PATCH), "1.2.1-20240201", {}),
        ("1.11", "1.11.0 1.11.5", Wanted(MAJOR), "", {"1.11.0": "another track: 3 numbers, not 2",
         "1.11.5": "another track: 3 numbers, not 2"}),
    ],
)  # fmt: skip
def test_what_may_be_taken_and_why_not(
    current: str, tags: str, wanted: Wanted, options: str, rejected: dict[str, str]
) -> None:
    assert chosen(current, tags, wanted)[:2] == (options.split(), rejected)


FIRST = "later on the path: first "


@pytest.mark.parametrize(
    ("current", "tags", "wanted", "options", "path", "rejected"),
    [
        ("1.9.3", "1.10.0 1.10.4 1.11.2 1.12.0", Wanted(MINOR, walk=Bump.MINOR),
         "1.10.4 1.10.0", "1.10.4 1.11.2 1.12.0",
         {"1.11.2": FIRST + "1.10.4", "1.12.0": FIRST + "1.10.4"}),
        # The last patch of what runs comes first.
        ("1.9.3", "1.9.4 1.9.5 1.10.0", Wanted(MINOR, walk=Bump.MINOR),
         "1.9.5 1.9.4", "1.9.5 1.10.0", {"1.10.0": FIRST + "1.9.5"}),
        # A minor that was never published is no step.
        ("1.10.0", "1.12.0 1.13.0", Wanted(MINOR, walk=Bump.MINOR),
         "1.12.0", "1.12.0 1.13.0", {"1.13.0": FIRST + "1.12.0"}),
        # One that was published and may not be taken is not jumped over.
        ("1.10.0", "1.11.0 1.12.0", Wanted(MINOR, exclude=("1.11.*",), walk=Bump.MINOR),
         "", "", {"1.11.0": "excluded by 1.11.*",
                  "1.12.0": "the path leads over 1.11, of which nothing may be taken"}),
        ("1.10.0", "1.10.1 1.11.0 1.12.0", Wanted(MINOR, exclude=("1.11.*",), walk=Bump.MINOR),
         "1.10.1", "1.10.1", {"1.11.0": "excluded by 1.11.*",
                  "1.12.0": "the path leads over 1.11, of which nothing may be taken"}),
        # A patch that is left out does not block the minor that runs, nor do prereleases alone.
        ("1.10.0", "1.10.1 1.11.0-rc1 1.12.0", Wanted(MINOR, exclude=("1.10.1",), walk=Bump.MINOR),
         "1.12.0", "1.12.0", {"1.10.1": "excluded by 1.10.1", "1.11.0-rc1": "prerelease"}),
        ("1.9.3", "1.10.0 2.0.0", Wanted(MINOR, walk=Bump.MINOR),
         "1.10.0", "1.10.0", {"2.0.0": "major, policy is minor"}),
        ("1.9.3", "2.0.0 2.1.0", Wanted(MAJOR, walk=Bump.MINOR),
         "2.0.0", "2.0.0 2.1.0", {"2.1.0": FIRST + "2.0.0"}),
        ("27.0.1", "27.0.2 27.1.3 28.0.1 28.0.9 30.0.0", Wanted(MAJOR, walk=Bump.MAJOR),
         "27.1.3 27.0.2", "27.1.3 28.0.9 30.0.0",
         {"28.0.1": FIRST + "27.1.3", "28.0.9": FIRST + "27.1.3", "30.0.0": FIRST + "27.1.3"}),
        ("15", "16 17 18", Wanted(MAJOR, walk=Bump.MAJOR),
         "16", "16 17 18", {"17": FIRST + "16", "18": FIRST + "16"}),
        ("1.9.3", "1.9.4 1.10.0", Wanted(PATCH, walk=Bump.MINOR),
         "1.9.4", "1.9.4", {"1.10.0": "minor, policy is patch"}),
        ("1.9.3", "", Wanted(MAJOR, walk=Bump.MINOR), "", "", {}),
    ],
)  # fmt: skip
def test_versions_are_walked_step_by_step(
    current: str, tags: str, wanted: Wanted, options: str, path: str, rejected: dict[str, str]
) -> None:
    assert chosen(current, tags, wanted) == (options.split(), rejected, path.split())


NUMBERS = st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4))
TAGS = st.lists(NUMBERS.map(lambda numbers: ".".join(map(str, numbers))), max_size=25)


@given(TAGS, st.sampled_from([Bump.MINOR, Bump.MAJOR]))
def test_a_walk_stands_still_at_every_published_station(tags: list[str], walk: Bump) -> None:
    """Step by step, what is taken is the path that the first look showed."""
    length = 1 if walk is Bump.MAJOR else 2
    wanted = Wanted(MAJOR, walk=walk)
    running, taken = "0.0.0", []
    planned = EVALUATOR.choose(running, tags, wanted).path
    while options := EVALUATOR.choose(running, tags, wanted).options:
        running = options[0].tag
        taken.append(running)
    assert tuple(taken) == planned
    stations = {tuple(map(int, tag.split(".")))[:length] for tag in tags}
    visited = {tuple(map(int, tag.split(".")))[:length] for tag in ["0.0.0", *taken]}
    assert stations <= visited


@pytest.mark.parametrize(
    ("current", "candidate", "bump"),
    [
        ("1.2.3", "1.2.3", "digest"),
        ("latest", "latest", "digest"),
        ("1.2.3", "v1.2.3", "digest"),
        ("v1.2.3", "1.3.0", "minor"),
        ("version-1.2.3", "1.2.4", "patch"),
        ("1.2.3+5", "1.2.3+6", "digest"),
        ("1.2.3+5", "1.2.4", "patch"),
        (" 1.2.3\n", "2.0.0", "major"),
        ("16", "17.1", "major"),
        ("16.4", "17", "major"),
        ("17.1", "16", "unknown"),
        ("16", "16.2", "minor"),
        ("16.2", "16", "minor"),
        ("1.27", "1.27.3", "patch"),
        ("1.27.3", "1.28", "minor"),
        ("1.2.3.4", "1.2.3", "patch"),
        ("16", "16.2-alpine", "unknown"),
        ("16", "16.2rc1", "prerelease"),
        ("16", "17rc1", "prerelease"),
        ("1.2.0-rc1", "1.2.0-rc2", "patch"),
        ("1.2.0-rc1", "1.2.0", "patch"),
        ("1.2.3", "1.2.2", "unknown"),
        ("1.2.3", "2021.12.14", "unknown"),
        ("6", "2021.12", "unknown"),
        ("1.2.3", "app-1.2.4", "unknown"),
        ("1.2.3", "latest", "unknown"),
        ("1a2b3c4", "5d6e7f8", "unknown"),
        ("", "", "digest"),
        ("", "1.2", "unknown"),
        ("4.0.1.929-ls220", "4.0.2.1183-ls226", "patch"),
    ],
)
def test_how_far_it_is_between_two_version_texts(current: str, candidate: str, bump: str) -> None:
    assert EVALUATOR.between(current, candidate) == bump


def test_prereleases_count_as_their_numbers_where_they_are_wanted() -> None:
    assert EVALUATOR.between("1.2.3", "1.3.0-rc1", prereleases=True) == "minor"
    assert EVALUATOR.between("16", "16.2rc1", prereleases=True) == "minor"


@given(st.text() | st.text("0123456789.v-+r", max_size=300), st.text())
def test_between_answers_for_any_two_texts(a: str, b: str) -> None:
    assert EVALUATOR.between(a, b) in Bump
    assert EVALUATOR.between(a, a) == Bump.DIGEST


@pytest.mark.parametrize(
    ("current", "candidate", "walk", "skips"),
    [
        ("28.0.4", "29.0.1", Bump.MAJOR, False),
        ("28.0.4", "30.0.1", Bump.MAJOR, True),
        ("28.0.4", "28.9.1", Bump.MAJOR, False),
        ("1.10.3", "1.11.0", Bump.MINOR, False),
        ("1.10.3", "v1.13.0", Bump.MINOR, True),
        ("1.10.3", "2.0.0", Bump.MINOR, False),
        ("1.10.3", "2.1.0", Bump.MINOR, True),
        ("1.10.3", "3.0.0", Bump.MINOR, True),
        ("stable", "3.0.0", Bump.MINOR, False),
    ],
)
def test_what_surely_lies_between_two_versions_is_skipped(
    current: str, candidate: str, walk: Bump, skips: bool
) -> None:
    assert SemVerEvaluator().skips(current, candidate, walk) is skips
