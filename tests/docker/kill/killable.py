"""`sau`, the real program, with numbered instants at one of which something terrible happens.

Started as `python killable.py SPEC -- ARGUMENTS OF SAU`, SPEC being a JSON file. An instant is the
moment before and after each journal row, each question that changes something on the engine, and
(`sent`) between such a question and its answer; and each phase's first look, the first message
of a pull, and the writing of a file. `trace` lists the instants that were reached; without `at`
nothing happens at any.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from lab import engine
from lab.layout import Layout
from safe_auto_updater import cli
from safe_auto_updater.engine.journal import Journal
from safe_auto_updater.platforms.docker.compose import writing
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.updater import DockerUpdater
from safe_auto_updater.platforms.docker.watchtower.api import WatchtowerApi
from safe_auto_updater.platforms.kubernetes.cluster import Cluster
from safe_auto_updater.platforms.kubernetes.helm import command
from safe_auto_updater.platforms.kubernetes.helm.updater import HelmUpdater
from safe_auto_updater.platforms.kubernetes.updater import KubernetesUpdater

Act = Callable[[], None]
MOMENTS_S = (0.2, 0.3, 0.5)
"""How long after the one before a run of helm is hit."""
BOTH_RUN = "both run"
"""Noted in the trace where a look meets the old and the new container running: never."""


class Instants:
    """Counts the instants of the kinds that are asked for, and acts at one of them."""

    def __init__(self, trace: Path, kinds: list[str], at: int | str | None, act: Act) -> None:
        self._trace, self._kinds, self._at, self._act = trace, kinds, at, act
        self._count = 0
        self._phase, self._looked_in = "", ""
        self._asking = ""

    def here(self, kind: str, what: str) -> None:
        """One instant, reached; `at` is its number or its whole name."""
        if kind not in self._kinds:
            return
        self._count += 1
        name = f"{kind} {what}"
        self._note(name)
        if self._at in (self._count, name):
            self._at = None
            self._act()

    def _note(self, what: str) -> None:
        with self._trace.open("a") as file:
            file.write(f"{what}\n")

    def watch(self) -> None:
        """Put instants around everything that the program does to the world and the journal."""
        self._around_journal()
        self._around_engine()
        self._around_watchtower()
        self._around_cluster()
        self._around_helm()
        self._around_looks()
        self._around_files()

    def _around_journal(self) -> None:
        begin, enter = Journal.begin, Journal.enter

        def watched_begin(journal: Journal, update: str, step: Any) -> None:
            self.here("unwritten", "BEGIN")
            begin(journal, update, step)
            self.here("written", "BEGIN")

        def watched_enter(journal: Journal, update: str, phase: Any, facts: Any) -> None:
            self.here("unwritten", phase.value)
            self._phase = phase.value  # also where the journal cannot be written
            enter(journal, update, phase, facts)
            self.here("written", phase.value)

        Journal.begin, Journal.enter = watched_begin, watched_enter

    def _around_engine(self) -> None:
        ask, stream, answer = DockerEngine._ask, DockerEngine.stream, HTTPConnection.getresponse

        def watched_ask(host: DockerEngine, method: str, path: str, **arguments: Any) -> Any:
            if method in ("GET", "HEAD"):
                return ask(host, method, path, **arguments)
            what = f"{method} {_short(path)}"
            self.here("unasked", what)
            self._asking = what
            try:
                response = ask(host, method, path, **arguments)
            finally:
                self._asking = ""
            self.here("answered", what)
            return response

        def watched_answer(connection: HTTPConnection) -> Any:
            if self._asking:
                self.here("sent", self._asking)
            return answer(connection)

        def watched_stream(*positional: Any, **named: Any) -> Iterator[Any]:
            for number, message in enumerate(stream(*positional, **named)):
                if number == 0:
                    self.here("streamed", "first message")
                yield message

        DockerEngine._ask, DockerEngine.stream = watched_ask, watched_stream
        HTTPConnection.getresponse = watched_answer

    def _around_watchtower(self) -> None:
        post = WatchtowerApi._post

        def watched_post(watchtower: WatchtowerApi, *positional: Any) -> Any:
            self.here("unasked", "POST watchtower")
            self._asking = "POST watchtower"
            try:
                answered = post(watchtower, *positional)
            finally:
                self._asking = ""
            self.here("answered", "POST watchtower")
            return answered

        WatchtowerApi._post = watched_post

    def _around_cluster(self) -> None:
        content = Cluster._content
        looked = KubernetesUpdater.look

        def watched_content(
            cluster: Cluster, method: str, path: str, *more: Any, **named: Any
        ) -> bytes:
            changes_nothing = method == "GET" or "dryRun" in str(more[:1])
            if changes_nothing or path.endswith("/events"):  # told beside it, at any time
                return content(cluster, method, path, *more, **named)
            what = f"{method} {path.split('/')[-2]}"
            self.here("unasked", what)
            answered = content(cluster, method, path, *more, **named)
            self.here("answered", what)
            return answered

        def watched_look(updater: KubernetesUpdater, work: Any, side: Any) -> Any:
            self._first_look()
            return looked(updater, work, side)

        Cluster._content, KubernetesUpdater.look = watched_content, watched_look

    def _around_helm(self) -> None:
        """Before and after each run of helm that changes something, and some moments within it."""
        run, looked = command.run, HelmUpdater.look

        def watched_run(words: Sequence[str], *positional: Any, **named: Any) -> Any:
            if words[1] not in ("upgrade", "rollback") or "--dry-run=server" in words:
                return run(words, *positional, **named)
            what, over = f"helm {words[1]}", threading.Event()
            self.here("unasked", what)
            beside = threading.Thread(target=self._during, args=(what, over), daemon=True)
            beside.start()
            try:
                ended = run(words, *positional, **named)
            finally:
                over.set()
                beside.join()
            self.here("answered", what)
            return ended

        def watched_look(updater: HelmUpdater, work: Any, side: Any) -> Any:
            self._first_look()
            return looked(updater, work, side)

        command.run, HelmUpdater.look = watched_run, watched_look

    def _during(self, what: str, over: threading.Event) -> None:
        for moment_s in MOMENTS_S:
            if over.wait(moment_s):
                return
            self.here("sent", f"{what}, {moment_s} s later")

    def _first_look(self) -> None:
        if self._looked_in != self._phase:
            self._looked_in = self._phase
            self.here("unseen", self._phase)

    def _around_looks(self) -> None:
        look = DockerUpdater.look

        def watched_look(updater: DockerUpdater, work: Any, side: Any) -> Any:
            self._first_look()
            both = [updater._containers.find(work.facts.get(k, "-")) for k in ("old_id", "new_id")]
            if all(one is not None and one["State"]["Running"] for one in both):
                self._note(BOTH_RUN)
            return look(updater, work, side)

        DockerUpdater.look = watched_look

    def _around_files(self) -> None:
        """Before, in the middle of, and after each file that is written beside the journal."""
        fsync, filing = os.fsync, ""

        def watched(what: str, write: Callable[[Path, bytes], None]) -> Callable[..., None]:
            def watched_write(path: Path, content: bytes) -> None:
                nonlocal filing
                self.here("file", f"before {what}")
                filing = what
                try:
                    write(path, content)
                finally:
                    filing = ""
                self.here("file", f"after {what}")

            return watched_write

        def watched_fsync(file: int) -> None:
            fsync(file)
            if filing:
                self.here("file", f"synced in {filing}")

        os.fsync = watched_fsync
        writing.create = watched("create", writing.create)
        writing.replace_content = watched("replace", writing.replace_content)


def _short(path: str) -> str:
    """A path without what differs from run to run."""
    kind, verb = path.split("/")[1], path.rsplit("/", 1)[-1]
    return f"{kind}/{verb}" if verb in _VERBS else kind


_VERBS = ("create", "stop", "start", "update", "rename", "tag", "connect", "disconnect")


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_helm() -> None:
    """SIGKILL to the helm that runs for us; we live on."""
    me = os.getpid()
    for child in Path(f"/proc/{me}/task").glob("*/children"):
        for pid in child.read_text().split():
            if "helm" in Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(int(pid), signal.SIGKILL)


def _lab() -> Layout:
    """The lab that we run in."""
    told = json.loads(Path(os.environ["SAU_LAB"]).read_text())
    return Layout.here(told["instance"], told["release"])


def _stall_engine() -> Act:
    """The engine stands still, takes one more question, and its asker is gone at once."""
    layout = _lab()

    def act() -> None:
        pid = engine.dockerd(layout).pid()
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        HTTPConnection.getresponse = lambda _: _kill()

    return act


def _crash_engine(spec: dict[str, Any]) -> Act:
    """SIGKILL (or `gently` SIGTERM) to dockerd; another process starts it again after a while."""
    layout = _lab()
    starter = (
        f"import sys, time; sys.path.insert(0, {str(Path(__file__).resolve().parents[3])!r})\n"
        "from lab import engine; from lab.layout import Layout\n"
        f"time.sleep({spec['away_s']}); "
        f"engine.start(Layout.here({layout.instance!r}, {layout.engine!r}))"
    )

    def act() -> None:
        if spec.get("gently"):
            engine.dockerd(layout).stop(signal.SIGTERM, 30)
        else:
            engine.kill(layout)
        back = subprocess.Popen([sys.executable, "-c", starter], start_new_session=True)
        if spec.get("unnoticed"):  # we were asleep meanwhile, and meet an engine that answers
            back.wait()

    return act


def fill(file: Path) -> None:
    """Write until not one more byte fits on the disk."""
    size = 1 << 16
    with file.open("wb", buffering=0) as ballast:
        while size:
            try:
                ballast.write(b"\0" * size)
            except OSError:
                size //= 2


def _break_disk(device: str) -> Act:
    """What a kernel does to a failing ext4: it becomes read-only under open files."""

    def act() -> None:
        Path(f"/sys/fs/ext4/{device}/trigger_fs_error").write_text("1")

    return act


def action(spec: dict[str, Any]) -> Act:
    """What happens at the chosen instant."""
    match spec["action"]:
        case "kill":
            return _kill
        case "kill helm":
            return _kill_helm
        case "stall engine":
            return _stall_engine()
        case "crash engine":
            return _crash_engine(spec)
        case "fill disk":
            return lambda: fill(Path(spec["folder"]) / "ballast")
        case "break disk":
            return _break_disk(spec["device"])
        case unknown:
            raise ValueError(unknown)


def main() -> None:
    """Entry point."""
    spec_file, _, *arguments = sys.argv[1:]
    spec = json.loads(Path(spec_file).read_text())
    instants = Instants(Path(spec["trace"]), spec["kinds"], spec.get("at"), action(spec))
    instants.watch()
    sys.argv = ["sau", *arguments]
    cli.main()


if __name__ == "__main__":
    main()
