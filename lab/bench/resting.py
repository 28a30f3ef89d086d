"""What the service needs while it waits for its next cycle: memory."""

from __future__ import annotations

import os
import signal
import socket
import urllib.request
from pathlib import Path

from lab.bench.figures import Goal, at_most
from lab.bench.processes import start, wait_until
from lab.bench.sandbox import SAU, Sandbox

CONTAINERS, CYCLES = 20, 5
MOST_MB = 60
_COUNTED = "safe_auto_updater_cycles_total "


def measure(sandbox: Sandbox) -> Goal:
    """Resident memory in MB (10^6 bytes) after a few cycles over a few containers."""
    name = "resting-"
    image = sandbox.pull(sandbox.publish(name.strip("-"), "1.0.0"))
    for number in range(CONTAINERS):
        sandbox.run(f"{name}{number}", image)
    config = sandbox.configure(name, name)
    config.write_text(f"{config.read_text()}detection: {{interval: 1s}}\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ("--config", str(config), "--state", str(sandbox.folder / name))
    service = start(SAU, *options, "run", "--listen", f"127.0.0.1:{port}")
    try:
        wait_until(lambda: _cycles(port) >= CYCLES, f"fewer than {CYCLES} cycles", 120)
        return at_most("resident memory", _resident_mb(service.pid), MOST_MB, " MB")
    finally:
        os.kill(service.pid, signal.SIGTERM)
        service.wait(60)
        sandbox.remove(name)


def _cycles(port: int) -> float:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
            lines = page.read().decode().splitlines()
    except OSError:
        return 0  # it begins
    return next((float(x.removeprefix(_COUNTED)) for x in lines if x.startswith(_COUNTED)), 0)


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024 / 1e6
