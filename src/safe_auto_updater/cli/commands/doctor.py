"""`sau doctor`."""

from __future__ import annotations

import click

from safe_auto_updater.cli import tables
from safe_auto_updater.cli.context import Options
from safe_auto_updater.core.errors import JournalError
from safe_auto_updater.diagnosis import Finding, diagnose


@click.command("doctor")
@click.pass_obj
def command(options: Options) -> None:
    """Say what is reachable, permitted and missing, with the remedy; exit code 1 then."""
    try:
        with options.app() as app:
            findings = diagnose(app, options.config)
    except JournalError as error:
        findings = [Finding("state", False, str(error))]
    document = {"findings": [{"what": f.what, "ok": f.ok, "fact": f.fact} for f in findings]}
    options.answer("doctor", document, lambda: _table(findings))
    if not all(finding.ok for finding in findings):
        raise click.exceptions.Exit(1)


def _table(findings: list[Finding]) -> None:
    tables.rows(
        ("", "WHAT", "FACT"), [("good" if f.ok else "BAD", f.what, f.fact) for f in findings]
    )
