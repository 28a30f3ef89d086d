"""Helm's own settings, and what an index says of one version."""

from __future__ import annotations

from pathlib import Path

import pytest

from safe_auto_updater.core.charts import ListedChart
from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.platforms.charts.helm_settings import (
    own_repositories,
    registry_logins,
    repositories_file,
)
from safe_auto_updater.platforms.charts.listing import archive_url, listed_chart

HEX = "3ea15b4e6b7a2a1b04ad2dbd1d8c6ee7d7fcbcc3a8ee2ba4f4c4dcbb76a5f0c4"
REPOSITORY = "https://charts.example.org/stable"


@pytest.mark.parametrize(
    ("environ", "repositories", "logins"),
    [
        ({}, "HOME/.config/helm/repositories.yaml", "HOME/.config/helm/registry/config.json"),
        ({"XDG_CONFIG_HOME": "/x"}, "/x/helm/repositories.yaml", "/x/helm/registry/config.json"),
        ({"HELM_CONFIG_HOME": "/h", "XDG_CONFIG_HOME": "/x"}, "/h/repositories.yaml",
         "/h/registry/config.json"),
        ({"HELM_REPOSITORY_CONFIG": "/r.yaml", "HELM_REGISTRY_CONFIG": "/l.json",
          "HELM_CONFIG_HOME": "/h"}, "/r.yaml", "/l.json"),
    ],
)  # fmt: skip
def test_settings_are_where_helm_has_them(
    environ: dict[str, str],
    repositories: str,
    logins: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    found = [str(repositories_file(environ)), str(registry_logins(environ))]
    assert found == [text.replace("HOME", "/home/me") for text in (repositories, logins)]


def test_no_file_is_no_repository(tmp_path: Path) -> None:
    assert own_repositories(tmp_path / "repositories.yaml") == ()


def test_passwords_show_in_no_text(tmp_path: Path) -> None:
    file = tmp_path / "repositories.yaml"
    file.write_text(
        "repositories:\n- {name: a, url: 'https://h/', username: me, password: s3cret}\n"
        "- {name: b, url: 'https://h', username: '', password: ''}\n"
    )
    (one,) = own_repositories(file)
    assert (one.name, one.username, one.password) == ("a", "me", "s3cret")
    assert "s3cret" not in repr(one)
    file.write_text("repositories:\n- {name: a, password: s3cret, url: [}\n")
    with pytest.raises(RegistryError) as refused:
        own_repositories(file)
    assert "s3cret" not in str(refused.value) + repr(refused.value.__cause__)


@pytest.mark.parametrize(
    ("repository", "place", "url"),
    [
        (REPOSITORY, "web-1.tgz", f"{REPOSITORY}/web-1.tgz"),
        (f"{REPOSITORY}/", "charts/web-1.tgz", f"{REPOSITORY}/charts/web-1.tgz"),
        (REPOSITORY, "/web-1.tgz", "https://charts.example.org/web-1.tgz"),
        (REPOSITORY, "https://other.example/web-1.tgz?a=b#c", "https://other.example/web-1.tgz?a=b"),
        (f"{REPOSITORY}?key=1", "web-1.tgz", f"{REPOSITORY}/web-1.tgz?key=1"),
        (f"{REPOSITORY}?key=1", "https://other.example/w.tgz", "https://other.example/w.tgz"),
        (REPOSITORY, "oci://registry.example/charts/web:1", "oci://registry.example/charts/web:1"),
        (REPOSITORY, "file:///etc/passwd", None),
        (REPOSITORY, "ftp://h/web.tgz", None),
        (REPOSITORY, "https://u:p@h/web.tgz", None),
        (REPOSITORY, "http://[::1/web.tgz", None),
        (REPOSITORY, "web 1.tgz", None),
        (REPOSITORY, "web-\u00e4.tgz", None),
    ],
)  # fmt: skip
def test_an_archive_is_where_helm_would_get_it(
    repository: str, place: str, url: str | None
) -> None:
    assert archive_url(repository, place) == url


def test_an_entry_is_read_with_all_that_it_says() -> None:
    said = {
        "name": "web", "version": "1.10.0", "appVersion": "1.10", "kubeVersion": ">=1.19",
        "digest": HEX.upper(), "deprecated": "true", "urls": ["web-1.10.0.tgz", "other"],
        "created": "2026-11-29T12:00:00.123456789Z",
    }  # fmt: skip
    assert listed_chart(said, "web", REPOSITORY) == ListedChart(
        "1.10.0",
        f"{REPOSITORY}/web-1.10.0.tgz",
        f"sha256:{HEX}",
        "1.10",
        ">=1.19",
        True,
        1795953600.123456,
    )


@pytest.mark.parametrize(
    "said",
    [
        {"version": "1.0.0"}, {"urls": ["a"]}, {"version": "1.0.0", "urls": []},
        {"version": "1.0.0", "urls": "a"}, {"version": "null", "urls": ["a"]},
        {"version": "1.0.0", "urls": [["a"]]}, {"version": ["1.0.0"], "urls": ["a"]},
        {"version": "1.0.0", "urls": ["a"], "name": "api"},
        {"version": "1.0.0", "urls": ["file:///a"]},
    ],
)  # fmt: skip
def test_an_entry_that_leads_nowhere_is_left_out(said: dict[str, object]) -> None:
    assert listed_chart(said, "web", REPOSITORY) is None


@pytest.mark.parametrize("digest", ["", "null", "abc", HEX[:-1], f"md5:{HEX}"])
def test_what_is_no_digest_is_none(digest: str) -> None:
    found = listed_chart(
        {"version": "1.0.0", "urls": ["a"], "digest": digest, "created": "once"}, "web", REPOSITORY
    )
    assert found is not None
    assert (found.digest, found.created) == (None, None)
