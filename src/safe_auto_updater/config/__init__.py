"""The configuration file: read it, describe it, begin one."""

from safe_auto_updater.config.config import Config, DockerHost, NotificationSpec, RegistryAccess
from safe_auto_updater.config.loader import ConfigLoader
from safe_auto_updater.config.schema import schema
from safe_auto_updater.config.starter import starter

__all__ = [
    "Config",
    "ConfigLoader",
    "DockerHost",
    "NotificationSpec",
    "RegistryAccess",
    "schema",
    "starter",
]
