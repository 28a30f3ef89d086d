"""What the service tells of itself to whoever watches it. Import this late: only it needs it."""

from safe_auto_updater.metrics.address import CannotListen
from safe_auto_updater.metrics.metrics import Metrics
from safe_auto_updater.metrics.server import Server

__all__ = ["CannotListen", "Metrics", "Server"]
