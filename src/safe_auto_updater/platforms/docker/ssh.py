"""To an engine over ssh: a child process per connection, as Docker's own command does it."""

from __future__ import annotations

import shlex
import socket
import subprocess
import tempfile
from typing import IO
from urllib.parse import SplitResult, unquote

from safe_auto_updater.platforms.docker.line import Line

LOGIN_S = 30.0  # for the way there, keys, and the start of `docker` on the other side
END_S = 2.0
_OPTIONS = (
    "BatchMode=yes",  # nobody is there to answer
    f"ConnectTimeout={LOGIN_S:g}",
    "ServerAliveInterval=10",  # a dead link is told in half a minute, also in a long stop
    "ServerAliveCountMax=3",
)


def command(to: SplitResult) -> list[str]:
    """What is run for `ssh://[user@]host[:port][/path/of/the/socket]`."""
    words = ["ssh", "-T"]
    for option in _OPTIONS:
        words += ["-o", option]
    if to.username:
        words += ["-l", unquote(to.username)]
    if to.port:
        words += ["-p", str(to.port)]
    remote = ["docker", "system", "dial-stdio"]
    if to.path.strip("/"):
        remote[1:1] = ["--host", f"unix://{to.path}"]
    return [*words, "--", to.hostname or "", shlex.join(remote)]


def dial_stdio(to: SplitResult) -> Line:
    """A socket whose other end is the engine, once it answers. OSError without an ssh command."""
    ours, theirs = socket.socketpair()
    said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `_end`, when the child is
    try:
        child = subprocess.Popen(
            command(to),
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=said,
            start_new_session=True,  # no terminal to ask on, and Ctrl-C is not for it
        )
    except FileNotFoundError:
        ours.close()
        said.close()
        raise ConnectionError("there is no `ssh` command here; install openssh-client") from None
    finally:
        theirs.close()
    ours.settimeout(LOGIN_S)
    return Line(ours, lambda: _end(child, said), lambda: _last_words(child, said))


def _end(child: subprocess.Popen[bytes], said: IO[bytes]) -> None:
    child.terminate()
    try:
        child.wait(END_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    said.close()


def _last_words(child: subprocess.Popen[bytes], said: IO[bytes]) -> str:
    """What ssh wrote on its standard error, if it has ended."""
    try:
        code = child.wait(END_S)
    except subprocess.TimeoutExpired:
        return ""
    said.seek(0)
    lines = [line.strip() for line in said.read().decode("utf-8", "replace").splitlines()]
    told = "; ".join(line for line in lines[-5:] if line)
    return f"ssh says: {told[-500:]}" if told else f"ssh ended with exit code {code}"
