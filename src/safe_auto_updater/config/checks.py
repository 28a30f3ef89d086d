"""The entries of `execution.health.checks`: one model for each type of check."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from safe_auto_updater.config import values as v
from safe_auto_updater.config.section import Match, PrometheusServer, Section, tag_of
from safe_auto_updater.core.probing import ADDRESS

BUILT_IN = ("http", "tcp", "command", "job", "prometheus")


class HttpCheck(Section):
    """Well when the URL answers with an expected status."""

    match: Match
    type: Literal["http"]
    url: v.ProbeUrl
    expect_status: v.Statuses | None = None
    timeout: v.Timeout = 5.0


class ServiceCheck(Section):
    """Well when the Service of a cluster answers with an expected status."""

    match: Match
    type: Literal["http"]
    service: v.Service
    path: v.ServicePath = "/"
    expect_status: v.Statuses | None = None
    timeout: v.Timeout = 5.0


class TcpCheck(Section):
    """Well when the port accepts a connection."""

    match: Match
    type: Literal["tcp"]
    host: v.ProbeHost = ADDRESS
    port: v.Port
    timeout: v.Timeout = 5.0


class CommandCheck(Section):
    """Well when the command, run inside the container, exits with 0."""

    match: Match
    type: Literal["command"]
    command: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...], Field(strict=False, min_length=1)
    ]
    timeout: v.Timeout = 5.0


class JobCheck(Section):
    """Well when a Job, run once in the asset's namespace, does its work."""

    match: Match
    type: Literal["job"]
    image: v.ImageName
    command: (
        Annotated[
            tuple[Annotated[str, Field(min_length=1)], ...], Field(strict=False, min_length=1)
        ]
        | None
    ) = None
    timeout: v.JobTimeout = 60.0


class PrometheusCheck(PrometheusServer):
    """Well when the one value of the query is as expected."""

    match: Match
    type: Literal["prometheus"]
    query: v.CheckQuery
    expect: v.Expect


class PluginCheck(Section):
    """A check that a plugin brings; `options` go to it as they are."""

    match: Match
    type: v.Kind = Field(json_schema_extra={"not": {"enum": list(BUILT_IN)}})
    options: dict[str, Any] = Field(default_factory=dict)


TAGGED: dict[str, type[Section]] = {
    "\0http": HttpCheck,
    "\0service": ServiceCheck,
    "\0tcp": TcpCheck,
    "\0command": CommandCheck,
    "\0job": JobCheck,
    "\0prometheus": PrometheusCheck,
    "\0check": PluginCheck,
}


def _tag(entry: Any) -> str:
    tag = tag_of(entry, BUILT_IN, "\0check")
    return "\0service" if tag == "\0http" and "service" in entry else tag


Check = Annotated[
    Annotated[HttpCheck, Tag("\0http")]
    | Annotated[ServiceCheck, Tag("\0service")]
    | Annotated[TcpCheck, Tag("\0tcp")]
    | Annotated[CommandCheck, Tag("\0command")]
    | Annotated[JobCheck, Tag("\0job")]
    | Annotated[PrometheusCheck, Tag("\0prometheus")]
    | Annotated[PluginCheck, Tag("\0check")],
    Discriminator(_tag),
]
