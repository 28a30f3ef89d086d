"""The real `docker compose`, asked for what only it can say: its model of a project, its hashes.

It reads files and talks to no engine. Nothing else is ever asked of it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from safe_auto_updater.platforms.docker.compose.errors import Unclear
from safe_auto_updater.platforms.docker.compose.labels import ComposeService
from safe_auto_updater.platforms.docker.compose.reading import must_be_files

Json = dict[str, Any]
PLUGIN = "docker-compose"
ANSWER_S = 60.0
# Where Docker looks for plugins, after the user's own folder.
_FOLDERS = ("/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec")


def find_program(environ: Mapping[str, str]) -> str | None:
    """The plugin, or the command of the same name; None where there is neither."""
    own = environ.get("DOCKER_CONFIG") or f"{environ.get('HOME', '')}/.docker"
    for folder in (own, *(f"{folder}/docker" for folder in _FOLDERS)):
        path = Path(folder) / "cli-plugins" / PLUGIN
        if path.is_file() and os.access(path, os.X_OK):
            return str(path)
    return shutil.which(PLUGIN, path=environ.get("PATH"))


_PLACE = re.compile(r"\b(?:services|configs|secrets|networks|volumes)(?:\.[\w-]+)+|\bline \d+")


class ComposeCommand:
    """Asks the program. Unclear where there is none, or where it does not answer."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def environment(self, service: ComposeService) -> dict[str, str]:
        """What a project's variables see: ours, as of somebody who stands in its folder."""
        mine = {k: v for k, v in self._environ.items() if not k.startswith("COMPOSE_")}
        return {**mine, "PWD": service.working_dir or "/"}

    def model(self, service: ComposeService) -> Json:
        """The project as its files say it now, everything resolved."""
        must_be_files(*service.config_files, *service.environment_files)
        files = [word for path in service.config_files for word in ("-f", path)]
        env = [word for path in service.environment_files for word in ("--env-file", path)]
        said = self._model(service, [*files, *env])
        try:
            found: Json = json.loads(said)
        except ValueError as error:
            raise Unclear(f"docker compose does not answer in JSON: {said[:80]!r}") from error
        return found

    def _model(self, service: ComposeService, source: list[str]) -> str:
        """With every profile; without, where files are missing of what nobody starts."""
        what = ["--format", "json"]
        try:
            return self._ask(service, ["--profile", "*", *source], what)
        except Unclear:
            with suppress(Unclear):
                return self._ask(service, source, what)
            raise

    def hashes(self, service: ComposeService, model: Json) -> dict[str, str]:
        """For each service of a model what Compose would write on its containers."""
        source = ["--profile", "*", "-f", "-"]
        said = self._ask(service, source, ["--hash", "*"], json.dumps(model))
        return dict(line.split() for line in said.splitlines() if len(line.split()) == 2)

    def _ask(
        self, service: ComposeService, source: list[str], what: list[str], given: str = ""
    ) -> str:
        program = find_program(self._environ)
        if program is None:
            raise Unclear(
                "there is no docker compose here to ask; install its plugin "
                "(docker-compose-plugin), or run the program where it is"
            )
        folder = service.working_dir or "/"
        where = ["--project-name", service.project, "--project-directory", folder]
        # Without the check that volumes_from names services: here they are IDs.
        command = [*where, *source, "config", "--no-consistency", *what]
        try:
            done = subprocess.run(
                [program, *command],
                input=given,
                capture_output=True,
                text=True,
                timeout=ANSWER_S,
                cwd=folder if Path(folder).is_dir() else "/",
                env=self.environment(service),
            )
        except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
            raise Unclear(f"{program} cannot be asked: {error}") from error
        if done.returncode:
            # What it stumbles over it quotes, and that may be a password: only where is told.
            places = ", ".join(dict.fromkeys(_PLACE.findall(done.stderr)))
            raise Unclear(
                f"docker compose cannot read project {service.project}"
                f"{places and f' ({places})'}: see `docker compose config` in {folder}"
            )
        return done.stdout


class Elsewhere(ComposeCommand):
    """Of an engine that may be on another machine: what its projects' files say is not seen here.

    A file of the same name may well be here; it is another one.
    """

    def __init__(self, engine: str) -> None:
        super().__init__({})
        self._engine = engine

    def environment(self, service: ComposeService) -> dict[str, str]:
        """Always Unclear."""
        raise self._unclear()

    def _ask(self, *words: Any) -> str:
        raise self._unclear()

    def _unclear(self) -> Unclear:
        return Unclear(
            f"its files are where engine {self._engine} runs, which is not known to be this machine"
        )
