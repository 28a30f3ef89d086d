"""The words that helm is called with: those that the oldest one knows that we ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from safe_auto_updater.core.errors import StepFailed
from safe_auto_updater.platforms.kubernetes.access import Access
from safe_auto_updater.platforms.kubernetes.helm import command
from safe_auto_updater.platforms.kubernetes.helm.command import Helm, Named

RELEASE = Named("shop", "web")
KNOWN = {
    "upgrade": {"--dry-run", "--history-max", "--labels", "--output", "--reset-values", "--timeout",
                "--values"},
    "rollback": {"--history-max", "--no-hooks", "--timeout"},
}  # fmt: skip
"""Of what `helm upgrade --help` and `helm rollback --help` of 3.13.0 list, what we use."""
GLOBAL = {"--kube-as-user", "--kube-context", "--kubeconfig", "--namespace"}


@pytest.mark.slow
def test_oldest_helm_knows_every_option(tmp_path: Path) -> None:
    said, program = tmp_path / "said", tmp_path / "helm"
    program.write_text(
        f"#!/bin/sh\ntest $1 = version && echo v3.13.0 && exit\necho $@ >> {said}\necho {{}}\n"
    )
    program.chmod(0o755)
    helm = Helm(str(program), Access(tmp_path / "kubeconfig", "prod"), "deployer")

    helm.rendered(RELEASE, b"", "{}")
    helm.upgrade(RELEASE, b"", "{}", {"a": "b"}, 15, 1)
    helm.rollback(RELEASE, 1, 15, 0)
    helm.rollback(RELEASE, 1, 15, None)

    for line in said.read_text().splitlines():
        verb, *words = line.split()
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert options <= KNOWN[verb] | GLOBAL, options - KNOWN[verb] - GLOBAL


@pytest.mark.slow
def test_each_hook_has_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "helm"
    program.write_text("#!/bin/sh\ntest $1 = version && echo v3.13.0 && exit\nsleep 3\n")
    program.chmod(0o755)
    helm = Helm(str(program), Access())
    assert helm.version
    monkeypatch.setattr(command, "QUICK_S", 0.0)
    helm.upgrade(RELEASE, b"", "{}", {}, 2.5, hooks=4)
    helm.rollback(RELEASE, 1, 2.5, hooks=4)
    with pytest.raises(StepFailed):
        helm.upgrade(RELEASE, b"", "{}", {}, 0.2, hooks=1)
