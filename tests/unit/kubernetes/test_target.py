"""What the pods of one side may really run."""

from __future__ import annotations

from safe_auto_updater.core.model import Action, Change, Image, Step
from safe_auto_updater.core.updater import Side, Work
from safe_auto_updater.platforms.kubernetes.target import digests_of

WEB = "kubernetes:lab/shop/Deployment/web"
OLD = Image("r/web:latest", digest="sha256:a")
NEW = Image("r/web:latest", digest="sha256:b", content="sha256:c")
WORK = Work("u", Step(WEB, Action.UPDATE, changes=(Change(WEB, "web", OLD, NEW),)), {})


def test_old_pods_may_be_of_two_contents_until_an_update_begins() -> None:
    assert digests_of(WORK, Side.OLD) == {}
    begun = WORK.with_facts({"snapshot": {}})
    assert digests_of(begun, Side.OLD) == {"web": ("sha256:a",)}
    assert digests_of(begun, Side.NEW) == {"web": ("sha256:b", "sha256:c")}
