"""Laws of edits, on Compose files that nobody thought of."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from safe_auto_updater.platforms.docker.compose.errors import Unclear
from safe_auto_updater.platforms.docker.compose.find import find_edit
from tests.unit.compose.kit import FOLDER, NEW, OLD, edited, service

NAMES = st.sampled_from(["web", "db", "cache", "admin"])
IMAGES = st.sampled_from([OLD, "postgres:16", "redis:7-alpine", "traefik:3.1", OLD + "-rc"])
QUOTES = st.sampled_from(["{}", "'{}'", '"{}"', "{} # traefik:3.1.2", "&{name} {}"])
EXTRAS = st.sampled_from(
    [
        "    # traefik:3.1.2 is what we run\n",
        "    environment:\n      - VERSION=traefik:3.1.2\n",
        "    labels: {about: 'traefik:3.1.2', größe: '🎈'}\n",
        "    command: |\n      echo 'image: traefik:3.1.2'\n\n      true\n",
        "\n",
    ]
)


@st.composite
def projects(draw: st.DrawFn) -> str:
    """A Compose file in which `web` runs OLD, among others that may run it too."""
    lines = [draw(st.sampled_from(["", "# all\n", "\ufeff", "---\n"])), "services:\n"]
    for name in dict.fromkeys(["web", *draw(st.lists(NAMES, max_size=4))]):
        image = OLD if name == "web" else draw(IMAGES)
        written = draw(QUOTES).replace("{}", image).replace("{name}", name)
        parts = draw(st.lists(EXTRAS, max_size=2, unique=True))
        parts.insert(draw(st.integers(0, len(parts))), f"    image: {written}\n")
        lines += [f"  {name}:\n", *parts]
    return "".join(lines).replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


def parsed(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text.lstrip("\ufeff"))
    return found


@pytest.mark.slow
@given(projects())
def test_an_edit_changes_one_image_and_nothing_else(text: str) -> None:
    edit, files = edited({"compose.yml": text})
    assert edit is not None
    after = files["compose.yml"]
    end = edit.start + len(edit.old)
    assert after == text[: edit.start] + edit.new + text[end:], "every other byte is kept"
    expected = parsed(text)
    expected["services"]["web"]["image"] = NEW
    assert parsed(after) == expected, "nothing else means anything else"
    assert edited(files, NEW, OLD)[1]["compose.yml"] == text, "the way back leads to the same bytes"


@pytest.mark.slow
@given(projects(), st.integers(0, 400), st.text(max_size=6), st.integers(0, 12))
def test_whatever_a_file_says_it_is_edited_right_or_not_at_all(
    text: str, at: int, put: str, gone: int
) -> None:
    content = (text[:at] + put + text[at + gone :]).encode("utf-8", "surrogatepass")
    files = {f"{FOLDER}/compose.yml": content, f"{FOLDER}/.env": put.encode("utf-8", "replace")}
    try:
        edit = find_edit(service(), OLD, NEW, files.get, {})
    except Unclear:
        return
    if edit is not None:
        files[edit.path] = edit.applied(files[edit.path])
        assert find_edit(service(), OLD, NEW, files.get, {}) is None
