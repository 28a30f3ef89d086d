"""Notices as e-mail, by the standard library."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from typing import Literal

from safe_auto_updater.core.errors import PlatformError, PlatformUnreachable
from safe_auto_updater.core.redact import redact
from safe_auto_updater.core.wording import Notice
from safe_auto_updater.notify.secrets import one_line
from safe_auto_updater.notify.trust import trust

Tls = Literal["starttls", "implicit", "none"]
PORTS: dict[str, int] = {"starttls": 587, "implicit": 465, "none": 25}


@dataclass(frozen=True)
class MailServer:
    """Who takes our mail, and how it is reached. `port` is by default that of the kind of TLS."""

    host: str
    tls: Tls = "starttls"
    port: int | None = None
    username: str | None = None
    password_file: str | None = None
    ca_file: str | None = None
    timeout_s: float = 30.0

    @property
    def where(self) -> str:
        """How messages call it."""
        return f"mail server {self.host}:{self.port or PORTS[self.tls]}"

    @contextmanager
    def session(self) -> Iterator[smtplib.SMTP]:
        """A session in which mail may be sent. PlatformError, PlatformUnreachable as it was told.

        Never in clear where TLS is wanted, and no password before the server is known.
        """
        password = None
        if self.password_file is not None:
            password = one_line(self.where, "password_file", self.password_file)
        with self._told(), self._connected() as server:
            if self.tls == "starttls":
                server.starttls(context=trust(self.where, self.ca_file))
            if self.username is not None and password is not None:
                server.login(self.username, password)
            yield server

    def _connected(self) -> smtplib.SMTP:
        at = self.host, self.port or PORTS[self.tls]
        if self.tls == "implicit":
            return smtplib.SMTP_SSL(
                *at, timeout=self.timeout_s, context=trust(self.where, self.ca_file)
            )
        return smtplib.SMTP(*at, timeout=self.timeout_s)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What smtplib raises, as what it means: not chained, for it may hold the password."""
        try:
            yield
        except smtplib.SMTPAuthenticationError as error:
            if error.smtp_code >= 500:
                remedy = "check username and password_file"
                raise PlatformError(f"{self.where} refused the login; {remedy}") from None
            raise PlatformUnreachable(f"{self.where} cannot check the login now") from None
        except smtplib.SMTPNotSupportedError as error:
            text = f"{self.where}: {error}; choose another tls, or take username out"
            raise PlatformError(text) from None
        except smtplib.SMTPRecipientsRefused as error:
            raise self.refused(error.recipients, may_try_again=True) from None
        except smtplib.SMTPResponseException as error:
            said = error.smtp_error
            text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
            fact = f"{self.where} answered {error.smtp_code} {redact(text)}"
            if 400 <= error.smtp_code < 500 or error.smtp_code < 0:
                raise PlatformUnreachable(fact) from None
            raise PlatformError(f"{fact}; check from and to") from None
        except ssl.SSLCertVerificationError as error:
            remedy = "name its authority by ca_file"
            raise PlatformError(f"{self.where}: {error.verify_message}; {remedy}") from None
        except (smtplib.SMTPException, OSError) as error:
            reason = redact(str(error)) or type(error).__name__
            raise PlatformUnreachable(f"{self.where} cannot be reached: {reason}") from None

    def refused(
        self, said: dict[str, tuple[int, bytes]], *, may_try_again: bool
    ) -> PlatformError | PlatformUnreachable:
        """What it means that these receivers were not accepted."""
        told = ", ".join(
            f"{who} ({code} {redact(text.decode('utf-8', 'replace'))})"
            for who, (code, text) in said.items()
        )
        if may_try_again and all(400 <= code < 500 for code, _ in said.values()):
            return PlatformUnreachable(f"{self.where} does not take mail yet for {told}")
        return PlatformError(f"{self.where} takes no mail for {told}; check to")


class MailNotifier:
    """One message per notice: the title is its subject."""

    def __init__(
        self, server: MailServer, sender: str, to: tuple[str, ...], *, now: Callable[[], float]
    ) -> None:
        self._server = server
        self._sender = sender
        self._to = to
        self._now = now

    def send(self, notice: Notice) -> None:
        """Deliver. PlatformUnreachable or PlatformError when it was not taken, without secrets."""
        message = written(notice, self._sender, self._to, self._now())
        with self._server.session() as session:
            refused = session.send_message(message)
        if refused:  # the others have it: again would be twice
            raise self._server.refused(refused, may_try_again=False)


def written(notice: Notice, sender: str, to: tuple[str, ...], now: float) -> EmailMessage:
    """The message. Automatic answers (holidays, for one) are asked not to come."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Subject"] = notice.title
    message["Date"] = format_datetime(datetime.fromtimestamp(now, UTC).astimezone())
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2] or socket.gethostname())
    message["Auto-Submitted"] = "auto-generated"
    message["Safe-Auto-Updater-Events"] = ", ".join(sorted({e.kind for e in notice.events}))
    message.set_content(notice.text + "\n")
    return message
