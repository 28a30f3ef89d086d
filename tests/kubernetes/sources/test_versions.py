"""Which version is taken: the same answers from a registry and from a classic repository."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from safe_auto_updater.core.chart_constraint import UnreadableConstraint, kubernetes_fits
from safe_auto_updater.core.memory import Denied
from tests.kubernetes.kit import Cluster
from tests.kubernetes.sources.kit import RELEASE, Helm, Watched, from_, taken, why
from tests.kubernetes.sources.server import later, serving

DAY = 86400.0


@dataclass
class Publisher:
    """Puts charts where they are found."""

    helm: Helm
    packed: Path
    registry: str | None
    times: int = 0

    def publish(self, version: str, **says: object) -> None:
        archive = self.helm.package(self.packed, version, **says)
        if self.registry is not None:
            self.helm.push(archive, self.registry)
        else:
            self.times += 1
            later(self.helm.index(self.packed), 2 * self.times)


@pytest.fixture(params=["registry", "repository"])
def publisher(
    request: pytest.FixtureRequest,
    cluster: Cluster,
    helm_4: Helm,
    watched: Watched,
    tmp_path: Path,
) -> Iterator[Publisher]:
    """A source that has `web` 1.0.0, which runs."""
    with serving(tmp_path / "shelf") as shelf:
        where = f"oci://{cluster.registry}/t{secrets.token_hex(4)}"
        registry = where if request.param == "registry" else None
        made = Publisher(helm_4, shelf.folder, registry)
        made.publish("1.0.0")
        watched.sources = from_({"chart": "web", "repository": registry or shelf.url})
        yield made


def test_a_chart_that_is_not_for_this_kubernetes_is_no_candidate(
    publisher: Publisher, watched: Watched
) -> None:
    publisher.publish("1.1.0", kubeVersion=">= 1.30.0-0 < 1.35")
    publisher.publish("1.2.0", kubeVersion=">=1.35.0-0")
    publisher.publish("1.3.0", kubeVersion="at least 1.19")
    found = watched.check()
    assert taken(found) == "1.1.0"
    assert why(found) == {
        "1.2.0": "for Kubernetes >=1.35.0-0, and this is v1.34.4",
        "1.3.0": "its kubeVersion cannot be read: 'at least 1.19'",
    }
    watched.kubernetes = "v1.35.1-gke.1245000"
    assert taken(watched.check()) == "1.2.0"


def test_a_deprecated_version_is_no_candidate_unless_what_runs_is_deprecated(
    publisher: Publisher, watched: Watched
) -> None:
    publisher.publish("1.1.0", deprecated=True)
    found = watched.check()
    assert (taken(found), found.remarks) == (None, ())
    assert why(found) == {"1.1.0": "deprecated by its publisher: look for what follows it"}
    publisher.publish("1.2.0", deprecated=True)
    watched.running = "1.1.0"
    found = watched.check()
    assert taken(found) == "1.2.0"
    assert found.remarks == ("1.1.0, which runs, is deprecated by its publisher",)


def test_a_version_that_was_published_anew_is_told_and_counts_its_age_anew(
    publisher: Publisher, watched: Watched
) -> None:
    watched.config = "  minimum_age: 3d\n"
    publisher.publish("1.1.0", description="first")
    first = watched.check()
    assert first.first_seen == watched.clock.now()
    watched.clock.sleep(2 * DAY)
    publisher.publish("1.1.0", description="second")
    second = watched.check()
    assert first.candidate is not None and second.candidate is not None
    assert second.first_seen == watched.clock.now()
    told = [str(one.candidate and one.candidate.digest)[7:19] for one in (first, second)]
    assert second.remarks == (
        f"1.1.0 was published anew: its archive was {told[0]} and is {told[1]}",
    )
    assert first.remarks == ()


def test_what_runs_published_anew_is_told(publisher: Publisher, watched: Watched) -> None:
    assert watched.check().remarks == ()
    watched.clock.sleep(DAY)
    publisher.publish("1.0.0", description="second")
    (told,) = watched.check().remarks
    assert told.startswith("1.0.0 was published anew: ")


def test_newest_that_is_old_enough_is_taken(publisher: Publisher, watched: Watched) -> None:
    watched.config = "  minimum_age: 3d\n"
    publisher.publish("1.1.0")
    watched.check()
    watched.clock.sleep(3 * DAY)
    publisher.publish("1.2.0")
    found = watched.check()
    assert taken(found) == "1.1.0"
    assert why(found) == {"1.2.0": "younger than 3d (default)"}


def test_a_denied_version_is_skipped(publisher: Publisher, watched: Watched) -> None:
    for version in ("1.1.0", "1.2.0"):
        publisher.publish(version)
    no = Denied(RELEASE, "chart", "", "s", "ann", 0.0, reference="web:1.2.0")
    found = watched.check(no)
    assert (taken(found), why(found)) == ("1.1.0", {"1.2.0": "denied by ann"})


def test_a_label_of_the_release_says_how_far_it_goes(
    publisher: Publisher, watched: Watched
) -> None:
    for version in ("1.0.1", "1.1.0", "2.0.0"):
        publisher.publish(version)
    for level, version in (("patch", "1.0.1"), ("minor", "1.1.0"), ("major", "2.0.0")):
        watched.labels = {"safe-auto-updater.policy": level}
        assert taken(watched.check()) == version
    for level in ("none", "digest"):
        watched.labels = {"safe-auto-updater.policy": level}
        found = watched.check()
        assert (taken(found), found.rejected) == (None, ())
        assert f"policy {level}" in (found.note or "")


def test_minors_are_walked_one_at_a_time(publisher: Publisher, watched: Watched) -> None:
    for version in ("1.0.4", "1.1.0", "1.2.0"):
        publisher.publish(version)
    watched.config = "  walk: minor\n"
    found = watched.check()
    assert (taken(found), found.path) == ("1.0.4", ("1.0.4", "1.1.0", "1.2.0"))


# what helm itself says of a constraint, on a cluster of this version
CONSTRAINTS = [
    ">= 1.19.0-0", ">=1.19.0", ">1.34.4", ">1.34.3", ">1.34", ">1.33", ">1", ">0", "<1.34.4",
    "<=1.34.4", "<=1.34", "<=1.33", "<=1", "<1.35.0-0", "<1.34.4-0", "=1.34.4", "1.34.4", "1.34",
    "1.34.x", "1.x", "*", "x", "v1.34.4", "~1.34", "~1.34.5", "~1", "~>1.33", "^1.20.0", "^1",
    "^0.34", "^1.35", "^*", "~*", "!=1.34.4", "!=1.34.x", "!=1.33.x", "!=1.x", "!=2", "!=x",
    "1.19 - 1.35", "1.19.0 - 1.33.9", "1.0 - 1.2 || 1.34 - 1.40", ">=1.19, <1.35", ">=1.19,<1.30",
    ">=1.19 <1.35", ">=1.19<1.35", "<1.19 || >=1.34", "<1.19||>=1.35", "=>1.34", "=<1.33", "> = 1",
    "1.19+", "latest", "||", "1.2.3.4", ">=1.19,", ",>=1.19", "^1.34.0-0", "~1.34.0-0", "1.34.4-0",
    ">= v1.20", ">=1.34.4+k3s1", "!=1.34.4-0", "<=1.34.4-0", "  >=1.19  ", "01.34.4",
]  # fmt: skip


def test_constraints_mean_what_they_mean_to_helm(helm_4: Helm, tmp_path: Path) -> None:
    wrong = []
    for constraint in CONSTRAINTS:
        archive = helm_4.package(tmp_path / "packed", "1.0.0", kubeVersion=constraint)
        words = ["template", str(archive), "--kube-version", "v1.34.4-eks-1a2b3c4"]
        done = subprocess.run([helm_4.program, *words], capture_output=True, text=True)
        assert done.returncode == 0 or "chart requires kubeVersion" in done.stderr, done.stderr
        try:
            ours = kubernetes_fits(constraint, "v1.34.4-eks-1a2b3c4")
        except UnreadableConstraint:
            ours = False
        if ours is not (done.returncode == 0):
            wrong.append((constraint, ours, done.stderr))
    assert wrong == []
