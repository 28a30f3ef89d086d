"""The real `docker compose` reads from each file of the tables what we say that it says."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.docker.compose_kit import program
from tests.unit.compose.kit import Row, table

pytestmark = pytest.mark.any_engine

__all__ = ["program"]
EDITS = table("edits.txt")


def image_of(program: Path, folder: Path, row: Row, files: dict[str, str]) -> str:
    """The image that Compose takes for `web`."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    told = [word for f in row.said.get("files", ("compose.yml",)) for word in ("-f", f)]
    told += [word for f in row.said.get("env", ()) for word in ("--env-file", f)]
    said = subprocess.run(
        [str(program), *told, "config", "--no-consistency", "--format", "json"],
        cwd=folder,
        capture_output=True,
        check=True,
        env={"HOME": str(folder), "PATH": os.environ["PATH"]},
    )
    return str(json.loads(said.stdout)["services"]["web"]["image"])


@pytest.mark.parametrize("name", EDITS)
def test_compose_reads_the_old_image_before_and_the_new_one_after(
    program: Path, tmp_path: Path, name: str
) -> None:
    row = EDITS[name]
    before = image_of(program, tmp_path, row, row.before)
    after = image_of(program, tmp_path, row, row.after)
    assert (before, after) == row.images
