"""`sau config`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from safe_auto_updater.cli.context import Options
from safe_auto_updater.config import ConfigLoader, schema, starter, times
from safe_auto_updater.core.errors import UsageError
from safe_auto_updater.platforms.docker.watchtower.migration import configuration
from safe_auto_updater.platforms.docker.watchtower.survey import running
from safe_auto_updater.wiring.docker import engines_of

DEFAULT_FILE = Path("safe-auto-updater.yml")


@click.group("config")
def command() -> None:
    """Start, validate and describe the configuration file."""


@command.command("init")
@click.argument("file", type=click.Path(path_type=Path), default=DEFAULT_FILE)
@click.option(
    "--from-watchtower",
    "watchtower",
    metavar="CONTAINER",
    is_flag=False,
    flag_value="",
    help="Begin with the settings of a Watchtower; without CONTAINER, of the one that runs.",
)
@click.pass_obj
def init(options: Options, file: Path, watchtower: str | None) -> None:
    """Write a starter file that says what each key does. Never overwrites."""
    text = starter() if watchtower is None else _from_watchtower(options, watchtower or None)
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise UsageError(f"{file}: exists already, and is left as it is") from None
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error}") from error
    click.echo(
        f"{file} written. Edit it, then: sau config validate {file}\n"
        f"It is used where you name it: sau --config {file}, or SAFE_AUTO_UPDATER_CONFIG={file}"
    )


def _from_watchtower(options: Options, container: str | None) -> str:
    """A configuration that does what a running Watchtower does."""
    engines = engines_of(options.config, options.environ)
    if not engines:
        raise UsageError("no Docker engine is configured that Watchtower could run on")
    host, engine = next(iter(engines.items()))
    return configuration(running(engine, container), fits, host)


def fits(schedule: str) -> bool:
    """Whether a text can be `detection.schedule`."""
    try:
        times.schedule(schedule)
    except ValueError:
        return False
    return True


@command.command("validate")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.pass_obj
def validate(options: Options, file: Path | None) -> None:
    """Say every error of FILE at once, each as file:line:column. Exit code 2 if there is one."""
    file = file or options.config_file or DEFAULT_FILE
    ConfigLoader().load(file)
    options.answer(
        "config", {"file": str(file), "valid": True}, lambda: click.echo(f"{file}: good")
    )


@command.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of the configuration file, for editors."""
    click.echo(json.dumps(schema(), indent=2))
