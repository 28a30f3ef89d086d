"""What a careful operator would take, for real images with the tags that they really have.

Each line of `data/images.jsonl` is one case: where the tags were seen (an excerpt of them), what
runs, what is wanted, the candidate and why; `refused` names tags that must be refused with these
words, `renovate` where Renovate's documented behaviour differs, `added` the tags that are not
real: mistakes put there to be refused.
"""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.core.semver import Choice, SemVerEvaluator, Wanted
from safe_auto_updater.core.versions import Bump, PolicyLevel, newer, parse_tag

DATA = Path(__file__).parent / "data" / "images.jsonl"
CASES: list[Mapping[str, Any]] = [json.loads(line) for line in DATA.read_text().splitlines()]
NAMES = [f"{case['image']}:{case['running']} {case['policy']}" for case in CASES]


def chosen(case: Mapping[str, Any], tags: list[str]) -> Choice:
    wanted = Wanted(
        PolicyLevel(case["policy"]),
        tuple(case.get("include", ())),
        tuple(case.get("exclude", ())),
        case.get("prereleases", False),
        Bump(case["walk"]) if "walk" in case else None,
    )
    return SemVerEvaluator().choose(case["running"], tags, wanted)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_the_candidate_is_the_one_that_a_careful_operator_takes(case: Mapping[str, Any]) -> None:
    tags = case["tags"].split()
    choice = chosen(case, tags)
    best = (choice.options[0].tag, choice.options[0].bump) if choice.options else (None, None)
    assert best == (case["candidate"], case["bump"]), case["why"]
    assert list(choice.path) == case.get("path", [])
    told = {rejection.tag: rejection.reason for rejection in choice.rejected}
    refused = case.get("refused", {})
    assert {tag: told.get(tag) for tag in refused} == refused
    assert not {option.tag for option in choice.options} & set(case.get("added", ()))
    random.Random(case["running"]).shuffle(tags)
    assert chosen(case, tags) == choice


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_after_the_last_step_nothing_is_left_to_do(case: Mapping[str, Any]) -> None:
    """Taking what is offered again and again goes up each time, and ends."""
    running, tags = case["running"], case["tags"].split()
    for _ in tags:
        options = chosen({**case, "running": running}, tags).options
        if not options:
            return
        before, after = parse_tag(running), parse_tag(options[0].tag)
        assert before is not None
        assert after is not None
        assert newer(after, before)
        running = options[0].tag
    pytest.fail(f"{running} is not the end")


def test_the_table_is_wide_and_says_where_its_tags_are_from() -> None:
    assert len({case["image"] for case in CASES}) >= 60
    for case in CASES:
        assert case["source"]
        assert case["why"]
        assert set(case.get("added", ())) <= set(case["tags"].split())
        assert case["candidate"] is None or case["candidate"] in case["tags"].split()
