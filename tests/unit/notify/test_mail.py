"""Notices as mail, at a real SMTP server: in clear, by STARTTLS, by TLS, with and without AUTH."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.core.errors import PlatformError, PlatformUnreachable
from safe_auto_updater.core.events import Event
from safe_auto_updater.notify.mail import MailNotifier, MailServer
from tests.tls_kit import certified
from tests.unit.notify.kit import EVENT, of, posted

ME, YOU = "sau@example.org", "you@example.org"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certified(tmp_path_factory.mktemp("tls"))


def mail(port: int, to: tuple[str, ...] = (YOU,), **options: Any) -> MailNotifier:
    server = MailServer("127.0.0.1", port=port, **{"tls": "none", **options})
    return MailNotifier(server, ME, to, now=lambda: 1_700_000_000.0)


def test_notice_arrives_with_subject_text_and_date() -> None:
    event = Event("held", "größer als erlaubt", 1_700_000_000.0, "docker:local/web")
    with posted() as post:
        mail(post.port, (YOU, "b@example.org")).send(of(event))

    [(sender, receivers, message)] = post.taken
    assert (sender, receivers) == (ME, [YOU, "b@example.org"])
    assert message["Subject"] == "web: held"
    assert message["To"] == f"{YOU}, b@example.org"
    assert message["Date"].datetime.timestamp() == 1_700_000_000
    assert message["Message-ID"].endswith("@example.org>")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().startswith("größer als erlaubt")


def test_events_of_a_cycle_are_one_mail() -> None:
    with posted() as post:
        mail(post.port).send(of(EVENT, Event("succeeded", "runs", 0.0, "docker:local/api")))

    [(_, _, message)] = post.taken
    assert message["Subject"] == "Safe Auto-Updater on here: 1 rolled back, 1 succeeded"
    lines = message.get_content().splitlines()
    assert [lines[0], lines[1]] == ["web: rolled back", "1.3 failed"]
    assert lines[lines.index("api: succeeded") + 1] == "runs"


def test_line_breaks_in_what_others_say_make_no_header() -> None:
    event = Event("held", "x", 0.0, "docker:local/web\nBcc: all@example.org")
    with posted() as post:
        mail(post.port).send(of(event))

    [(_, receivers, message)] = post.taken
    assert receivers == [YOU]
    assert message["Bcc"] is None


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # aiosmtpd does not see the TLS around it
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_login_goes_through_tls_to_a_server_that_is_known(
    tls: str, certificate: Path, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("right\n")
    login = {"username": "sau", "password_file": str(tmp_path / "password")}
    with posted(certificate, implicit=tls == "implicit", auth=True) as post:
        mail(post.port, tls=tls, ca_file=str(certificate), **login).send(of(EVENT))
        assert post.logins == [("sau", "right")]
        assert len(post.taken) == 1

        with pytest.raises(PlatformError, match="ca_file"):
            mail(post.port, tls=tls, **login).send(of(EVENT))
        assert len(post.logins) == 1  # no password for a stranger


def test_wrong_password_is_named_and_not_shown(certificate: Path, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cr3t")
    login = {"username": "sau", "password_file": str(tmp_path / "password")}
    with (
        posted(certificate, auth=True) as post,
        pytest.raises(PlatformError, match="refused the login") as caught,
    ):
        mail(post.port, tls="starttls", ca_file=str(certificate), **login).send(of(EVENT))
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


def test_server_without_starttls_gets_nothing() -> None:
    with posted() as post, pytest.raises(PlatformError, match="STARTTLS"):
        mail(post.port, tls="starttls").send(of(EVENT))
    assert post.taken == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [("550 no such box", PlatformError), ("450 come back later", PlatformUnreachable)],
)
def test_receiver_that_is_refused_is_named(answer: str, kind: type[Exception]) -> None:
    with posted() as post:
        post.refuses = {YOU: answer}
        with pytest.raises(kind, match=f"you@example.org .{answer}"):
            mail(post.port).send(of(EVENT))
    assert post.taken == []


def test_mail_that_some_have_got_is_not_sent_again() -> None:
    with posted() as post:
        post.refuses = {"b@example.org": "450 come back later"}
        with pytest.raises(PlatformError, match=r"b@example\.org"):
            mail(post.port, (YOU, "b@example.org")).send(of(EVENT))
    assert [receivers for _, receivers, _ in post.taken] == [[YOU]]


def test_server_that_is_not_there_may_be_tried_again() -> None:
    with pytest.raises(PlatformUnreachable, match=r"mail server 127\.0\.0\.1:1 cannot be reached"):
        mail(1).send(of(EVENT))
