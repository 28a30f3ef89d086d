"""Whoever asks a cluster asks the same one: our own client, and the helm that we call."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from safe_auto_updater.config import ConfigLoader
from safe_auto_updater.core.ports import Subject
from safe_auto_updater.platforms.kubernetes.access import Access
from safe_auto_updater.platforms.kubernetes.helm.command import Helm, Named
from safe_auto_updater.wiring.kubernetes import Kubernetes, access_of
from safe_auto_updater.wiring.registries import Registries
from tests.clock import FakeClock

CLUSTERS = ("ours", "other")
CONFIGURED = "inventory:\n  kubernetes: [{name: prod}]\n"


def kubeconfig(folder: Path, name: str) -> Path:
    file = folder / name
    told = {
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": "me"}}],
        "clusters": [{"name": name, "cluster": {"server": f"http://{name}.example.org"}}],
        "users": [{"name": "me", "user": {"token": "secret"}}],
    }
    file.write_text(json.dumps(told))
    return file


def access(text: str, folder: Path, environ: dict[str, str]) -> Access:
    file = folder / "sau.yml"
    file.write_text(text)
    (entry,) = ConfigLoader().load(file).kubernetes_clusters(environ)
    return access_of(entry)


def called(access: Access, folder: Path) -> str:
    """The words that a helm is called with, and what its kubeconfig says."""
    said, program = folder / "said", folder / "helm"
    program.write_text(
        f"""#!/bin/sh
echo "$@" > {said}
for word; do test "$last" = --kubeconfig && cat "$word" >> {said}; last=$word; done
echo v3.18.0
"""
    )
    program.chmod(0o755)
    Helm(str(program), access, "deployer").rollback(Named("shop", "web"), 1, 15, 0)
    return said.read_text()


@pytest.mark.slow
def test_first_of_several_kubeconfigs_says_which_context_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [str(kubeconfig(tmp_path, name)) for name in ("first", "second")]
    monkeypatch.setattr(
        "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", ":".join(files)
    )
    asked = access(CONFIGURED, tmp_path, {"KUBECONFIG": ":".join(files)})
    assert asked.context == "first", "as kubectl and helm have it"
    assert asked.open("prod").server == "http://first.example.org"


def test_context_that_somebody_changes_meanwhile_leads_nobody_elsewhere(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path, "first")
    text = f"inventory:\n  kubernetes: [{{name: prod, kubeconfig: {file}}}]\n"
    asked = access(text, tmp_path, {})
    file.write_text(
        file.read_text().replace('"current-context": "first"', '"current-context": "x"')
    )
    assert asked.open("prod").server == "http://first.example.org"
    assert "--kube-context first" in called(asked, tmp_path)


def test_helm_in_a_pod_is_the_account_of_the_pod_whatever_else_lies_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {
        "KUBERNETES_SERVICE_HOST": "fd00::1",
        "KUBERNETES_SERVICE_PORT": "443",
        "KUBECONFIG": str(kubeconfig(tmp_path, "elsewhere")),
    }
    for key, value in environ.items():
        monkeypatch.setenv(key, value)

    words, told = called(access(CONFIGURED, tmp_path, environ), tmp_path).split("\n", 1)

    (cluster,) = json.loads(told)["clusters"]
    assert cluster["cluster"]["server"] == "https://[fd00::1]:443"
    assert "--kube-as-user deployer" in words, "of an account without a file helm is nobody else"
    assert "--kube-context" not in words


def test_pods_of_another_cluster_than_the_one_that_we_run_in_may_have_anybodys_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = kubeconfig(tmp_path, "other")
    text = f"inventory:\n  kubernetes: [{{name: ours}}, {{name: other, kubeconfig: {other}}}]\n"
    config, clock = ConfigLoader().load_text(text, "sau.yml"), FakeClock()

    def told(environ: dict[str, str]) -> list[bool]:
        with ExitStack() as closing:
            registries = Registries(config, tmp_path, clock, closing)
            found = Kubernetes(config, environ, registries, clock)
            names = [f"{kind}:{name}" for kind in ("kubernetes", "helm") for name in CLUSTERS]
            assets = [f"{name}/shop/web" for name in names]
            return [found.elsewhere(Subject(asset, "web")) is not None for asset in assets]

    assert told({}) == [False, False, False, False]
    pod = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    monkeypatch.setenv(*next(iter(pod.items())))
    assert told(pod) == [False, True, False, True]
