"""An engine on another machine: its files are there, whatever lies here under the same name."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.core.errors import NotFound
from safe_auto_updater.platforms.docker.compose.command import Elsewhere
from safe_auto_updater.platforms.docker.compose.errors import Unclear
from safe_auto_updater.platforms.docker.compose.file import ComposeFile
from safe_auto_updater.platforms.docker.own import Own, is_here
from safe_auto_updater.platforms.docker.self_id import OwnId

LABELS = {
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": "web",
    "com.docker.compose.config-hash": "x",
    "com.docker.compose.project.working_dir": "/opt/shop",
}


def test_file_of_the_same_name_here_is_never_looked_at(tmp_path: Path) -> None:
    here = tmp_path / "compose.yml"
    here.write_text("services: {web: {image: 'web:1'}}\n")
    labels = LABELS | {"com.docker.compose.project.config_files": str(here)}
    with pytest.raises(
        Unclear, match="where engine attic runs, which is not known to be this machine"
    ):
        ComposeFile(lambda: Elsewhere("attic"), tmp_path, threading.Lock()).edit(
            {"Config": {"Labels": labels}}, "web:1", "web:2"
        )


class Engine:
    """An engine at an address, on which our own container may run."""

    def __init__(self, host: str, has: str = "", name: str = "nas") -> None:
        self.host, self._has, self._name = host, has, name

    def get(self, path: str) -> Any:
        if path == "/info":
            return {"Name": self._name}
        if not self._has or self._has not in path:
            raise NotFound(path)
        return {}


OWN = Own(OwnId("a" * 64, True), Path("/state"))
OUTSIDE = Own(None, Path("/state"))


@pytest.mark.parametrize(
    ("engine", "own", "here"),
    [
        (Engine("unix:///var/run/docker.sock", name=socket.gethostname()), OUTSIDE, True),
        (Engine("unix:///var/run/docker.sock"), OWN, True),
        (Engine("unix:///tmp/forwarded.sock"), OUTSIDE, False),
        (Engine("tcp://127.0.0.1:2375", name=socket.gethostname()), OUTSIDE, True),
        (Engine("tcp://127.0.0.1:2375"), OUTSIDE, False),
        (Engine("ssh://me@localhost"), OUTSIDE, False),
        (Engine("tcp://socket-proxy:2375", has="a" * 64), OWN, True),
        (Engine("tcp://attic:2376"), OWN, False),
        (Engine("tcp://attic:2376"), OUTSIDE, False),
        (Engine("ssh://attic", has="a" * 64), OWN, False),
    ],
)
def test_engine_is_here_where_its_socket_is_or_where_we_run_on_it(
    engine: Any, own: Own, here: bool
) -> None:
    assert is_here(engine, own) is here
