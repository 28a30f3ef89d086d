"""Health checks from outside the container: over HTTP and TCP."""

from safe_auto_updater.platforms.probes.http import HttpCheck
from safe_auto_updater.platforms.probes.tcp import TcpCheck

__all__ = ["HttpCheck", "TcpCheck"]
