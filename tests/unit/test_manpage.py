"""`sau(1)` as it is shipped says what the commands say of themselves.

`SAU_UPDATE_GOLDEN=1 make test-unit` writes it anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from lab import manpage
from safe_auto_updater.cli.root import COMMANDS

SHIPPED = Path(__file__).parents[2] / "deploy/man/sau.1"


def test_shipped_page_is_that_of_the_commands() -> None:
    if os.environ.get("SAU_UPDATE_GOLDEN"):
        SHIPPED.write_text(manpage.page())
    assert SHIPPED.read_text() == manpage.page()


def test_page_has_every_command_and_its_options() -> None:
    page = manpage.page().replace("\\-", "-")
    assert re.findall(r"^\.SS sau (\w+)$", page, re.M) == list(COMMANDS)
    assert ".B --from-watchtower CONTAINER" in page
    assert "Variable: SAFE_AUTO_UPDATER_LISTEN." in " ".join(page.split())
    assert "[ASSETS]..." in page
