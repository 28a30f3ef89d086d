"""How an engine is reached, as far as no other machine is needed for it."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from safe_auto_updater.core.errors import PlatformUnreachable
from safe_auto_updater.core.redact import redact
from safe_auto_updater.platforms.docker.dialling import plainly
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.ssh import command


@pytest.mark.parametrize(
    ("host", "login", "remote"),
    [
        ("ssh://nas", [], "docker system dial-stdio"),
        ("ssh://me@nas:2222", ["-l", "me", "-p", "2222"], "docker system dial-stdio"),
        ("ssh://a%40b@nas/", ["-l", "a@b"], "docker system dial-stdio"),
        (
            "ssh://nas/run/user/1000/docker.sock",
            [],
            "docker --host unix:///run/user/1000/docker.sock system dial-stdio",
        ),
        ("ssh://nas/a;b", [], "docker --host 'unix:///a;b' system dial-stdio"),
    ],
)
def test_ssh_runs_dial_stdio_and_asks_nobody(host: str, login: list[str], remote: str) -> None:
    words = command(urlsplit(host))
    assert words[-3:] == ["--", "nas", remote]
    assert words[words.index("-o") :][:2] == ["-o", "BatchMode=yes"]
    assert [word for word in words[2:-3] if "=" not in word and word != "-o"] == login


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo 'Permission denied (publickey).' >&2; exit 255", "ssh says: Permission denied"),
        ("exit 3", "ssh ended with exit code 3"),
        ("echo one >&2; echo >&2; echo two >&2; exit 1", "ssh says: one; two"),
        ("head -c 1 >/dev/null; echo hello", "hello"),
    ],
)
def test_ssh_that_ends_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, told: str
) -> None:
    (tmp_path / "ssh").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(PlatformUnreachable) as caught:
        DockerEngine("ssh://me@nas").get("/info")
    assert told in str(caught.value)
    assert "`docker -H ssh://me@nas version` must answer" in str(caught.value)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13"), "set cert_file"),
        (ssl.SSLError(1, "[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca"), "who signed"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "no TLS there"),
        (ConnectionRefusedError(111, "Connection refused"), "[Errno 111] Connection refused"),
        (ConnectionError(), "ConnectionError"),
    ],
)
def test_errors_of_tls_name_the_remedy(error: Exception, told: str) -> None:
    assert told in plainly(error)


@pytest.mark.parametrize(
    "error",
    [
        ssl.SSLEOFError(8, "EOF occurred in violation of protocol"),
        ConnectionResetError(104, "Connection reset by peer"),
        BrokenPipeError(32, "Broken pipe"),
    ],
)
def test_tls_that_ends_without_its_last_words_says_what_it_may_mean(error: Exception) -> None:
    assert plainly(error) == str(error)
    assert plainly(error, over_tls=True) == (
        f"{error}; TLS ends so where it does not accept our certificate: set cert_file and key_file"
    )


def test_who_waits_for_a_connection_shares_its_failure() -> None:
    asked = []

    def answer(server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            asked.append(connection)
            threading.Timer(0.1, connection.close).start()

    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(4) as pool:
        threading.Thread(target=answer, args=(server,), daemon=True).start()
        engine = DockerEngine(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        errors = [f.exception() for f in [pool.submit(engine.get, "/info") for _ in range(4)]]
        assert {type(error) for error in errors} == {PlatformUnreachable}
        assert len(asked) == 1
        with pytest.raises(PlatformUnreachable):
            engine.get("/info")
        assert len(asked) == 2, "the next question tries again"
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ssh://root@nas:22/x", "ssh://root@nas:22/x"),
        ("ssh://root:word@nas", "ssh://***@nas"),
        ("SSH://root@nas", "SSH://root@nas"),
        ("https://token@host/", "https://***@host/"),
    ],
)
def test_users_of_ssh_are_no_secret(text: str, shown: str) -> None:
    assert redact(text) == shown
