"""Pull secrets: which are read, and what of them cannot be."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from safe_auto_updater.core.errors import NotFound, PlatformError
from safe_auto_updater.platforms.kubernetes.access import Access
from safe_auto_updater.platforms.kubernetes.cluster import Cluster, Refused
from safe_auto_updater.platforms.kubernetes.pull_secrets import pull_secrets

ASSET = "kubernetes:lab/shop/Deployment/web"
SECRET = "c2VjcmV0"
AUTHS = {"r.example": {"auth": SECRET}}


class Told(Cluster):
    """Has these objects by the end of their path; an error is raised."""

    def __init__(self, pod_spec: dict[str, Any], **found: Any) -> None:
        super().__init__("lab", Access())
        self._found = {"web": {"spec": {"template": {"spec": pod_spec}}}, **found}

    def get(self, path: str, **params: Any) -> Any:
        found = self._found.get(path.rpartition("/")[2], NotFound(path, 404))
        if isinstance(found, Exception):
            raise found
        return found


def secret(content: bytes | None, form: str = "dockerconfigjson") -> dict[str, Any]:
    data = {} if content is None else {f".{form}": base64.b64encode(content).decode()}
    return {"type": f"kubernetes.io/{form}", "data": data}


def names(*named: str) -> dict[str, Any]:
    return {"imagePullSecrets": [{"name": name} for name in named]}


GOOD = secret(json.dumps({"auths": AUTHS}).encode())
OLDER = secret(json.dumps(AUTHS).encode(), "dockercfg")
READ = {
    "those of the template": (Told(names("a", "b"), a=GOOD, b=OLDER), ["shop/a", "shop/b"]),
    "those of its account": (
        Told({"serviceAccountName": "w"}, w=names("a"), a=GOOD), ["shop/a"]),
    "those of the default account": (Told({}, default=names("a"), a=GOOD), ["shop/a"]),
    "the template's before its account's": (
        Told(names("a"), default=names("b"), a=GOOD, b=GOOD), ["shop/a"]),
    "none": (Told({}), []),
    "one that is gone": (Told(names("gone", "a"), a=GOOD), ["shop/a"]),
    "one of another type": (Told(names("a"), a={**GOOD, "type": "Opaque"}), []),
    "one without a name": (Told({"imagePullSecrets": [{}]}), []),
    "of what is gone": (Told({}, web=NotFound("web", 404)), []),
}  # fmt: skip


@pytest.mark.parametrize("row", READ)
def test_which_are_read(row: str) -> None:
    cluster, expected = READ[row]
    found = pull_secrets(cluster, ASSET)
    assert [one.name for one in found] == expected
    assert all(one.auths == AUTHS for one in found)
    assert SECRET not in repr(found)


def test_kinds_that_are_only_seen_have_none() -> None:
    assert pull_secrets(Told({}), "kubernetes:lab/shop/Rollout.argoproj.io/web") == ()


FORBIDDEN = Refused("no", 403, "Forbidden")
BAD = {
    "forbidden": (FORBIDDEN, "pull secret shop/a may not be read: add"),
    "no base64": ({**GOOD, "data": {".dockerconfigjson": "%%"}}, "cannot be understood"),
    "no JSON": (secret(b"{" + SECRET.encode()), "cannot be understood"),
    "no UTF-8": (secret(b"\xff"), "cannot be understood"),
    "no object": (secret(b"[]"), "cannot be understood"),
    "no auths": (secret(b"{}"), "cannot be understood"),
    "auths of another kind": (secret(b'{"auths": []}'), "cannot be understood"),
    "no data": (secret(None), "cannot be understood"),
}


@pytest.mark.parametrize("row", BAD)
def test_what_cannot_be_read_is_named_and_not_told(row: str) -> None:
    found, words = BAD[row]
    with pytest.raises(PlatformError, match=words) as caught:
        pull_secrets(Told(names("a"), a=found), ASSET)
    assert "shop/a" in str(caught.value) and SECRET not in str(caught.value)
    if row != "forbidden":
        assert caught.value.__cause__ is None and caught.value.__context__ is None


def test_account_that_may_not_be_read_is_named() -> None:
    with pytest.raises(PlatformError, match="service account shop/default may not be read"):
        pull_secrets(Told({}, default=FORBIDDEN), ASSET)
