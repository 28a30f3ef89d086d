"""`sau`: the group, its global options, and its commands, each imported when it is called."""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from safe_auto_updater.core.errors import (
    Busy,
    ConfigError,
    SafeAutoUpdaterError,
    UsageError,
)

COMMANDS = {
    "status": "What needs a human: interrupted, inconsistent, held, quarantined.",
    "scan": "List what runs: containers, workloads, releases, images.",
    "check": "Show what newer exists, and why the rest was rejected.",
    "diff": "Show what an update would change, why it matters, how risky it is.",
    "plan": "Show what apply would do and why. Changes and pulls nothing.",
    "apply": "Update: check, swap, watch, keep or roll back.",
    "run": "Be the service: look and update by the schedule.",
    "recover": "Finish or undo what a killed run left behind.",
    "history": "List past updates, newest first.",
    "show": "Tell the whole story of one update.",
    "rollback": "Take a finished update back.",
    "approve": "Let a planned step be made that waits for a human.",
    "deny": "Skip the version that a planned step would take.",
    "hold": "Leave an asset alone until it is released.",
    "release": "Forget holds, denials, quarantine, inconsistency of an asset.",
    "doctor": "Say what is reachable, permitted and missing, with the remedy.",
    "notify": "Try the notifications: send a real notice to each receiver.",
    "config": "Start, validate and describe the configuration file.",
}
EXIT_PARTIAL, EXIT_USAGE, EXIT_UNFINISHED, EXIT_BUSY = 1, 2, 4, 5


def with_global_options(command: click.Command) -> click.Command:
    """Let the global options stand after the command too: `sau plan --output json`."""

    def override(ctx: click.Context, param: click.Parameter, value: Any) -> None:
        if value is not None:
            setattr(ctx.find_root().obj, str(param.name), value)

    if not any(param.name == "output" for param in command.params):
        for option in _GLOBAL_OPTIONS:
            names, settings = option
            command.params.append(
                click.Option(names, expose_value=False, hidden=True, callback=override, **settings)
            )
    if isinstance(command, click.Group):
        for child in command.commands.values():
            with_global_options(child)
    return command


_GLOBAL_OPTIONS: tuple[tuple[list[str], dict[str, Any]], ...] = (
    (["--config", "config_file"], {"type": click.Path(path_type=Path)}),
    (["--state"], {"type": click.Path(path_type=Path)}),
    (["--output"], {"type": click.Choice(["table", "json"])}),
    (["--log"], {"type": click.Choice(["human", "json"])}),
    (["-v", "--verbose"], {"is_flag": True, "default": None}),
)


class LazyGroup(click.Group):
    """Knows every command's name and one line; imports a command only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order in which a person meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"safe_auto_updater.cli.commands.{cmd_name}")
        command: click.Command = module.command
        return with_global_options(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list for `--help`, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


EPILOG = """\b
First steps:
  sau plan                what would be done, and why
  sau apply web           update one container, with rollback
  sau rollback web        take it back
  sau config init         a starter configuration file

\b
Exit codes of apply: 0 done, 1 some aborted, 3 some rolled back,
4 some need a human; 2 usage or configuration, 5 another actor is busy.
"""


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    envvar="SAFE_AUTO_UPDATER_CONFIG",
    help="Configuration file. Without one, harmless defaults.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    envvar="SAFE_AUTO_UPDATER_STATE",
    help="State folder: the journal, holds and the lock.",
)
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    help="For people or programs.",
)
@click.option(
    "--log", type=click.Choice(["human", "json"]), default="human", help="Form of the log."
)
@click.option("-v", "--verbose", is_flag=True, help="Log every phase and pull.")
@click.version_option(package_name="safe-auto-updater")
@click.pass_context
def sau(ctx: click.Context, /, **options: Any) -> None:
    """Keep containers up to date without ever leaving a service broken.

    After any update, crash or kill, either the new version runs and was seen
    healthy, or the exact old one runs again, or the program has stopped and
    called a human.
    """
    from safe_auto_updater.cli.context import Options

    ctx.obj = Options(environ=os.environ, **options)
    if ctx.invoked_subcommand is None:
        command = sau.get_command(ctx, "status")
        assert command is not None
        ctx.invoke(command)


def main() -> None:
    """Run the command line; every known error becomes one message and its exit code."""
    _open_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a word must not end an update's report
    try:
        _refuse_broken_words(sys.argv)
        ended = sau.main(standalone_mode=False)
        code = ended if isinstance(ended, int) else 0
    except click.ClickException as error:
        error.show()
        code = EXIT_USAGE
    except click.Abort:
        click.echo("Stopped; nothing more was done.", err=True)
        code = EXIT_PARTIAL
    except Busy as error:
        code = _told(error, EXIT_BUSY)
    except (ConfigError, UsageError) as error:
        code = _told(error, EXIT_USAGE)
    except SafeAutoUpdaterError as error:
        code = _told(error, EXIT_UNFINISHED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_PARTIAL
    sys.exit(code)


def _open_streams() -> None:
    """Give a standard stream that was closed nowhere to go, before a file takes its number."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one's
            os.set_inheritable(handle, True)
            setattr(sys, name, os.fdopen(handle, "r" if name == "stdin" else "w"))


def _refuse_broken_words(words: list[str]) -> None:
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            raise UsageError(f"{word!a} is not UTF-8 text; write it anew") from None


def _told(error: SafeAutoUpdaterError, code: int) -> int:
    click.echo(f"sau: {error}" if not isinstance(error, ConfigError) else str(error), err=True)
    return code
