"""Tags that nobody should have pushed: no exception, and no more time than their length."""

import os
import random
import re
import time
from collections.abc import Callable

import pytest
from hypothesis import settings

from safe_auto_updater.core.chart_version import parse_chart_version
from safe_auto_updater.core.semver import SemVerEvaluator, Wanted
from safe_auto_updater.core.versions import Bump, PolicyLevel, newer, parse_tag, same_track
from safe_auto_updater.core.versions import precedence as precedence_of

COUNT = 100_000 if settings().max_examples > 100 else 10_000
PIECES = [
    *"0123456789", ".", "-", "_", "v", "r", "p", "rc", "-rc", "beta", "dev", "-alpine", "alpine3.",
    "sha-", "g", "a1b2c3d", "2024", "20240131", "-01-11", "T07-46-16Z", "RELEASE.", "arm64v8-",
    "x86_64", "linux-", "k8s-", "-debian-12-r4", "-ls", "latest", "00", "9" * 40, ".0" * 30,
    "-" * 40, "1-" * 40, "m1-" * 20, "a1-" * 20, "deadbeef" * 8, "-rc-rc-rc", "+", " ", "\n", "\0",
    "\u0661", "\u00b2", "\uff11", "\U0001f600", "\udcff", "é", "/", ":", "@", "*", "[", "%",
]  # fmt: skip


LAWFUL = [piece for piece in PIECES if re.fullmatch(r"[0-9A-Za-z_.-]+", piece)]


def hostile(dice: random.Random) -> str:
    text = "".join(dice.choices(dice.choice((LAWFUL, LAWFUL, PIECES)), k=dice.randint(1, 12)))
    return text[: dice.choice((8, 30, 128, 128, 129))]


@pytest.mark.slow
def test_random_and_hostile_tags_are_read_or_refused_and_never_raise() -> None:
    seed = os.environ["SAU_SEED"]
    dice = random.Random(f"{seed} tags")
    evaluator = SemVerEvaluator()
    tags = [hostile(dice) for _ in range(COUNT)]
    versions = [version for tag in tags if (version := parse_tag(tag))]
    assert versions, f"SAU_SEED={seed}"
    for a, b in zip(versions, dice.sample(versions, len(versions)), strict=True):
        assert a.text.isascii()
        assert same_track(a, b) is same_track(b, a)
        assert not (newer(a, b) and newer(b, a))
        assert (
            newer(a, b)
            or newer(b, a)
            or not same_track(a, b)
            or (precedence_of(a) == precedence_of(b))
        )
        evaluator.bump(a, b)
        evaluator.between(a.text, b.text)
    for start in range(0, COUNT, 1000):
        some = tags[start : start + 1000]
        for walk in (None, Bump.MINOR, Bump.MAJOR):
            wanted = Wanted(PolicyLevel.MAJOR, exclude=("*-rc*",), prereleases=True, walk=walk)
            current = dice.choice(versions).text
            choice = evaluator.choose(current, [*some, *tags[:20]], wanted)
            told = [o.tag for o in choice.options] + [r.tag for r in choice.rejected]
            assert len(told) == len(set(told))


def between_itself(text: str) -> object:
    return SemVerEvaluator().between(text, text + "1")


@pytest.mark.parametrize("question", [parse_tag, parse_chart_version, between_itself])
@pytest.mark.parametrize(
    "piece",
    ["9", ".1", "1-", "-rc", "a1-", "arm64-", "linux-", "k8s1.", "deadbee1", "-20240131", "_",
     "1.2-", "rc1.1.", "\u0661"],
)  # fmt: skip
def test_time_grows_no_faster_than_the_text(question: Callable[[str], object], piece: str) -> None:
    """The longest tag costs at most some times its share of one of a quarter of its length.

    Side by side, the least of several runs, and far from what a quadratic or worse pattern would
    take: sixteen times and more.
    """

    def cost(length: int) -> float:
        texts = [head + (piece * length)[: length - 3] + "!x"[:end] for head, end in
                 (("1", 0), ("v", 1), ("1.2", 2))]  # fmt: skip
        runs = []
        for _ in range(12):
            start = time.thread_time()
            for text in texts * 4:
                question(text)
            runs.append(time.thread_time() - start)
        return min(runs)

    assert cost(120) < 14 * cost(30)


@pytest.mark.parametrize("question", [parse_tag, parse_chart_version, between_itself])
def test_a_label_of_a_megabyte_is_refused_like_a_short_one(
    question: Callable[[str], object],
) -> None:
    for piece in ("9", "1.", "-rc", "\u0661", " "):
        question(piece * 1_000_000)
