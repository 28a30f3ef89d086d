"""A registry of the bench's own: its access log counts requests, and it takes its images along."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from lab.bench.processes import wait_until

ADDRESS = "127.0.0.1:5077"
_REQUEST_LINE = re.compile(r'"[A-Z]+ /v2/\S* HTTP/1\.1"')


class CountingRegistry:
    """``with CountingRegistry(folder) as registry``."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._log = folder, folder / "access.log"

    def __enter__(self) -> Self:
        settings = {
            "version": 0.1,
            "log": {"level": "error", "accesslog": {"disabled": False}},
            "storage": {"filesystem": {"rootdirectory": str(self._folder / "registry")}},
            "http": {"addr": ADDRESS},
        }
        file = self._folder / "registry.yml"
        file.write_text(json.dumps(settings))  # JSON is YAML
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["docker-registry", "serve", str(file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        wait_until(_answers, "the bench's registry does not answer")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()

    def requests(self) -> int:
        """How many requests it has answered since it started."""
        time.sleep(0.2)  # a request is logged after its answer was sent
        return len(_REQUEST_LINE.findall(self._log.read_text()))


def _answers() -> bool:
    try:
        with urllib.request.urlopen(f"http://{ADDRESS}/v2/", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
