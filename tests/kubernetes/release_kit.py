"""A release that a person installed with helm, and newer versions of its chart at a registry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.kubernetes.charts import Chart
from tests.kubernetes.helm_kit import Helm, Values
from tests.kubernetes.kit import Json, Namespace
from tests.kubernetes.sau import ClusterSau

SOON = "{timeout: 25s, stable_for: 2s}"
_PASSING = ("resourceVersion", "generation", "creationTimestamp", "managedFields", "uid")
_COUNTED = ("deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation")


class Release:
    """One release called `shop`, seen by helm and kubectl alone."""

    def __init__(self, namespace: Namespace, helm: Helm, sau: ClusterSau) -> None:
        self.namespace, self.helm, self.sau = namespace, helm, sau
        self.registry = namespace.cluster.registry
        self.repository = f"oci://{self.registry}/{namespace.name}/charts"
        self.asset = f"helm:lab/{namespace.name}/shop"
        self.configure()

    def configure(
        self, health: str = SOON, execution: str = "", rule: str = "", helm: str = ""
    ) -> None:
        """What the program is told: where charts come from, and more keys of sections and rule."""
        sources = f'  helm_sources: [{{chart: "*", repository: "{self.repository}"}}]\n'
        registries = f'  registries: [{{host: "{self.registry}", plain_http: true}}]\n'
        rules = f'  rules: [{{match: {{asset: "helm:*"}}, hook_timeout: 15s{rule}}}]\n'
        self.sau.configure(
            health,
            f"  helm: {{program: {self.helm.program}{helm}}}\n{execution}",
            f"{sources}{registries}{rules}",
        )

    def install(self, chart: Chart, *words: str, values: Values | None = None) -> None:
        """`helm install`, waited for."""
        self.helm.install("shop", chart, "--wait", *words, values=values)

    def publish(self, chart: Chart) -> Path:
        """Its archive, which is at the registry from now on."""
        archive = self.helm.package(chart)
        self.helm.run("push", str(archive), self.repository, "--plain-http")
        return archive

    def apply(self) -> Json:
        """The one update that `sau apply` of it makes."""
        said = self.sau("apply", "--yes", self.asset, timeout_s=280)
        assert said.json["updates"], said
        return said.update

    def step(self) -> Json:
        """What a plan says of it."""
        return self.sau("plan", self.asset, timeout_s=120).step("shop")

    def live(self) -> Mapping[str, Any]:
        """Every object of its manifest as the server has it, without what passes."""
        manifest = self.helm.get_manifest("shop")
        found = self.namespace.run("get", "-o", "json", "-f", "-", given=manifest)
        listed = json.loads(found)
        items = listed["items"] if listed["kind"] == "List" else [listed]
        return {f"{one['kind']}/{one['metadata']['name']}": _lasting(one) for one in items}

    def revisions(self) -> list[tuple[str, str]]:
        """Chart and status of each, oldest first."""
        return [(one["chart"], one["status"]) for one in self.helm.history("shop")]

    def all_ready(self) -> bool:
        """Whether each container that is to stay is ready."""
        found = [one for one in self.namespace.containers() if "terminated" not in one["state"]]
        return bool(found) and all(one["ready"] for one in found)


def _lasting(live: Json) -> Json:
    meta = {k: v for k, v in live["metadata"].items() if k not in _PASSING}
    notes = {k: v for k, v in meta.pop("annotations", {}).items() if k not in _COUNTED}
    return {k: v for k, v in live.items() if k != "status"} | {"metadata": meta, "notes": notes}
