"""Well when the port accepts a connection, and keeps it for a moment."""

from __future__ import annotations

import socket

from safe_auto_updater.core.ports import CheckResult, CheckState, Subject
from safe_auto_updater.core.probing import ADDRESS, cannot_tell, dial, no_address

# Docker's port proxy accepts for a container that does not listen, and hangs up at once.
_HANGS_UP_WITHIN_S = 0.2


class TcpCheck:
    """`host` may be `{address}`, the container's own. A new connection for each look."""

    def __init__(self, port: int, host: str = ADDRESS, timeout_s: float = 5.0) -> None:
        self._host = host
        self._port = port
        self._timeout_s = timeout_s

    def check(self, subject: Subject) -> CheckResult:
        """One look. Failing while nobody listens; unknown where the host has no address."""
        host = dial(self._host, subject)
        if host is None:
            return no_address("tcp", subject)
        where = f"{host}:{self._port}"
        try:
            with socket.create_connection((host, self._port), self._timeout_s) as connection:
                connection.settimeout(min(_HANGS_UP_WITHIN_S, self._timeout_s))
                if _hangs_up(connection):
                    text = f"{where} accepts connections and closes them at once"
                    return CheckResult("tcp", CheckState.FAILING, text)
        except socket.gaierror as error:
            return cannot_tell("tcp", f"{host} cannot be resolved: {error.strerror}")
        except TimeoutError:
            text = f"{where} did not accept within {self._timeout_s:g} s"
            return CheckResult("tcp", CheckState.FAILING, text)
        except OSError as error:
            return CheckResult("tcp", CheckState.FAILING, f"{where}: {error.strerror or error}")
        return CheckResult("tcp", CheckState.PASSED, f"{where} accepts connections")


def _hangs_up(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except TimeoutError:
        return False
