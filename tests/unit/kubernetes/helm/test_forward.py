"""Which revision is a way back to which: what Helm notes of it, and what it was to make."""

from __future__ import annotations

from pathlib import Path

import pytest

from safe_auto_updater.core.errors import StepFailed
from safe_auto_updater.core.model import Action, Step
from safe_auto_updater.core.updater import Facts, Work
from safe_auto_updater.platforms.kubernetes.access import Access
from safe_auto_updater.platforms.kubernetes.helm.command import Helm, Named
from safe_auto_updater.platforms.kubernetes.helm.forward import Return, goes_back
from safe_auto_updater.platforms.kubernetes.helm.release import release_of
from safe_auto_updater.platforms.kubernetes.helm.releases import Releases
from tests.unit.kubernetes.helm.test_helm_scanner import Json, Keeping, record

OLD, NEW = "kind: ConfigMap # old\n", "kind: ConfigMap # new\n"
FAILED = 'Rollback "web" failed: etcdserver: request timed out'


def revision(number: int, status: str, told: str, manifest: str, port: int = 1) -> Json:
    info = {"status": status, "description": told}
    return record("web", status, number, info=info, manifest=manifest, config={"port": port})


@pytest.mark.parametrize(
    ("told", "manifest", "expected"),
    [
        ("Rollback to 1", OLD, True),
        ("Rollback to 2", OLD, False),
        ("Rollback to 12", OLD, False),
        (FAILED, OLD, True),  # Helm has written that over the number
        (FAILED, NEW, False),  # a way back to something else
        ('Upgrade "web" failed: etcdserver: request timed out', OLD, False),
        ("Upgrade complete", OLD, False),
    ],
)
def test_way_back_is_known_also_where_helm_failed_at_it(
    told: str, manifest: str, expected: bool
) -> None:
    releases = Releases(
        Keeping(
            revision(1, "superseded", "Install complete", OLD),
            revision(2, "superseded", "Upgrade complete", NEW),
            revision(3, "failed", told, manifest),
        )
    )
    newest = releases.history("shop", "web")[-1]
    assert goes_back(releases, newest, 1) is expected


def test_way_back_to_a_revision_that_is_not_kept_is_none() -> None:
    releases = Releases(Keeping(revision(3, "failed", FAILED, OLD)))
    assert not goes_back(releases, releases.history("shop", "web")[-1], 1)


def test_way_back_that_is_tried_often_removes_no_revision(tmp_path: Path) -> None:
    said = tmp_path / "said"
    program = tmp_path / "helm"
    program.write_text(f'#!/bin/sh\necho "$@" >> {said}\necho v3.18.0\n')
    program.chmod(0o755)
    Helm(str(program), Access()).rollback(Named("shop", "web"), 1, 15, 0)
    words = said.read_text().splitlines()[-1]
    assert words.startswith("rollback web 1 ") and "--history-max 0 " in words, words


@pytest.mark.parametrize(
    ("newest", "kept", "refused"),
    [
        (revision(2, "deployed", "Upgrade complete", NEW), True, False),
        (revision(4, "deployed", "Rollback to 2", NEW), True, False),
        (revision(3, "deployed", "Upgrade complete", NEW, port=2), True, True),
        (revision(3, "deployed", "Upgrade complete", NEW, port=2), False, False),
    ],
)
def test_values_that_were_changed_since_are_not_lost_by_going_back(
    newest: Json, kept: bool, refused: bool
) -> None:
    made = revision(2, "superseded", "Upgrade complete", NEW)
    records = [one for one in (made, newest) if kept or one is newest]
    unique = {one["metadata"]["name"]: one for one in records}
    releases = Releases(Keeping(*unique.values()))
    undone: Facts = {"revision": 1, "seen_healthy": 2}
    step = Step("helm:lab/shop/web", Action.UPDATE, undoes="u1")
    way = Return(lambda work: undone, releases, Helm("helm", Access()))

    def refuse() -> None:
        way.refuse(Work("u2", step), release_of({"kind": "Secret", **newest}))

    if not refused:
        refuse()
        return
    with pytest.raises(StepFailed, match=r"would lose that; `helm rollback web 1`"):
        refuse()
