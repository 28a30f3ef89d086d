"""Carry events to people."""

from safe_auto_updater.notify.dispatch import DEFAULT_EVENTS, Handler, Notifications
from safe_auto_updater.notify.webhook import WebhookNotifier

__all__ = ["DEFAULT_EVENTS", "Handler", "Notifications", "WebhookNotifier"]
