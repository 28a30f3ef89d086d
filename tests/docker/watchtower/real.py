"""A real Watchtower, of whichever line, as `SAU_TEST_WATCHTOWER` names it."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

from tests.lab_kit import Lab, eventually

PROGRAM = os.environ.get("SAU_TEST_WATCHTOWER", "")


def line_of(program: str) -> str:
    """Which of the two a program is: only the fork can listen elsewhere than at 8080."""
    told = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
    return "fork" if "--http-api-port" in told.stdout + told.stderr else "original"


class RealWatchtower:
    """One process beside the test, on the lab's engine."""

    def __init__(self, lab: Lab, token: str, log: Path, watches: str, cleanup: bool) -> None:
        self.line = line_of(PROGRAM)
        port = 8080
        words = ["--http-api-update", "--no-startup-message", "--debug"]
        if self.line == "fork":
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            words += ["--http-api-port", str(port)]
        if cleanup:
            words.append("--cleanup")
        self.url = f"http://127.0.0.1:{port}"
        self._log = log.open("wb")
        api = ".".join(str(number) for number in lab.engine_api)
        self._process = subprocess.Popen(
            [PROGRAM, *words, watches],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(log.parent),
                "DOCKER_HOST": lab.docker_host,
                "DOCKER_API_VERSION": api,
                "WATCHTOWER_HTTP_API_TOKEN": token,
            },
        )
        eventually(lambda: _listens(port), 30)

    def close(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()
        self._log.close()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
