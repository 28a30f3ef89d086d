"""A classic repository on a web server: who is shown secrets, what is asked, what is doubted."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kubernetes.sources.kit import Helm, Watched, from_, taken, why
from tests.kubernetes.sources.server import Served, basic, later, serving
from tests.tls_kit import certified, key_of

INDEX, ARCHIVE = "/index.yaml", "/web-1.1.0.tgz"
LOGIN = basic("me", "geheim")


@pytest.fixture
def stocked(helm_4: Helm, shelf: Served, watched: Watched) -> Served:
    """A repository with `web` 1.0.0 and 1.1.0, declared without more."""
    for version in ("1.0.0", "1.1.0"):
        helm_4.package(shelf.folder, version)
    helm_4.index(shelf.folder)
    watched.sources = from_({"chart": "web", "repository": shelf.url})
    return shelf


@dataclass(frozen=True)
class Secrets:
    """Files that hold them."""

    password: Path
    token: Path


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    found = Secrets(tmp_path / "password", tmp_path / "token")
    found.password.write_text("geheim\n")
    found.token.write_text("t0ken\n")
    return found


def test_user_and_password_let_us_in(stocked: Served, watched: Watched, secrets: Secrets) -> None:
    stocked.login = LOGIN
    assert watched.check().error == (
        f"unknown: index.yaml of {stocked.url}: answered 401; say who asks in "
        "detection.helm_sources (username and password_file, or token_file)."
    )
    mine = {"chart": "web", "repository": stocked.url, "username": "me"}
    watched.sources = from_(mine | {"password_file": str(secrets.password)})
    assert taken(watched.check()) == "1.1.0"
    secrets.password.write_text("wrong")
    assert "check the user, and that it may read" in (watched.check().error or "")
    secrets.password.unlink()
    error = watched.check().error
    assert error is not None
    assert f"password_file {secrets.password} cannot be read (No such file or directory)" in error


def test_a_token_lets_us_in(stocked: Served, watched: Watched, secrets: Secrets) -> None:
    stocked.login = "Bearer t0ken"
    mine = {"chart": "web", "repository": stocked.url, "token_file": str(secrets.token)}
    watched.sources = from_(mine)
    assert taken(watched.check()) == "1.1.0"


def test_password_of_helm_repo_add_lets_us_in(
    helm: Helm, stocked: Served, watched: Watched
) -> None:
    stocked.login = LOGIN
    words = ("repo", "add", "one", stocked.url, "--username", "me", "--password-stdin")
    helm.run(*words, given="geheim")
    watched.environ, watched.sources = helm.environ, "[]"
    assert taken(watched.check()) == "1.1.0"


@pytest.mark.parametrize("everywhere", [False, True])
def test_secrets_go_to_another_host_only_where_that_is_said(
    helm_4: Helm,
    stocked: Served,
    watched: Watched,
    secrets: Secrets,
    tmp_path: Path,
    everywhere: bool,
) -> None:
    stocked.login = LOGIN
    with serving(tmp_path / "elsewhere") as elsewhere:
        for archive in stocked.folder.glob("*.tgz"):
            archive.rename(elsewhere.folder / archive.name)
        made = helm_4.index(elsewhere.folder, "--url", elsewhere.url)
        made.rename(stocked.folder / "index.yaml")
        mine = {"chart": "web", "repository": stocked.url, "username": "me"}
        mine |= {"password_file": str(secrets.password)}
        watched.sources = from_(mine | ({"pass_credentials": True} if everywhere else {}))
        assert taken(watched.check()) == "1.1.0"
        assert set(elsewhere.logins(ARCHIVE)) == {LOGIN if everywhere else None}
        assert set(stocked.logins(INDEX)) == {LOGIN}


def test_a_redirect_to_another_host_takes_no_secret_along(
    stocked: Served, watched: Watched, secrets: Secrets, tmp_path: Path
) -> None:
    with serving(stocked.folder) as elsewhere, serving(tmp_path / "front") as front:
        front.redirects = {path: f"{elsewhere.url}{path}" for path in (INDEX, ARCHIVE)}
        front.login = LOGIN
        mine = {"chart": "web", "repository": front.url, "username": "me"}
        watched.sources = from_(mine | {"password_file": str(secrets.password)})
        assert taken(watched.check()) == "1.1.0"
        assert elsewhere.logins(INDEX) == elsewhere.logins(ARCHIVE) == [None]


def test_what_has_not_changed_is_not_sent_again(stocked: Served, watched: Watched) -> None:
    assert taken(watched.check()) == "1.1.0"
    assert (stocked.count(INDEX), stocked.count(ARCHIVE)) == (1, 1)
    assert taken(watched.check()) == "1.1.0"
    watched.archive("1.1.0", None)
    assert (stocked.count(INDEX), stocked.count(ARCHIVE)) == (1, 1)
    assert stocked.count(INDEX, 304) == 2


def test_another_chart_of_an_index_that_has_not_changed_is_found(
    helm_4: Helm, stocked: Served, watched: Watched
) -> None:
    for version in ("1.0.0", "1.4.0"):
        helm_4.package(stocked.folder, version, name="api")
    helm_4.index(stocked.folder)
    watched.check()
    watched.chart, watched.sources = "api", watched.sources.replace('"web"', '"*"')
    assert taken(watched.check()) == "1.4.0"


def test_what_has_changed_is_seen(helm_4: Helm, stocked: Served, watched: Watched) -> None:
    assert taken(watched.check()) == "1.1.0"
    helm_4.package(stocked.folder, "1.2.0")
    file = helm_4.index(stocked.folder)
    later(file)
    assert taken(watched.check()) == "1.2.0"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A throw-away one."""
    return certified(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def secure(stocked: Served, authority: Path) -> Iterator[Served]:
    """The same repository over TLS, to those whom the authority knows."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority))
    context.load_cert_chain(authority, key_of(authority))
    context.verify_mode = ssl.CERT_REQUIRED
    with serving(stocked.folder, context) as served:
        yield served


def test_a_private_authority_and_our_own_certificate_let_us_in(
    secure: Served, watched: Watched, authority: Path
) -> None:
    mine = {"chart": "web", "repository": secure.url}
    watched.sources = from_(mine)
    assert "no secure connection" in (watched.check().error or "")
    mine |= {"ca_file": str(authority)}
    watched.sources = from_(mine)
    assert watched.check().error is not None
    key = key_of(authority)
    watched.sources = from_(mine | {"cert_file": str(authority), "key_file": str(key)})
    assert taken(watched.check()) == "1.1.0"


def test_tls_files_of_helm_repo_add_are_used(
    helm: Helm, secure: Served, watched: Watched, authority: Path
) -> None:
    key = str(key_of(authority))
    files = ("--ca-file", str(authority), "--cert-file", str(authority), "--key-file", key)
    helm.run("repo", "add", "one", secure.url, *files)
    watched.environ, watched.sources = helm.environ, "[]"
    assert taken(watched.check()) == "1.1.0"


def test_tls_files_that_cannot_be_used_are_named(
    secure: Served, watched: Watched, authority: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("nothing")
    mine = {"chart": "web", "repository": secure.url, "ca_file": str(bad)}
    watched.sources = from_(mine)
    assert f"ca_file {bad} cannot be used" in (watched.check().error or "")
    mine |= {"ca_file": str(authority), "cert_file": str(bad), "key_file": str(bad)}
    watched.sources = from_(mine)
    assert f"cert_file {bad} and its key cannot be used" in (watched.check().error or "")


@pytest.mark.parametrize("cut", [0, 30, 300])
def test_an_index_that_breaks_off_is_no_answer(stocked: Served, watched: Watched, cut: int) -> None:
    stocked.cut = cut
    found = watched.check()
    assert found.candidate is None
    assert "broke off" in (found.error or "")


@pytest.mark.parametrize("content", [b"", b"<html>sign in</html>", b"[]", b"entries: 5", b"\0\1"])
def test_what_is_no_index_is_no_answer(stocked: Served, watched: Watched, content: bytes) -> None:
    (stocked.folder / "index.yaml").write_bytes(content)
    found = watched.check()
    assert found.candidate is None
    assert f"unknown: index.yaml of {stocked.url}" in (found.error or "")


def test_an_index_that_has_lost_versions_is_doubted_for_a_day(
    helm_4: Helm, stocked: Served, watched: Watched
) -> None:
    for number in range(2, 22):
        helm_4.package(stocked.folder, f"1.0.{number}")
    helm_4.index(stocked.folder)
    later(stocked.folder / "index.yaml")
    assert taken(watched.check()) == "1.1.0"
    for archive in stocked.folder.glob("web-1.0.1?.tgz"):
        archive.unlink()
    helm_4.index(stocked.folder)
    later(stocked.folder / "index.yaml", 4)
    for _ in range(2):
        found = watched.check()
        assert found.candidate is None
        assert "lists 12 versions, and listed 22 before" in (found.error or "")
        watched.clock.sleep(43201)
    assert taken(watched.check()) == "1.1.0"


def test_a_version_that_is_listed_and_gone_is_no_candidate(
    stocked: Served, watched: Watched
) -> None:
    (stocked.folder / "web-1.1.0.tgz").unlink()
    found = watched.check()
    assert taken(found) is None
    assert why(found)["1.1.0"].startswith("listed, but not to be had: ")
    assert "answered 404" in why(found)["1.1.0"]


def test_an_archive_with_another_digest_is_refused_and_an_earlier_one_is_taken(
    helm_4: Helm, stocked: Served, watched: Watched
) -> None:
    helm_4.package(stocked.folder, "1.2.0")
    file = helm_4.index(stocked.folder)
    told = file.read_text()
    helm_4.package(stocked.folder, "1.2.0", description="another by now")
    file.write_text(told)
    found = watched.check()
    assert taken(found) == "1.1.0"
    assert "and is listed with sha256:" in why(found)["1.2.0"]


def test_what_is_had_must_be_this_chart_in_this_version(
    helm_4: Helm, stocked: Served, watched: Watched
) -> None:
    without_digests(stocked)
    told = {}
    for name, version in (("api", "1.1.0"), ("web", "1.1.1")):
        helm_4.package(stocked.folder / "other", version, name=name).replace(
            stocked.folder / "web-1.1.0.tgz"
        )
        told[name] = why(watched.check())["1.1.0"]
    assert "is the chart api 1.1.0, not web 1.1.0" in told["api"]
    assert "is the chart web 1.1.1, not web 1.1.0" in told["web"]


def without_digests(served: Served) -> None:
    file = served.folder / "index.yaml"
    lines = [line for line in file.read_text().splitlines() if "digest:" not in line]
    file.write_text("\n".join(lines))


def test_an_index_without_digests_is_told_apart_by_what_is_had(
    stocked: Served, watched: Watched
) -> None:
    without_digests(stocked)
    found = watched.check()
    assert taken(found) == "1.1.0"
    assert found.candidate is not None
    assert (found.candidate.digest or "").startswith("sha256:")
    (stocked.folder / "web-1.1.0.tgz").write_bytes(b"nothing")
    assert "is no whole gzip archive" in why(watched.check())["1.1.0"]


def test_an_index_of_ten_megabytes_is_no_trouble(
    helm_4: Helm, stocked: Served, watched: Watched
) -> None:
    """Parsed whole it would be refused: it is larger than what is."""
    file = stocked.folder / "index.yaml"
    head, _, ours = file.read_text().partition("  web:\n")
    other = "  - {0}: |\n      version: {1}\n    name: {0}\n    urls: [{0}-{1}.tgz]\n" + (
        f"    description: {'a chart among many. ' * 20}\n"
    )
    more = [
        f"  chart-{chart}:\n" + "".join(other.format(f"chart-{chart}", n) for n in range(50))
        for chart in range(420)
    ]
    file.write_text(head + "".join(more) + "  web:\n" + ours)
    assert file.stat().st_size > 10_000_000
    assert taken(watched.check()) == "1.1.0"
