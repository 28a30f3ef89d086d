"""Who is told of events, and how."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from safe_auto_updater import plugins
from safe_auto_updater.config import Config, NotificationSpec
from safe_auto_updater.config.config import RECEIVERS
from safe_auto_updater.core.errors import SafeAutoUpdaterError
from safe_auto_updater.core.ports import Clock
from safe_auto_updater.notify.apprise import require_library
from safe_auto_updater.notify.courier import DEFAULT_EVENTS, Channel, EachEvent, Handler
from safe_auto_updater.notify.dispatch import Notifications
from safe_auto_updater.notify.outbox import Manners
from safe_auto_updater.notify.secrets import whole


def notifications(config: Config, clock: Clock, problem: Callable[[str], None]) -> Notifications:
    """Everybody whom the configuration names; `problem` hears what cannot be delivered."""
    return Notifications(handlers(config, clock), problem, clock)


def handlers(config: Config, clock: Clock) -> list[Handler]:
    """One per entry, in order; those of one type are numbered where there are several."""
    host = socket.gethostname() or "localhost"
    return [
        Handler(
            name,
            _channel(spec, clock),
            spec.events or DEFAULT_EVENTS,
            spec.asset,
            Manners(spec.batch, spec.quiet, only_last=spec.kind == "heartbeat"),
            spec.wording,
            host,
        )
        for name, spec in _named(config.notifications)
    ]


def lacking(config: Config) -> Iterator[tuple[str, str | None]]:
    """Of each receiver what keeps it from being told, as far as that shows without telling it."""
    for name, spec in _named(config.notifications):
        try:
            _prove(name, spec)
            yield name, None
        except SafeAutoUpdaterError as error:
            yield name, str(error)


def _prove(name: str, spec: NotificationSpec) -> None:
    if spec.kind not in RECEIVERS:
        plugins.load(plugins.NOTIFIERS, spec.kind)
        return
    if spec.kind == "apprise":
        require_library()
    for key, path in spec.options.items():
        if key.endswith("_file") and path is not None:
            whole(name, key, path)


def _named(specs: Sequence[NotificationSpec]) -> Iterator[tuple[str, NotificationSpec]]:
    many, seen = Counter(spec.kind for spec in specs), Counter[str]()
    for spec in specs:
        seen[spec.kind] += 1
        yield f"{spec.kind} {seen[spec.kind]}" if many[spec.kind] > 1 else spec.kind, spec


def _channel(spec: NotificationSpec, clock: Clock) -> Channel:
    """The way to one receiver. Imported here, as for HTTP probes: libraries take their time."""
    match spec.kind:
        case "webhook":
            from safe_auto_updater.notify.webhook import WebhookNotifier

            return WebhookNotifier(**spec.options, now=clock.now)
        case "email":
            from safe_auto_updater.notify.mail import MailNotifier, MailServer

            options = dict(spec.options)
            sender, to = options.pop("sender"), options.pop("to")
            return MailNotifier(MailServer(**options), sender, to, now=clock.now)
        case "apprise":
            from safe_auto_updater.notify.apprise import AppriseNotifier

            return AppriseNotifier(**spec.options)
        case "heartbeat":
            from safe_auto_updater.notify.heartbeat import Heartbeat

            return Heartbeat(**spec.options)
        case plugin:
            return EachEvent(plugins.load_or_broken(plugins.NOTIFIERS, plugin, spec.options))
