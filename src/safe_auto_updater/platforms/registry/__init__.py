"""Asking OCI registries: tags, digests, image configurations."""

from safe_auto_updater.core.answers import Answers, Stored
from safe_auto_updater.platforms.registry.auths import credential_for
from safe_auto_updater.platforms.registry.client import RegistryClient
from safe_auto_updater.platforms.registry.credentials import Credential, Credentials
from safe_auto_updater.platforms.registry.limits import Limit
from safe_auto_updater.platforms.registry.lookup import ImageLookup
from safe_auto_updater.platforms.registry.manifests import Platform
from safe_auto_updater.platforms.registry.settings import HostSettings

__all__ = [
    "Answers",
    "Credential",
    "Credentials",
    "HostSettings",
    "ImageLookup",
    "Limit",
    "Platform",
    "RegistryClient",
    "Stored",
    "credential_for",
]
