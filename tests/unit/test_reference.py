"""References: Docker's grammar, the user's own spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safe_auto_updater.core.errors import InvalidReference
from safe_auto_updater.core.reference import Reference

A256 = "sha256:" + "a" * 64
B512 = "sha512:" + "b" * 128

MEANINGS = [
    # written, host, repository, tag, digest, name, familiar
    ("nginx", "docker.io", "library/nginx", None, None, "nginx", "nginx"),
    ("nginx:1.27", "docker.io", "library/nginx", "1.27", None, "nginx", "nginx:1.27"),
    ("docker.io/nginx", "docker.io", "library/nginx", None, None, "docker.io/nginx", "nginx"),
    ("index.docker.io/a/b:1", "docker.io", "a/b", "1", None, "index.docker.io/a/b", "a/b:1"),
    (
        "docker.io/library/nginx:1",
        "docker.io",
        "library/nginx",
        "1",
        None,
        "docker.io/library/nginx",
        "nginx:1",
    ),
    ("a/b/c", "docker.io", "a/b/c", None, None, "a/b/c", "a/b/c"),
    ("registry:5000", "docker.io", "library/registry", "5000", None, "registry", "registry:5000"),
    ("registry:5000/x", "registry:5000", "x", None, None, "registry:5000/x", "registry:5000/x"),
    ("localhost/x:1", "localhost", "x", "1", None, "localhost/x", "localhost/x:1"),
    ("Host/x", "host", "x", None, None, "Host/x", "host/x"),
    ("[::1]:5000/x:1", "[::1]:5000", "x", "1", None, "[::1]:5000/x", "[::1]:5000/x:1"),
    (f"ghcr.io/a/b@{A256}", "ghcr.io", "a/b", None, A256, "ghcr.io/a/b", f"ghcr.io/a/b@{A256}"),
    (f"x:1@{B512}", "docker.io", "library/x", "1", B512, "x", f"x:1@{B512}"),
    ("a__b---c.d_e", "docker.io", "library/a__b---c.d_e", None, None, "a__b---c.d_e",
     "a__b---c.d_e"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "host", "repository", "tag", "digest", "name", "short"), MEANINGS)
def test_reference_means_what_docker_means(
    text: str,
    host: str,
    repository: str,
    tag: str | None,
    digest: str | None,
    name: str,
    short: str,
) -> None:
    ref = Reference.parse(text)
    assert (ref.host, ref.repository, ref.tag, ref.digest) == (host, repository, tag, digest)
    assert (str(ref), ref.name, ref.familiar) == (text, name, short)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("", "missing"),
        ("Nginx", "'nginx'"),
        ("ghcr.io/Team/x", "'team/x'"),
        ("a" * 64, "image ID"),
        (A256, "image ID"),
        ("nginx:", "tag"),
        ("nginx:-1", "tag"),
        ("nginx:" + "a" * 129, "tag"),
        ("nginx@", "digest"),
        ("nginx@sha256:abc", "digest"),
        ("nginx@sha256:" + "A" * 64, "digest"),
        ("nginx@md5:" + "a" * 32, "digest"),
        (f"nginx@{A256}@{A256}", "digest"),
        ("https://ghcr.io/x", "host name"),
        ("ghcr.io/", "missing"),
        ("/x", "repository name"),
        ("a..b", "repository name"),
        ("a//b", "repository name"),
        ("-a.b/x", "host name"),
        ("a b", "repository name"),
        ("nginx\n", "repository name"),
        ("ghcr.io/" + "a" * 250, "255"),
    ],
)
def test_what_is_no_reference_is_refused_with_the_remedy(text: str, remedy: str) -> None:
    with pytest.raises(InvalidReference, match=remedy):
        Reference.parse(text)


def test_with_tag_keeps_the_spelling_and_drops_the_digest() -> None:
    ref = Reference.parse(f"docker.io/nginx:1@{A256}")
    assert str(ref.with_tag("2")) == "docker.io/nginx:2"
    assert str(ref.with_tag("2").with_digest(B512)) == f"docker.io/nginx:2@{B512}"
    assert ref.pull_by_digest(A256) == f"docker.io/nginx@{A256}"


def test_latest_is_meant_where_no_tag_is_written() -> None:
    assert Reference.parse("nginx").tag_or_latest == "latest"


COMPONENT = st.from_regex(r"[a-z0-9]{1,8}((\.|_|__|-{1,3})[a-z0-9]{1,8}){0,2}", fullmatch=True)
HOST = st.from_regex(
    r"([a-z0-9]{1,8}\.[a-z]{2,5}|localhost|\[::1\]|127\.0\.0\.1)(:[0-9]{2,5})?", fullmatch=True
)
TAG = st.from_regex(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,20}", fullmatch=True)
DIGEST = st.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True)


@st.composite
def references(draw: st.DrawFn) -> tuple[str, str, str | None, str | None]:
    path = "/".join(draw(st.lists(COMPONENT, min_size=1, max_size=3)))
    host = draw(st.none() | HOST)
    tag, digest = draw(st.none() | TAG), draw(st.none() | DIGEST)
    name = path if host is None else f"{host}/{path}"
    # A first component with a dot is a host, in any spelling: leave that to the table above.
    if host is None and "." in path.split("/")[0] and "/" in path:
        name = f"docker.io/{path}"
    text = name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")
    return text, name, tag, digest


@pytest.mark.slow
@given(references())
def test_parsing_inverts_printing(parts: tuple[str, str, str | None, str | None]) -> None:
    text, name, tag, digest = parts
    ref = Reference.parse(text)
    assert str(ref) == text
    assert (ref.name, ref.tag, ref.digest) == (name, tag, digest)
    assert Reference.parse(str(ref)) == ref
    if ref.host == "docker.io" and any(c in ref.repository.split("/")[0] for c in ".:"):
        return  # Docker's short form of these means another host; the Hub has no such names
    again = Reference.parse(ref.familiar)
    assert (again.canonical_name, again.tag, again.digest) == (ref.canonical_name, tag, digest)


@pytest.mark.slow
@given(references(), TAG, DIGEST)
def test_what_is_derived_parses_to_itself(
    parts: tuple[str, str, str | None, str | None], tag: str, digest: str
) -> None:
    ref = Reference.parse(parts[0])
    for derived in (ref.with_tag(tag), ref.with_digest(digest)):
        assert Reference.parse(str(derived)) == derived
    assert Reference.parse(ref.pull_by_digest(digest)).canonical_name == ref.canonical_name


@given(st.text() | st.text(alphabet="aA0:/@.-_[]s", max_size=30))
def test_any_text_is_a_reference_or_an_invalid_reference(text: str) -> None:
    try:
        ref = Reference.parse(text)
    except InvalidReference:
        return
    assert str(ref) == text
