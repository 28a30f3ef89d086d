"""Which value of a Compose project says the image, and what an edit leaves as it was."""

from __future__ import annotations

import pytest

from tests.unit.compose.kit import FOLDER, Row, edited, refusal, table

EDITS, REFUSED = table("edits.txt"), table("refused.txt")
SIGNS = {
    "Windows line ends": {
        "compose.yml": "services:\r\n  web:\r\n    image: {}\r\n    tty: true\r\n"
    },
    "a mark of byte order": {"compose.yml": "\ufeffservices:\n  web:\n    image: {}\n"},
    "no line end at the end": {"compose.yml": "services:\n  web:\n    image: {}"},
    ".env with Windows line ends": {
        "compose.yml": "services: {web: {image: '${IMAGE:?say it}'}}",
        ".env": "A=1\r\nIMAGE={}\r\nB=1\r\n",
    },
    ".env with quotes and Windows line ends": {
        "compose.yml": "services: {web: {image: '${IMAGE}'}}",
        ".env": "\ufeffIMAGE='{}'\r\n",
    },
}


def assert_edited(row: Row) -> str:
    edit, now = edited(row.before, *row.images, of=row.service)
    assert now == row.after
    assert edit is not None
    again, _ = edited(row.after, *row.images, of=row.service)
    assert again is None, "once made, there is no edit left"
    old, new = row.images
    assert edited(row.after, new, old, of=row.service)[1] == row.before, "and it can be undone"
    return edit.told(FOLDER)


@pytest.mark.parametrize("name", EDITS)
def test_exactly_that_value_is_edited(name: str) -> None:
    assert assert_edited(EDITS[name]) == EDITS[name].shown


@pytest.mark.parametrize("name", SIGNS)
def test_signs_that_nobody_sees_stay(name: str) -> None:
    marked = "traefik:<<3.1.2|3.1.4>>"
    files = SIGNS[name].items()
    assert_edited(Row(name, {path: text.replace("{}", marked, 1) for path, text in files}))


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_clear_is_not_touched(name: str) -> None:
    row = REFUSED[name]
    assert refusal(row.files, *row.images) == row.shown


def test_a_variable_of_the_environment_goes_before_the_file() -> None:
    files = {"compose.yml": "services: {web: {image: 'traefik:${TAG}'}}", ".env": "TAG=3.1.2"}
    reason = refusal(files, environ={"TAG": "3.1.2"})
    assert "TAG comes from the environment of whoever starts Compose" in reason
