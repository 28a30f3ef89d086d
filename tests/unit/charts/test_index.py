"""Slicing an index gives what parsing the whole of it gives, or says that it cannot."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from safe_auto_updater.engine.texts import NoTexts, read_texts
from safe_auto_updater.platforms.charts.index import (
    Blocks,
    CannotSlice,
    Index,
    NotAnIndex,
)

# as `helm repo index` writes it
HELM = b"""\
apiVersion: v1
entries:
  api:
  - apiVersion: v2
    appVersion: "1"
    created: "2026-11-29T12:00:00.123456789Z"
    description: 'it''s: an API # not more'
    digest: 3ea15b4e6b7a2a1b04ad2dbd1d8c6ee7d7fcbcc3a8ee2ba4f4c4dcbb76a5f0c4
    name: api
    urls:
    - https://charts.example.org/api-1.0.0.tgz
    version: 1.0.0
  web:
  - annotations:
      artifacthub.io/changes: |
        - kind: added
          description: "quoted
      artifacthub.io/license: Apache-2.0

    description: >-
      Web: it serves.

      web:
        - not a chart
    keywords: []
    name: web
    urls:
    - web-1.10.tgz
    version: 1.10
  - name: web
    urls: [web-1.9.tgz, "x"]
    version: "1.9"
generated: "2026-11-29T12:00:00.123456789Z"
"""
NAMES = ("web", "api", "9", "we b", "null")


def whole(index: bytes, chart: str) -> Any:
    return (read_texts(index, unique=True)["entries"] or {}).get(chart)


def agrees(index: bytes, chart: str) -> bool:
    """Whether it could be sliced; then it must be what the whole says, if the whole can be read."""
    try:
        block = Blocks.cut(index).of(chart)
    except CannotSlice:
        return False
    except NotAnIndex:
        with pytest.raises(NoTexts):
            read_texts(index, unique=True)
        return False
    try:
        expected = whole(index, chart)
    except (NoTexts, KeyError, TypeError):
        return True  # broken elsewhere
    found = None if block is None else read_texts(block, unique=True)[chart]
    assert found == expected
    return True


@pytest.mark.parametrize("chart", NAMES)
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
@pytest.mark.parametrize("begins", [b"", b"---\n", b"# made by hand\n\n", b"\xef\xbb\xbf"])
def test_what_helm_writes_is_sliced(chart: str, ends: bytes, begins: bytes) -> None:
    index = (begins + HELM).replace(b"\n", ends)
    assert Index(index).entries(chart) == (whole(HELM, chart) or [])
    assert agrees(index.removeprefix(b"\xef\xbb\xbf"), chart)


def test_a_version_stays_what_was_written() -> None:
    assert [one["version"] for one in Index(HELM).entries("web")] == ["1.10", "1.9"]


# an index that is sliced, though nobody's helm writes it so
UNUSUAL = {
    "indented lists": "entries:\n  web:\n    - name: web\n      version: 1.0.0\n",
    "deeper": "entries:\n      web:\n      - a: b\n      api:\n      - c: d\n",
    "comments": "# a\nentries: # b\n  # c\n  web: # d\n# e\n  - a: b # f\n  # g\n  api:\n",
    "quoted names": "entries:\n  \"web\":\n  - a: b\n  'api':\n  - c: d\n",
    "entries first or last": "a: b\nc:\n- entries:\n  - web\nentries:\n  web:\n  - a: b\n",
    "no entries": "apiVersion: v1\nentries: {}\n",
    "nothing under entries": "entries:\n",
    "a chart without versions": "entries:\n  web: []\n  api:\n",
    "no end of line": "entries:\n  web:\n  - a: b",
    "a text block at the end": "entries:\n  web:\n  - a: |\n      b\n\n",
    "a text block kept": "entries:\n  web:\n  - a: |+\n      b\n\n\n  api:\n  - c: d\n",
    "a text that goes on": "entries:\n  web:\n  - a: one\n      two: three\n  api:\n",
    "plain and long": "entries:\n  web:\n  - a: one\n      two\n      three\n  api:\n  - c: d\n",
    "a URL, a hash": "entries:\n  web:\n  - a: http://x:80/y#z\n    b: c#d\n    e: f # g\n",
    "a list of texts": "entries:\n  web:\n  - |\n    web:\n  - >-\n    api:\n",
    "an empty item": "entries:\n  web:\n  -\n    a: b\n  -\n",
}


@pytest.mark.parametrize("what", UNUSUAL)
def test_other_forms_are_sliced_too(what: str) -> None:
    assert all(agrees(UNUSUAL[what].encode(), chart) for chart in ("web", "api"))


# what carries something over into the next line that only a parser understands
UNSURE = {
    "a quoted text over lines": 'entries:\n  api:\n  - a: "b\n  web:\n  - c"\n',
    "another one": "entries:\n  api:\n  - a: 'b\n\n  web:\n  - c'\n",
    "a flow over lines": "entries:\n  api: [a,\n  web:\n  ]\n",
    "a flow mapping": "entries: {api: [], web: [{a: b}]}\n",
    "an anchor": "entries:\n  web: &x\n  - a: b\n  api: *x\n",
    "a tag": "entries:\n  web:\n  - a: !!str b\n",
    "a complex key": "entries:\n  ? web\n  : - a: b\n",
    "a tab": "entries:\n\tweb:\n  - a: b\n",
    "another break": "entries:\n  web:\n  - a: b\u2028  api:\n",
    "a carriage return": "entries:\n  web:\r  - a: b\n",
    "two documents": "entries:\n  web:\n  - a: b\n---\nentries:\n  web:\n  - c: d\n",
    "entries twice": "entries:\n  web:\n  - a: b\nentries:\n  web:\n  - c: d\n",
    "an odd indentation": "entries:\n    web:\n    - a: b\n  api:\n  - c: d\n",
    "a list of charts": "entries:\n- web:\n  - a: b\n",
    "deep nesting": "entries:\n  web:\n  - a:\n" + " " * 100 + "b: c\n",
}


@pytest.mark.parametrize("what", UNSURE)
def test_what_is_not_sure_is_parsed_whole_or_refused(what: str) -> None:
    index = UNSURE[what].encode()
    with pytest.raises(CannotSlice):
        Blocks.cut(index)
    try:
        expected = whole(index, "web") or []
    except (NoTexts, AttributeError):
        with pytest.raises(NotAnIndex):
            Index(index).entries("web")
        return
    assert Index(index).entries("web") == [one for one in expected if isinstance(one, dict)]


def test_a_large_index_that_cannot_be_sliced_is_refused() -> None:
    large = b'entries:\n  web:\n  - a: "b\n      c"\n' + b"  # more\n" * (5 << 17)
    with pytest.raises(NotAnIndex, match="too large to be parsed whole"):
        Index(large).entries("web")


def test_one_chart_twice_is_refused_as_helm_does() -> None:
    index = b"entries:\n  web:\n  - a: b\n  api:\n  - a: b\n  web:\n  - c: d\n"
    with pytest.raises(NotAnIndex, match="lists web twice"):
        Index(index).entries("web")
    assert Index(index).entries("api") == [{"a": "b"}]


@pytest.mark.parametrize(
    "index",
    [b"", b"[]", b"5", b"web", b"{", b'{"entries": 5}', b'{"entries": {"web": 5}}', b"[" * 99999,
     b'{"a":' * 99999, b"a: " * 99999, b"- " * 99999, b"entries:\n  web: 5\n", b"\xff\xfe", b"\0",
     b"<html><body>Sign in</body></html>", b"entries:\n  web:\n    a: b\n"],
)  # fmt: skip
def test_what_is_no_index_is_refused(index: bytes) -> None:
    with pytest.raises(NotAnIndex):
        Index(index).entries("web")


def test_json_is_read_with_its_numbers_as_they_are_written() -> None:
    said = {"entries": {"web": [{"version": "1.0.0", "urls": ["a"], "deprecated": True}]}}
    assert Index(json.dumps(said).encode()).entries("web") == said["entries"]["web"]
    assert Index(b' {"entries": {"web": [{"a": 1.10}]}}').entries("web") == [{"a": "1.10"}]


TEXT = st.text("ab:#-\"'|>\n {[&*!x1. \u00e4\u2028", max_size=20) | st.sampled_from(
    ["web:", "- web", "|", "true", "1.10", "null", "a: b", " # c", "x\n  web:\n  - y\n", ""]
)
ENTRY = st.dictionaries(
    st.sampled_from(["name", "version", "description", "a b", "x/y", "#", "urls"]),
    TEXT | st.lists(TEXT, max_size=3) | st.dictionaries(TEXT, TEXT, max_size=2),
    max_size=5,
)
INDEXES = st.fixed_dictionaries(
    {"apiVersion": st.just("v1"), "entries": st.dictionaries(
        st.sampled_from(NAMES), st.lists(ENTRY, max_size=3), max_size=4)},
    optional={"generated": TEXT, "annotations": st.dictionaries(TEXT, TEXT, max_size=2)},
)  # fmt: skip
STYLES = st.fixed_dictionaries({
    "width": st.sampled_from([20, 80, 10**6]),
    "indent": st.sampled_from([2, 4]),
    "default_style": st.sampled_from([None, "|", '"', "'"]),
    "allow_unicode": st.booleans(),
    "line_break": st.sampled_from(["\n", "\r\n"]),
    "explicit_start": st.booleans(),
})  # fmt: skip


@pytest.mark.slow
@given(INDEXES, STYLES, st.booleans())
def test_any_index_is_sliced_as_it_is_parsed(
    said: dict[str, Any], style: dict[str, Any], sort: bool
) -> None:
    index = yaml.dump(said, sort_keys=sort, **style).encode()
    for chart in NAMES:
        agrees(index, chart)
        assert Index(index).entries(chart) == (whole(index, chart) or [])


LINES = [line + "\n" for line in (
    "entries:", "  web:", "  api:", "  web: []", "- name: x", "  - name: web", "    version: 1.10",
    "  - description: |", "    text: >-", '      deep: "open', "  - 'one", "  two'", '    d: "open',
    '  b: close"', "# comment", "    # c", "", "generated: x", "entries: {}", "    urls:",
    "    - http://x/y.tgz", "    - [a, b]", "    k: [a,", "      b]", "    a: &x 1", "    b: *x",
    "    plain", "      goes on # c", '    "q": v', "    'q': \"v\" # c", '  "api":',
    "  'web': # c", "---", "...", "    ? x", "    : y", "    z: !!str 1", "  -", "    -",
    "    - - a", "   web:", "    - b: |2", "       x: 'y", "\tx: y", "    t:\ty",
    "    k: a: b", "    |", "    k: |",
    "     x", "  x: |", "   web:", "other: |", " web:", '  q: "a\\""', '  - "a: b": c', "'", '"',
    "    d: 'it''s", "  web: |", "  api: >", "    k: 'a' b", "  - |", "  -   a: |", "%x", "  a: \\",
)]  # fmt: skip


@given(st.lists(st.sampled_from(LINES), max_size=12), st.booleans())
def test_hostile_lines_are_never_taken_for_what_they_are_not(lines: list[str], at: bool) -> None:
    index = ("entries:\n  web:\n" if at else "") + "".join(lines)
    for chart in ("web", "api"):
        agrees(index.encode(), chart)


@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_a_line_put_into_helms_own_index_is_never_misread(rand: random.Random, times: int) -> None:
    lines = HELM.decode().splitlines(keepends=True)
    for _ in range(times):
        lines.insert(rand.randrange(len(lines) + 1), rand.choice(LINES))
    for chart in ("web", "api"):
        agrees("".join(lines).encode(), chart)
