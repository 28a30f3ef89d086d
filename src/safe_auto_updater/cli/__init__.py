"""The command line. `main` is the entry point; everything heavy is imported by the command."""

from safe_auto_updater.cli.root import main

__all__ = ["main"]
