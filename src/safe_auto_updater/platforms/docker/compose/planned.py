"""What a plan says of the Compose file of a service that would move to another tag."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from safe_auto_updater.core.case import FileEdit
from safe_auto_updater.core.model import Asset, Change
from safe_auto_updater.core.spelling import ComposeChange
from safe_auto_updater.platforms.docker.compose.errors import Unclear
from safe_auto_updater.platforms.docker.compose.file import ComposeFile
from safe_auto_updater.platforms.docker.compose.labels import (
    CONFIG_HASH,
    ONE_OFF,
    PROJECT,
    SERVICE,
    WORKING_DIR,
)
from safe_auto_updater.platforms.docker.containers import Containers
from safe_auto_updater.platforms.docker.marks import PARKED, STAGED

Json = dict[str, Any]


class PlannedEdits:
    """Looks, and touches nothing."""

    def __init__(
        self,
        containers_of: Callable[[str], Containers],
        file_of: Callable[[str], ComposeFile],
    ) -> None:
        self._containers_of = containers_of
        self._file_of = file_of

    def __call__(self, asset: Asset, change: Change, rule: ComposeChange) -> FileEdit | None:
        """What a change asks of the file that a container was made from; None for nothing."""
        if change.candidate is None:
            return None
        container = self._containers_of(asset.id).find(change.container)
        if container is None:
            return None  # the update itself will say so
        labels = container["Config"].get("Labels") or {}
        if not (labels.get(PROJECT) and labels.get(CONFIG_HASH)):
            return None
        file = self._file_of(asset.id)
        hooks = file.hooks(container)
        edit = self._edit(file, asset, container, change, rule) if change.moves_tag else None
        return replace(edit or FileEdit(None), hooks=hooks) if edit or hooks else None

    def _edit(
        self,
        file: ComposeFile,
        asset: Asset,
        container: Json,
        change: Change,
        rule: ComposeChange,
    ) -> FileEdit | None:
        """Only a rule that lets us write is worth the question whether we could."""
        assert change.candidate is not None
        was, will = change.current.reference, change.candidate.reference
        text = None
        try:
            edit = file.edit(container, was, will)
            if edit is None:
                return None  # they name it already
            text = edit.told(container["Config"]["Labels"].get(WORKING_DIR))
            if rule is ComposeChange.UPDATE_FILE:
                file.check(container, edit)
                self._alone(asset, container)
        except Unclear as error:
            return FileEdit(text, str(error))
        return FileEdit(text)

    def _alone(self, asset: Asset, container: Json) -> None:
        """Unclear where the same line of the file stands for other containers too."""
        labels = container["Config"]["Labels"]
        same = [f"{key}={labels.get(key)}" for key in (PROJECT, SERVICE)] + [f"{ONE_OFF}=False"]
        listed = self._containers_of(asset.id).engine.get(
            "/containers/json", all="true", filters=json.dumps({"label": same})
        )
        others = sorted(
            name.lstrip("/")
            for one in listed
            for name in one["Names"]
            if one["Id"] != container["Id"]
        )
        others = [name for name in others if not name.endswith((STAGED, PARKED))]
        if others:
            raise Unclear(f"its service has other containers too: {', '.join(others)}")
