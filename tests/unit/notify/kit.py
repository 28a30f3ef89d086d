"""The other ends of notifications: real servers on 127.0.0.1, and receivers that can be stopped."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

from safe_auto_updater.core.events import Event
from safe_auto_updater.core.wording import Notice, Wording, notice
from tests.http_kit import LocalServer, QuietHandler
from tests.tls_kit import served_with

EVENT = Event("rolled_back", "1.3 failed", 1_700_000_000.0, "docker:local/web", "u1", {"n": 1})


def of(*events: Event, batched: bool = False) -> Notice:
    """These events as a notice in our own words."""
    return notice(events, Wording(), "here", batched=batched)


@dataclass
class Hook:
    """A web server: the answers it gives in turn, and what it was sent."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def hooked(certificate: Path | None = None) -> Iterator[Hook]:
    """A real web server that answers 204, or what the test puts into `answers`; 0: hangs up."""
    seen = Hook()

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen.requests.append((self.command, self.path, headers, body))
            status = seen.answers.pop(0) if seen.answers else 204
            if status == 0:
                return  # hang up without a word
            self.answer(status, headers={"location": "/elsewhere"} if status == 302 else {})

        do_POST = do_PUT = do_GET

    tls = None if certificate is None else served_with(certificate)
    with LocalServer(Handler, tls=tls) as server:
        seen.url = f"{server.url}/hook/s3cr3tpath"
        yield seen


@dataclass
class Post:
    """A mail server: what it took, what it says to receivers, and whom it lets in."""

    port: int = 0
    taken: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)  # receiver -> answer
    password: str = "right"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Any, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Any, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append((envelope.mail_from or "", envelope.rcpt_tos, message))
        return "250 taken"

    def authenticate(self, server: SMTP, s: Any, e: Any, method: str, said: Any) -> AuthResult:
        assert isinstance(said, LoginPassword)
        self.logins.append((said.login.decode(), said.password.decode()))
        return AuthResult(success=said.password.decode() == self.password, handled=False)


@contextmanager
def posted(
    certificate: Path | None = None, *, implicit: bool = False, auth: bool = False
) -> Iterator[Post]:
    """A real SMTP server: with a certificate it wants STARTTLS, or speaks TLS from the start."""
    post, loop = Post(), asyncio.new_event_loop()
    context = None if certificate is None else served_with(certificate)
    starttls = None if implicit else context

    def speak() -> SMTP:
        return SMTP(
            post,
            hostname="post.test",
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=post.authenticate if auth else None,
            auth_required=auth,
            auth_require_tls=starttls is not None,
            loop=loop,
        )

    over = context if implicit else None
    server = loop.run_until_complete(loop.create_server(speak, "127.0.0.1", 0, ssl=over))
    post.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield post
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(_ended(asyncio.all_tasks(loop)))
        loop.close()


async def _ended(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Recorder:
    """A receiver that remembers what it got; it waits for `gate`, and fails when told to."""

    def __init__(self) -> None:
        self.got: list[tuple[str, ...]] = []
        self.tried: list[str] = []
        self.began, self.gate, self.arrived = (threading.Event() for _ in range(3))
        self.gate.set()
        self.error: Exception | None = None

    def send(self, notice: Notice) -> None:
        self.began.set()
        assert self.gate.wait(30)
        self.tried += [event.kind for event in notice.events]
        if self.error is not None:
            raise self.error
        self.got.append(tuple(event.kind for event in notice.events))
        self.arrived.set()

    @property
    def kinds(self) -> list[str]:
        """Everything that has arrived, in order."""
        return [kind for message in self.got for kind in message]
