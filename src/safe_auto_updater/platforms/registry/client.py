"""Questions to registries: which tags, which digest, which image for this platform."""

from collections.abc import Callable, Mapping
from typing import Any

from safe_auto_updater.core.answers import Answers
from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.ports import Clock
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.registries import ImageAnswer
from safe_auto_updater.platforms.registry.cache import Cache, NoAnswers
from safe_auto_updater.platforms.registry.contents import Contents
from safe_auto_updater.platforms.registry.credentials import Credentials
from safe_auto_updater.platforms.registry.failures import malformed
from safe_auto_updater.platforms.registry.hosts import Hosts
from safe_auto_updater.platforms.registry.limits import Limit, Limits
from safe_auto_updater.platforms.registry.manifests import Manifest, Platform
from safe_auto_updater.platforms.registry.observed import Observe, by_nobody
from safe_auto_updater.platforms.registry.once import Once
from safe_auto_updater.platforms.registry.paging import all_tags
from safe_auto_updater.platforms.registry.pointer import digest_of_target
from safe_auto_updater.platforms.registry.settings import HostSettings
from safe_auto_updater.platforms.registry.walk import image_for
from safe_auto_updater.platforms.registry.wire import Wire


class RegistryClient:
    """A client for all registries. Thread-safe; close it when done.

    Answers are remembered, refusals too: one client is for one run. `answers` is what is kept
    between runs. `timeout_s` bounds one wait for a host, `deadline_s` one whole answer. `observe`
    is told of each question that goes out.
    Every method raises RegistryError, whose `reason` says of which kind.
    """

    def __init__(
        self,
        settings: Mapping[str, HostSettings],
        credentials: Credentials,
        clock: Clock,
        random: Callable[[], float],
        timeout_s: float = 15.0,
        deadline_s: float = 60.0,
        answers: Answers | None = None,
        observe: Observe = by_nobody,
    ) -> None:
        self._limits = Limits(clock)
        wire = Wire(clock, random, deadline_s, observe)
        self._hosts = Hosts(settings, credentials, clock, wire, self._limits, timeout_s)
        self._cache = Cache(NoAnswers() if answers is None else answers)
        self._contents = Contents(self._hosts, self._cache)
        self._once = Once()

    def tags(self, ref: Reference) -> tuple[str, ...]:
        """Every tag of the repository, in the registry's order; never a list that lacks some."""
        what = f"tags of {ref.canonical_name}"
        tags = self._once(
            ("tags", ref.canonical_name),
            lambda: all_tags(self._hosts(ref.host), ref.repository, what, self._cache),
        )
        if ref.tag is not None and ref.tag not in tags:
            self._refuse_unlisted(what, ref, len(tags))
        return tags

    def head(self, ref: Reference) -> str:
        """The digest that the reference points to now. Free of Docker Hub's pull limit."""
        return self._once(
            ("head", *_key(ref)), lambda: digest_of_target(self._hosts(ref.host), ref, self._cache)
        )

    def resolve(self, ref: Reference, platform: Platform) -> ImageAnswer:
        """What the reference points to, walked down to the platform and verified."""
        return self._once(("resolve", *_key(ref), platform), lambda: self._resolve(ref, platform))

    def image_config(self, ref: Reference, digest: str) -> Mapping[str, Any]:
        """The configuration blob with this digest, verified. Do not change it: it is shared."""
        return self._once(
            ("config", ref.canonical_name, digest), lambda: self._contents.config(ref, digest)
        )

    def artifact(self, ref: Reference) -> Manifest:
        """The manifest of what runs nowhere, such as a chart. RegistryError for an index."""
        return self._once(("artifact", *_key(ref)), lambda: self._artifact(ref))

    def blob(self, ref: Reference, digest: str, limit: int) -> bytes:
        """The blob with this digest, verified, of at most so many bytes."""
        return self._contents.artifact(ref, digest, limit)

    def limits(self) -> Mapping[str, Limit]:
        """How many pulls each host still grants, of those that say so."""
        return self._limits.all()

    def close(self) -> None:
        """Close every connection."""
        self._hosts.close()

    def _resolve(self, ref: Reference, platform: Platform) -> ImageAnswer:
        # A HEAD first, though a GET would tell the digest too: it is not counted, it says who may
        # see this, and the rest is content that may be at hand.
        digest = self.head(ref)
        image = image_for(
            f"manifest of {ref}",
            platform,
            digest,
            lambda wanted: self._contents.manifest(ref, wanted),
            lambda wanted: self.image_config(ref, wanted),
        )
        return ImageAnswer(digest, image.digest, image.config_digest, image.layers)

    def _artifact(self, ref: Reference) -> Manifest:
        found = self._contents.manifest(ref, self.head(ref))
        if isinstance(found, Manifest):
            return found
        raise malformed(f"manifest of {ref}", "this is an index of several, and no chart")

    def _refuse_unlisted(self, what: str, ref: Reference, count: int) -> None:
        """A tag that is served and not listed proves that the list is not whole.

        One that is neither was removed, which is the publisher's right.
        """
        tag = ref.tag_or_latest
        try:
            self.head(ref.with_tag(tag))
        except RegistryError as error:
            if error.reason != "not_found":
                raise
            return
        fact = f"{ref.host} lists {count} tags, not all: it serves {tag!r}, which is not listed"
        raise malformed(what, fact)


def _key(ref: Reference) -> tuple[str, str]:
    return ref.canonical_name, ref.digest or ref.tag_or_latest
