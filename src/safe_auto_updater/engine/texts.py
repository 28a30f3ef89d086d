"""YAML of strangers, as mappings, lists and texts: `1.10` stays `1.10`, and nothing is executed.

Built from the parser's events: no depth that could end the process, no anchors that multiply.
"""

from __future__ import annotations

from typing import Any

_DEEPEST = 100


class NoTexts(ValueError):
    """What came is no such YAML; the text says where and why."""


def read_texts(content: bytes, *, unique: bool) -> Any:
    """The one document: dicts, lists, and `str` for every scalar. None where there is nothing.

    With `unique` a key that stands twice in a mapping is refused, else the last one counts. Raises
    NoTexts; anchors and merge keys are refused, for what they mean is elsewhere.
    """
    import yaml  # here, because most runs have no charts

    try:
        return _built(content, unique)
    except yaml.YAMLError as error:
        raise NoTexts(f"is no YAML ({' '.join(str(error).split())[:200]})") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, NoTexts):
            raise
        raise NoTexts(f"is no YAML ({error})") from error


def _built(content: bytes, unique: bool) -> Any:
    import yaml

    loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    root: list[Any] = []
    open_ones: list[Any] = [root]
    keys: list[Any] = [None]  # of each open mapping the key that waits for its value
    for event in yaml.parse(content, Loader=loader):
        match event:
            case yaml.AliasEvent() | yaml.NodeEvent(anchor=str()):
                raise NoTexts(f"has an anchor or alias in line {_line(event)}")
            case yaml.ScalarEvent():
                _put(open_ones[-1], keys, event.value, event, unique)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                inner: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
                _put(open_ones[-1], keys, inner, event, unique)
                open_ones.append(inner)
                keys.append(None)
                if len(open_ones) > _DEEPEST:
                    raise NoTexts(f"is more than {_DEEPEST} levels deep")
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                open_ones.pop()
                keys.pop()
    if len(root) > 1:
        raise NoTexts("has more than one document")
    return root[0] if root else None


def _put(into: Any, keys: list[Any], value: Any, event: Any, unique: bool) -> None:
    if isinstance(into, list):
        into.append(value)
        return
    if keys[-1] is not None:
        into[keys[-1]] = value
        keys[-1] = None
        return
    if not isinstance(value, str):
        raise NoTexts(f"has a key that is no text in line {_line(event)}")
    if value == "<<" and not event.style:
        raise NoTexts(f"has a merge key in line {_line(event)}")
    if unique and value in into:
        raise NoTexts(f"says {value[:100]!r} twice, the second time in line {_line(event)}")
    keys[-1] = value


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
