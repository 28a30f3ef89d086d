"""One plugin of each group, each working on a file. Copy this folder to begin your own.

A plugin is a class (or function) that takes the `options` of its configuration entry.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safe_auto_updater.core.events import Event
from safe_auto_updater.core.model import Asset, Health, Image, ImageUse, Status
from safe_auto_updater.core.ports import CheckResult, CheckState, Proposal, Scan, Subject


class FileScanner:
    """Finds one asset per line of a file: `name reference`.

    An installed scanner is always used, and gets no options: where it looks is its own business.
    """

    name = "example"

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._path = Path(options.get("path", "/etc/sau-example.txt"))

    def scan(self) -> Scan:
        """A file that cannot be read is a failure in the result, not an exception."""
        try:
            lines = self._path.read_text().splitlines()
        except OSError as error:
            return Scan((), failures=((str(self._path), error.strerror or str(error)),))
        return Scan(tuple(_asset(*line.split()) for line in lines))


class FileCheck:
    """Well while the file in option `path` exists."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._path = Path(options["path"])

    def check(self, subject: Subject) -> CheckResult:
        """One look."""
        state = CheckState.PASSED if self._path.exists() else CheckState.FAILING
        return CheckResult("example", state, f"{self._path} for {subject.asset}")


class FileNotifier:
    """Appends each event to the file in option `path`, one JSON document per line."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._path = Path(options["path"])

    def notify(self, event: Event) -> None:
        """Write the line."""
        with self._path.open("a") as file:
            file.write(json.dumps({"kind": event.kind, "message": event.message}) + "\n")


class FilePolicy:
    """Holds every update while the file in option `path` exists; its text is the reason."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._path = Path(options["path"])

    def judge(self, proposal: Proposal) -> str | None:
        """None lets the update go as far as this policy is concerned."""
        if not self._path.exists():
            return None
        return f"{proposal.asset.name} waits: {self._path.read_text().strip()}"


def _asset(name: str, reference: str) -> Asset:
    return Asset(
        id=f"example:file/{name}",
        platform="example",
        kind="line",
        name=name,
        images=(ImageUse(name, Image(reference)),),
        status=Status.UNKNOWN,
        health=Health.NONE,
    )
