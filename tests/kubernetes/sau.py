"""`sau` on the cluster: it sees one test's namespace alone."""

from __future__ import annotations

from pathlib import Path

from tests.kubernetes.kit import Namespace
from tests.sau_kit import Program

HEALTH = "{timeout: 30s, stable_for: 3s}"


class ClusterSau(Program):
    """The program with a configuration for one namespace."""

    def __init__(self, namespace: Namespace, folder: Path) -> None:
        super().__init__(folder)
        self.namespace = namespace
        self.configure()

    def configure(
        self,
        health: str = HEALTH,
        execution: str = "",
        detection: str = "",
        kubeconfig: Path | None = None,
        cluster: str = "",
        everywhere: bool = False,
    ) -> None:
        """Write the configuration; `execution` and `detection` are more keys of those sections.

        `cluster` are more keys of the cluster's entry; `everywhere`: all namespaces are looked at.

        `kubeconfig` is whose rights it has, by default those of who may do everything.
        """
        kubeconfig = kubeconfig or self.namespace.cluster.kubeconfigs["admin"]
        where = "" if everywhere else f", namespaces: [{self.namespace.name}]"
        self.config.write_text(
            "inventory:\n"
            f"  kubernetes: [{{name: lab, kubeconfig: {kubeconfig}{where}{cluster}}}]\n"
            f"detection:\n  policy: minor\n{detection}"
            f"execution:\n  health: {health}\n{execution}"
        )

    def release(self, name: str = "web") -> str:
        """The identity of a release."""
        return f"helm:lab/{self.namespace.name}/{name}"

    def asset(self, kind: str, name: str = "web") -> str:
        """The identity of a workload."""
        return f"kubernetes:lab/{self.namespace.name}/{kind}/{name}"
