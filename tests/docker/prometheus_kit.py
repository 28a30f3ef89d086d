"""A real Prometheus in the lab, and what it scrapes."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.http_kit import LocalServer, QuietHandler
from tests.lab_kit import eventually, fetch

PASSWORD = "s3cr3t-word"
_HASH = "$2b$04$eX.d9kS94YR2rxhMZZRZEujOg9tiScqZ9c4Wl1F1QbVjpwq3Q2ciK"  # bcrypt of it
_CONFIG = """\
global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}
scrape_configs:
  - job_name: exporter
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


class Served(LocalServer):
    """A server whose `answer` gives status and body for a path."""

    def __init__(self, answer: Callable[[str], tuple[int, str]]) -> None:
        class Handler(QuietHandler):
            def do_GET(self) -> None:
                status, body = answer(self.path)
                self.answer(status, body.encode(), {"Content-Type": "text/plain; version=0.0.4"})

        super().__init__(Handler)


class Prometheus:
    """The server, scraping what `metrics` gives: lines of the text format."""

    def __init__(self, folder: Path, metrics: Callable[[], str], password: bool = False) -> None:
        if shutil.which("prometheus") is None:
            pytest.fail("needs prometheus, which `python -m lab build` installs")
        self._exporter = Served(lambda _: (200, metrics()))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        config = folder / "prometheus.yml"
        config.write_text(_CONFIG.format(port=self._exporter.port))
        web = folder / "web.yml"
        web.write_text(json.dumps({"basic_auth_users": {"sau": _HASH}} if password else {}))
        self._log = (folder / "prometheus.log").open("wb")
        self._process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={config}",
                f"--web.config.file={web}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
            ],
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def values(self, query: str) -> list[str]:
        """What a query gives, asked by ourselves; nothing where it does not answer."""
        asked = urllib.parse.urlencode({"query": query})
        text = fetch(f"{self.url}/api/v1/query?{asked}")
        result: list[Any] = json.loads(text)["data"]["result"] if text else []
        return [one["value"][1] for one in result]

    def has(self, query: str, *values: str) -> None:
        """Wait until a query gives these values."""
        eventually(lambda: self.values(query) == list(values) or None)

    def kill(self) -> None:
        """It is there no more."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.kill()
        self._log.close()
        self._exporter.close()
