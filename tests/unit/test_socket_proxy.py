"""What is asked of engines: program, table and document say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from safe_auto_updater.platforms.docker.answers import pattern
from safe_auto_updater.platforms.docker.api import NOBODY, QUESTIONS, For, Question

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs/socket-proxy.md").read_text()
SOURCE = ROOT / "src/safe_auto_updater"
METHODS = {
    "get": "GET",
    "get_as": "GET",
    "follow": "GET",
    "text": "GET",
    "post": "POST",
    "stream": "POST",
    "read": "POST",
    "delete": "DELETE",
    "content": "GET",
    "header": "HEAD",
    "put_archive": "PUT",
}
ASKED = re.compile(
    rf'\.({"|".join(METHODS)})(?:, |\(\s*(?:[^"()]*,\s*)?)f?"(/[^"]*)"',
)
ASSIGNED = re.compile(r'path, .* = f"(/[^"]*)"')  # and posted to


def in_source() -> set[str]:
    """Every question that the program can ask, without names."""
    found = {"GET /version"}
    for file in SOURCE.rglob("platforms/docker/**/*.py"):
        for verb, path in ASKED.findall(file.read_text()):
            found.add(f"{METHODS[verb]} {re.sub(r'{[^}]*}', '{}', path)}")
        for path in ASSIGNED.findall(file.read_text()):
            found.add(f"POST {re.sub(r'{[^}]*}', '{}', path)}")
    return found


def test_table_holds_what_the_program_asks_and_nothing_else() -> None:
    told = {f"{one.method} {re.sub(r'{[^}]*}', '{}', one.path)}" for one in QUESTIONS}
    where = "platforms/docker/api.py and docs/socket-proxy.md"
    assert in_source() == told, f"who asks an engine something new adds it to {where}"


def test_document_tells_the_table() -> None:
    rows = re.findall(r"^\| `(\w+) (/[^`]*)` \| (\w+) \| (.*) \|$", DOCS, re.M)
    assert rows == [(q.method, q.path, q.what_for.value, q.why) for q in QUESTIONS]


REAL = {"{id}": "0f9c", "{name}": "127.0.0.1:5000/team/web@sha256:12"}
ELSEWHERE = [
    "GET /containers/a/export",
    "GET /containers/a/b/json",
    "GET /secrets",
    "GET /images/json/x",
    "POST /build",
    "POST /commit",
    "POST /containers/a/attach",
    "POST /containers/a/kill",
    "POST /containers/prune",
    "POST /networks/create",
    "POST /volumes/create",
    "POST /swarm/init",
    "PUT /containers/a/exec",
    "DELETE /volumes/a",
    "DELETE /networks/a",
]


def asked(question: Question) -> str:
    path = question.path
    for name, real in REAL.items():
        path = path.replace(name, real)
    return f"{question.method} {path}"


def allowed(more: tuple[str, ...]) -> list[tuple[str, re.Pattern[str]]]:
    """The document's regular expressions for wollomatic's proxy, which it anchors itself."""
    blocks = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", DOCS, re.S)]
    (words,) = [b["services"]["socket-proxy"]["command"] for b in blocks if "command" in str(b)]
    extra = [w for line in DOCS.splitlines() for w in re.findall(r"`(-allow\w+=[^`]*)`", line)]
    words = words + [one for one in extra if any(word in one for word in more)]
    said = [re.match(r"-allow(HEAD|GET|POST|PUT|DELETE)=(.*)", word) for word in words]
    return [(one[1], re.compile(one[2])) for one in said if one]


MORE = {
    For.COMMAND: ("exec",),
    For.FILE: ("archive",),
    For.SERVICE: ("services", "distribution"),
    For.WATCH: ("events",),
}


@pytest.mark.parametrize("more", [(), *((one,) for one in MORE), tuple(MORE)])
@pytest.mark.parametrize("version", ["", "/v1.41", "/v1.56"])
def test_regular_expressions_of_the_document_allow_exactly_the_table(
    more: tuple[For, ...], version: str
) -> None:
    patterns = allowed(tuple(word for one in more for word in MORE[one]))

    def lets(question: str) -> bool:
        method, path = question.split(" ")
        return any(method == m and p.fullmatch(version + path) for m, p in patterns)

    wanted = {For.LOOK, For.ACT, *more}
    assert [q.path for q in QUESTIONS if lets(asked(q)) != (q.what_for in wanted)] == []
    assert [one for one in ELSEWHERE if lets(one)] == []


@pytest.mark.parametrize("question", QUESTIONS)
def test_refused_question_is_named_as_the_table_has_it(question: Question) -> None:
    assert pattern(asked(question).split(" ")[1]) == question.path
    assert re.fullmatch(question.pattern, asked(question).split(" ")[1])
    nobody = question.path.replace("{id}", NOBODY).replace("{name}", f"sha256:{NOBODY}")
    assert pattern(nobody) == question.path
