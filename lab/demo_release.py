"""The main job on Helm releases: an upgrade that succeeds, and one that is taken back.

Everything is real: a cluster, a registry, helm, the program in a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from lab import images
from lab.behaviours import Behaviour
from lab.cluster import programs
from lab.demo import expect
from lab.layout import KUBERNETES

NAMESPACE = "demo"
SHOP, WEB = "shop", "web"
CONFIG = """\
inventory: {{kubernetes: [{{name: demo, kubeconfig: {kubeconfig}, namespaces: [demo]}}]}}
detection:
  policy: minor
  registries: [{{host: "{registry}", plain_http: true}}]
  helm_sources: [{{chart: "*", repository: "oci://{registry}/demo/charts"}}]
execution:
  health: {{timeout: 15s, stable_for: 2s}}
  helm: {{program: {helm}}}
"""


class Demo:
    """One run, on the cluster that SAU_LAB describes."""

    def __init__(self, folder: Path) -> None:
        told = json.loads(Path(os.environ["SAU_LAB"]).read_text())
        self.kubectl, self.helm, self.registry = told["kubectl"], told["helm"], told["registry"]
        self.kubeconfig = told["kubeconfigs"]["admin"]
        self.folder = folder
        (folder / "sau.yml").write_text(CONFIG.format(**vars(self)))
        program = str(Path(sys.executable).parent / "sau")
        self.sau = [program, "--config", str(folder / "sau.yml"), "--state", str(folder / "state")]

    def call(self, program: str, *words: str, given: str = "") -> str:
        """What a command that must succeed prints."""
        homes = {f"HELM_{home}_HOME": str(self.folder / home) for home in ("CACHE", "CONFIG")}
        cluster = ["--kubeconfig", self.kubeconfig, "--namespace", NAMESPACE]
        done = subprocess.run(
            [program, *words, *cluster],
            input=given,
            capture_output=True,
            text=True,
            env=os.environ | homes,
        )
        expect(
            f"{Path(program).name} {' '.join(words)} ({done.stderr.strip()})", not done.returncode
        )
        return done.stdout

    def chart(self, name: str, version: str, behaviour: Behaviour = "good") -> Path:
        """Publish a chart of one Deployment and its image; the chart's archive."""
        recipe = images.Recipe(behaviour=behaviour, version=version, maker=f"demo {name}")
        image = images.publish(self.registry, f"demo/{name}", version, recipe)
        where = self.folder / f"{name}-{version}"
        (where / "templates").mkdir(parents=True)
        about = {"apiVersion": "v2", "name": name, "version": version, "appVersion": version}
        (where / "Chart.yaml").write_text(json.dumps(about))
        (where / "templates" / "deployment.yaml").write_text(
            json.dumps(_deployment(name, image.reference))
        )
        self.call(self.helm, "package", str(where), "--destination", str(self.folder))
        archive = self.folder / f"{name}-{version}.tgz"
        self.call(
            self.helm, "push", str(archive), f"oci://{self.registry}/demo/charts", "--plain-http"
        )
        return archive

    def command(self, *words: str) -> int:
        """Run `sau` and show it."""
        print(f"\n$ sau {' '.join(words)}", flush=True)
        return subprocess.run([*self.sau, *words], stdin=subprocess.DEVNULL, check=False).returncode

    def release(self, name: str) -> tuple[str, str]:
        """Chart and status of its newest revision, as helm says."""
        (found,) = json.loads(self.call(self.helm, "list", "--filter", f"^{name}$", "-o", "json"))
        return found["chart"], found["status"]


def _deployment(name: str, image: str) -> dict[str, Any]:
    labels = {"app": name}
    probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    container = {"name": "web", "image": image, "readinessProbe": probe}
    pod = {"containers": [container], "terminationGracePeriodSeconds": 1}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def show(demo: Demo) -> None:
    """Two releases run 1.0.0; one newer chart is good, the other brings an image that crashes."""
    for name in (SHOP, WEB):
        archive = demo.chart(name, "1.0.0")
        demo.call(demo.helm, "install", name, str(archive), "--wait", "--timeout", "60s")
    demo.chart(SHOP, "1.1.0")
    demo.chart(WEB, "1.1.0", "crash")

    releases = [f"helm:demo/{NAMESPACE}/{name}" for name in (SHOP, WEB)]
    expect("plan exits 0", demo.command("plan", *releases) == 0)
    expect("apply exits 3, for the one taken back", demo.command("apply", "--yes", *releases) == 3)
    expect("the good chart is deployed", demo.release(SHOP) == ("shop-1.1.0", "deployed"))
    expect("the bad chart was taken back", demo.release(WEB) == ("web-1.0.0", "deployed"))
    print(
        f"\nhelm says: {' and '.join(demo.release(name)[0] for name in (SHOP, WEB))} are deployed"
    )


def within_a_cluster() -> int:
    """Run this in the lab's cluster, where that has been built; nobody waits for a build here."""
    if not programs.is_built():
        print("\nAfter `make lab-up` has built the lab's cluster, two Helm releases are shown too.")
        return 0
    lab = [sys.executable, "-m", "lab", "--engine", KUBERNETES, "run", "--down-if-started", "--"]
    again = [sys.executable, "-m", "lab.demo_release"]
    return subprocess.run([*lab, *again], check=False).returncode


def main() -> None:
    """Show it in a namespace of its own, and check what was shown."""
    with tempfile.TemporaryDirectory(prefix="demo-", dir=Path(os.environ["SAU_LAB"]).parent) as at:
        demo = Demo(Path(at))
        demo.call(demo.kubectl, "create", "namespace", NAMESPACE)
        try:
            show(demo)
        finally:
            demo.call(demo.kubectl, "delete", "namespace", NAMESPACE)


if __name__ == "__main__":
    if "SAU_LAB" not in os.environ:
        sys.exit(within_a_cluster())
    main()
