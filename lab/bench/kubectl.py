"""kubectl on the lab's cluster, as the bench uses it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

from lab.bench.errors import BenchError

_LISTS = re.compile(
    r'^apiserver_request_total\{.*resource="(?:pods|deployments|statefulsets|daemonsets|cronjobs|'
    r'nodes)".*verb="LIST".*\} (\d+)$'
)


class Cluster:
    """The cluster that the bench runs beside."""

    def __init__(self) -> None:
        told = json.loads(Path(os.environ["SAU_LAB"]).read_text())
        self.kubeconfig = Path(told["kubeconfig"])
        self.registry: str = told["registry"]
        self.helm: str = told["helm"]
        self.command = (told["kubectl"], "--kubeconfig", told["kubeconfig"])

    def run(self, *words: str, given: object = None) -> str:
        """What a command that must succeed prints; `given` is a manifest for its `-f -`."""
        sent = json.dumps(given) if given is not None else None
        done = subprocess.run([*self.command, *words], input=sent, capture_output=True, text=True)
        if done.returncode != 0:
            raise BenchError(f"kubectl {' '.join(words[:3])}: {done.stderr.strip()}")
        return done.stdout

    def lists(self) -> int:
        """How often the API server was asked for a list, or a page of one, of what is scanned."""
        lines = self.run("get", "--raw", "/metrics").splitlines()
        return sum(int(found[1]) for line in lines if (found := _LISTS.match(line)))
