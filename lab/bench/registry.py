"""Registries of the bench's own: access logs count requests, and images go with them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from lab.bench.errors import BenchError
from lab.bench.processes import wait_until

ADDRESS = "127.0.0.1:5077"
_REQUEST = re.compile(rb'"([A-Z]+ /v2/\S*) HTTP/1\.1"')


class CountingRegistry:
    """``with CountingRegistry(folder) as registry``; those of one folder have the same images.

    It listens on its port at every address of this machine.
    """

    def __init__(self, folder: Path, address: str = ADDRESS) -> None:
        self._folder, self._address = folder, address
        self._port = address.rpartition(":")[2]
        self._log = folder / f"access-{self._port}.log"

    def __enter__(self) -> Self:
        settings = {
            "version": 0.1,
            "log": {"level": "error", "accesslog": {"disabled": False}},
            "storage": {"filesystem": {"rootdirectory": str(self._folder / "registry")}},
            "http": {"addr": f":{self._port}"},
        }
        file = self._folder / f"registry-{self._port}.yml"
        file.write_text(json.dumps(settings))  # JSON is YAML
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["docker-registry", "serve", str(file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        wait_until(self._answers, "the bench's registry does not answer")
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
        return len(self.asked())

    def asked(self) -> list[str]:
        """Those requests, method and path, in the order in which they were logged."""
        time.sleep(0.2)  # a request is logged after its answer was sent
        return [line.decode() for line in _REQUEST.findall(self._log.read_bytes())]

    def wait_for(self, count: int, timeout_s: float = 60) -> None:
        """Until so many more were answered than by now."""
        with self._log.open("rb") as log:
            log.seek(0, os.SEEK_END)
            deadline = time.monotonic() + timeout_s
            while count > 0:
                if time.monotonic() > deadline:
                    raise BenchError(f"{count} requests did not come within {timeout_s:g} s")
                time.sleep(0.001)
                count -= len(_REQUEST.findall(b"".join(_whole_lines(log))))

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self._address}/v2/", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def _whole_lines(log: BinaryIO) -> Iterator[bytes]:
    while line := log.readline():
        if not line.endswith(b"\n"):
            log.seek(-len(line), os.SEEK_CUR)
            return
        yield line
