"""Who is told of events, and how."""

from __future__ import annotations

from collections.abc import Callable

from safe_auto_updater import plugins
from safe_auto_updater.config import Config
from safe_auto_updater.core.ports import Notifier
from safe_auto_updater.notify.dispatch import DEFAULT_EVENTS, Handler, Notifications


def notifications(
    config: Config, sleep: Callable[[float], None], problem: Callable[[str], None]
) -> Notifications:
    """Everybody whom the configuration names; `problem` hears what cannot be delivered."""
    handlers = []
    for spec in config.notifications:
        if spec.kind == "webhook":
            # Here, as for HTTP probes: the library behind it takes its time.
            from safe_auto_updater.notify.webhook import WebhookNotifier

            notifier: Notifier = WebhookNotifier(**spec.options, sleep=sleep)
        else:
            notifier = plugins.load_or_broken(plugins.NOTIFIERS, spec.kind, spec.options)
        handlers.append(Handler(spec.kind, notifier, spec.events or DEFAULT_EVENTS))
    return Notifications(handlers, problem)
