"""What several sections of the configuration file are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from safe_auto_updater.config import values as v

Many = Field(strict=False)  # a YAML list arrives as a list and becomes a tuple


def tag_of(entry: Any, built_in: Sequence[str], otherwise: str) -> str:
    """Which of several sections an entry is, by its type.

    Tags stand in pydantic's error locations; a NUL keeps them apart from every key of a file.
    """
    kind = entry.get("type") if isinstance(entry, dict) else None
    return f"\0{kind}" if kind in built_in else otherwise


class Section(BaseModel):
    """A mapping of the file. Unknown keys are errors."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Match(Section):
    """Which assets an entry is for."""

    asset: v.Pattern


class PrometheusServer(Section):
    """How a Prometheus, or what speaks its API, is reached."""

    url: v.WebUrl
    ca_file: v.AbsolutePath | None = None
    token_file: v.AbsolutePath | None = None
    username: v.UserName | None = None
    password_file: v.AbsolutePath | None = None
    timeout: v.Timeout = 5.0
