"""Tags as versions: what they are made of, their tracks, their order."""

import re
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from safe_auto_updater.core.versions import newer, parse_tag, precedence, same_track


@pytest.mark.parametrize(
    ("tag", "parts"),
    [
        ("1.2.3", ("", (1, 2, 3), "", "")),
        ("v1.2", ("v", (1, 2), "", "")),
        ("16-bookworm", ("", (16,), "", "-bookworm")),
        ("1.2.0b1", ("", (1, 2, 0), "b1", "")),
        ("1.2.0a2", ("", (1, 2, 0), "a2", "")),
        ("1.2.0-rc.1-alpine", ("", (1, 2, 0), "rc.1", "-alpine")),
        ("3.13-slim-rc", ("", (3, 13), "rc", "-slim")),
        ("1.2.0-SNAPSHOT", ("", (1, 2, 0), "SNAPSHOT", "")),
        ("1.2-preview4", ("", (1, 2), "preview4", "")),
        ("1.2.3-debian-12-r4", ("", (1, 2, 3), "", "-debian-12-r4")),
        ("6.14.0.1", ("", (6, 14, 0, 1), "", "")),
        ("20240131", ("", (20240131,), "", "")),
        ("2024-01-11", ("", (2024, 1, 11), "", "")),
        ("RELEASE.2024-01-11T07-46-16Z", ("RELEASE.", (2024, 1, 11, 7, 46, 16), "", "")),
        ("jammy-20240111", ("jammy-", (20240111,), "", "")),
        ("php8.2-fpm", ("php", (8, 2), "", "-fpm")),
        ("2.4.5-p13", ("", (2, 4, 5), "", "-p13")),
        ("1.2.3-betamax", ("", (1, 2, 3), "", "-betamax")),
        ("8u292-b10", ("", (8,), "", "u292-b10")),
        ("arm64v8-1.2.3-ls4", ("arm64v8-", (1, 2, 3), "", "-ls4")),
        ("linux-x86_64-1.2", ("linux-x86_64-", (1, 2), "", "")),
        ("k8s-1.27.3", ("k8s-", (1, 27, 3), "", "")),
        ("py3.11-v2.0.0", ("py3.11-v", (2, 0, 0), "", "")),
        ("libtorrentv1-release-4.6.3", ("libtorrentv1-release-", (4, 6, 3), "", "")),
        ("version-1.2-3.4", ("version-", (1, 2), "", "-3.4")),
        ("v1.2-3.4", ("v", (1, 2), "", "-3.4")),
        ("2024.2.0.dev202401310224", ("", (2024, 2, 0), "dev202401310224", "")),
        ("3.12-dev", ("", (3, 12), "", "-dev")),
        ("1.2-alpha.beta", ("", (1, 2), "alpha", ".beta")),
    ],
)
def test_tag_is_taken_apart(tag: str, parts: tuple[str, tuple[int, ...], str, str]) -> None:
    version = parse_tag(tag)
    assert version is not None
    assert (version.prefix, version.numbers, version.prerelease, version.suffix) == parts
    assert version.text == tag


@pytest.mark.parametrize(
    "tag",
    [
        "latest", "stable", "", "abc1234", "1234abc", "1234567", "deadbeef", "a" * 7 + "1" * 33,
        "sha-1234567", "sha-1a2b3c4", "main-1a2b3c4", "main-g1a2b3c4", "git-7f3d2a1",
        "sha256-" + "a1" * 32 + ".sig", "pr-123", "9" * 129, "12345678",
        "amd64", "arm64-latest", "x86_64", "arm32v7-latest", "1.2.3+4", "1.2.3 ", "1.2.3\n", "-1.2",
        "\u0661.\u0662", "1.\u0662", "\u00b2.1", "1.2\0", "\U0001f600-1.2", "1/2",
    ],
)  # fmt: skip
def test_words_hashes_and_pull_requests_are_no_versions(tag: str) -> None:
    assert parse_tag(tag) is None


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("1.2.3", "1.3.0", True),
        ("1.2.3", "1.3", False),
        ("1.2.3", "v1.3.0", False),
        ("1.2.3", "1.3.0-rc1", True),
        ("1.2.3", "1.3.0-alpine", False),
        ("1.2.3-alpine", "1.3.0-alpine", True),
        ("1.2.3-alpine", "1.3.0-slim", False),
        ("1.2.3-alpine3.19", "1.2.3-alpine3.20", True),
        ("1.2.3-alpine3.19", "1.2.3-alpine3", False),
        ("1.2.3-debian-11-r4", "1.2.4-debian-12-r0", True),
        ("16-bookworm", "17-trixie", False),
        ("6.14.0", "2021.12.14", False),
        ("20240101", "21", False),
        ("20240101", "20250101", True),
        ("6.14", "2021.12", False),
        ("7", "20220101", False),
        ("20240101", "202401011200", False),
        ("231128", "240711", True),
        ("231128", "20220617", False),
        ("2024-01-11", "2024.01.12", False),
        ("1.0.9", "1.0.20240101", False),
        ("1.0.1899", "1.0.1900", True),
        ("1899", "1900", True),
        ("1.2.3-abc1234", "1.2.4-def5678", True),
        ("1.40.2.8395-c67dce28e-ls216", "1.40.4.8679-424562606-ls225", True),
        ("1.2.3-defaced", "1.2.4-effaced", False),
        ("1.2.3-g1a2b3c4", "1.2.4", False),
        ("1.2.3-1", "1.2.3-20240101", False),
        ("1.2.3-20240101", "1.2.4-20240202", True),
        ("1.2_stable_2024-11-29", "1.3_stable_2025-01-05", True),
        ("1.2.3-slim", "1.2.4-slim2", False),
        ("6.4.2-php8.2", "6.5.0-php8.3", False),
        ("10.1.18-jdk17", "10.1.19-jdk21", False),
        ("2.14.2-pg15", "2.15.0-pg16", False),
        ("12-cuda12.1", "12-cuda12.2", False),
        ("1809-ltsc2019", "1809-ltsc2022", False),
        ("1.2.3-arm32v7", "1.2.3-arm64v8", False),
        ("1.2.3-linux-arm-v6", "1.2.3-linux-arm-v7", False),
        ("arm32v7-1.2.3", "arm64v8-1.2.3", False),
        ("arm64v8-1.2.3", "arm64v8-1.3.0", True),
        ("3.12-dev", "3.13-dev", True),
        ("3.12-dev", "3.12", False),
        ("3.12", "3.13-dev.1", True),
        ("16-3.4-alpine", "17-3.5-alpine", True),
        ("4.6.3_v2.0.10-ls312", "5.0.0_v2.0.11-ls400", True),
    ],
)
def test_tracks(a: str, b: str, same: bool) -> None:
    first, second = parse_tag(a), parse_tag(b)
    assert first is not None
    assert second is not None
    assert same_track(first, second) is same
    assert same_track(second, first) is same


@pytest.mark.parametrize(
    ("older", "younger"),
    [
        ("1.2.9", "1.2.10"),
        ("1.2.0-rc1", "1.2.0"),
        ("1.2.0-beta2", "1.2.0-rc1"),
        ("1.2.0-dev1", "1.2.0-alpha"),
        ("2.0.7.1_beta_2023-05-25", "2.0.7.1_beta_2024-05-07"),
        ("8u402-b06-jdk", "8u412-b02-jdk"),
        ("21.0.2_13-jdk", "21.0.2_14-jdk"),
        ("arm64v8-4.0.1-ls9", "arm64v8-4.0.1-ls10"),
        ("full-cuda12-b999", "full-cuda12-b1000"),
        ("1.2.0-rc9", "1.2.0-rc10"),
        ("1.2.0-alpha", "1.2.0-alpha.1"),
        ("1.1.9", "1.2.0-rc1"),
        ("2.4.5-p9", "2.4.5-p13"),
        ("1.2.3-alpine3.9", "1.2.3-alpine3.20"),
        ("1.2.3-debian-12-r4", "1.2.3-debian-12-r10"),
        ("RELEASE.2024-01-11T07-46-16Z", "RELEASE.2024-01-11T08-00-00Z"),
    ],
)
def test_younger_is_newer(older: str, younger: str) -> None:
    first, second = parse_tag(older), parse_tag(younger)
    assert first is not None
    assert second is not None
    assert newer(second, first)
    assert not newer(first, second)


NUMBERS = st.lists(st.integers(0, 30), min_size=1, max_size=4).map(lambda n: ".".join(map(str, n)))
TAGS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "v", "RELEASE."]),
        NUMBERS | st.sampled_from(["2024.1", "20240101", "20240201"]),
        st.sampled_from(["", "-rc1", "-rc.2", "b1", "-beta", "-dev"]),
        st.sampled_from(["", "-alpine", "-alpine3.19", "-alpine3.20", "-debian-12-r4"]),
    ),
)
SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-(.+))?")


@given(st.text() | st.text(alphabet="0123456789abcdefrv.-_", max_size=140))
def test_any_text_is_parsed_or_none(text: str) -> None:
    version = parse_tag(text)
    if version is not None:
        assert version.text == text
        precedence(version)
        same_track(version, version)


@given(TAGS, TAGS, TAGS)
def test_newer_is_a_strict_order_within_a_track(a: str, b: str, c: str) -> None:
    x, y, z = parse_tag(a), parse_tag(b), parse_tag(c)
    if x is None or y is None or z is None:
        return  # 20240101b1 reads as a commit hash
    assert not newer(x, x)
    assert not (newer(x, y) and newer(y, x))
    if newer(x, y) and newer(y, z):
        assert newer(x, z)
    if same_track(x, y):
        assert newer(x, y) or newer(y, x) or precedence(x) == precedence(y)
    else:
        assert not newer(x, y)
    if same_track(x, y) and same_track(y, z):
        assert same_track(x, z)


@given(st.tuples(*[st.integers(0, 1500)] * 3), st.tuples(*[st.integers(0, 1500)] * 3))
def test_releases_are_ordered_by_semver_precedence(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    """SemVer 2.0.0, item 11.2: major, minor and patch are always compared numerically."""
    assume(a != b)
    x, y = parse_tag(".".join(map(str, a))), parse_tag(".".join(map(str, b)))
    assert x is not None
    assert y is not None
    assert newer(x, y) is (a > b)


def test_a_prerelease_is_lower_by_semver_precedence() -> None:
    """SemVer 2.0.0, item 11.4, its example, where the words are ones that tags use."""
    tags = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
            "1.0.0-rc.1", "1.0.0"]  # fmt: skip
    versions = [v for tag in tags if (v := parse_tag(tag))]
    assert all(newer(b, a) for a, b in pairwise(versions))
