"""`sau run`."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import Any

import click

from safe_auto_updater.app import SystemClock
from safe_auto_updater.cli.context import Options
from safe_auto_updater.log import Logger
from safe_auto_updater.metrics import Server
from safe_auto_updater.service.service import Service
from safe_auto_updater.service.signals import Signals
from safe_auto_updater.service.wired import Wired
from safe_auto_updater.wiring.lease import lease as the_lease


@click.command("run")
@click.option("--once", is_flag=True, help="One cycle now, then end.")
@click.option(
    "--listen",
    metavar="HOST:PORT",
    envvar="SAFE_AUTO_UPDATER_LISTEN",
    help="Serve /metrics, /healthz and /readyz there.",
)
@click.option(
    "--lease",
    metavar="NAMESPACE/NAME",
    envvar="SAFE_AUTO_UPDATER_LEASE",
    help="Act only while holding this Lease of the cluster.",
)
@click.pass_obj
def command(options: Options, once: bool, listen: str | None, lease: str | None) -> None:
    """Be the service: recover, then look and update by the schedule, with nobody there.

    It changes what is labelled safe-auto-updater.enable=true (execution.unattended says
    otherwise) and tells of the rest. What a person approves is done at once.

    SIGTERM ends it: an update under way ends or is undone. SIGHUP reads the configuration anew.
    """
    clock = SystemClock()
    signals = Signals(clock.monotonic)
    form: Any = options.log
    logger = Logger(sys.stderr, form, "debug" if options.verbose else "info")
    with ExitStack() as ending:
        wired = Wired(options.state_folder, options.load, options.environ, logger, signals, clock)
        ending.callback(wired.close)
        service = Service(wired, the_lease(lease, options.state_folder, clock) if lease else None)
        if listen is not None:
            pages = Server(listen, wired.metrics.text, service.alive, service.ready)
            ending.callback(pages.close)
        service.run(once)
        if once and service.alive() is not None:
            raise click.exceptions.Exit(4)  # why it could not be made is told
