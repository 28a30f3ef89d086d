"""The kinds of value that a configuration holds. Each says in its error what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import AfterValidator, BeforeValidator, Field, InstanceOf, WithJsonSchema

from safe_auto_updater.config.addresses import context_name, docker_host, split
from safe_auto_updater.core import spelling
from safe_auto_updater.core.errors import InvalidReference
from safe_auto_updater.core.probing import ADDRESS
from safe_auto_updater.core.promql import Expectation, expectation
from safe_auto_updater.core.promql_text import check_query, incident_query
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.spelling import (
    Approval,
    ComposeChange,
    DockerUpdaters,
    Pipeline,
    Strategy,
    duration_s,
)
from safe_auto_updater.core.versions import Bump, PolicyLevel
from safe_auto_updater.core.windows import Freeze, Window, parse_freeze, parse_window

MOST_JOB_S = 100  # before an update an asset has two minutes to show that it is well

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
_KIND = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_REGISTRY = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(\d{1,5}))?")
_PLATFORM = re.compile(r"[a-z][a-z0-9_-]*:")


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("not a name; use a-z, 0-9 and _ . - (at most 63, no sign first)")
    return text


def _namespace(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", text):
        raise ValueError("not a namespace; use a-z, 0-9 and - (at most 63, no sign at its ends)")
    return text


def _printable(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("not the name of a context; `kubectl config get-contexts` lists them")
    return text


def _kind(text: str) -> str:
    if not _KIND.fullmatch(text):
        raise ValueError("not the name of a kind or plugin; use letters, digits and _ . -")
    return text


def _pattern(text: str) -> str:
    literal = re.split(r"[*?\[]", text, maxsplit=1)[0]
    if not text or text != text.strip() or any(not c.isprintable() for c in text):
        raise ValueError("not a pattern; write for example docker:local/web or */db-*")
    is_wild = literal != text
    if not (_PLATFORM.match(literal) or (is_wild and re.fullmatch(r"[a-z0-9_-]*", literal))):
        raise ValueError(
            "can match no asset, whose names read docker:<host>/<container>; write */"
            + text[:40].lstrip("/")
        )
    if "/" not in text and not set("*[") & set(text):
        raise ValueError(f"names no container; write {text[:40]}/*")
    return text


def _registry(text: str) -> str:
    host = text.lower()
    found = _REGISTRY.fullmatch(host)
    if not found or ".." in host or (found[1] and not 0 < int(found[1]) < 65536):
        raise ValueError("not a registry host; write host or host:port, no scheme and no path")
    return host


def _user(text: str) -> str:
    if not text or ":" in text or not text.isprintable():
        raise ValueError("not a user name; it is empty or contains a colon or control character")
    return text


def _absolute(text: str) -> str:
    if not text.startswith("/") or not text.isprintable():
        raise ValueError("not an absolute path; start it with /")
    return text


def _web_url(text: str) -> str:
    if not text.lower().startswith(("http://", "https://")):
        raise ValueError("not a web URL; start it with http:// or https://")
    parts = split(text)
    if parts.query or parts.fragment:
        raise ValueError("ends in a query or fragment; take it out")
    return text


def _chart_pattern(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.*?\[\]!-]+", text):
        raise ValueError("not the name of a chart; write for example web, or * for all of them")
    return text


def _chart_repository(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if scheme.lower() in ("http", "https"):
        return _web_url(text)
    if scheme != "oci":
        raise ValueError("not a repository of charts; start it with https://, http:// or oci://")
    try:
        found = Reference.parse(f"{rest.rstrip('/')}/chart")
    except InvalidReference as error:
        raise ValueError(f"not a registry's path: {error}; write oci://host/path") from None
    if not rest.lower().startswith(found.host):
        raise ValueError("names no registry; write oci://host/path")
    return text.rstrip("/")


def _url(text: str) -> str:
    if not text.lower().startswith(("http://", "https://")):
        raise ValueError("not a web URL; start it with http:// or https://")
    split(text)
    import httpx2  # here, because a configuration without URLs needs no HTTP library

    try:
        httpx2.URL(text)
    except httpx2.InvalidURL as error:
        raise ValueError(f"not a URL: {error}; correct it") from None
    return text


def _probe_url(text: str) -> str:
    filled = text.replace(ADDRESS, "192.0.2.1")
    if "{" in filled or "}" in filled:
        raise ValueError(f"unknown placeholder; the only one is {ADDRESS}")
    _url(filled)
    return text


def _service(text: str) -> str:
    if not re.fullmatch(r"(https?:)?[a-z]([a-z0-9-]{0,61}[a-z0-9])?:[a-z0-9-]{1,15}", text):
        raise ValueError("not a Service; write name:port or https:name:port")
    return text


def _service_path(text: str) -> str:
    unquoted = unquote(text)
    if not re.fullmatch(r"/[!-~]*", text) or "#" in text or "\\" in unquoted:
        raise ValueError("not a path; start it with /, and write other signs as %XX")
    if {".", ".."} & set(unquoted.partition("?")[0].split("/")):
        raise ValueError("leads out of the Service; write it without . and ..")
    return text


def _image(text: str) -> str:
    try:
        Reference.parse(text)
    except InvalidReference as error:
        raise ValueError(f"not an image: {error}; write for example shop/smoke:1.2") from None
    return text


def _job_timeout(seconds: float) -> float:
    if seconds > MOST_JOB_S:
        raise ValueError(
            f"longer than the {MOST_JOB_S} s that a Job has before an update; shorten it"
        )
    return seconds


def _probe_host(text: str) -> str:
    if text != ADDRESS and not re.fullmatch(r"[A-Za-z0-9_.:-]+", text):
        raise ValueError(f"not a host; write a name, an address or {ADDRESS}")
    return text


def _seconds(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # ValueError is what pydantic reports; a TypeError would escape as a crash
        raise ValueError(f"has no unit; write for example {value}s")
    if not isinstance(value, str) or len(value) > 99:
        raise ValueError("not a duration; write for example 30s, 5m, 1h30m or 2d")
    try:
        return duration_s(value)
    except ValueError as error:
        raise ValueError(str(error) if ";" in str(error) else f"{error}; shorten it") from None


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise ValueError("must be longer than zero; write for example 30s")
    return seconds


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, int) and not isinstance(value, bool) else value


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _read(parse: Callable[[str], Any]) -> BeforeValidator:
    """A text that becomes a value of its own; anything else is left for the type to refuse."""

    def read(value: Any) -> Any:
        return parse(value) if isinstance(value, str) else value

    return BeforeValidator(read, json_schema_input_type=str)


def _command(value: Any) -> Any:
    return spelling.command(value) if isinstance(value, str) else value


def _status(value: int) -> int:
    if not 100 <= value <= 599:
        raise ValueError("not an HTTP status; use 100 to 599")
    return value


_DURATION_SCHEMA = {
    "type": "string",
    "pattern": r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d|w))+$",
    "examples": ["30s", "5m", "1h30m", "2d"],
}
_SPAN = Annotated[float, BeforeValidator(_seconds), WithJsonSchema(_DURATION_SCHEMA)]

Name = Annotated[str, AfterValidator(_name)]
Kind = Annotated[str, AfterValidator(_kind)]
Pattern = Annotated[str, AfterValidator(_pattern)]
EngineAddress = Annotated[str, AfterValidator(docker_host)]
KubeContext = Annotated[str, AfterValidator(_printable)]
Namespace = Annotated[str, AfterValidator(_namespace)]
ContextName = Annotated[str, AfterValidator(context_name)]
RegistryName = Annotated[str, AfterValidator(_registry)]
UserName = Annotated[str, AfterValidator(_user)]
AbsolutePath = Annotated[str, AfterValidator(_absolute)]
Url = Annotated[str, AfterValidator(_url)]
WebUrl = Annotated[str, AfterValidator(_web_url)]
ChartPattern = Annotated[str, AfterValidator(_chart_pattern)]
ChartRepository = Annotated[str, AfterValidator(_chart_repository)]
Mirror = Annotated[str, AfterValidator(spelling.mirror)]
ProbeUrl = Annotated[str, AfterValidator(_probe_url)]
ProbeHost = Annotated[str, AfterValidator(_probe_host)]
CheckQuery = Annotated[str, AfterValidator(check_query)]
IncidentQuery = Annotated[str, AfterValidator(incident_query)]
Expect = Annotated[InstanceOf[Expectation], _read(expectation)]
Service = Annotated[str, AfterValidator(_service)]
ServicePath = Annotated[str, AfterValidator(_service_path)]
ImageName = Annotated[str, AfterValidator(_image)]
Duration = _SPAN
Timeout = Annotated[_SPAN, AfterValidator(_positive)]
JobTimeout = Annotated[Timeout, AfterValidator(_job_timeout)]
Port = Annotated[int, Field(ge=1, le=65535)]
Level = Annotated[PolicyLevel, Field(strict=False)]
Approves = Annotated[Approval, Field(strict=False)]
Compose = Annotated[ComposeChange, Field(strict=False)]
Pipelines = Annotated[Pipeline, Field(strict=False)]
Strategies = Annotated[Strategy, Field(strict=False)]
DockerUpdater = Annotated[DockerUpdaters, Field(strict=False)]
_Word = Annotated[str, Field(min_length=1)]
Command = Annotated[
    tuple[_Word, ...],
    Field(strict=False, min_length=1),
    BeforeValidator(_command, json_schema_input_type=str | list[str]),
]
Walk = Annotated[Literal[Bump.MINOR, Bump.MAJOR], _read(spelling.walk)]
Group = Annotated[str, AfterValidator(spelling.group)]
_TagPattern = Annotated[str, AfterValidator(spelling.tag_pattern)]
TagPatterns = Annotated[
    tuple[_TagPattern, ...],
    Field(strict=False, min_length=1),
    BeforeValidator(_one_or_more, json_schema_input_type=str | list[str]),
]
_OneWindow = Annotated[InstanceOf[Window], _read(parse_window)]
_OneFreeze = Annotated[InstanceOf[Freeze], _read(parse_freeze)]
Windows = Annotated[
    tuple[_OneWindow, ...],
    Field(strict=False, min_length=1),
    BeforeValidator(_one_or_more, json_schema_input_type=str | list[str]),
]
Freezes = Annotated[
    tuple[_OneFreeze, ...],
    Field(strict=False, min_length=1),
    BeforeValidator(_one_or_more, json_schema_input_type=str | list[str]),
]
Score = Annotated[int, Field(ge=0, le=101)]
Status = Annotated[int, AfterValidator(_status)]
Statuses = Annotated[
    tuple[Status, ...],
    Field(strict=False, min_length=1),
    BeforeValidator(_listed, json_schema_input_type=int | list[int]),
]
