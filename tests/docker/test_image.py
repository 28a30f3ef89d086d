"""The project's own image, as its recipe makes it on a real engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab.push import Push
from tests.docker.compose_kit import program  # noqa: F401
from tests.docker.deploy_kit import Deployment
from tests.lab_kit import World

pytestmark = [
    pytest.mark.any_engine,
    pytest.mark.timeout(1200),
    pytest.mark.engines(lambda lab: not lab.containerd_store),
]
LARGEST = 120_000_000
INSTALLED = """import importlib.metadata as m, json
print(json.dumps({d.name: d.version for d in m.distributions()}))"""

UNCOMPILED = """import importlib.util as u, pathlib
files = pathlib.Path('/opt/sau/lib').rglob('*.py')
print(*(f for f in files if not pathlib.Path(u.cache_from_source(str(f))).exists()))"""


@pytest.fixture
def docker(world: World, program: Path, our_image: str, tmp_path: Path) -> Deployment:  # noqa: F811
    return Deployment(world, program, tmp_path / "updater", our_image)


def run(docker: Deployment, our_image: str, *words: str) -> str:
    return docker.docker("run", "--rm", "--network=none", "--read-only", our_image, *words)


def test_it_is_small_with_helm_in_it(docker: Deployment, our_image: str) -> None:
    name = docker.push(our_image, "sau:size").partition("/")[2].partition(":")[0]
    with Push(docker.world.lab.registry, name) as push:
        manifest = json.loads(push.read("size")[0])
    docker.forget_images()
    size = sum(layer["size"] for layer in manifest["layers"])
    print(f"{size / 1e6:.1f} MB compressed")
    assert size < LARGEST
    said = docker.docker("run", "--rm", "--entrypoint", "helm", our_image, "version", "--short")
    assert said.startswith("v3.")


def test_it_says_what_it_is_and_runs_as_nobody_of_importance(
    docker: Deployment,
    our_image: str,
) -> None:
    (found,) = json.loads(docker.docker("image", "inspect", our_image))
    config: dict[str, Any] = found["Config"]
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["sau"] and config["Cmd"] == ["run"]
    assert config["StopSignal"] == "SIGTERM"
    labels = {key.rpartition(".")[2]: value for key, value in config["Labels"].items()}
    assert labels["version"] == "0.1.0" and labels["licenses"] == "Apache-2.0"
    assert run(docker, our_image, "--version").strip() == "sau, version 0.1.0"


def test_its_list_of_contents_is_true(docker: Deployment, our_image: str) -> None:
    python = ("run", "--rm", "--entrypoint", "/opt/sau/bin/python", our_image, "-c")
    installed = json.loads(docker.docker(*python, INSTALLED))
    told = docker.docker(
        "run", "--rm", "--entrypoint", "cat", our_image, "/opt/sau/share/sbom.cdx.json"
    )
    bom = json.loads(told)
    assert bom["bomFormat"] == "CycloneDX"
    listed = {one["name"]: one["version"] for one in bom["components"]}
    listed["safe-auto-updater"] = bom["metadata"]["component"]["version"]
    spelled = {name.lower().replace("_", "-").replace(".", "-"): v for name, v in installed.items()}
    assert spelled.items() <= listed.items()
    assert {"kubernetes", "apprise", "pydantic-core"} <= spelled.keys()
    assert not {"pytest", "mypy"} & listed.keys()


def test_everything_is_compiled_already(docker: Deployment, our_image: str) -> None:
    """Its file system is read-only: what is not compiled would be at each start."""
    python = ("run", "--rm", "--entrypoint", "/opt/sau/bin/python", our_image, "-c")
    assert docker.docker(*python, UNCOMPILED).split() == []


def test_health_is_asked_of_the_service(docker: Deployment, our_image: str) -> None:
    check = "/opt/sau/bin/python -ISE /opt/sau/bin/healthy"
    shell = ("run", "--rm", "--network=none", "--entrypoint", "sh", our_image, "-c")
    said = docker.docker(*shell, f"{check} 2>&1; echo code $?")
    assert "no service answers at 127.0.0.1:9464" in said and "code 1" in said
    waiting = f"for i in $(seq 60); do {check} && exit; sleep 1; done 2>/dev/null; exit 1"
    assert docker.docker(*shell, f"sau run 2>/dev/null & {waiting}").strip() == "ok"
