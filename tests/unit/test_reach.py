"""How far new content behind an unchanged tag goes where nobody tells the versions."""

from __future__ import annotations

import pytest

from safe_auto_updater.core.model import Change, Image
from safe_auto_updater.core.versions import Bump
from safe_auto_updater.engine.evaluation import reach


@pytest.mark.parametrize(
    ("reference", "behind", "far"),
    [
        ("shop/web:latest", None, Bump.UNKNOWN),
        ("shop/web:1", None, Bump.DIGEST),
        ("shop/web:1.2.3", None, Bump.DIGEST),
        ("postgres:latest", None, Bump.UNKNOWN),
        ("opensearchproject/opensearch:2", None, Bump.UNKNOWN),
        ("opensearchproject/opensearch:2", "minor", Bump.MINOR),
        ("opensearchproject/opensearch:2.11.0", None, Bump.DIGEST),
        ("postgres:16", "digest", Bump.DIGEST),
    ],
)
def test_untold_step_behind_a_tag_of_a_database_is_unknown(
    reference: str, behind: str | None, far: Bump
) -> None:
    old, new = Image(reference, digest="sha256:a"), Image(reference, digest="sha256:b")
    assert reach(Change("a", "web", old, new, Bump.DIGEST, behind=behind)) == far
