"""A way back that the server refuses is tried again, and never taken for somebody else's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Timer

import pytest

from safe_auto_updater.app import App
from safe_auto_updater.config import ConfigLoader
from safe_auto_updater.core.events import Event
from safe_auto_updater.core.model import Plan
from safe_auto_updater.core.outcome import Outcome
from safe_auto_updater.engine.undo import undo_step
from tests.docker.kill.hitting import update_when
from tests.kubernetes.admission import refusing
from tests.kubernetes.charts import RELEASE, Chart
from tests.kubernetes.helm_kit import Helm
from tests.kubernetes.kit import Namespace, deployment
from tests.kubernetes.release_kit import Release
from tests.kubernetes.sau import ClusterSau
from tests.lab_kit import eventually

AT = "object.spec.template.spec"
WHILE_S = 6.0


@pytest.fixture
def release(namespace: Namespace, helm: Helm, sau: ClusterSau) -> Iterator[Release]:
    """1.0.0 runs, with the image that the server will refuse."""
    release = Release(namespace, helm, sau)
    release.install(web("1.0.0", namespace.publish("1.1.0").reference))
    yield release
    helm.say("uninstall", "shop", "--no-hooks")


def web(version: str, image: str) -> Chart:
    templates = {"web.yaml": deployment(f"{RELEASE}-web", image, 1)}
    return Chart(version=version, app_version=version, templates=templates)


def refuse(release: Release, until: ExitStack) -> None:
    """The old image, from now on."""
    words = ("set", "image", "deployment/shop-web", "web=lab:1.1.0")
    until.enter_context(
        refusing(release.namespace, "apps", "deployments", "UPDATE", AT, shown_by=words)
    )


def test_way_back_that_is_refused_for_a_while_is_gone_in_the_end(release: Release) -> None:
    before = release.live()
    bad = release.namespace.publish("1.2.0", behaviour="crash").reference
    release.publish(web("1.0.1", bad))
    asked: list[Timer] = []

    def refuse_once() -> None:
        if not asked:
            refuse(release, until)
            asked.append(Timer(WHILE_S, until.close))
            asked[0].start()

    with ExitStack() as until:
        record = update_when(release.sau, "ROLLBACK", refuse_once)
        asked[0].join()

    assert record.outcome is Outcome.ROLLED_BACK, record.facts
    assert ("web-1.0.0", "failed") in release.revisions(), "it was refused, and Helm noted that"
    assert release.revisions()[-1] == ("web-1.0.0", "deployed")
    assert release.live() == before
    eventually(release.all_ready)


def test_rollback_of_a_person_that_is_refused_leaves_the_version_that_ran(release: Release) -> None:
    release.publish(web("1.0.1", release.namespace.publish("1.2.0").reference))
    assert release.apply()["outcome"] == "succeeded"
    before = release.live()

    def listen(event: Event) -> None:
        if event.kind == "phase" and event.message == "APPLY":
            refuse(release, until)

    config = ConfigLoader().load(release.sau.config)
    with ExitStack() as until, App(config, release.sau.state, os.environ, [listen]) as app:
        (made,) = app.journal.history(release.asset)
        step = app.cycle.whole(undo_step(made, [made]))
        (record,) = app.cycle.execute(Plan((step,)), lambda: False)

    assert record.outcome is Outcome.ROLLED_BACK, record.facts
    assert "not approved here" in record.facts["failure"]["error"]
    assert release.revisions()[-1] == ("web-1.0.1", "deployed"), "and not a half of the other"
    assert release.live() == before
    eventually(release.all_ready)
