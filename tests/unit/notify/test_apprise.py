"""Notices by the real apprise library, speaking to a local stand-in of the services."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import pytest

from safe_auto_updater.core.errors import PlatformError, PlatformUnreachable
from safe_auto_updater.core.events import Event
from safe_auto_updater.notify import apprise as by_apprise
from safe_auto_updater.notify.apprise import AppriseNotifier
from tests.unit.notify.kit import EVENT, Hook, of
from tests.wire_kit import serving

pytestmark = pytest.mark.slow
"""Each has a child process of its own, which imports all of apprise."""


def at(hook: Hook, scheme: str, path: str) -> str:
    """An address of apprise at the local stand-in."""
    return f"{scheme}://{hook.url.split('/')[2]}/{path}"


def test_notice_reaches_json_ntfy_and_gotify(hook: Hook, tmp_path: Path) -> None:
    (tmp_path / "urls").write_text(
        f"# secrets live here\n\n{at(hook, 'gotify', 's3cr3ttoken')}\n{at(hook, 'ntfy', 'ops')}\n"
    )
    hook.answers[:] = [200] * 3
    notifier = AppriseNotifier((at(hook, "json", "hook"),), str(tmp_path / "urls"))

    notifier.send(of(EVENT))

    by_path = {path.split("?")[0]: (headers, body) for _, path, headers, body in hook.requests}
    assert len(hook.requests) == 3
    told = json.loads(by_path["/hook"][1])
    assert (told["title"], told["type"]) == ("web: rolled back", "warning")
    assert told["message"].startswith("1.3 failed\nAsset: docker:local/web")
    assert json.loads(by_path["/message"][1])["title"] == "web: rolled back"
    assert any("web: rolled back" in str(known) for path, known in by_path.items() if path == "/")


def test_text_that_is_too_long_for_a_service_comes_in_parts(hook: Hook) -> None:
    hook.answers[:] = [200] * 9
    long = Event("summary", "line of a summary\n" * 440, 0.0)
    AppriseNotifier((at(hook, "ntfy", "ops"),)).send(of(long))

    told = [body.decode() for *_, body in hook.requests]
    assert len(told) == 2
    assert "".join(told).count("line of a summary") == 440


def test_only_what_failed_is_tried_again(hook: Hook) -> None:
    one, two = at(hook, "json", "one"), at(hook, "json", "two")
    notifier = AppriseNotifier((one, two))
    hook.answers[:] = [500, 200]
    notice = of(EVENT)
    with pytest.raises(PlatformUnreachable, match=r"URL 1 \(json://\) was answered 500"):
        notifier.send(notice)
    hook.answers[:] = [200]
    notifier.send(notice)
    assert [path for _, path, _, _ in hook.requests] == ["/one", "/two", "/one"]

    hook.answers[:] = [200, 200]
    notifier.send(of(Event("succeeded", "another", 0.0)))
    assert [path for _, path, _, _ in hook.requests[3:]] == ["/one", "/two"]


@pytest.mark.parametrize(
    ("urls", "status", "kind", "told"),
    [
        (("json://{here}/s3cr3t",), 401, PlatformError, "was answered 401"),
        (("nosuch://s3cr3t/",), 200, PlatformError, "is no address that apprise knows"),
        (("json://127.0.0.1:1/s3cr3t",), 200, PlatformUnreachable, "could not be reached"),
        (("nosuch://a/", "json://{here}/s3cr3t"), 503, PlatformUnreachable, "URL 2"),
    ],
)
def test_failure_is_named_by_number_and_scheme_alone(
    hook: Hook, urls: tuple[str, ...], status: int, kind: type[Exception], told: str
) -> None:
    hook.answers[:] = [status]
    here = hook.url.split("/")[2]
    with pytest.raises(kind) as caught:
        AppriseNotifier(tuple(url.format(here=here) for url in urls)).send(of(EVENT))
    assert told in str(caught.value)
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


def test_missing_library_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)  # as if it were not installed
    with pytest.raises(PlatformError, match=r"pip install 'safe-auto-updater\[apprise\]'"):
        AppriseNotifier(("json://127.0.0.1/",)).send(of(EVENT))


@pytest.mark.parametrize("text", ["", "# nothing\n\n", None])
def test_file_without_urls_is_named(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "urls"
    if text is not None:
        file.write_text(text)
    with pytest.raises(PlatformError, match=r"urls_file .*urls"):
        AppriseNotifier(urls_file=str(file)).send(of(EVENT))


CHILDREN = {
    "hangs, and what it has started too": "sleep 600 & echo $! $$ > {pids}; wait",
    "crashes": "kill -ABRT $$",
    "floods": "head -c 10000000 /dev/zero",
    "answers nonsense": "printf '\\036{{}}'",
}


@pytest.mark.parametrize("what", CHILDREN)
def test_child_that_misbehaves_ends_and_harms_nobody(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = tmp_path / "pids"
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{CHILDREN[what].format(pids=pids)}\n")
    program.chmod(0o755)
    monkeypatch.setattr(by_apprise.sys, "executable", str(program))
    timeout_s = 2.0 if "hangs" in what else 60.0

    with pytest.raises(PlatformUnreachable, match=r"no answer"):
        AppriseNotifier(("json://127.0.0.1/",), timeout_s=timeout_s).send(of(EVENT))

    left = pids.read_text().split() if "hangs" in what else []
    assert len(left) == (2 if "hangs" in what else 0)
    assert all(_ended(int(pid)) for pid in left)


def test_child_ends_with_the_program_that_is_killed() -> None:
    asked = threading.Event()

    def hang(connection: socket.socket) -> None:
        asked.set()
        connection.settimeout(60)
        while connection.recv(65536):
            pass

    with serving(hang) as port:
        code = (
            "from safe_auto_updater.core.events import Event\n"
            "from safe_auto_updater.core.wording import Wording, notice\n"
            "from safe_auto_updater.notify.apprise import AppriseNotifier\n"
            "told = notice([Event('held', 'x', 0.0)], Wording(), 'here')\n"
            f"AppriseNotifier(('json://127.0.0.1:{port}/',)).send(told)\n"
        )
        with subprocess.Popen([sys.executable, "-c", code]) as program:
            assert asked.wait(120)
            tasks = Path(f"/proc/{program.pid}/task").glob("*/children")
            children = [int(pid) for task in tasks for pid in task.read_text().split()]
            program.kill()
        assert len(children) == 1
        assert _ended(children[0])


def _ended(pid: int) -> bool:
    """Gone, or a corpse that nobody has fetched yet: both within a moment of the signal."""
    for _ in range(1000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        os.sched_yield()
    return False
