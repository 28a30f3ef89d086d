"""A fresh reader's walk: each page about a deployment, command by command, as it stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.images import Published
from tests.kubernetes.deploy_kit import (
    NAME,
    ROOT,
    Scene,
    Service,
    from_pods,
    no_volume,
    volume,
)
from tests.kubernetes.helm_kit import Helm
from tests.kubernetes.kit import Namespace

_FENCED = re.compile(r"^```sh\n(.*?)^```", re.M | re.S)
IMAGE = "registry.example.org/safe-auto-updater"


class Reader:
    """Types what a page says, in a copy of the repository; their namespace is not called `shop`."""

    def __init__(
        self, namespace: Namespace, image: Published, environ: dict[str, str], folder: Path
    ) -> None:
        self._namespace, self._image = namespace, image
        self._environ, self._folder = environ, folder
        shutil.copytree(ROOT / "deploy", folder / "deploy")

    def blocks(self, page: str) -> list[str]:
        """What a page has one type, as it is here."""
        return [self._here(block) for block in _FENCED.findall((ROOT / "docs" / page).read_text())]

    def types(self, block: str) -> str:
        """What it prints; it must succeed."""
        done = subprocess.run(
            ["bash", "-euxo", "pipefail", "-c", block],
            cwd=self._folder,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=280,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def _here(self, block: str) -> str:
        """With this lab's names; its registry has no TLS."""
        registry = from_pods(self._namespace.cluster)
        plain = f'  registries: [{{host: "{registry}", plain_http: true}}]\n'
        block = re.sub(r"\bshop\b", self._namespace.name, block)
        block = re.sub(r"^( *)detection:\n", rf"\g<0>\g<1>{plain}", block, flags=re.M)
        tag = self._image.tag
        block = block.replace(f"{{repository: {IMAGE}}}", f"{{repository: {IMAGE}, tag: {tag}}}")
        return block.replace("newTag: 0.1.0", f"newTag: {tag}").replace(
            IMAGE, self._image.repository
        )


@pytest.fixture
def reader(namespace: Namespace, image: Published, helm4: Helm, tmp_path: Path) -> Iterator[Reader]:
    """With kubectl and helm at hand, and a workload `web` of which a newer version is there."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "kubectl").symlink_to(namespace.cluster.kubectl)
    (tools / "helm").symlink_to(helm4.program)
    environ = helm4.environ | {"PATH": f"{tools}:{os.environ['PATH']}"}
    del environ["HELM_NAMESPACE"]
    volume(namespace, NAME, tmp_path / "volume")
    scene = Scene(namespace)
    scene.begin(enabled=False)
    scene.publish("1.0.1")
    (tmp_path / "repository").mkdir()
    yield Reader(namespace, image, environ, tmp_path / "repository")
    no_volume(namespace, NAME)


def test_with_kubectl(namespace: Namespace, reader: Reader) -> None:
    *first, see, delete = reader.blocks("deploy-kubernetes.md")
    for block in first:
        reader.types(block)
    service = Service(namespace)
    asset = f"kubernetes:cluster/{namespace.name}/Deployment/web"
    service.wait_for(asset, "succeeded")
    seen = reader.types(see)
    assert "UpdateSucceeded" in seen
    assert "1.0.0 -> 1.0.1" in seen
    reader.types(delete)
    assert namespace.say("get", "deployment", NAME).code != 0
    assert namespace.say("get", "deployment", "web").code == 0


def test_with_helm(namespace: Namespace, reader: Reader) -> None:
    install, test, update, away = reader.blocks("deploy-helm.md")
    reader.types(install)
    assert "Succeeded" in reader.types(test)
    said = reader.types(update)
    assert "1.0.0 -> 1.0.1" in said
    assert "succeeded" in said
    said = reader.types(away)
    assert "has been upgraded" in said
    assert namespace.say("get", "deployment", NAME).code != 0
    assert namespace.say("get", "deployment", "web").code == 0
