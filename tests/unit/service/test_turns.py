"""Who acts on a state folder, and who waits for whom."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from safe_auto_updater.app import SystemClock
from safe_auto_updater.core.errors import Busy
from safe_auto_updater.engine import turns
from safe_auto_updater.engine.state import acting
from safe_auto_updater.engine.turns import SERVICE, is_wanted, only_service, person, turn


def never() -> bool:
    return False


def as_person(folder: Path, told: list[str]) -> None:
    with person(folder, "sau apply", time.time, time.sleep, told.append):
        told.append("in")


def test_a_person_waits_for_the_service_and_the_service_sees_it(tmp_path: Path) -> None:
    told: list[str] = []
    with acting(tmp_path, SERVICE, 0.0):
        waiting = threading.Thread(target=as_person, args=(tmp_path, told))
        waiting.start()
        while not is_wanted(tmp_path):
            time.sleep(0.01)
        assert "in" not in told
        assert "it lets us in" in told[0]
    waiting.join(30)
    assert told[-1] == "in"
    assert not is_wanted(tmp_path)


def test_the_service_takes_no_turn_while_a_person_is_in(tmp_path: Path) -> None:
    order: list[str] = []
    told: list[str] = []

    def serve() -> None:
        with turn(tmp_path, SystemClock(), never, told.append) as mine:
            order.append(f"service {mine}")

    with person(tmp_path, "sau apply", time.time, time.sleep, told.append):
        thread = threading.Thread(target=serve)
        thread.start()
        time.sleep(0.3)
        order.append("person")
    thread.join(30)
    assert order == ["person", "service True"]
    assert told == [], "nobody was in the way"


def test_a_person_does_not_wait_for_another_person(tmp_path: Path) -> None:
    with (
        acting(tmp_path, "sau apply", 0.0),
        pytest.raises(Busy, match="sau apply"),
        person(tmp_path, "sau rollback", time.time, time.sleep, print),
    ):
        pass


def test_asked_to_end_the_service_waits_for_no_turn(tmp_path: Path) -> None:
    with (
        acting(tmp_path, "sau apply", 0.0),
        turn(tmp_path, SystemClock(), lambda: True, print) as mine,
    ):
        assert mine is False


def test_a_folder_has_one_service(tmp_path: Path) -> None:
    with only_service(tmp_path), pytest.raises(Busy), only_service(tmp_path):
        pass
    with only_service(tmp_path):
        pass


def test_who_keeps_the_service_waiting_for_long_is_named_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LONG_S", 0.0)
    told: list[str] = []
    looks = iter([False, False, False, True])
    with (
        acting(tmp_path, "sau apply", 0.0),
        turn(tmp_path, SystemClock(), lambda: next(looks), told.append),
    ):
        pass
    assert len(told) == 1
    assert "sau apply" in told[0]
