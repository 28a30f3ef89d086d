"""YAML as Helm reads it: dates and times of day stay text, and so does `=`. Pure.

Source: the resolver of go-yaml 2, by which sigs.k8s.io/yaml makes JSON of a manifest.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

_INT = re.compile(r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]+|0|[1-9][0-9_]*)$")
_FLOAT = re.compile(
    r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)
_OTHERS = ("timestamp", "value", "int", "float")
"""What YAML 1.1 makes of plain text in its own way."""


class _Loader(yaml.CSafeLoader):
    """With Helm's idea of what is a number."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag.rpartition(":")[2] not in _OTHERS]
    for first, known in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INT, list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))


def documents(text: str) -> list[Any]:
    """Each document of a manifest, but the empty ones. Raises ValueError, which says why."""
    try:
        return [one for one in yaml.load_all(text, Loader=_Loader) if one]
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(" ".join(str(error).split())) from error
