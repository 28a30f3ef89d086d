"""What the engine client makes of an engine's answers, over a real connection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from safe_auto_updater.core.errors import PlatformError
from safe_auto_updater.platforms.docker.engine import RETRY_S, DockerEngine
from tests.http_kit import LocalServer, QuietHandler

VERSION = {"Version": "29.0.0", "ApiVersion": "1.52", "MinAPIVersion": "1.44"}
CHANGING = {"message": "consistency error: data changed during operation, retry"}


@contextmanager
def answering(*answers: tuple[int, Any]) -> Iterator[tuple[DockerEngine, list[str]]]:
    """An engine that gives these answers in turn, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            status, body = (200, VERSION) if self.path == "/version" else answers[len(asked)]
            if self.path != "/version":
                asked.append(self.path)
            self.answer(status, json.dumps(body).encode())

    with LocalServer(Handler) as server:
        yield DockerEngine(f"tcp://{server.host}"), asked


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def test_what_changed_while_the_engine_looked_is_asked_again() -> None:
    with answering((500, CHANGING), (500, CHANGING), (200, {"Id": "x"})) as (engine, asked):
        assert engine.get("/images/x/json") == {"Id": "x"}
    assert len(asked) == 3


def test_what_never_stops_changing_is_told() -> None:
    refused = pytest.raises(PlatformError, match="data changed during operation")
    with answering(*[(500, CHANGING)] * 4) as (engine, asked), refused:
        engine.get("/images/x/json")
    assert len(asked) == len(RETRY_S) + 1


def test_any_other_refusal_is_told_at_once() -> None:
    refused = pytest.raises(PlatformError, match="no")
    with answering((500, {"message": "no"})) as (engine, asked), refused:
        engine.get("/images/x/json")
    assert len(asked) == 1
