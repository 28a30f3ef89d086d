"""A Compose project as its files say it: which value gives a service its image.

Only what decides that is understood: the order of files, `extends`, `include`, merge keys and
variables. Everything else stays unread.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from safe_auto_updater.platforms.docker.compose.document import Document, Scalar, pairs, value_of
from safe_auto_updater.platforms.docker.compose.dotenv import Value, values_in
from safe_auto_updater.platforms.docker.compose.errors import Unclear
from safe_auto_updater.platforms.docker.compose.labels import ComposeService
from safe_auto_updater.platforms.docker.compose.template import Leaf, leaves, parts_of

Read = Callable[[str], bytes | None]
_REMOTE = re.compile(r"[\w+.-]+://|git@|github\.com/|[^#]*\.git(#|$)")  # as Compose tells them
DEPTH = 16  # of files that include or extend others


@dataclass(frozen=True)
class Variables:
    """Values for `${...}`: those of the environment go before those of the files."""

    environ: Mapping[str, str]
    files: tuple[tuple[str, tuple[Value, ...]], ...]  # of which a later one has precedence

    def find(self, name: str) -> tuple[str, Value] | None:
        """Where a file gives a name its value: path and place."""
        for path, values in reversed(self.files):
            for value in reversed(values):
                if value.name == name:
                    return path, value
        return None

    def value(self, name: str) -> str | None:
        """What a name stands for; None for nothing."""
        if name in self.environ:
            return self.environ[name]
        found = self.find(name)
        return None if found is None else found[1].text


@dataclass(frozen=True)
class Files:
    """The files of a project, each read and parsed once."""

    read: Read
    parsed: dict[str, Document] = field(default_factory=dict)

    def document(self, path: str) -> Document:
        """One Compose file. Unclear where it is not here."""
        if path not in self.parsed:
            content = self.read(path)
            if content is None:
                raise Unclear(
                    f"{path} does not exist from where this program runs; where it runs in a "
                    "container, mount the file's folder there at the same path"
                )
            self.parsed[path] = Document.read(path, content)
        return self.parsed[path]

    def values(self, path: str) -> tuple[Value, ...]:
        """What a `.env` file says; nothing where there is none."""
        content = self.read(path)
        try:
            return () if content is None else values_in(content.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise Unclear(f"{path} is no UTF-8 text: {error}") from error


@dataclass(frozen=True)
class Project:
    """The files that are merged into one, and the folder that their paths begin at."""

    folder: str
    paths: tuple[str, ...]
    files: Files
    variables: Variables
    depth: int = 0

    @classmethod
    def of(cls, service: ComposeService, read: Read, environ: Mapping[str, str]) -> Project:
        """The project that a container was made from, by the labels on it."""
        if service.working_dir is None or not service.config_files:
            raise Unclear("its labels do not say which Compose files it was made from")
        files, folder = Files(read), service.working_dir
        paths = tuple(posixpath.join(folder, path) for path in service.config_files)
        beside = service.environment_files or (".env",)
        told = [posixpath.join(folder, path) for path in beside]
        return cls(folder, paths, files, Variables(environ, _read_all(files, told)))

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        """The files themselves, without those that they include."""
        return tuple(self.files.document(path) for path in self.paths)

    @cached_property
    def included(self) -> tuple[Project, ...]:
        """The projects that the files include."""
        if self.depth > DEPTH:
            raise Unclear(f"{self.paths[0]} includes itself")
        entries: list[Node] = []
        for document in self.documents:
            for root in document.roots:
                found = value_of(root, "include")
                entries += found.value if isinstance(found, SequenceNode) else []
        return tuple(self._included(entry) for entry in entries)

    def _included(self, entry: Node) -> Project:
        said = pairs(entry) if isinstance(entry, MappingNode) else {"path": entry}
        told = self._texts(said.get("path"))
        remote = next(filter(_REMOTE.match, told), None)
        if remote is not None:
            raise Unclear(
                f"{self.paths[0]} includes {remote}, and only what is a file here is read"
            )
        paths = [posixpath.join(self.folder, path) for path in told]
        if not paths:
            raise Unclear(f"{self.paths[0]} includes nothing that has a path")
        folder = posixpath.dirname(paths[0])
        for place in self._texts(said.get("project_directory")):
            folder = posixpath.join(self.folder, place)
        beside = self._texts(said.get("env_file"))
        env = [posixpath.join(self.folder, path) for path in beside]
        more = _read_all(self.files, env or [posixpath.join(folder, ".env")])
        variables = replace(self.variables, files=more + self.variables.files)
        return Project(folder, tuple(paths), self.files, variables, self.depth + 1)

    def _texts(self, node: Node | None) -> list[str]:
        nodes = node.value if isinstance(node, SequenceNode) else [node]
        return [self._says(str(one.value)) for one in nodes if isinstance(one, ScalarNode)]

    def _says(self, text: str) -> str:
        return "".join(leaf.text for leaf in leaves(parts_of(text), self.variables.value))

    @cached_property
    def names(self) -> frozenset[str]:
        """Every service, those of included files too."""
        own = {n for d in self.documents for root in d.roots for n in d.services(root)}
        return frozenset(own.union(*(one.names for one in self.included)))

    def image_of(self, service: str) -> tuple[Project, Scalar] | None:
        """The value that gives a service its image, and the project whose variables hold in it."""
        own = self._own(service)
        others = [one for one in self.included if service in one.names]
        if (own is not None and others) or len(others) > 1:
            raise Unclear(f"service {service} is defined both in a file and in one it includes")
        if others:
            return others[0].image_of(service)
        return None if own is None else (self, own)

    def _own(self, service: str) -> Scalar | None:
        for document in reversed(self.documents):
            found = self._in(document, service, self.folder, 0)
            if found is not None:
                return found
        return None

    def _in(self, document: Document, service: str, folder: str, depth: int) -> Scalar | None:
        for root in reversed(document.roots):
            node = document.services(root).get(service)
            if node is None:
                continue
            image = value_of(node, "image")
            if image is not None:
                return document.scalar(image, "image")
            base = value_of(node, "extends")
            if base is not None:
                return self._extended(document, base, folder, depth)
        return None

    def _extended(self, document: Document, base: Node, folder: str, depth: int) -> Scalar | None:
        if depth > DEPTH:
            raise Unclear(f"{document.path}: a service extends itself")
        said = pairs(base) if isinstance(base, MappingNode) else {"service": base}
        (name,) = self._texts(said.get("service")) or [""]
        for path in self._texts(said.get("file")):
            path = posixpath.join(folder, path)
            there = self.files.document(path)
            return self._in(there, name, posixpath.dirname(path), depth + 1)
        for there in (document, *self.documents):
            if any(name in there.services(root) for root in there.roots):
                return self._in(there, name, folder, depth + 1)
        raise Unclear(f"{document.path}: service {name}, which another extends, is in no file")

    def leaves_of(self, scalar: Scalar) -> list[Leaf]:
        """What the value says, piece by piece."""
        return leaves(parts_of(scalar.text), self.variables.value)

    def says(self, scalar: Scalar) -> str:
        """What the value says."""
        return "".join(leaf.text for leaf in self.leaves_of(scalar))


def _read_all(files: Files, paths: list[str]) -> tuple[tuple[str, tuple[Value, ...]], ...]:
    return tuple((path, files.values(path)) for path in paths)
