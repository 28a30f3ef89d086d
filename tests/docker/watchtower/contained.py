"""The stand-in as the one program of a container, with the engine's socket at its usual place.

It reads its token as the real one does: from the file that its variable names.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.docker.watchtower.standin import StandIn, Ways

PORT = 8080


def main() -> None:
    """Serve until ended."""
    lab: Any = SimpleNamespace(socket=Path("/var/run/docker.sock"))
    token = Path(os.environ["WATCHTOWER_HTTP_API_TOKEN"]).read_text().strip()
    if os.environ["WATCHTOWER_HTTP_API_UPDATE"] != "true":
        sys.exit("it is not told to serve its API")
    StandIn(lab, "fork", token, Ways(watches=" ".join(sys.argv[1:]) or ".*"), ("0.0.0.0", PORT))
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
