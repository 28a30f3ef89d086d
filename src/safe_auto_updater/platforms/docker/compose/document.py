"""One Compose file as YAML nodes, each of which knows where it is written.

Values are looked up as Compose sees them: through aliases and merge keys. Nothing is converted, so
that every byte can be accounted for.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from safe_auto_updater.platforms.docker.compose.errors import Unclear

_MERGE = "tag:yaml.org,2002:merge"
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")  # an anchor, a tag
_RESETS = ("!reset", "!override")


@dataclass(frozen=True)
class Scalar:
    """A value as it is written: `text` stands at `start` of the file, in one piece."""

    file: Document
    node: ScalarNode
    text: str
    start: int
    line: int
    key: str


@dataclass(frozen=True, eq=False)
class Document:
    """A file with its documents, of which a later one has precedence."""

    path: str
    text: str

    @classmethod
    def read(cls, path: str, content: bytes) -> Document:
        """Parse it all at once; Unclear where it is no UTF-8 or no YAML."""
        try:
            document = cls(path, content.decode("utf-8"))
            document.roots  # noqa: B018 - whoever has a document may trust it
        except UnicodeDecodeError as error:
            raise Unclear(f"{path} is no UTF-8 text: {error}") from error
        except yaml.MarkedYAMLError as error:
            at = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
            raise Unclear(f"{path}{at} cannot be read as YAML: {error.problem}") from error
        except (yaml.YAMLError, RecursionError) as error:
            raise Unclear(f"{path} cannot be read as YAML: {error!s:.80}") from error
        return document

    @cached_property
    def roots(self) -> tuple[MappingNode, ...]:
        """The top-level mapping of each document."""
        stream = io.StringIO(self.text)
        stream.name = self.path  # marks tell it
        found = yaml.compose_all(stream, Loader=yaml.SafeLoader)
        return tuple(root for root in found if isinstance(root, MappingNode))

    def services(self, root: MappingNode) -> dict[str, MappingNode]:
        """The services that one document of the file defines."""
        found = value_of(root, "services")
        if not isinstance(found, MappingNode):
            return {}
        return {key: node for key, node in pairs(found).items() if isinstance(node, MappingNode)}

    def scalar(self, node: Node, key: str) -> Scalar:
        """The place of a value; Unclear where it is not written in one piece on one line."""
        if not isinstance(node, ScalarNode):
            raise Unclear(f"{place(node)}: {key} is no text")
        whole = self.text[node.start_mark.index : node.end_mark.index]
        raw = whole[_PROPERTIES.match(whole).end() :]  # type: ignore[union-attr] # may be empty
        text = node.value.strip()
        if not text or "\n" in text or raw.count(text) != 1:
            raise Unclear(f"{place(node)}: {key} is written in a form that is not edited")
        at = node.end_mark.index - len(raw) + raw.index(text)
        # An anchored value stands under another key than the one that was looked up.
        written = next((k for k in self._keys_of(node)), key)
        return Scalar(self, node, text, at, self.text.count("\n", 0, at) + 1, written)

    def _keys_of(self, node: Node) -> list[str]:
        """The keys right below which a node is given, in the order of the file."""
        return [key for value, key, _ in self.edges if value is node and key is not None]

    @cached_property
    def edges(self) -> tuple[tuple[Node, str | None, Node], ...]:
        """Every node with the key that leads to it and the node above it, once for each."""
        return tuple(edge for root in self.roots for edge in _edges(root, set()))

    def other_use(self, scalar: ScalarNode) -> str | None:
        """The place where a value has another use than being an image; None where it has none.

        What stands below an `x-` key of the top level is no use.
        """
        used: set[int] = set()
        for root in self.roots:
            for key, value in root.value:
                if not str(key.value).startswith("x-"):
                    used |= {id(node) for node in (key, *_below(value))}
        for node, key, above in self.edges:
            told = above in self.roots and (key or "").startswith("x-")
            matters = id(above) in used or above in self.roots
            if node is scalar and key != "image" and matters and not told:
                return place(above)
        return None

    def environment_files(self) -> Iterator[tuple[str, str]]:
        """Every file whose lines a service has in its environment, and the place that says so."""
        for root in self.roots:
            for service in self.services(root).values():
                told = pairs(service).get("env_file")
                for node in _below(told) if told is not None else ():
                    if isinstance(node, ScalarNode):
                        yield str(node.value), place(node)

    def texts(self) -> Iterator[tuple[str, ScalarNode]]:
        """Every scalar of the file, keys too."""
        seen = set()
        for root in self.roots:
            for node in _below(root):
                if isinstance(node, ScalarNode) and id(node) not in seen:
                    seen.add(id(node))
                    yield str(node.value), node


def place(node: Node) -> str:
    """`compose.yml:12`, for people."""
    return f"{node.start_mark.name}:{node.start_mark.line + 1}"


def pairs(mapping: MappingNode) -> dict[str, Node]:
    """What a mapping holds, merged mappings included; its own keys have precedence."""
    return _pairs(mapping, ())


def _pairs(mapping: MappingNode, above: tuple[int, ...]) -> dict[str, Node]:
    if id(mapping) in above:
        raise Unclear(f"{place(mapping)} merges itself")
    own: dict[str, Node] = {}
    merged: dict[str, Node] = {}
    for key, value in mapping.value:
        if key.tag == _MERGE:
            sources = value.value if isinstance(value, SequenceNode) else [value]
            for source in sources:
                if isinstance(source, MappingNode):
                    more = _pairs(source, (*above, id(mapping)))
                    merged = {**more, **merged}
        else:
            own[str(key.value)] = value
    return {**merged, **own}


def value_of(mapping: MappingNode, key: str) -> Node | None:
    """One value of a mapping. Unclear where Compose's own tags change what it means."""
    found = pairs(mapping).get(key)
    for node in (mapping, found):
        if node is not None and node.tag in _RESETS:
            raise Unclear(f"{place(node)} uses {node.tag}")
    return found


def _edges(node: Node, seen: set[int]) -> Iterator[tuple[Node, str | None, Node]]:
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield key, None, node
            yield value, str(key.value), node
            yield from _edges(value, seen)
    elif isinstance(node, SequenceNode):
        for item in node.value:
            yield item, None, node
            yield from _edges(item, seen)


def _below(node: Node) -> Iterator[Node]:
    """A node and all below it, each once."""
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, MappingNode):
            waiting += [part for pair in one.value for part in pair]
        elif isinstance(one, SequenceNode):
            waiting += one.value
