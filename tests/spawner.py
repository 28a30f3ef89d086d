"""Starts the program again and again without importing it each time.

One process per test process imports the program once and forks for each command: the child is the
program with arguments, environment, folder and files of its own, and can be killed as any other.
What it saves is most of what a short command costs. A command with settings of Python's own is
started the long way.
"""

from __future__ import annotations

import atexit
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

CLONE = Path(__file__).resolve().parent.parent
SAU = str(Path(sys.executable).parent / "sau")
KILLABLE = str(CLONE / "tests/docker/kill/killable.py")
_AT_START = dict(os.environ)


def run(
    command: Sequence[str], env: Mapping[str, str], timeout_s: float, one_stream: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run `sau` or the killable program to its end, as `subprocess.run` does with text.

    With `one_stream` what it says on both streams is in `stdout`. Raises TimeoutExpired.
    """
    if _for_python(env) != _for_python(_AT_START):
        words = [sys.executable, *command] if command[0] == KILLABLE else list(command)
        errors = subprocess.STDOUT if one_stream else subprocess.PIPE
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": errors}
        return subprocess.run(words, env=env, timeout=timeout_s, text=True, check=False, **streams)
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        Path(os.devnull).open("rb") as nothing,
        socket.socket(socket.AF_UNIX) as line,
    ):
        line.connect(_server())
        files = [nothing.fileno(), out.fileno(), (out if one_stream else err).fileno()]
        told = {"command": list(command), "env": dict(env), "cwd": str(Path.cwd())}
        body = json.dumps(told).encode()
        socket.send_fds(line, [len(body).to_bytes(8, "big")], files)
        line.sendall(body)
        line.settimeout(timeout_s)
        pid = 0
        try:
            answers = line.makefile("r")
            pid = int(answers.readline())
            code = int(answers.readline())
        except TimeoutError:
            if pid:
                os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(list(command), timeout_s) from None
        for file in (out, err):
            file.seek(0)
        texts = [file.read().decode(errors="replace") for file in (out, err)]
        return subprocess.CompletedProcess(list(command), code, *texts)


def _for_python(env: Mapping[str, str]) -> dict[str, str]:
    """What Python itself reads of an environment when it starts."""
    return {k: v for k, v in env.items() if k.startswith("PYTHON") and "PYCACHE" not in k}


@cache
def _server() -> str:
    """The socket, of no file, of this process's own server, which ends with it."""
    name = f"sau-{os.getpid()}-{secrets.token_hex(4)}"
    words = [sys.executable, "-m", "tests.spawning", name]
    piped = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    child = subprocess.Popen(words, cwd=CLONE, env=_AT_START, **piped)
    atexit.register(child.kill)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n", "the program cannot be imported"
    return f"\0{name}"
