from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.notify.kit import Hook, hooked


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A real HTTP server that answers 204, or what the test puts into `answers`."""
    with hooked() as seen:
        yield seen
