"""What people read: help texts that fit 80 columns, and golden texts of tables and stories.

`SAU_UPDATE_GOLDEN=1 make test-unit` writes the golden files anew; read the difference before you
commit it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from safe_auto_updater.cli import stories, tables
from safe_auto_updater.cli.root import COMMANDS, sau
from safe_auto_updater.core.model import (
    Action,
    Asset,
    Change,
    Health,
    Image,
    ImageUse,
    Plan,
    Rejection,
    Status,
    Step,
    UpdaterKind,
)
from safe_auto_updater.engine.cycle import Checked
from safe_auto_updater.engine.inventory import AssetInventory
from safe_auto_updater.engine.journal import Record, Row

GOLDEN = Path(__file__).parent / "golden"
HEAVY = (
    "docker", "httpx2", "kubernetes", "prometheus_client", "pydantic", "requests", "rich",
    "sqlite3", "urllib3", "yaml",
)  # fmt: skip
OLD_ID, NEW_ID = "4f2c9a1b7d03" + "0" * 52, "b81e6605c2aa" + "0" * 52
BEGAN = 1_714_528_800.0  # 2024-05-01 02:00 UTC


@pytest.fixture(autouse=True)
def _night_in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local times are UTC, and no terminal asks for colours."""
    monkeypatch.setenv("TZ", "UTC")
    for name in ("FORCE_COLOR", "COLORTERM", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def same_as_golden(name: str, text: str) -> None:
    """The text is the golden one; blanks at the ends of lines do not count."""
    file = GOLDEN / f"{name}.txt"
    text = "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
    if os.environ.get("SAU_UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text(), f"{file.name}: SAU_UPDATE_GOLDEN=1 make test-unit writes it"
    assert max(map(len, text.splitlines())) <= 80


def image(name: str, tag: str, digest: str) -> Image:
    return Image(f"registry.example.org/{name}:{tag}", tag, f"sha256:{digest * 64}")


def change(name: str, to: str | None = "1.1.0", **settings: Any) -> Change:
    candidate = None if to is None else image(name, to, "b")
    bump = {None: None, "1.0.0": "digest"}.get(to, "minor")
    current = image(name, "1.0.0", "a")
    return Change(f"docker:local/{name}", name, current, candidate, bump, **settings)


def record(*ends: str, **facts: Any) -> Record:
    """An update of `web` that went through these phases, a second each."""
    step = Step(
        "docker:local/web",
        Action.UPDATE,
        ("1.1.0 is the newest that policy minor (default) allows (minor)",),
        (change("web"),),
    )
    known = {"old_id": OLD_ID, "new_id": NEW_ID, **facts}
    rows = tuple(
        Row(name, BEGAN + at, known if name == ends[-1] else {}) for at, name in enumerate(ends)
    )
    return Record("8928690e", step.asset, BEGAN, step, rows)


CHECKS = [
    {"check": "running", "state": "passed", "detail": "running"},
    {"check": "healthcheck", "state": "failed", "detail": "unhealthy after 3 tries: 404"},
]
FAILURE = {
    "cause": "image",
    "error": "not healthy: healthcheck: unhealthy after 3 tries: 404",
    "evidence": {"checks": CHECKS},
}
ABORT = {
    "cause": "registry",
    "error": "pull of registry.example.org/web@sha256:bbbb failed: unexpected EOF",
    "evidence": {},
}
INTERRUPTED = {"cause": "unknown", "error": "interrupted in APPLY", "evidence": {}}
TROUBLE = {
    "cause": "conflict",
    "error": "the old container 4f2c9a1b7d03 was removed by somebody; the new one was left as it "
    "is. Repair it by hand, then run `sau release`",
    "evidence": {},
}
PROVEN = {"proven": True, "reason": "stable for 30 s"}
UNPROVEN = {
    "proven": False,
    "reason": "stable for 60 s, not proven healthy: it has no health check",
}
RECORDS = {
    "succeeded": record("PREPARE", "SUCCEEDED", verdict=PROVEN, downtime_s=0.526),
    "succeeded without a health check": record(
        "PREPARE", "SUCCEEDED", verdict=UNPROVEN, downtime_s=None
    ),
    "unverified": record("PREPARE", "UNVERIFIED", verdict={"reason": "it is paused"}),
    "rolled_back": record(
        "PREPARE", "PRECHECK", "SNAPSHOT", "STAGE", "APPLY", "VERIFY", "ROLLBACK", "CONFIRM",
        "ROLLED_BACK", failure=FAILURE, downtime_s=3.64,
        last_words=["exit code 1", "migration 42 failed"],
        warnings=["the staged tag could not be put back"],
    ),
    "rolled_back by Watchtower": record(
        "PREPARE", "ROLLBACK", "ROLLED_BACK", failure=FAILURE, downtime_s=None,
        snapshot={"container": {"Id": NEW_ID}},
    ),
    "aborted": record("PREPARE", "ABORTED", failure=ABORT),
    "halted": record("PREPARE", "HALTED", failure=FAILURE),
    "inconsistent": record("PREPARE", "INCONSISTENT", failure=FAILURE, trouble=TROUBLE),
    "unfinished": record("PREPARE", "APPLY"),
}  # fmt: skip


def told(tell: dict[str, str]) -> str:
    return "\n\n".join(f"[{outcome}]\n{text}" for outcome, text in tell.items())


def wrapped(text: str, capsys: pytest.CaptureFixture[str]) -> str:
    """As a person sees it: at the width of the program's own output."""
    capsys.readouterr()
    tables.say(text)
    return capsys.readouterr().out.rstrip("\n")


def test_the_result_of_each_outcome_reads_well(capsys: pytest.CaptureFixture[str]) -> None:
    texts = {name: wrapped(stories.result(one), capsys) for name, one in RECORDS.items()}
    same_as_golden("results", told(texts))


def test_what_recovery_tells_reads_well(capsys: pytest.CaptureFixture[str]) -> None:
    before = RECORDS["unfinished"]
    after = {
        "succeeded": RECORDS["succeeded"],
        "rolled_back": record(
            "APPLY", "ROLLBACK", "CONFIRM", "ROLLED_BACK", failure=INTERRUPTED, downtime_s=4.2
        ),
        "aborted": record("PREPARE", "ABORTED", failure={**INTERRUPTED, "error": "interrupted"}),
        "inconsistent": RECORDS["inconsistent"],
        "unfinished": before,
    }
    texts = {name: wrapped(stories.recovered(before, one), capsys) for name, one in after.items()}
    same_as_golden("recovered", told(texts))


def test_the_story_of_an_update_reads_well(capsys: pytest.CaptureFixture[str]) -> None:
    lines = "\n".join(stories.story(RECORDS["rolled_back"]))
    same_as_golden("story", wrapped(lines, capsys))


def test_the_story_of_a_release_says_where_it_was_before() -> None:
    asset, changes = "helm:prod/shop/web", (replace(change("web"), asset="helm:prod/shop/web"),)
    step = Step(asset, Action.UPDATE, (), changes, updater=UpdaterKind.HELM)
    known = {"revision": 3, "snapshot": {"objects": []}, "failure": FAILURE}
    rows = tuple(Row(name, BEGAN, known) for name in ("PRECHECK", "SNAPSHOT", "ROLLED_BACK"))
    lines = stories.story(Record("8928690e", asset, BEGAN, step, rows))
    assert "  release shop/web, before at revision 3" in lines
    assert any("Revision 3 is back" in line for line in lines)


def test_history_reads_well(capsys: pytest.CaptureFixture[str]) -> None:
    tables.history(list(RECORDS.values()))
    same_as_golden("history", capsys.readouterr().out)


def asset(name: str, status: Status = Status.RUNNING, health: Health = Health.HEALTHY) -> Asset:
    use = ImageUse(name, image(name, "1.0.0", "a"))
    return Asset(f"docker:local/{name}", "docker", "container", name, (use,), status, health)


REJECTED = (
    Rejection("2.0.0", "major, policy is minor"),
    Rejection("1.2.0-rc1", "prerelease"),
)
CHANGES = (
    change("web", rejected=REJECTED),
    change("shop", "1.0.0"),
    change("cache", None),
    change("tool", None, note="built here: not known to come from registry.example.org/tool"),
    change("fixed", None, note="pinned by digest without a tag: nothing to look up"),
    change(
        "mail",
        None,
        error="unknown, the registry did not tell: registry.example.org limits our requests (429) "
        "and wants 60 s of rest. Wait, sign in for a higher limit, or use a mirror.",
    ),
)
ASSETS = (
    *(asset(one.container) for one in CHANGES[:5]),
    asset("mail", Status.RESTARTING, Health.NONE),
)
INVENTORY = AssetInventory(
    ASSETS, ({"id": "sha256:1"},), (("docker:attic", "the engine does not answer"),)
)
CHECKED = Checked(INVENTORY, ASSETS, {one.asset: (one,) for one in CHANGES})


def test_the_inventory_reads_well(capsys: pytest.CaptureFixture[str]) -> None:
    tables.scan(INVENTORY)
    same_as_golden("scan", "".join(capsys.readouterr()))


def test_the_inventory_of_a_cluster_reads_well(capsys: pytest.CaptureFixture[str]) -> None:
    chart = Image("web:1.2.0", "1.2.0")
    uses = {"web": ImageUse("chart", chart, declared="3.4"), "db": ImageUse("chart", chart)}
    where = "helm:lab/shop"
    releases = tuple(
        Asset(f"{where}/{name}", "helm", "release", name, (use,), Status.RUNNING, Health.HEALTHY)
        for name, use in uses.items()
    )
    workload = replace(asset("api"), platform="kubernetes", kind="Deployment")
    tables.scan(AssetInventory((*releases, workload), (), ()))
    same_as_golden("scan-cluster", "".join(capsys.readouterr()))


def the_plan() -> Plan:
    """One step of every kind."""
    web, shop, cache, tool, *_, mail = CHANGES
    quarantined = (
        "quarantined: this content failed here before (8928690e: not healthy: healthcheck: "
        "unhealthy after 3 tries: 404); a newer version may follow, `sau release` tries it again"
    )
    why = "1.1.0 is the newest that policy minor (default) allows (minor)"
    return Plan(
        (
            Step(web.asset, Action.UPDATE, (why,), (web,)),
            Step(shop.asset, Action.HOLD, (quarantined,), (shop,), "memory"),
            Step(mail.asset, Action.HOLD, (str(mail.error),), (mail,), "unknown"),
            Step(cache.asset, Action.NONE, ("nothing newer exists",), (cache,)),
            Step(tool.asset, Action.NONE, ("built here: not known to come from tool",), (tool,)),
        )
    )


def test_available_changes_read_well(capsys: pytest.CaptureFixture[str]) -> None:
    tables.check(the_plan(), CHECKED, 1.04)
    same_as_golden("check", "".join(capsys.readouterr()))


def test_a_plan_reads_well(capsys: pytest.CaptureFixture[str]) -> None:
    tables.plan(the_plan(), CHECKED)
    same_as_golden("plan", "".join(capsys.readouterr()))


def commands() -> list[list[str]]:
    """The words of every command: `[]` is `sau` itself."""
    found: list[list[str]] = [[]]
    context = click.Context(sau)
    for name in COMMANDS:
        command = sau.get_command(context, name)
        found.append([name])
        if isinstance(command, click.Group):
            found += [[name, child] for child in command.commands]
    return found


@pytest.mark.parametrize("words", commands(), ids=" ".join)
@pytest.mark.parametrize("columns", ["80", "200"])
def test_help_fits_eighty_columns(words: list[str], columns: str) -> None:
    done = CliRunner(env={"COLUMNS": columns}).invoke(sau, [*words, "--help"])
    assert done.exit_code == 0
    assert [line for line in done.output.splitlines() if len(line) > 80] == []


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from safe_auto_updater.cli import main; sys.argv = ['sau', '--help']\n"
        "try: main()\n"
        f"finally: print('HEAVY', sorted(set(sys.modules) & set({HEAVY!r})))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "HEAVY []", done.stderr


@pytest.mark.slow
def test_look_up_without_a_file_imports_no_library_for_files_and_webhooks(tmp_path: Path) -> None:
    script = (
        "import sys; from safe_auto_updater.cli import main\n"
        f"sys.argv = ['sau', '--state', {str(tmp_path)!r}, '--output', 'json', 'check']\n"
        "try: main()\n"
        "finally: print('HEAVY', sorted(set(sys.modules) & {'httpx2', 'pydantic', 'rich', 'yaml'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=os.environ | {"DOCKER_HOST": f"unix://{tmp_path}/nobody.sock"},
    )
    assert '"failures"' in done.stdout, done.stderr
    assert done.stdout.splitlines()[-1] == "HEAVY []", done.stderr
