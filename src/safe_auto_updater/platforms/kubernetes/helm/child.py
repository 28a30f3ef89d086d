"""One run of the `helm` command: in a group of its own, with a deadline and a memory limit.

It does not outlive us: where this program is killed the kernel ends helm too.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from safe_auto_updater.core.errors import PlatformError

MEMORY_BYTES = 1 << 30
GRACE_S = 5.0
_KEPT = ("PATH", "HOME", "KUBECONFIG", "SSL_CERT_FILE", "SSL_CERT_DIR", "TMPDIR")
_KEPT_BEGINNINGS = ("KUBERNETES_", "AWS_", "GOOGLE_", "CLOUDSDK_", "AZURE_", "HTTP", "NO_PROXY")
"""What credential plugins of a kubeconfig and a way through a proxy need, in any case."""
_BEGIN = """
import ctypes, os, resource, signal, sys
parent, limit, *command = sys.argv[1:]
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(parent):
    os._exit(1)
resource.setrlimit(resource.RLIMIT_DATA, (int(limit), int(limit)))
os.execvp(command[0], command)
"""


@dataclass(frozen=True)
class Ended:
    """How it ended. `late`: it was ended at its deadline."""

    code: int
    out: str
    err: str
    late: bool = False


def run(
    command: Sequence[str],
    timeout_s: float,
    stdin: str = "",
    settings: Mapping[str, str] | None = None,
) -> Ended:
    """Run it to its end, with homes of its own that are gone afterwards.

    `settings` are further variables of its environment. PlatformError where it cannot be started.
    """
    with tempfile.TemporaryDirectory(prefix="sau-helm-") as home:
        begin = [sys.executable, "-I", "-S", "-c", _BEGIN, str(os.getpid()), str(MEMORY_BYTES)]
        child = subprocess.Popen(
            [*begin, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**_environment(Path(home)), **(settings or {})},
            start_new_session=True,
        )
        try:
            out, err = child.communicate(stdin.encode(), timeout_s)
            late = False
        except subprocess.TimeoutExpired:
            _end(child)
            out, err = child.communicate()
            late = True
    said, told = (text.decode("utf-8", "replace") for text in (out, err))
    if child.returncode == 1 and "FileNotFoundError" in told:
        remedy = "install Helm 3 or 4, or name it by execution.helm.program"
        raise PlatformError(f"there is no {command[0]}: {remedy}")
    return Ended(child.returncode, said, told, late)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask its whole group to end, and make it."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(child.pid, how)
        with suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_S)
            return


def _environment(home: Path) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or name.upper().startswith(_KEPT_BEGINNINGS)
    }
    homes = {f"HELM_{what}_HOME": str(home / what) for what in ("CACHE", "CONFIG", "DATA")}
    return kept | homes
