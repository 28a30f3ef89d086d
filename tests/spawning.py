"""``python -m tests.spawning NAME``: imports the program once, and forks for each command.

It ends with its standard input, so with whoever started it. See tests/spawner.py.
"""

from __future__ import annotations

import atexit
import json
import os
import pkgutil
import select
import signal
import socket
import sys
import threading
import traceback
from importlib import import_module
from typing import Any, NoReturn

import safe_auto_updater
from tests.docker.kill import killable
from tests.spawner import KILLABLE

_LATE = ("kubernetes.config", "kubernetes.client.rest", "rich.table", "rich.progress")
"""What the program imports when it is needed, of others."""


def _program(line: socket.socket) -> NoReturn:
    """Become the program that was asked for."""
    size, files, _, _ = socket.recv_fds(line, 8, 3)
    body = b""
    while len(body) < int.from_bytes(size, "big"):
        body += line.recv(1 << 20)
    told: dict[str, Any] = json.loads(body)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid:
        line.sendall(f"{pid}\n".encode())
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        line.sendall(f"{code}\n".encode())
        os._exit(0)
    line.close()
    os.environ.clear()
    os.environ.update(told["env"])
    os.chdir(told["cwd"])
    sys.argv = told["command"]
    main = killable.main if sys.argv[0] == KILLABLE else killable.cli.main
    os._exit(_ended(main))


def _ended(main: Any) -> int:
    """Run it as Python runs a program, to its exit code."""
    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return code


def serve(name: str) -> None:
    """Fork for whoever connects to the socket of this name, until standard input ends."""
    for found in pkgutil.walk_packages(safe_auto_updater.__path__, "safe_auto_updater."):
        import_module(found.name)
    for late in _LATE:
        import_module(late)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who attend
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(f"\0{name}")
    listening.listen(16)
    print("ready", flush=True)
    while True:
        ready, _, _ = select.select([0, listening], [], [])
        if 0 in ready:
            return
        line, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            _program(line)
        line.close()


if __name__ == "__main__":
    serve(sys.argv[1])
