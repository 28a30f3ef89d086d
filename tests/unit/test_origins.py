"""Whether an image came from where its name says, by each way an engine keeps images."""

from __future__ import annotations

from typing import Any

import pytest

from safe_auto_updater.core.reference import Reference
from safe_auto_updater.platforms.docker.origins import Origin, origin

Json = dict[str, Any]
A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
WEB = Reference.parse("registry.example:5000/web:1.0.0")
NAME = "registry.example:5000/web"
OTHER = "registry.example:5000/other"
PULLED: Json = {"Identity": {"Pull": [{"Repository": "registry.example/web"}]}}
OWN: Json = {"Image": A}
IN_CONTAINERD: Json = {"Image": A, "ImageManifestDescriptor": {"digest": C}}


# the container, its image, the API, what is known and what is claimed
TABLE: dict[str, tuple[Json, Json, tuple[int, int], Origin]] = {
    "pulled": (OWN, {"RepoDigests": [f"{NAME}@{B}", f"{OTHER}@{C}"]}, (1, 41), Origin((B,))),
    "pulled twice": (OWN, {"RepoDigests": [f"{NAME}@{B}", f"{NAME}@{C}"]}, (1, 51), Origin((B, C))),
    "built here": (OWN, {"RepoTags": ["web:1.0.0"], "RepoDigests": []}, (1, 41), Origin()),
    "without any name": (OWN, {"RepoDigests": ["<none>@<none>"]}, (1, 41), Origin()),
    "pulled into containerd": (
        IN_CONTAINERD,
        {"RepoDigests": [f"{NAME}@{A}"], **PULLED},
        (1, 53),
        Origin((A, C)),
    ),
    "pulled into containerd, and its name has moved on": (
        IN_CONTAINERD,
        {"RepoDigests": [], **PULLED},
        (1, 56),
        Origin((A, C)),
    ),
    "built into containerd": (IN_CONTAINERD, {"RepoDigests": [f"{NAME}@{A}"]}, (1, 53), Origin()),
    "tagged so in containerd": (
        IN_CONTAINERD,
        {
            "RepoDigests": [f"{NAME}@{A}"],
            "Identity": {"Pull": [{"Repository": "elsewhere.example/web"}]},
        },
        (1, 53),
        Origin(),
    ),
    "pulled into containerd at once with another name, which alone is remembered": (
        IN_CONTAINERD,
        {
            "RepoDigests": [f"{OTHER}@{A}", f"{NAME}@{A}"],
            "Identity": {"Pull": [{"Repository": "registry.example/other"}]},
        },
        (1, 56),
        Origin(claimed=(A, C)),
    ),
    "an older engine does not tell": (
        IN_CONTAINERD,
        {"RepoTags": [f"{NAME}:1.0.0"], "RepoDigests": [f"{NAME}@{A}"]},
        (1, 52),
        Origin(claimed=(A, C)),
    ),
    "a still older engine does not even tell the store": (
        OWN,
        {"RepoTags": [f"{NAME}:1.0.0"], "RepoDigests": [f"{NAME}@{A}"]},
        (1, 45),
        Origin(claimed=(A,)),
    ),
    "an older engine has lost its name": (IN_CONTAINERD, {}, (1, 48), Origin(claimed=(A, C))),
    "an older engine knows it by another name": (
        IN_CONTAINERD,
        {"RepoTags": [f"{OTHER}:1"], "RepoDigests": [f"{OTHER}@{A}"]},
        (1, 52),
        Origin(),
    ),
}


@pytest.mark.parametrize("about", TABLE)
def test_origin_is_what_the_engine_can_prove(about: str) -> None:
    container, image, api, expected = TABLE[about]
    assert origin(WEB, container, image, api) == expected
