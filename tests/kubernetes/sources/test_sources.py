"""Where charts come from, with what the real helm packs, indexes, pushes and is told."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from safe_auto_updater.core.errors import RegistryError
from tests.guarded_registry import PASSWORD, guarded_registry
from tests.kubernetes.kit import Cluster
from tests.kubernetes.sources.kit import Helm, Watched, from_, taken, why
from tests.kubernetes.sources.server import Served, serving


@pytest.fixture
def registry(cluster: Cluster) -> str:
    """A path in the lab's registry that is this test's alone."""
    return f"oci://{cluster.registry}/t{secrets.token_hex(4)}"


def digest(archive: Path) -> str:
    return f"sha256:{hashlib.sha256(archive.read_bytes()).hexdigest()}"


def test_newest_chart_of_a_registry_is_the_candidate_by_its_archives_digest(
    helm: Helm, registry: str, watched: Watched, tmp_path: Path
) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0", "2.0.0", "1.3.0-rc.1"):
        helm.push(helm.package(tmp_path / "packed", version, appVersion=version), registry)
    watched.sources = from_({"chart": "web", "repository": registry})
    found = watched.check()
    newest = tmp_path / "packed/web-1.2.0.tgz"
    assert taken(found) == "1.2.0"
    assert found.candidate is not None
    assert found.candidate.reference == "web:1.2.0"
    assert found.candidate.digest == found.candidate.content == digest(newest)
    assert (found.bump, found.remarks) == ("minor", ("app version 1 -> 1.2.0",))
    assert why(found) == {"2.0.0": "major, policy is minor", "1.3.0-rc.1": "prerelease"}
    assert watched.archive("1.2.0", found.candidate.digest) == newest.read_bytes()


def test_build_metadata_is_a_tag_with_an_underscore_and_a_version_with_a_plus(
    helm_4: Helm, registry: str, watched: Watched, tmp_path: Path
) -> None:
    for version in ("1.0.0", "1.1.0+up.7"):
        helm_4.push(helm_4.package(tmp_path / "packed", version), registry)
    watched.sources = from_({"chart": "web", "repository": registry})
    assert taken(watched.check()) == "1.1.0+up.7"


def test_newest_chart_of_a_classic_repository_is_the_candidate(
    helm: Helm, shelf: Served, watched: Watched
) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0", "2.0.0"):
        helm.package(shelf.folder, version, description="web: it serves\nweb:\n- x\n")
    helm.package(shelf.folder, "9.0.0", name="webhook")
    helm.index(shelf.folder)
    watched.sources = from_({"chart": "web", "repository": shelf.url})
    found = watched.check()
    newest = shelf.folder / "web-1.2.0.tgz"
    assert taken(found) == "1.2.0"
    assert found.candidate is not None
    assert found.candidate.digest == found.candidate.content == digest(newest)
    assert why(found) == {"2.0.0": "major, policy is minor"}
    assert watched.archive("1.2.0", found.candidate.digest) == newest.read_bytes()


def test_a_json_index_is_read_too(helm: Helm, shelf: Served, watched: Watched) -> None:
    for version in ("1.0.0", "1.1.0"):
        helm.package(shelf.folder, version)
    helm.index(shelf.folder, "--json")
    watched.sources = from_({"chart": "web", "repository": shelf.url})
    assert taken(watched.check()) == "1.1.0"


def test_first_source_that_fits_chart_and_release_decides(
    helm_4: Helm, shelf: Served, watched: Watched, tmp_path: Path
) -> None:
    with serving(tmp_path / "other") as other:
        for served, version in ((shelf, "1.1.0"), (other, "1.2.0")):
            helm_4.package(served.folder, version)
            helm_4.index(served.folder)
        watched.sources = from_(
            {"chart": "api", "repository": other.url},
            {"chart": "w*", "match": {"asset": "helm:*/other/*"}, "repository": other.url},
            {"chart": "w*", "match": {"asset": "helm:*/shop/*"}, "repository": shelf.url},
            {"chart": "*", "repository": other.url},
        )
        assert taken(watched.check()) == "1.1.0"
        watched.asset = "helm:lab/elsewhere/web"
        assert taken(watched.check()) == "1.2.0"


def test_an_index_may_name_archives_that_are_in_a_registry(
    helm_4: Helm, shelf: Served, registry: str, watched: Watched
) -> None:
    archive = helm_4.package(shelf.folder, "1.1.0")
    helm_4.push(archive, registry)
    file = helm_4.index(shelf.folder)
    file.write_text(file.read_text().replace("- web-1.1.0.tgz", f"- {registry}/web:1.1.0"))
    content = archive.read_bytes()
    archive.unlink()
    watched.sources = from_({"chart": "web", "repository": shelf.url})
    assert taken(watched.check()) == "1.1.0"
    assert watched.archive("1.1.0") == content


def test_a_chart_that_is_not_there_is_unknown_and_says_what_to_correct(
    cluster: Cluster, helm_4: Helm, shelf: Served, registry: str, watched: Watched, tmp_path: Path
) -> None:
    helm_4.push(helm_4.package(tmp_path / "packed", "1.1.0"), registry)
    helm_4.package(shelf.folder, "1.1.0", name="api")
    helm_4.index(shelf.folder)
    for repository, told in (
        (f"{registry}/web", "without the chart, as `helm push` does"),
        (shelf.url, f"{shelf.url}: web: no version of such a chart"),
        ("oci://127.0.0.1:1/charts", "127.0.0.1:1 cannot be reached"),
        ("http://127.0.0.1:1/charts", "127.0.0.1:1 cannot be reached"),
    ):
        watched.sources = from_({"chart": "web", "repository": repository})
        error = watched.check().error
        assert error is not None, repository
        assert error.startswith("unknown: "), error
        assert told in error, error


def added(helm: Helm, watched: Watched, *served: Served) -> None:
    """What `helm repo add` leaves behind, for repositories called one, two and so on."""
    for name, one in zip(("one", "two", "three"), served, strict=False):
        helm.run("repo", "add", name, one.url)
    watched.environ = helm.environ


def test_the_one_repository_of_the_users_own_that_lists_the_chart_is_its_source(
    helm: Helm, shelf: Served, watched: Watched, tmp_path: Path
) -> None:
    with serving(tmp_path / "other") as other:
        for version in ("1.0.0", "1.1.0"):
            helm.package(shelf.folder, version)
        helm.package(other.folder, "5.0.0", name="api")
        for served in (shelf, other):
            helm.index(served.folder)
        added(helm, watched, shelf, other)
        assert taken(watched.check()) == "1.1.0"


def test_one_chart_name_in_two_repositories_is_never_guessed(
    helm: Helm, shelf: Served, watched: Watched, tmp_path: Path
) -> None:
    with serving(tmp_path / "other") as other:
        for served in (shelf, other):
            for version in ("1.0.0", "1.1.0"):
                helm.package(served.folder, version)
            helm.index(served.folder)
        added(helm, watched, shelf, other)
        found = watched.check()
        assert found.candidate is None
        assert found.error == (
            f"unknown: the chart web of web is listed by repository one ({shelf.url}) and "
            f"repository two ({other.url}): none is guessed. Say it: detection.helm_sources: "
            '[{chart: web, repository: "https://..."}].'
        )
        watched.sources = from_({"chart": "web", "repository": other.url})
        assert taken(watched.check()) == "1.1.0"


def test_two_names_of_one_repository_are_one(helm_4: Helm, shelf: Served, watched: Watched) -> None:
    for version in ("1.0.0", "1.1.0"):
        helm_4.package(shelf.folder, version)
    helm_4.index(shelf.folder)
    added(helm_4, watched, shelf, shelf)
    assert taken(watched.check()) == "1.1.0"


@pytest.mark.parametrize(
    ("running", "app_version", "told"),
    [("1.0.5", "1", "does not list 1.0.5, which runs"), ("1.0.0", "7", "and what runs has 7")],
)
def test_a_repository_that_lists_another_chart_of_that_name_is_not_taken_for_the_source(
    helm_4: Helm, shelf: Served, watched: Watched, running: str, app_version: str, told: str
) -> None:
    for version in ("1.0.0", "1.1.0"):
        helm_4.package(shelf.folder, version)
    helm_4.index(shelf.folder)
    added(helm_4, watched, shelf)
    watched.running, watched.app_version = running, app_version
    error = watched.check().error
    assert error is not None
    assert told in error
    assert "it may be another chart of this name" in error
    watched.sources = from_({"chart": "web", "repository": shelf.url})
    assert taken(watched.check()) == "1.1.0"


def test_an_own_repository_that_does_not_answer_leaves_the_source_unknown(
    helm_4: Helm, shelf: Served, watched: Watched, tmp_path: Path
) -> None:
    """Nobody can say that it does not list the chart too."""
    helm_4.package(shelf.folder, "1.0.0")
    helm_4.index(shelf.folder)
    with serving(tmp_path / "other") as other:
        helm_4.package(other.folder, "1.0.0", name="api")
        helm_4.index(other.folder)
        added(helm_4, watched, shelf, other)
    error = watched.check().error
    assert error is not None
    assert "cannot be reached" in error


def test_without_any_source_the_remedy_is_told(watched: Watched) -> None:
    assert watched.check().error == (
        "unknown: nobody said where the chart web of web comes from. Say it: "
        'detection.helm_sources: [{chart: web, repository: "https://..."}].'
    )


@pytest.fixture
def guarded(cluster: Cluster, tmp_path: Path) -> Iterator[str]:
    """A registry that lets nobody in but `me`."""
    with guarded_registry(tmp_path / "guarded", tmp_path) as host:
        yield host


def test_what_helm_registry_login_kept_lets_us_in(
    helm: Helm, guarded: str, watched: Watched, tmp_path: Path
) -> None:
    words = ("registry", "login", guarded, "-u", "me", "--password-stdin", "--plain-http")
    helm.run(*words, given=PASSWORD)
    helm.push(helm.package(tmp_path / "packed", "1.1.0"), f"oci://{guarded}/charts")
    watched.sources = from_({"chart": "web", "repository": f"oci://{guarded}/charts"})
    assert "wants a user name and a password" in (watched.check().error or "")
    watched.environ = helm.environ
    assert taken(watched.check()) == "1.1.0"


def test_helms_repositories_that_cannot_be_read_are_named(watched: Watched, tmp_path: Path) -> None:
    file = tmp_path / "repositories.yaml"
    watched.environ = {"HELM_REPOSITORY_CONFIG": str(file)}
    for content in ("repositories: [", "[]", "repositories: [5]", "repositories: [{name: a}]"):
        file.write_text(content)
        error = watched.check().error
        assert error is not None
        assert f"{file}: Helm's repositories cannot be used" in error


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"url": "https://127.0.0.1:1", "insecure_skip_tls_verify": True}, "with a ca_file"),
        ({"url": "s3://charts/stable"}, "(s3://charts/stable): only http(s) repositories"),
    ],
)
def test_a_repository_of_the_users_own_that_is_not_asked_says_what_to_do(
    watched: Watched, tmp_path: Path, entry: dict[str, object], told: str
) -> None:
    file = tmp_path / "repositories.yaml"
    watched.environ = {"HELM_REPOSITORY_CONFIG": str(file)}
    file.write_text(yaml.safe_dump({"repositories": [{"name": "a"} | entry]}))
    error = watched.check().error
    assert error is not None
    assert error.startswith("unknown: repository a (")
    assert told in error


def test_an_archive_that_nobody_lists_is_not_to_be_had(
    helm_4: Helm, shelf: Served, watched: Watched
) -> None:
    helm_4.package(shelf.folder, "1.1.0")
    helm_4.index(shelf.folder)
    watched.sources = from_({"chart": "web", "repository": shelf.url})
    with pytest.raises(RegistryError, match=r"does not list 1\.2\.0"):
        watched.archive("1.2.0")
