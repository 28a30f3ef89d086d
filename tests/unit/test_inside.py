"""Commands in containers: what the engine tells of their end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.inside import Ran, run_inside
from tests.http_kit import LocalServer, QuietHandler


@contextmanager
def running(*codes: int | None) -> Iterator[DockerEngine]:
    """An engine whose command says nothing more, and what it tells of its end at each look."""
    left = list(codes)

    class Engine(QuietHandler):
        def do_GET(self) -> None:
            told = {"ApiVersion": "1.41"} if self.path == "/version" else {"ExitCode": left.pop(0)}
            self.answer(200, json.dumps(told).encode())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.answer(200, b"" if self.path.endswith("/start") else b'{"Id": "e1"}')

    with LocalServer(Engine) as server:
        yield DockerEngine(f"tcp://{server.host}")


def test_command_that_closes_its_output_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with running(None, None, 7) as engine:
        assert run_inside(engine, "web", ["backup"], 5.0) == Ran(7, "")


def test_command_without_an_end_is_given_up() -> None:
    with running(*[None] * 99) as engine:
        assert run_inside(engine, "web", ["backup"], 0.2) is None
