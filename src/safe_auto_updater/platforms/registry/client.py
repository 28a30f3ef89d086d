"""Questions to registries: which tags, which digest, which image for this platform."""

import ssl
import threading
from collections.abc import Callable, Mapping
from typing import Any

import httpx2

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.ports import Clock, ImageAnswer
from safe_auto_updater.core.reference import Reference, is_digest
from safe_auto_updater.platforms.registry.credentials import Credentials
from safe_auto_updater.platforms.registry.failures import json_object
from safe_auto_updater.platforms.registry.manifests import (
    ACCEPT,
    IMAGE_CONFIGS,
    Index,
    Manifest,
    Platform,
    pick,
    read_manifest,
    verified,
    wrong_platform,
)
from safe_auto_updater.platforms.registry.once import Once
from safe_auto_updater.platforms.registry.paging import all_tags
from safe_auto_updater.platforms.registry.session import Session
from safe_auto_updater.platforms.registry.settings import HostSettings, is_loopback
from safe_auto_updater.platforms.registry.tokens import Authorizer
from safe_auto_updater.platforms.registry.wire import Wire

_LARGEST_MANIFEST = 4 << 20
_LARGEST_CONFIG = 8 << 20
_MOST_CONNECTIONS = 16
_POOL_WAIT_S = 120.0


class RegistryClient:
    """A client for all registries. Thread-safe; close it when done.

    Answers are remembered, refusals too: one client is for one run.
    Every method raises RegistryError, whose `reason` says of which kind.
    """

    def __init__(
        self,
        settings: Mapping[str, HostSettings],
        credentials: Credentials,
        clock: Clock,
        random: Callable[[], float],
        timeout_s: float = 15.0,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._clock = clock
        self._timeout = httpx2.Timeout(timeout_s, pool=_POOL_WAIT_S)
        self._wire = Wire(clock, random)
        self._once = Once()
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._system_tls: ssl.SSLContext | None = None

    def tags(self, ref: Reference) -> tuple[str, ...]:
        """Every tag of the repository, in the registry's order."""
        what = f"tags of {ref.canonical_name}"
        return self._once(
            ("tags", ref.canonical_name),
            lambda: all_tags(self._session(ref), ref.repository, what),
        )

    def head(self, ref: Reference) -> str:
        """The digest that the reference points to now. Free of Docker Hub's pull limit."""
        return self._once(("head", *_key(ref)), lambda: self._head(ref))

    def resolve(self, ref: Reference, platform: Platform) -> ImageAnswer:
        """What the reference points to, walked down to the platform and verified."""
        return self._once(("resolve", *_key(ref), platform), lambda: self._resolve(ref, platform))

    def image_config(self, ref: Reference, digest: str) -> dict[str, Any]:
        """The configuration blob with this digest, verified. Do not change it: it is shared."""
        return self._once(
            ("config", ref.canonical_name, digest), lambda: self._image_config(ref, digest)
        )

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            session.close()

    def _head(self, ref: Reference) -> str:
        what = f"manifest of {ref}"
        path = f"/v2/{ref.repository}/manifests/{_target(ref)}"
        session = self._session(ref)
        answer = session.ask("HEAD", path, ref.repository, what, _LARGEST_MANIFEST, ACCEPT)
        digest = answer.headers.get("docker-content-digest", "")
        return digest if is_digest(digest) else self._manifest(ref, _target(ref)).digest

    def _resolve(self, ref: Reference, platform: Platform) -> ImageAnswer:
        what = f"manifest of {ref}"
        top = self._manifest(ref, _target(ref))
        match top:
            case Manifest():
                self._check_platform(ref, what, top, platform)
                image = top
            case Index():
                child = self._manifest(ref, pick(what, top, platform).digest)
                if isinstance(child, Index):
                    raise wrong_platform(what, platform, "an index inside the index")
                image = child
        return ImageAnswer(top.digest, image.digest, image.config_digest, image.layers)

    def _manifest(self, ref: Reference, target: str) -> Index | Manifest:
        what = f"manifest of {ref}"
        path = f"/v2/{ref.repository}/manifests/{target}"
        session = self._session(ref)
        answer = session.ask("GET", path, ref.repository, what, _LARGEST_MANIFEST, ACCEPT)
        return read_manifest(what, answer, target if is_digest(target) else None)

    def _check_platform(
        self, ref: Reference, what: str, image: Manifest, platform: Platform
    ) -> None:
        """A manifest without an index says its platform in its configuration only."""
        if image.config_type not in IMAGE_CONFIGS:
            return  # a chart or another artifact: runs nowhere, fits everywhere
        match self.image_config(ref, image.config_digest):
            case {"os": str(os), "architecture": str(architecture), **rest}:
                variant = rest.get("variant")
                made_for = Platform(os, architecture, variant if isinstance(variant, str) else "")
                if platform.fit(made_for) is None:
                    raise wrong_platform(what, platform, str(made_for))

    def _image_config(self, ref: Reference, digest: str) -> dict[str, Any]:
        what = f"configuration {digest} of {ref}"
        path = f"/v2/{ref.repository}/blobs/{digest}"
        session = self._session(ref)
        answer = session.ask("GET", path, ref.repository, what, _LARGEST_CONFIG, "*/*")
        verified(what, answer.body, digest)
        return json_object(what, answer)

    def _session(self, ref: Reference) -> Session:
        with self._lock:
            if ref.host not in self._sessions:
                self._sessions[ref.host] = self._connect(ref.host)
            return self._sessions[ref.host]

    def _connect(self, host: str) -> Session:
        settings = self._settings.get(host) or HostSettings(host)
        http = httpx2.Client(
            verify=self._tls(settings),
            timeout=self._timeout,
            follow_redirects=False,
            trust_env=not is_loopback(host),  # as Docker: no proxy to this machine itself
            limits=httpx2.Limits(
                max_connections=_MOST_CONNECTIONS, max_keepalive_connections=_MOST_CONNECTIONS
            ),
            headers={"User-Agent": "safe-auto-updater"},
        )
        authorizer = Authorizer(settings, http, self._wire, self._credentials, self._clock)
        return Session(settings, http, self._wire, authorizer)

    def _tls(self, settings: HostSettings) -> ssl.SSLContext:
        if settings.ca_file is None:
            if self._system_tls is None:
                self._system_tls = httpx2.create_ssl_context()
            return self._system_tls
        context = httpx2.create_ssl_context()
        try:
            context.load_verify_locations(cafile=settings.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise RegistryError(
                f"{settings.host}: ca_file {settings.ca_file} cannot be used ({error}). "
                "Name a readable file with certificates in PEM format.",
                "unreachable",
            ) from error
        return context


def _target(ref: Reference) -> str:
    return ref.digest or ref.tag_or_latest


def _key(ref: Reference) -> tuple[str, str]:
    return ref.canonical_name, _target(ref)
