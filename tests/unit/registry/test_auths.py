"""Which entry of pull secrets is for a reference."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.platforms.registry.auths import credential_for
from safe_auto_updater.platforms.registry.credentials import IdentityToken, Password


def entry(user: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:secret".encode()).decode()}


def keys(*named: str) -> dict[str, Any]:
    """Each key's user is the key itself."""
    return {key: {"username": key, "password": "secret"} for key in named}


# reference, keys, the one that is for it
ROWS: list[tuple[str, tuple[str, ...], str | None]] = [
    ("r.example/web:1", ("r.example",), "r.example"),
    ("r.example/web:1", ("https://r.example",), "https://r.example"),
    ("r.example/web:1", ("https://r.example/v2/",), "https://r.example/v2/"),
    ("r.example:5000/web:1", ("r.example",), None),
    ("r.example:5000/web:1", ("r.example:5000",), "r.example:5000"),
    ("r.example/web:1", ("other.example",), None),
    ("r.example/a/web:1", ("r.example", "r.example/a", "r.example/b"), "r.example/a"),
    ("r.example/ab/web:1", ("r.example/a",), None),
    ("r.example/a:1", ("r.example/a",), "r.example/a"),
    ("r.example/a/b:1", ("r.example/a/b", "r.example/a"), "r.example/a/b"),
    ("a.r.example/web:1", ("*.r.example",), "*.r.example"),
    ("b.a.r.example/web:1", ("*.r.example",), None),
    ("r.example/web:1", ("*.r.example",), None),
    ("a.r.example/web:1", ("*.r.example", "a.r.example"), "a.r.example"),
    ("nginx:1", ("https://index.docker.io/v1/",), "https://index.docker.io/v1/"),
    ("nginx:1", ("docker.io",), "docker.io"),
    ("r.example/web:1", (), None),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_most_exact_key_is_chosen(row: tuple[str, tuple[str, ...], str | None]) -> None:
    reference, named, chosen = row
    found = credential_for(Reference.parse(reference), [("mine", keys(*named))])
    assert found == (None if chosen is None else Password(chosen, "secret"))


def test_first_of_several_secrets_is_chosen() -> None:
    ref = Reference.parse("r.example/web:1")
    several = [("a", {"r.example": entry("first")}), ("b", {"r.example": entry("second")})]
    assert credential_for(ref, several) == Password("first", "secret")
    assert credential_for(ref, reversed(several)) == Password("second", "secret")


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({"identitytoken": "t"}, IdentityToken("t")),
        ({"username": "u", "password": "p"}, Password("u", "p")),
        ({"auth": ""}, None),
        ({}, None),
    ],
)
def test_forms_of_an_entry(told: dict[str, str], found: object) -> None:
    assert credential_for(Reference.parse("r.example/web"), [("a", {"r.example": told})]) == found


@pytest.mark.parametrize("told", [{"auth": "bm9jb2xvbg=="}, {"auth": "%"}, "text", None, [1]])
def test_entry_that_gives_nothing_is_named_and_not_told(told: Any) -> None:
    with pytest.raises(RegistryError, match="pull secret shop/a has an entry") as caught:
        credential_for(
            Reference.parse("r.example/web"), [("pull secret shop/a", {"r.example": told})]
        )
    assert caught.value.reason == "auth"
    assert "bm9" not in str(caught.value)
