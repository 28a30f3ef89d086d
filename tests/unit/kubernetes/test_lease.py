"""What names a Lease, and who we are to others. What it does is asked of a real cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from safe_auto_updater.core.errors import JournalError, UsageError
from safe_auto_updater.wiring.lease import identity, lease
from tests.clock import FakeClock


@pytest.mark.parametrize("named", ["updates", "shop/", "/updates", "Shop/updates", "a/b/c", "a/b "])
def test_what_names_no_lease_is_refused(named: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="write NAMESPACE/NAME"):
        lease(named, tmp_path, FakeClock())


def test_lease_is_named_by_namespace_and_name(tmp_path: Path) -> None:
    assert lease("shop/updates.one", tmp_path, FakeClock()).named == "shop/updates.one"


def test_same_machine_with_the_same_state_is_the_same_holder(tmp_path: Path) -> None:
    assert identity(tmp_path / "a") == identity(tmp_path / "a")
    assert identity(tmp_path / "a") != identity(tmp_path / "b")


def test_state_folder_that_cannot_be_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="--state"):
        identity(tmp_path / "file")
