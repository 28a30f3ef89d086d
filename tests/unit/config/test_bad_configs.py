"""Whatever a configuration file holds, its reader answers with places and remedies."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safe_auto_updater.config import Config, ConfigLoader
from safe_auto_updater.core.errors import ConfigError
from tests.unit.config.bad_configs import Bad, bad_configs

SHARES = 32
LINE = re.compile(r"config\.yml:(\d+):(\d+): (.+)")


@pytest.mark.slow
def test_there_are_at_least_two_hundred_different_bad_files() -> None:
    cases = bad_configs()
    assert len({case.content for case in cases}) >= 200
    assert len({case.name for case in cases}) == len(cases)


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
def test_bad_files_are_each_refused_with_place_and_remedy(share: int) -> None:
    for case in bad_configs()[share::SHARES]:
        refused_with_place_and_remedy(case)


def refused_with_place_and_remedy(case: Bad) -> None:
    """Every problem names a place in the file and what to do; one of them is the expected one."""
    with pytest.raises(ConfigError) as refused:
        ConfigLoader().load_bytes(case.content, "config.yml")

    problems = refused.value.problems
    found = [LINE.fullmatch(problem) for problem in problems]
    assert all(found), (case.name, problems)
    assert all(";" in problem or "?" in problem for problem in problems), (case.name, problems)
    fitting = [match for match in found if match and case.fragment in match[3]]
    assert fitting, (case.name, problems)
    lines = case.content.count(b"\n") + 1
    assert all(1 <= int(match[1]) <= lines for match in found if match), case.name
    if case.line is not None:
        assert case.line in {int(match[1]) for match in fitting}, (case.name, problems)


WORDS = (
    "inventory: detection: execution: notifications: include: rules: - ? : { } [ ] , & * a b << !x"
    " !!int ' \" | > # % @ ` --- ... \n \t 1 1.5 true null ~ .inf 5m minor match asset"
    " \\ \r \u2028 \u0085 \ufeff \u00e9"
)
FRAGMENTS = st.sampled_from(WORDS.split(" "))


def _load(content: bytes) -> None:
    try:
        assert isinstance(ConfigLoader().load_bytes(content, "config.yml"), Config)
    except ConfigError as refused:
        assert all(LINE.fullmatch(problem) for problem in refused.problems), refused.problems


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_config_error(content: bytes) -> None:
    _load(content)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(FRAGMENTS, max_size=30), st.sampled_from(["", " ", "\n", "\n  "]))
def test_no_yaml_like_text_raises_anything_but_a_config_error(words: list[str], by: str) -> None:
    _load(by.join(words).encode("utf-8", "surrogatepass"))


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(max_size=200))
def test_no_text_raises_anything_but_a_config_error(text: str) -> None:
    try:
        ConfigLoader().load_text(text, "config.yml")
    except ConfigError as refused:
        assert all(LINE.fullmatch(problem) for problem in refused.problems), refused.problems


DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["match", "asset", "type", "url", "host", "name", "policy", "checks"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.slow
@settings(deadline=None)  # a busy machine is no failure
@given(st.dictionaries(st.sampled_from(["inventory", "detection", "execution", "x"]), DATA))
def test_no_document_raises_anything_but_a_config_error(document: dict[str, object]) -> None:
    _load(json.dumps(document).encode())
