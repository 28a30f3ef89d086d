"""The configuration file: read it, describe it, begin one."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from safe_auto_updater.config.config import Config, DockerHost, NotificationSpec, RegistryAccess
from safe_auto_updater.config.starter import starter

if TYPE_CHECKING:
    from safe_auto_updater.config.loader import ConfigLoader
    from safe_auto_updater.config.schema import schema

__all__ = [
    "Config",
    "ConfigLoader",
    "DockerHost",
    "NotificationSpec",
    "RegistryAccess",
    "schema",
    "starter",
]
_WITH_A_FILE = {"ConfigLoader": "loader", "schema": "schema"}


def __getattr__(name: str) -> Any:
    """What only a file needs is imported with the first one: the libraries behind it are large."""
    if name not in _WITH_A_FILE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_WITH_A_FILE[name]}"), name)
    globals()[name] = found  # where a module of the same name would stand from now on
    return found
