"""From what a tag names down to the one image that runs on a platform."""

from collections.abc import Callable, Mapping
from typing import Any

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.platforms.registry.failures import malformed
from safe_auto_updater.platforms.registry.manifests import (
    IMAGE_CONFIGS,
    Index,
    Manifest,
    Platform,
    no_image,
    pick,
    wrong_platform,
)

_DEEPEST = 4
_MOST_UNSAID = 8  # each costs requests
_MOST_FETCHED = 20  # indexes inside each other multiply

Fetch = Callable[[str], Index | Manifest]
FetchConfig = Callable[[str], Mapping[str, Any]]


def image_for(
    what: str, platform: Platform, digest: str, fetch: Fetch, fetch_config: FetchConfig
) -> Manifest:
    """The image behind a digest that runs best on this platform.

    Raises RegistryError: `platform` where there is none, `malformed` for a maze of indexes.
    """
    fetched = 0

    def bounded(wanted: str) -> Index | Manifest:
        nonlocal fetched
        fetched += 1
        if fetched > _MOST_FETCHED:
            raise malformed(what, f"no image found in the first {_MOST_FETCHED} of its manifests")
        return fetch(wanted)

    return _walk(what, platform, digest, bounded, fetch_config, said=False, depth=0)


def _walk(
    what: str,
    platform: Platform,
    digest: str,
    fetch: Fetch,
    fetch_config: FetchConfig,
    said: bool,
    depth: int,
) -> Manifest:
    if depth > _DEEPEST:
        raise malformed(what, f"more than {_DEEPEST} indexes inside each other")
    found = fetch(digest)
    if isinstance(found, Manifest):
        if not said and found.config_type in IMAGE_CONFIGS:
            # A chart or another artifact has no platform: it runs nowhere, and fits everywhere.
            _check_platform(what, platform, fetch_config(found.config_digest))
        return found
    picked = pick(found, platform)
    if picked is not None:
        return _walk(what, platform, picked, fetch, fetch_config, said=True, depth=depth + 1)
    for unsaid in found.unsaid[:_MOST_UNSAID]:
        try:
            return _walk(what, platform, unsaid, fetch, fetch_config, said=False, depth=depth + 1)
        except RegistryError as error:
            if error.reason != "platform":
                raise
    raise no_image(what, platform, found)


def _check_platform(what: str, platform: Platform, config: Mapping[str, Any]) -> None:
    """An image without an index says its platform in its configuration only."""
    match config:
        case {"os": str(os), "architecture": str(architecture), **rest}:
            variant = rest.get("variant")
            made_for = Platform(os, architecture, variant if isinstance(variant, str) else "")
            if platform.fit(made_for) is None:
                raise wrong_platform(what, platform, str(made_for))
