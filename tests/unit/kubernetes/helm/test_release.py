"""A release as its storage object keeps it: read whole, and nothing of a stranger's believed."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from safe_auto_updater.core.errors import PlatformError
from safe_auto_updater.platforms.kubernetes.helm.release import release_of

Json = dict[str, Any]


def told(**other: Any) -> Json:
    """What Helm writes of a release."""
    return {
        "name": "web",
        "namespace": "shop",
        "version": 3,
        "info": {"status": "deployed", "last_deployed": "2026-11-29T11:37:18.615646151Z"},
        "chart": {"metadata": {"name": "web", "version": "1.2.0", "appVersion": "3.4"}},
        "config": {"port": 8080},
        "manifest": "---\n# Source: web/templates/cm.yaml\n",
    } | other


def packed(content: bytes | str, *, gzipped: bool = True) -> str:
    raw = content.encode() if isinstance(content, str) else content
    return base64.b64encode(gzip.compress(raw) if gzipped else raw).decode()


def stored(payload: str | None, kind: str = "Secret", name: str = "web.v3") -> Json:
    data = {} if payload is None else {"release": payload}
    if kind == "Secret":
        data = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    meta = {
        "namespace": "shop",
        "name": f"sh.helm.release.v1.{name}",
        "uid": "u",
        "resourceVersion": "7",
        "labels": {"owner": "helm", "name": "web", "safe-auto-updater/policy": "minor"},
    }
    return {"kind": kind, "metadata": meta, "data": data}


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
@pytest.mark.parametrize("gzipped", [True, False])
def test_release_is_read_whole(kind: str, gzipped: bool) -> None:
    found = release_of(stored(packed(json.dumps(told()), gzipped=gzipped), kind))
    assert (found.namespace, found.name, found.revision) == ("shop", "web", 3)
    assert (found.chart.name, found.chart.version, found.chart.app_version) == (
        "web",
        "1.2.0",
        "3.4",
    )
    assert found.labels == {"safe-auto-updater/policy": "minor"}
    assert found.storage.kind == kind
    assert found.info.first_deployed is None
    assert found.info.last_deployed is not None and found.info.last_deployed.year == 2026


# the `config` member as it stands in the payload; it is handed on to the byte
CONFIGS = [
    '{"a":1.10,"b":"1.10","c":1e+06,"d":12345678901234567890,"e":-0.0,"f":1E400}',
    '{ "a" : null,\n "b": [true, {}] }',
    '{"ключ":"значение","emoji":"\\ud83d\\ude00"}',
    '{"a":1,"a":2}',
    "{}",
]


@pytest.mark.parametrize("config", CONFIGS)
def test_values_keep_their_spelling(config: str) -> None:
    text = json.dumps(told(config="HERE")).replace('"HERE"', config)
    assert release_of(stored(packed(text))).config_text == config


@pytest.mark.parametrize("config", ["null", None])
def test_no_values_are_an_empty_object(config: str | None) -> None:
    body = told()
    del body["config"]
    text = json.dumps(body)
    text = text if config is None else text[:-1] + f', "config": {config}}}'
    found = release_of(stored(packed(text)))
    assert (found.config, found.config_text) == ({}, "{}")


def without(*path: str) -> str:
    body = told()
    inner: Any = body
    for part in path[:-1]:
        inner = inner[part]
    del inner[path[-1]]
    return packed(json.dumps(body))


HOSTILE = {
    "nothing": (None, "has no `release`"),
    "no base64": ("%%%", "not base64"),
    "no gzip, no text": (packed(b"\xff\xfe", gzipped=False), "neither gzip nor text"),
    "damaged gzip": (base64.b64encode(b"\x1f\x8b\x08" + b"x" * 40).decode(), "gzip is damaged"),
    "half a gzip": (
        base64.b64encode(gzip.compress(json.dumps(told()).encode())[:-20]).decode(),
        "cut off",
    ),
    "no JSON": (packed("hello"), "no JSON object"),
    "empty": (packed(""), "no JSON object"),
    "a list": (packed("[]"), "no JSON object"),
    "half an object": (packed('{"name": "web"'), "no JSON object"),
    "two objects": (packed("{}{}"), "no JSON object"),
    "not a number": (packed('{"a": NaN}'), "no JSON object"),
    "deep": (packed('{"a": ' + "[" * 100_000), "no JSON object"),
    "long number": (packed('{"version": ' + "9" * 5000 + "}"), "no JSON object"),
    "no name": (without("name"), "`name` is missing"),
    "no namespace": (without("namespace"), "`namespace` is missing"),
    "no version": (without("version"), "`version` is missing"),
    "version true": (packed(json.dumps(told(version=True))), "`version` is missing or of another"),
    "no chart": (without("chart"), "`chart` is missing"),
    "no chart version": (without("chart", "metadata", "version"), "`version` is missing"),
    "no status": (without("info", "status"), "`status` is missing"),
    "values a list": (packed(json.dumps(told(config=[]))), "`config` is missing or of another"),
    "hooks no objects": (packed(json.dumps(told(hooks=[1]))), "an object with `name`"),
    "of another release": (packed(json.dumps(told(name="db"))), "revision 3 of db"),
    "of another revision": (packed(json.dumps(told(version=4))), "revision 4 of web"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_release_is_named(what: str) -> None:
    named_as_no_release(*HOSTILE[what])


@pytest.mark.slow
def test_bomb_is_named() -> None:
    bomb = gzip.compress(b" " * (65 * 1024 * 1024), 1)
    named_as_no_release(base64.b64encode(bomb).decode(), "more than 64 MiB")


def named_as_no_release(payload: str | None, words: str) -> None:
    with pytest.raises(PlatformError) as refused:
        release_of(stored(payload))
    assert str(refused.value).startswith("Secret shop/sh.helm.release.v1.web.v3 holds no Helm")
    assert words in str(refused.value)
