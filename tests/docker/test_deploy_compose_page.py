"""The page of the deployment by Compose, walked command by command as a reader does."""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab import built_image
from tests.docker.compose_kit import program  # noqa: F401
from tests.docker.deploy_kit import Deployment, hurried
from tests.lab_kit import World

CLONE = Path(__file__).parents[2]
PAGE = (CLONE / "docs/deploy-compose.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S)
BUILD = "deploy/image/build -t safe-auto-updater:0.1\n"
pytestmark = [
    pytest.mark.any_engine,
    pytest.mark.timeout(1200),
    pytest.mark.engines(lambda lab: not lab.containerd_store),
]


class Walk(Deployment):
    """A reader in a home of their own; one shell after the other, each where the last one was."""

    def __init__(self, world: World, plugin: Path, folder: Path, names: dict[str, str]) -> None:
        self.world, self.name, self.program = world, world.prefix, plugin
        self.folder, self.options = folder / "home/updater", ()
        self._where = folder / "where"
        self._where.write_text(str(CLONE))
        commands = folder / "bin"
        commands.mkdir()
        (commands / "docker").symlink_to(world.lab.docker)
        self._config = folder / "sau.yml"
        self._config.write_text(hurried(world, {}, {}))
        self._env = os.environ | names | {
            "HOME": str(folder / "home"),
            "PATH": f"{commands}:{os.environ['PATH']}",
            "DOCKER_HOST": world.lab.docker_host,
            "COMPOSE_PROJECT_NAME": world.prefix,
        }  # fmt: skip
        (folder / "home").mkdir()

    def step(self, block: str) -> str:
        """The commands of one block, which all must succeed; what they said."""
        script = block
        for there, here in (
            ("/var/run/docker.sock", str(self.world.lab.socket)),
            ("nginx:1.27.0-alpine", f"{self.world.repository}:1.0.0"),
            ("cp -r deploy/compose ~/updater\n",
             f"cp -r deploy/compose ~/updater\ncp {self._config} ~/updater/config/sau.yml\n"),
        ):  # fmt: skip
            script = script.replace(there, here)
        script = re.sub(r"\bhello\b", f"{self.name}-hello", script)
        script = f'set -e; cd "$(cat {self._where})"\n{script}\npwd > {self._where}'
        done = subprocess.run(
            ["bash", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            env=self._env,
        )
        print(f"$ {script}\n{done.stdout}")
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.mark.usefixtures("only_watchtower")
def test_its_page_can_be_walked_command_by_command(
    world: World,
    program: Path,  # noqa: F811
    our_image: str,
    tmp_path: Path,
) -> None:
    """In its order; only names of images, of the socket and of the container are others."""
    assert BLOCKS[0] == BUILD, "our image comes from the same script, with what the lab has"
    stand_in = built_image.stand_in(world.lab.docker, world.lab.layout, tmp_path / "stand-in")
    names = {
        "SAU_IMAGE": our_image,
        "PROXY_IMAGE": built_image.BASE,
        "WATCHTOWER_IMAGE": stand_in,
        "DOCKER_SOCKET": str(world.lab.socket),
    }
    world.publish("1.0.0")
    world.publish("1.1.0")
    walk = Walk(world, program, tmp_path, names)
    with ExitStack() as ending:
        said = []
        for block in BLOCKS[1:]:
            said.append(walk.step(block))
            if "up -d" in block and len(said) == 1:
                ending.enter_context(walk.registry())
    told = "\n".join(said)
    assert "1.0.0 -> 1.1.0" in told
    assert re.search(r"hello .*succeeded", told)
    assert "1.1.0 -> 1.0.0" in told
    assert world.ids() == set(), "nothing of it is left"
