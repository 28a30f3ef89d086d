"""Images on one engine: pull by digest, move a local tag and move it back, remove what is over."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from safe_auto_updater.core.errors import (
    InvalidReference,
    NotFound,
    PlatformError,
    RegistryError,
    StepFailed,
)
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.platforms.docker.engine import DockerEngine

Json = dict[str, Any]
PullHeaders = Callable[[str], Mapping[str, str]]  # registry host -> headers with credentials
Progress = Callable[[str], None]


class Images:
    """The image verbs. Each looks first."""

    def __init__(self, engine: DockerEngine, pull_headers: PullHeaders) -> None:
        self._engine = engine
        self._pull_headers = pull_headers

    def find(self, reference: str) -> Json | None:
        """The image's inspect JSON, by ID or any reference; None where the engine has none."""
        try:
            found: Json = self._engine.get(f"/images/{reference}/json")
        except NotFound:
            return None
        return found

    def pull(self, reference: Reference, digest: str, progress: Progress) -> Json:
        """Have exactly this content, pulled by digest; else StepFailed (registry).

        The engine verifies the content; an error inside its stream is a failure.
        """
        wanted = reference.pull_by_digest(digest)
        try:
            messages = self._engine.stream(
                "/images/create", self._pull_headers(reference.host), fromImage=wanted
            )
            told = ""
            for message in messages:
                if "error" in message:
                    raise StepFailed(f"pull of {wanted} failed: {message['error']}", Cause.REGISTRY)
                status = f"{message.get('id', '')} {message.get('status', '')}".strip()
                if status != told:
                    told = status
                    progress(f"pull {reference.familiar}: {status}")
        except (PlatformError, RegistryError) as error:
            raise StepFailed(f"pull of {wanted} failed: {error}", Cause.REGISTRY) from error
        image = self.find(wanted)
        if image is None:
            raise StepFailed(
                f"{wanted} was pulled and is gone again: something prunes images on this engine",
                Cause.CONFLICT,
            )
        return image

    def tag(self, reference: str, image_id: str) -> None:
        """Make the local `reference` point to an image."""
        current = self.find(reference)
        if current is not None and current["Id"] == image_id:
            return
        parsed = Reference.parse(reference)
        self._engine.post(f"/images/{image_id}/tag", repo=parsed.name, tag=parsed.tag_or_latest)

    def restore_tag(self, reference: str, staged_id: str, previous_id: str | None) -> None:
        """Undo `tag`, unless somebody has moved the tag elsewhere in the meantime."""
        current = self.find(reference)
        if current is None or current["Id"] != staged_id or staged_id == previous_id:
            return
        if previous_id is not None and self.find(previous_id) is not None:
            self.tag(reference, previous_id)
        else:
            self.untag(reference)

    def untag(self, reference: str) -> bool:
        """Remove one reference, never by force; the image goes with its last one if unused.

        False where the engine refuses because something still uses it.
        """
        try:
            self._engine.delete(f"/images/{reference}", noprune="true")
        except NotFound:
            return True
        except PlatformError as error:
            if error.status == 409:
                return False
            raise
        return True


def movable(reference: str) -> bool:
    """Whether a reference is a tag that can be moved (not pinned by digest, not an image ID)."""
    try:
        return Reference.parse(reference).digest is None
    except InvalidReference:
        return False


def auth_header(credentials: Mapping[str, str]) -> dict[str, str]:
    """Credentials for a pull, as the engine wants them: base64url JSON in a header."""
    encoded = base64.urlsafe_b64encode(json.dumps(dict(credentials)).encode())
    return {"X-Registry-Auth": encoded.decode()}
