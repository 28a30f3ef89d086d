"""Labels and names: which are ours, and which of them a user set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.policy import LABEL_PREFIX

Json = Mapping[str, Any]
MARK = LABEL_PREFIX + "update"  # proves which update made a container
USERS = LABEL_PREFIX + "set-by-user"  # which of our labels on it are a user's, not the image's
STAGED, PARKED = ".sau-next", ".sau-previous"  # fixed names: create answers 409 to a second actor


def policy_labels(container: Json, image: Json) -> tuple[tuple[str, str], ...]:
    """Our labels that a user set on the container; those the image brought set no policy.

    A label that both set alike is taken for the image's, unless an update noted it as the user's
    when the image of that time had not brought it.
    """
    brought = (image.get("Config") or {}).get("Labels") or {}
    labels = container["Config"].get("Labels") or {}
    noted = labels.get(USERS, "").split(",") if brought.get(USERS) != labels.get(USERS) else ()
    return tuple(
        sorted(
            (key, value)
            for key, value in labels.items()
            if key.strip().casefold().startswith(LABEL_PREFIX)  # misspelled, it holds
            and key not in (MARK, USERS)
            and (brought.get(key) != value or key in noted)
        )
    )


def our_marks(container: Json, image: Json, update: str) -> dict[str, str]:
    """What an update writes on the container that it makes from this one."""
    users = [key for key, _ in policy_labels(container, image)]
    return {MARK: update, **({USERS: ",".join(users)} if users else {})}
