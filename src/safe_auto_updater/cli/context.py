"""What every command starts from: options, configuration, the wired program, and how to speak."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import Any

import click

from safe_auto_updater.app import App, default_state
from safe_auto_updater.config import Config
from safe_auto_updater.core.events import Event
from safe_auto_updater.core.redact import redact_all
from safe_auto_updater.engine.turns import person
from safe_auto_updater.log import Logger


@dataclass
class Options:
    """The global options, and what follows from them."""

    environ: Mapping[str, str]
    config_file: Path | None
    state: Path | None
    output: str
    log: str
    verbose: bool

    @property
    def json(self) -> bool:
        """Whether the answer is for a program."""
        return self.output == "json"

    @property
    def state_folder(self) -> Path:
        """The folder given, or the usual one."""
        return self.state or default_state(self.environ)

    @cached_property
    def config(self) -> Config:
        """The configuration, read once. Raises ConfigError."""
        return self.load()

    def load(self) -> Config:
        """The configuration as it is now, the defaults without a file. Raises ConfigError."""
        if self.config_file is None:
            return Config()
        from safe_auto_updater.config import ConfigLoader  # here: it brings a large library

        return ConfigLoader().load(self.config_file)

    @contextmanager
    def app(self, *listeners: Callable[[Event], None]) -> Iterator[App]:
        """The wired program. Its log goes to standard error."""
        form: Any = self.log
        logger = Logger(sys.stderr, form, "debug" if self.verbose else "info")
        with App(self.config, self.state_folder, self.environ, [logger, *listeners]) as app:
            yield app

    @contextmanager
    def actor(self, command: str, *listeners: Callable[[Event], None]) -> Iterator[App]:
        """The wired program as the one actor of its state folder. Raises Busy.

        Where the service is at work, its update under way is waited for.
        """
        _ = self.config  # its errors come before anything else

        def told(text: str) -> None:
            click.echo(text, err=True)

        with (
            person(self.state_folder, command, time.time, time.sleep, told),
            self.app(*listeners) as app,
        ):
            yield app

    def answer(self, command: str, document: Mapping[str, Any], table: Callable[[], None]) -> None:
        """Print one JSON document, or the table."""
        if self.json:
            schema = {"schema": f"safe-auto-updater/{command}/v1"}
            click.echo(json.dumps(redact_all({**schema, **document}), indent=2))
        else:
            table()


class Stopping:
    """Remembers that a signal asked us to stop; the update under way is finished first."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        """Whether to begin nothing more."""
        return self.asked

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take SIGINT, SIGTERM and SIGHUP while acting; the old handlers come back afterwards."""
        kept = {number: signal.signal(number, self._note) for number in _STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        with suppress(OSError):  # the terminal may be what went away
            os.write(2, b"\nStopping after the update under way; it is not left half done.\n")


_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
