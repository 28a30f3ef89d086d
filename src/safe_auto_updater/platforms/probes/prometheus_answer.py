"""Read the JSON that a Prometheus answers with. What is not wholly as documented is no answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from safe_auto_updater.core.promql import Answer, NoAnswer, Sample, Samples
from safe_auto_updater.core.redact import MASK, redact

_LONGEST = 300
# Before 3.0 remarks on style ("might not be a counter") come among the warnings.
_REMARK = "PromQL info:"


def read(status: int, body: bytes, secrets: Sequence[str] = ()) -> Answer:
    """The samples of a complete answer, else why it cannot be relied on; without the secrets."""
    if status in (401, 403):
        return NoAnswer(f"refused us ({status}); check token_file or username and password_file")
    if 300 <= status < 400:
        return NoAnswer(f"answered {status}, and redirects are not followed; correct url")
    try:
        document = _without(secrets, json.loads(body))
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        return NoAnswer(f"answered {status} and no JSON of Prometheus; is the url right?")
    if status != 200 or document.get("status") != "success":
        return NoAnswer(f"answered {status}: {_line(document.get('error') or 'no reason given')}")
    if (partial := _partial(document)) is not None:
        return NoAnswer(f"does not know all of it: {partial}")
    try:
        return _samples(document["data"])
    except (KeyError, TypeError, ValueError) as error:
        return NoAnswer(f"answered what cannot be read: {_line(error)}")


def masked(text: str, secrets: Sequence[str]) -> str:
    """The text without the secrets of a server that tells what it was given, quoted or not."""
    forms = set(secrets)
    for secret in secrets:
        forms |= {json.dumps(secret, ensure_ascii=ascii)[1:-1] for ascii in (True, False)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


def _without(secrets: Sequence[str], value: Any) -> Any:
    """All texts of a document masked, before any is cut; a number is no secret."""
    match value:
        case str():
            return value if _is_number(value) else masked(value, secrets)
        case list():
            return [_without(secrets, one) for one in value]
        case dict():
            return {masked(k, secrets): _without(secrets, v) for k, v in value.items()}
        case _:
            return value


def _partial(document: dict[str, Any]) -> str | None:
    """What the server says that it could not look at; VictoriaMetrics and Thanos say it, too."""
    if document.get("isPartial", False) is not False:
        return "the answer is partial"
    warnings = document.get("warnings") or []
    if not isinstance(warnings, list):
        return _line(warnings)
    serious = [_line(one) for one in warnings if not str(one).startswith(_REMARK)]
    return "; ".join(serious[:3]) or None


def _samples(data: dict[str, Any]) -> Samples:
    kind, result = data["resultType"], data["result"]
    match kind:
        case "scalar":
            return Samples((Sample("", _value(result)),), is_scalar=True)
        case "vector" if isinstance(result, list):
            return Samples(tuple(_sample(one) for one in result))
        case _:
            raise ValueError(f"a result of type {kind!r}; ask for an instant vector or a scalar")


def _sample(one: dict[str, Any]) -> Sample:
    if "value" not in one and "histogram" in one:
        return Sample(_name(one["metric"]), "a histogram")
    return Sample(_name(one["metric"]), _value(one["value"]))


def _value(pair: Any) -> str:
    if not isinstance(pair, list) or len(pair) != 2:
        raise ValueError("a sample is not a time and a value")
    at, value = pair
    if isinstance(at, bool) or not isinstance(at, (int, float)) or not isinstance(value, str):
        raise ValueError("a sample is not a time and a value")
    return _line(value)


def _name(labels: Any) -> str:
    """`up{job="web"}`, as it is written in a query."""
    if not isinstance(labels, dict) or not all(isinstance(v, str) for v in labels.values()):
        raise ValueError("a sample's labels are not texts")
    rest = ", ".join(f"{k}={json.dumps(v)}" for k, v in labels.items() if k != "__name__")
    return _line(labels.get("__name__", "") + (f"{{{rest}}}" if rest else ""))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _line(text: Any) -> str:
    """One line that may be printed."""
    line = "".join(c if c.isprintable() else " " for c in redact(str(text)))
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
