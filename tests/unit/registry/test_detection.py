"""What detection does with tags that are listed and cannot be had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.model import Asset, Health, Image, ImageUse, Status
from safe_auto_updater.core.policy import Settings, resolve
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.registries import ImageAnswer
from safe_auto_updater.core.semver import SemVerEvaluator
from safe_auto_updater.engine.detection import ChangeDetector
from safe_auto_updater.engine.past import Past
from safe_auto_updater.engine.state import open_state

WEB = "docker:local/web"
USE = ImageUse("web", Image("web:1.0.0", "1.0.0", "sha256:old"), ("sha256:old",))
ASSET = Asset(WEB, "docker", "container", "web", (USE,), Status.RUNNING, Health.HEALTHY)


@dataclass
class Listing:
    """A registry that lists 1.0.0 to 1.N.0 and has only some of them."""

    newest: int
    has: tuple[str, ...]
    reason: str
    asked: list[str] = field(default_factory=list)

    def tags(self, reference: str) -> tuple[str, ...]:
        return tuple(f"1.{minor}.0" for minor in range(self.newest + 1))

    def image(self, reference: str) -> ImageAnswer:
        tag = Reference.parse(reference).tag_or_latest
        self.asked.append(tag)
        if tag not in self.has:
            raise RegistryError(f"{tag} is not here", self.reason)
        return ImageAnswer(f"sha256:{tag}", f"sha256:content-{tag}", f"sha256:config-{tag}")

    def digest(self, reference: str) -> str:
        return "sha256:old"

    def config(self, reference: str, answer: ImageAnswer) -> Mapping[str, Any]:
        return {}


@pytest.mark.parametrize("reason", ["not_found", "platform"])
@pytest.mark.parametrize(
    ("newest", "has", "candidate", "asked", "error"),
    [
        (3, "1.3.0", "1.3.0", 1, None),
        (3, "1.1.0", "1.1.0", 3, None),
        (3, "", None, 3, None),
        (10, "1.1.0", "1.1.0", 10, None),
        (99, "1.89.0", None, 10, "unknown: the 10 newest allowed tags cannot be had here (1.90.0:"),
    ],
)
def test_only_so_many_tags_that_cannot_be_had_are_asked_for(
    reason: str,
    newest: int,
    has: str,
    candidate: str | None,
    asked: int,
    error: str | None,
    tmp_path: Path,
) -> None:
    past = Past(open_state(tmp_path), (), (), lambda: 0.0)
    registry = Listing(newest, (has,), reason)

    (change,) = ChangeDetector(registry, SemVerEvaluator(), past).check(
        ASSET, resolve(Settings(), WEB, {})
    )

    assert (change.candidate and change.candidate.version) == candidate
    assert len(registry.asked) == asked
    assert (change.error is None) == (error is None)
    assert (error or "") in (change.error or "")
    assert len(change.rejected) == asked - (candidate is not None)


OLD = "sha256:" + "0" * 64


@pytest.mark.parametrize("has", [OLD, ""])
def test_digests_that_an_engine_only_claims_count_where_the_registry_has_them(
    has: str, tmp_path: Path
) -> None:
    class Claimed(Listing):
        def image(self, reference: str) -> ImageAnswer:
            digest = Reference.parse(reference).digest
            if digest is None:
                return super().image(reference)
            if digest != has:
                raise RegistryError("gone", "not_found")
            return ImageAnswer(digest, "sha256:content", "sha256:config")

    use = replace(USE, digests=(), claimed=(OLD,))
    past = Past(open_state(tmp_path), (), (), lambda: 0.0)
    detector = ChangeDetector(Claimed(1, ("1.1.0",), "server"), SemVerEvaluator(), past)

    (change,) = detector.check(replace(ASSET, images=(use,)), resolve(Settings(), WEB, {}))

    assert (change.candidate is not None) == bool(has)
    assert ("built here, or deleted there" in (change.error or "")) == (not has)
