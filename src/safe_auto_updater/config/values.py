"""The kinds of value that a configuration holds. Each says in its error what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, InstanceOf, WithJsonSchema

from safe_auto_updater.config import addresses, names, times, urls
from safe_auto_updater.core import spelling, wording
from safe_auto_updater.core import unattended as core_unattended
from safe_auto_updater.core.promql import Expectation, expectation
from safe_auto_updater.core.promql_text import check_query, incident_query
from safe_auto_updater.core.spelling import (
    Approval,
    ComposeChange,
    DockerUpdaters,
    Pipeline,
    Strategy,
)
from safe_auto_updater.core.versions import Bump, PolicyLevel
from safe_auto_updater.core.windows import Freeze, Window, parse_freeze, parse_window


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
_SPAN = Annotated[float, BeforeValidator(times.seconds_of), WithJsonSchema(_DURATION_SCHEMA)]

Name = Annotated[str, AfterValidator(names.name)]
Kind = Annotated[str, AfterValidator(names.kind)]
Pattern = Annotated[str, AfterValidator(names.pattern)]
EngineAddress = Annotated[str, AfterValidator(addresses.docker_host)]
KubeContext = Annotated[str, AfterValidator(names.kube_context)]
Namespace = Annotated[str, AfterValidator(names.namespace)]
ContextName = Annotated[str, AfterValidator(names.context_name)]
RegistryName = Annotated[str, AfterValidator(addresses.registry)]
UserName = Annotated[str, AfterValidator(names.user)]
AbsolutePath = Annotated[str, AfterValidator(names.absolute)]
Url = Annotated[str, AfterValidator(urls.url)]
WebUrl = Annotated[str, AfterValidator(urls.web_url)]
ChartPattern = Annotated[str, AfterValidator(names.chart_pattern)]
ChartRepository = Annotated[str, AfterValidator(urls.chart_repository)]
Mirror = Annotated[str, AfterValidator(spelling.mirror)]
ProbeUrl = Annotated[str, AfterValidator(urls.probe_url)]
ProbeHost = Annotated[str, AfterValidator(addresses.probe_host)]
CheckQuery = Annotated[str, AfterValidator(check_query)]
IncidentQuery = Annotated[str, AfterValidator(incident_query)]
Expect = Annotated[InstanceOf[Expectation], _read(expectation)]
Service = Annotated[str, AfterValidator(addresses.service)]
ServicePath = Annotated[str, AfterValidator(addresses.service_path)]
ImageName = Annotated[str, AfterValidator(names.image)]
MailAddress = Annotated[str, AfterValidator(addresses.mail_address)]
MailHost = Annotated[str, AfterValidator(addresses.mail_host)]
AppriseUrl = Annotated[str, AfterValidator(urls.apprise_url)]
Title = Annotated[str, AfterValidator(wording.check_title)]
Body = Annotated[str, AfterValidator(wording.check_body)]
Duration = _SPAN
Timeout = Annotated[_SPAN, AfterValidator(times.positive)]
JobTimeout = Annotated[Timeout, AfterValidator(times.job_timeout)]
Port = Annotated[int, Field(ge=1, le=65535)]
Level = Annotated[PolicyLevel, Field(strict=False)]
Approves = Annotated[Approval, Field(strict=False)]
Compose = Annotated[ComposeChange, Field(strict=False)]
Pipelines = Annotated[Pipeline, Field(strict=False)]
Strategies = Annotated[Strategy, Field(strict=False)]
Unattended = Annotated[core_unattended.Unattended, Field(strict=False)]
Interval = Annotated[_SPAN, AfterValidator(times.interval)]
Schedule = Annotated[tuple[str, ZoneInfo], _read(times.schedule)]
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
QuietHours = Annotated[Windows, AfterValidator(times.with_an_end)]
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
