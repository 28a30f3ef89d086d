"""What is news between two looks, and when to look."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from safe_auto_updater.core.heard import LONGEST_S, QUIET_S, Heard
from safe_auto_updater.core.identity import source_of
from safe_auto_updater.core.model import Asset, Health, Image, ImageUse, Obstacle, Status
from safe_auto_updater.core.news import NAMED, News, news

OF_ENGINE = ImageUse("web", Image("web:1", "1", "sha256:a", image_id="sha256:i"), ("sha256:a",))
OF_CLUSTER = ImageUse("web", Image("web:1", "1", "sha256:a"), ("sha256:a",))
ENABLED = (("enable", "true"),)


def asset(name: str = "web", use: ImageUse = OF_ENGINE, **other: Any) -> Asset:
    found = Asset(
        f"docker:local/{name}",
        "docker",
        "container",
        name,
        (use,),
        Status.RUNNING,
        Health.HEALTHY,
    )
    return replace(found, **other)


def image(use: ImageUse, **other: Any) -> ImageUse:
    return replace(use, image=replace(use.image, **other))


UNSEEN = image(replace(OF_CLUSTER, digests=(), unseen=True), digest=None)
OTHER_DIGEST = image(replace(OF_CLUSTER, digests=("sha256:b",)), digest="sha256:b")
CASES = {
    "nothing": (OF_ENGINE, {}, False),
    "stopped": (OF_ENGINE, {"status": Status.EXITED, "health": Health.NONE}, False),
    "made, and not started yet": (OF_ENGINE, {"status": Status.CREATED}, False),
    "unhealthy": (OF_ENGINE, {"health": Health.UNHEALTHY}, False),
    "held by something": (OF_ENGINE, {"obstacles": (Obstacle("x", "y"),)}, False),
    "another owner": (OF_ENGINE, {"managed_by": "argo"}, True),
    "another kind": (OF_ENGINE, {"kind": "service"}, True),
    "another tag": (OF_ENGINE, {"images": (image(OF_ENGINE, reference="web:2"),)}, True),
    "other content": (OF_ENGINE, {"images": (image(OF_ENGINE, image_id="sha256:j"),)}, True),
    "pushed elsewhere": (
        OF_ENGINE,
        {"images": (replace(OF_ENGINE, digests=("sha256:a", "sha256:b")),)},
        False,
    ),
    "labelled": (OF_ENGINE, {"images": (replace(OF_ENGINE, policy_labels=ENABLED),)}, True),
    "a container more": (OF_ENGINE, {"images": (OF_ENGINE, OF_ENGINE)}, True),
    "pods of other content": (OF_CLUSTER, {"images": (OTHER_DIGEST,)}, True),
    "no pod for now": (OF_CLUSTER, {"images": (UNSEEN,)}, False),
    "its first pod": (UNSEEN, {"images": (OF_CLUSTER,)}, False),
}


@pytest.mark.parametrize("what", CASES)
def test_what_is_news_of_an_asset(what: str) -> None:
    use, other, is_news = CASES[what]
    found = news([asset(use=use)], [asset(use=use, **other)])
    assert found == News((asset().id,) if is_news else ())
    assert bool(found) is is_news


def test_what_is_new_and_what_is_gone() -> None:
    found = news([asset("a"), asset("b")], [asset("b"), asset("c")])
    assert found == News(("docker:local/c",), ("docker:local/a",))
    assert str(found) == "c, a is gone"
    assert found.but({"docker:local/a"}) == News(("docker:local/c",))
    assert not found.but({"docker:local/a", "docker:local/c"})


def test_what_is_made_is_news_when_it_starts() -> None:
    made, started = asset(status=Status.CREATED), asset()
    assert not news([], [made])
    assert news([made], [started]) == News((started.id,))


def test_many_news_are_one_line() -> None:
    many = News(tuple(f"docker:local/{number}" for number in range(NAMED + 5)))
    assert str(many).endswith("8, 9 and 5 more")


def test_release_is_seen_with_its_cluster() -> None:
    assert source_of("docker:nas/web") == "docker:nas"
    assert source_of("kubernetes:prod/shop/Deployment/web") == "kubernetes:prod"
    assert source_of("helm:prod/shop/web") == "kubernetes:prod"


def test_it_is_looked_once_it_is_quiet_and_before_long() -> None:
    heard = Heard(frozenset({"docker:local"}), 100.0, 100.0)
    assert heard.due == 100.0 + QUIET_S
    at = 100.0
    while at + 1 < 100.0 + LONGEST_S:
        at += 1
        heard = heard.also("kubernetes:prod", at)
        assert at < heard.due <= 100.0 + LONGEST_S
    assert heard.due == 100.0 + LONGEST_S
    assert heard.sources == {"docker:local", "kubernetes:prod"}
