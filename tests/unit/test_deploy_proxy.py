"""The shipped socket proxy allows what the table of questions says, word for word.

`SAU_UPDATE_GOLDEN=1 make test-unit` writes its lists anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from safe_auto_updater.platforms.docker.api import QUESTIONS, For
from tests.unit.test_socket_proxy import ELSEWHERE, asked

FOLDER = Path(__file__).parents[2] / "deploy/compose/socket-proxy"
FILES = {
    For.LOOK: "looking",
    For.ACT: "updating",
    For.COMMAND: "commands",
    For.FILE: "files",
    For.SERVICE: "services",
    For.WATCH: "watching",
}
NGINX = (FOLDER / "nginx.conf").read_text()
RULE = re.compile(r'^ *"~(.*)" ([01]);', re.M)
ASIDE = [
    "GET /containers/a/../../secrets/json",
    "GET /containers/a/./json",
    "GET /images//secrets/json",
    "GET /images/a%2f..%2fsecrets/json",
    "POST /images/a/../../build/tag",
    "GET /version/x",
    "GET /v1.41/v1.41/version",
]


def written(what_for: For) -> str:
    """The list of what is asked for this."""
    lines = ["# Made of the table in docs/socket-proxy.md; tests hold it against the program."]
    for one in QUESTIONS:
        if one.what_for is what_for:
            path = one.path.replace("{id}", "[^/?]+").replace("{name}", "[^?]+")
            lines.append(f'"~^{one.method} (/v1\\.[0-9]+)?{path}(\\?|$)" 1; # {one.why}')
    return "\n".join(lines) + "\n"


def lets(included: set[For], question: str) -> bool:
    """What nginx decides: the first expression that is found in method and address."""
    lists = [(FOLDER / f"{FILES[one]}.conf").read_text() for one in FILES if one in included]
    for pattern, verdict in RULE.findall("\n".join([NGINX, *lists])):
        if re.search(pattern, question):
            return bool(verdict == "1")
    return False


@pytest.mark.parametrize("what_for", For)
def test_its_lists_are_the_table(what_for: For) -> None:
    file = FOLDER / f"{FILES[what_for]}.conf"
    if os.environ.get("SAU_UPDATE_GOLDEN"):
        file.write_text(written(what_for))
    assert file.read_text() == written(what_for)


def test_commands_services_and_watching_are_for_those_who_want_them() -> None:
    included = re.findall(r"^ *(# )?include (\w+)\.conf;", NGINX, re.M)
    assert {name for off, name in included if not off} == {"looking", "updating", "files"}
    assert {name for off, name in included if off} == {"commands", "services", "watching"}


@pytest.mark.parametrize("version", ["", "/v1.41", "/v1.56"])
@pytest.mark.parametrize("query", ["", "?all=1&filters=%7B%22name%22%3A%5B%22%2Fa%22%5D%7D"])
def test_it_lets_through_what_is_listed_and_nothing_else(version: str, query: str) -> None:
    included = {For.LOOK, For.ACT, For.FILE}
    for one in QUESTIONS:
        method, path = asked(one).split(" ")
        question = f"{method} {version}{path}{query}"
        assert lets(included, question) is (one.what_for in included), question
    for elsewhere in ELSEWHERE + ASIDE:
        method, path = elsewhere.split(" ")
        question = f"{method} {version}{path}{query}"
        assert lets(set(For), question) is False, question
