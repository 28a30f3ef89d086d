"""What `sau diff` shows to people, as golden texts: `SAU_UPDATE_GOLDEN=1` writes them anew."""

from __future__ import annotations

from typing import Any

import pytest

from safe_auto_updater.cli import findings
from safe_auto_updater.core.diff import DiffAnalyzer
from safe_auto_updater.core.model import Action, Change, Image, Step
from safe_auto_updater.core.risk import Bands, Circumstances, Risk, combine
from tests.unit.test_cli_text import same_as_golden
from tests.unit.test_risk import MOUNTED, PLAIN, POSTGRES, WEB, put, tree


def step(risk: Risk | None, bump: str, action: Action, *reasons: str, **settings: Any) -> Step:
    old = Image("example.org/web:1.0.0", "1.0.0", f"sha256:{'a' * 64}")
    new = Image("example.org/web:2.0.0", "2.0.0", f"sha256:{'b' * 64}")
    change = Change("docker:local/web", "web", old, new, bump)
    return Step("docker:local/web", action, reasons, (change,), risk=risk, **settings)


def risk(before: Any, after: Any, bump: str, image: str = WEB) -> Risk:
    return DiffAnalyzer().analyze(before, after, Circumstances(bump, image))


APPROVE = "risk 48 of 100, from 30 on a human approves: sau approve 0123456789ab"
CHANGED = tree(
    "/data",
    env={"LANG": "C", "NGINX_VERSION": "1.27.1"},
    cmd=["serve", "--token=hunter2hunter2", *(f"--an-option-of-many={n}" for n in range(9))],
    image={"volumes": ["/data", "/cache"], "labels": {}},
)
MINOR = risk(PLAIN, PLAIN, "minor")
SHOWN = {
    "automatic": step(MINOR, "minor", Action.UPDATE, "2.0.0 is the newest that policy allows"),
    "approval": step(risk(MOUNTED, CHANGED, "major", POSTGRES), "major", Action.HOLD, APPROVE),
    "approved": step(risk(MOUNTED, MOUNTED, "major"), "major", Action.UPDATE, "approved by ann"),
    "blocked": step(
        risk(MOUNTED, put(MOUNTED, "image/volumes", ["/srv"]), "patch"),
        "patch",
        Action.HOLD,
        "too risky, cannot be approved",
    ),
    "too much": step(
        risk(MOUNTED, tree("/data", user="app", entrypoint=["/go"]), "major", POSTGRES),
        "major",
        Action.HOLD,
        "too risky, cannot be approved",
    ),
    "several": step(
        combine([MINOR, MINOR]),
        "minor",
        Action.UPDATE,
        "both may go",
        members=("docker:local/web", "docker:local/worker"),
    ),
    "unseen": step(None, "minor", Action.HOLD, "what it would change could not be seen: no answer"),
    "nothing": Step("docker:local/web", Action.NONE, ("nothing newer exists",)),
}


def test_what_a_step_would_change_reads_well(capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for name, one in SHOWN.items():
        findings.show(one, Bands(approval=55))
        told.append(f"[{name}]\n{capsys.readouterr().out}")
    same_as_golden("diff", "\n".join(told))
    assert "hunter2" not in "".join(told)
