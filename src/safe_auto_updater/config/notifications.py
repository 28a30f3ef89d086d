"""The entries of `notifications`: one model for each type of receiver.

Rules between the keys of one are in `receivers.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from safe_auto_updater.config import values as v
from safe_auto_updater.config.config import RECEIVERS
from safe_auto_updater.config.section import Match, Section, tag_of
from safe_auto_updater.core.events import EVENTS

if TYPE_CHECKING:
    EventName = str
else:
    EventName = Literal[tuple(EVENTS)]  # the names are data, kept in one place


class Receiver(Section):
    """What a receiver is told of, and when it is left in peace."""

    events: Annotated[tuple[EventName, ...], Field(strict=False, min_length=1)] | None = None
    match: Match | None = None
    quiet_hours: v.QuietHours | None = None


class TemplateSection(Section):
    """How its notices read; without a part, that part is ours."""

    title: v.Title | None = None
    body: v.Body | None = None


class Reader(Receiver):
    """A receiver for people: how its notices read, and how many messages they make."""

    template: TemplateSection = Field(default_factory=TemplateSection)
    batch: Literal["cycle"] | None = None


class WebhookEntry(Reader):
    """Posts each notice as JSON."""

    type: Literal["webhook"]
    url: v.Url | None = None
    url_file: v.AbsolutePath | None = None
    token_file: v.AbsolutePath | None = None
    secret_file: v.AbsolutePath | None = None
    ca_file: v.AbsolutePath | None = None
    timeout: v.Timeout = 10.0


class EmailEntry(Reader):
    """Sends each notice as mail."""

    type: Literal["email"]
    host: v.MailHost
    port: v.Port | None = None
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    username: v.UserName | None = None
    password_file: v.AbsolutePath | None = None
    ca_file: v.AbsolutePath | None = None
    sender: v.MailAddress = Field(alias="from")
    to: Annotated[tuple[v.MailAddress, ...], Field(strict=False, min_length=1)]
    timeout: v.Timeout = 30.0


class AppriseEntry(Reader):
    """Sends each notice to services that the apprise library knows."""

    type: Literal["apprise"]
    urls: Annotated[tuple[v.AppriseUrl, ...], Field(strict=False, min_length=1)] | None = None
    urls_file: v.AbsolutePath | None = None
    timeout: v.Timeout = 60.0


class HeartbeatEntry(Section):
    """Asks a URL after each cycle of the service."""

    type: Literal["heartbeat"]
    url: v.Url | None = None
    url_file: v.AbsolutePath | None = None
    method: Literal["GET", "POST"] = "GET"
    ca_file: v.AbsolutePath | None = None
    timeout: v.Timeout = 10.0


class PluginNotification(Receiver):
    """A notifier that a plugin brings; `options` go to it as they are."""

    type: v.Kind = Field(json_schema_extra={"not": {"enum": list(RECEIVERS)}})
    options: dict[str, Any] = Field(default_factory=dict)


TAGGED: dict[str, type[Section]] = {
    "\0webhook": WebhookEntry,
    "\0email": EmailEntry,
    "\0apprise": AppriseEntry,
    "\0heartbeat": HeartbeatEntry,
    "\0notification": PluginNotification,
}


def _tag(entry: Any) -> str:
    return tag_of(entry, RECEIVERS, "\0notification")


Notification = Annotated[
    Annotated[WebhookEntry, Tag("\0webhook")]
    | Annotated[EmailEntry, Tag("\0email")]
    | Annotated[AppriseEntry, Tag("\0apprise")]
    | Annotated[HeartbeatEntry, Tag("\0heartbeat")]
    | Annotated[PluginNotification, Tag("\0notification")],
    Discriminator(_tag),
]
