"""`sau(1)`, made of the commands themselves: there is no second text to keep.

In man(7)'s words, which every reader of man pages understands.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator

import click

from safe_auto_updater.cli.root import COMMANDS, sau

NAME = "sau"


def page() -> str:
    """The whole page."""
    return "\n".join(_page(click.Context(sau, info_name=NAME))) + "\n"


def _page(top: click.Context) -> Iterator[str]:
    summary, _, more = _text(sau.help).partition("\n\n")
    yield '.\\" Made of the commands; a test holds it against them.'
    yield f'.TH {NAME.upper()} 1 "" "Safe Auto-Updater"'
    yield ".SH NAME"
    yield f"{NAME} \\- {_plain(summary[0].lower() + summary[1:].rstrip('.'))}"
    yield ".SH SYNOPSIS"
    yield from _usage(sau, top)
    yield ".SH DESCRIPTION"
    yield from _paragraphs(more)
    yield ".PP"
    yield from _paragraphs(_text(sau.epilog))
    yield ".SH OPTIONS"
    yield "Each may stand before or after the command."
    yield from _options(sau, top)
    yield ".SH COMMANDS"
    for name in COMMANDS:
        command = sau.get_command(top, name)
        assert command is not None
        yield from _command(command, name, top)


def _command(command: click.Command, name: str, above: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=above)
    yield f".SS {_plain(context.command_path)}"
    yield from _usage(command, context)
    yield ".PP"
    yield from _paragraphs(_text(command.help))
    yield from _options(command, context)
    if isinstance(command, click.Group):
        for child, one in command.commands.items():
            yield from _command(one, child, context)


def _usage(command: click.Command, context: click.Context) -> Iterator[str]:
    words = command.collect_usage_pieces(context)
    yield f".B {_plain(context.command_path)}"
    yield _plain(" ".join(words))


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.params:
        if not isinstance(parameter, click.Option) or parameter.hidden:
            continue
        record = parameter.get_help_record(context)
        assert record is not None
        yield ".TP"
        yield f".B {_plain(record[0])}"
        said = record[1] or parameter.name or ""
        more = f" Variable: {parameter.envvar}." if parameter.envvar else ""
        yield from _filled(said + more)


def _text(written: str | None) -> str:
    """As it is meant: without indentation, and up to the mark that ends what is shown."""
    return inspect.cleandoc(written or "").partition("\f")[0]


def _paragraphs(text: str) -> Iterator[str]:
    """Paragraphs are filled; those that click is told to leave alone keep their lines."""
    first = True
    for paragraph in re.split(r"\n\s*\n", text):
        lines = paragraph.splitlines()
        if not lines:
            continue
        if not first:
            yield ".PP"
        if lines[0].strip() == "\b":
            yield from (".nf", *map(_plain, lines[1:]), ".fi")
        else:
            yield from _filled(paragraph)
        first = False


def _filled(text: str) -> list[str]:
    return [_plain(line) for line in textwrap.wrap(text, 70, break_on_hyphens=False)]


def _plain(text: str) -> str:
    """Nothing in it is a request of roff's."""
    text = text.strip("\n").replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga")
    text = text.replace("'", "\\(aq")
    return f"\\&{text}" if text.startswith(".") else text
