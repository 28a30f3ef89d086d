"""The Compose file of a container that moves to another tag: found, written, put back, forgotten.

STAGE looks and checks, and touches nothing. APPLY writes, before the old container stops: what the
file said is kept in the state folder first, and Compose itself confirms that the edit is the one
that was meant. COMMIT forgets, CLEAN and ROLLBACK put back. Every act looks first and may be
repeated, so a kill at any instant leaves a file that the next run brings to where it belongs.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from safe_auto_updater.core.errors import StepFailed
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.spelling import ComposeChange
from safe_auto_updater.core.updater import Facts, Work
from safe_auto_updater.engine.state import give_to_owner
from safe_auto_updater.platforms.docker.compose import writing
from safe_auto_updater.platforms.docker.compose.command import ComposeCommand
from safe_auto_updater.platforms.docker.compose.edit import Edit
from safe_auto_updater.platforms.docker.compose.errors import Unclear
from safe_auto_updater.platforms.docker.compose.hashes import (
    as_run,
    assert_as_labelled,
    hash_after,
    shares,
    without_extensions,
)
from safe_auto_updater.platforms.docker.compose.inside import carry_over, put_in
from safe_auto_updater.platforms.docker.compose.labels import (
    ComposeService,
    compose_service,
    labels_after,
)
from safe_auto_updater.platforms.docker.compose.reading import read
from safe_auto_updater.platforms.docker.engine import DockerEngine

Json = dict[str, Any]


@dataclass(frozen=True)
class Staged:
    """Labels for the new container, and facts to journal."""

    labels: Mapping[str, str]
    facts: Facts


class ComposeFile:
    """One collaborator for all projects of an engine.

    `command` is asked for at the first need: choosing it may be a question to the engine. `folder`
    is where the bytes of old files are kept; `one_at_a_time` serves all who may edit one file.
    """

    def __init__(
        self, command: Callable[[], ComposeCommand], folder: Path, one_at_a_time: threading.Lock
    ) -> None:
        self._choose = command
        self._folder = folder
        self._one_at_a_time = one_at_a_time

    @cached_property
    def _command(self) -> ComposeCommand:
        return self._choose()

    def edit(self, old: Json, was: str, will: str) -> Edit | None:
        """What to change in the files of a container; None for nothing. Unclear where it is not."""
        return self._edit(_service(old), was, will)

    def hooks(self, old: Json) -> tuple[str, ...]:
        """What Compose runs around a start of such a container, as far as it can be asked."""
        service = compose_service(old)
        try:
            model = {} if service is None else self._command.model(service)
        except Unclear:
            return ()
        told = (model.get("services") or {}).get(service.service if service else "") or {}
        return tuple(hook for hook in ("pre_start", "post_start") if told.get(hook))

    def check(self, old: Json, edit: Edit | None) -> None:
        """Unclear where the edit is clear, and we cannot be the ones to make it."""
        service = _service(old)
        assert_as_labelled(self._command, service, self._command.model(service), old)
        if edit is not None and not writing.may_be_replaced(Path(edit.path)):
            raise Unclear(f"{edit.path} may not be written by this program")

    def stage(
        self, work: Work, old: Json, body: Json, image_id: str, rule: ComposeChange
    ) -> Staged:
        """What the new container's labels must say. StepFailed where its file cannot follow it."""
        service = compose_service(old)
        follows = service is not None and service.config_hash is not None
        if not follows or service is None:
            return Staged(labels_after(old, image_id), {})
        was, will = work.change.current.reference, body["Image"]
        moves = work.change.moves_tag
        said = moves and self._says(service, was, will)
        if said or not moves or rule is ComposeChange.CONTAINER_ONLY:
            return self._stage_beside(service, old, body, image_id, will if said else None)
        try:
            edit = self._edit(service, was, will)
            told = None if edit is None else edit.told(service.working_dir)
            if rule is ComposeChange.HOLD:
                raise Unclear(f"rule `compose: hold` leaves the edit to you: {told}")
            self.check(old, edit)
            digest = hash_after(self._command, service, old, body["HostConfig"], will)
        except Unclear as error:
            if work.step.undoes is None:
                raise StepFailed(f"its Compose file: {error}", Cause.CONFLICT) from error
            beside = self._stage_beside(service, old, body, image_id, None)
            return Staged(beside.labels, {"compose": {"warning": _not_put_back(was, will, error)}})
        facts = {"compose": {"edit": told, "was": was, "will": will}}
        return Staged(labels_after(old, image_id, digest), facts)

    def _stage_beside(
        self, service: ComposeService, old: Json, body: Json, image_id: str, image: str | None
    ) -> Staged:
        """No file is edited; the hash changes with what the container shares, and where the file
        names the new image already."""
        if image is None and not shares(old, body["HostConfig"]):
            return Staged(labels_after(old, image_id), {})
        try:
            digest = hash_after(self._command, service, old, body["HostConfig"], image)
        except Unclear as error:
            warning = f"the next `docker compose up` will create it once more: {error}"
            return Staged(labels_after(old, image_id), {"compose": {"warning": warning}})
        return Staged(labels_after(old, image_id, digest), {})

    def _says(self, service: ComposeService, was: str, will: str) -> bool:
        """Whether the files name the new image already."""
        try:
            return self._edit(service, was, will) is None
        except Unclear:
            return False

    def carry_over(self, engine: DockerEngine, old: Json, new: Json) -> Facts:
        """What Compose copied into the old container is in the new one; else StepFailed."""
        carried = carry_over(engine, self._command, old, new)
        return {"carried": carried} if carried else {}

    def copied_in(self, engine: DockerEngine, container: Json) -> list[str]:
        """The paths that Compose copied into a container, where nothing else has them."""
        return put_in(engine, self._command, container)

    def write(self, work: Work) -> None:
        """Make the edit; nothing happens where it is made. StepFailed where it would be another."""
        facts = work.facts.get("compose")
        if not facts or not facts.get("edit"):
            return
        service = _service(work.facts["snapshot"]["container"])
        with self._one_at_a_time:
            try:
                edit = self._edit(service, facts["was"], facts["will"])
                if edit is None:
                    return  # by us, before a kill, or by another member of the group
                before, content = self._command.model(service), Path(edit.path).read_bytes()
                self._keep(work, edit, content)
                writing.replace_content(Path(edit.path), edit.applied(content))
                after = self._command.model(service)
                meant = as_run(before, service.service, {}, facts["will"])
                if without_extensions(after) != without_extensions(meant):
                    raise Unclear(f"the edit ({facts['edit']}) would change more than that")
            except (Unclear, OSError) as error:
                fact = f"its Compose file could not be edited: {error}"
                raise StepFailed(fact, Cause.CONFLICT) from error

    def restore(self, work: Work) -> list[str]:
        """The file says what it did before `write`; what stands in the way is told."""
        backup = self._backup(work)
        path = "its Compose file"
        try:
            writing.leftover_removed(backup)
            kept = self._kept(work)
            if kept is None:
                return []
            path = kept["edit"]["path"]
            with self._one_at_a_time:
                writing.leftover_removed(Path(path))
                warnings = self._put_back(work, kept, Path(path))
            backup.unlink(missing_ok=True)
        except (Unclear, OSError, ValueError, LookupError, TypeError) as error:
            return [f"{path} may still say the new image: {error}; what it said is in {backup}"]
        return warnings

    def _put_back(self, work: Work, kept: Json, path: Path) -> list[str]:
        edit, before = Edit(**kept["edit"]), base64.b64decode(kept["content"])
        after, now = edit.applied(before), path.read_bytes()
        if now == before:
            return []
        if now in (after, writing.torn(before, after), writing.torn(after, before)):
            writing.replace_content(path, before)
            return []
        facts = work.facts["compose"]
        back = self._edit(
            _service(work.facts["snapshot"]["container"]), facts["will"], facts["was"]
        )
        if back is None:
            return []  # somebody has put it back
        content = back.applied(Path(back.path).read_bytes())
        writing.replace_content(Path(back.path), content)
        if any(self._others(work, str(path))) or content == base64.b64decode(kept["origin"]):
            return []  # the others were ours, of the same update
        return [f"{path} was changed by others meanwhile: only this image was put back in it"]

    def commit(self, work: Work) -> list[str]:
        """Nothing leads back any more: what the file said goes. Returns what is left to tell."""
        self._backup(work).unlink(missing_ok=True)
        warning = work.facts.get("compose", {}).get("warning")
        return [warning] if warning else []

    def _edit(self, service: ComposeService, was: str, will: str) -> Edit | None:
        # Here: who has no Compose file to change does not wait for a library that reads it.
        from safe_auto_updater.platforms.docker.compose.find import find_edit

        return find_edit(service, was, will, read, self._command.environment(service))

    def _backup(self, work: Work) -> Path:
        name = hashlib.sha256(work.step.asset.encode()).hexdigest()[:12]
        return self._folder / f"{work.update}-{name}.json"

    def _keep(self, work: Work, edit: Edit, content: bytes) -> None:
        """Durably, before the file is touched; with what it said at first."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        give_to_owner(self._folder, self._folder.parent)
        said = base64.b64encode(content).decode()
        origin = next((one["origin"] for one in self._others(work, edit.path)), said)
        told = {"edit": asdict(edit), "content": said, "origin": origin}
        writing.create(self._backup(work), json.dumps(told).encode())

    def _others(self, work: Work, path: str) -> Iterator[Json]:
        """What is kept of the same update's other edits of one file."""
        for backup in sorted(self._folder.glob(f"{work.update}-*.json")):
            if backup != self._backup(work):
                kept = json.loads(backup.read_bytes())
                if kept["edit"]["path"] == path:
                    yield kept

    def _kept(self, work: Work) -> Json | None:
        try:
            found: Json = json.loads(self._backup(work).read_bytes())
        except FileNotFoundError:
            return None
        return found


def _not_put_back(was: str, will: str, reason: Unclear) -> str:
    """What to do about a file that could not follow a container that a human took back."""
    return (
        f"its Compose file was not put back: {reason}. Write {will} into it, or the next "
        f"`docker compose up` starts {was} again"
    )


def _service(old: Json) -> ComposeService:
    service = compose_service(old)
    if service is None:
        raise Unclear("made by `docker compose run`: no file stands for it")
    return service
