"""Image references: the words that name an image, as Docker reads them.

The grammar is that of the distribution project (github.com/distribution/reference).
A reference keeps what the user wrote beside what it means, so that `nginx` stays `nginx`.
"""

import re
from dataclasses import dataclass
from typing import Self

from safe_auto_updater.core.errors import InvalidReference

HUB = "docker.io"
HUB_API = "registry-1.docker.io"

_LONGEST_NAME = 255
_HEX_LENGTHS = {"sha256": 64, "sha512": 128}

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
_PATH = re.compile(
    r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
)
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}")
_DIGEST = re.compile(r"([a-z0-9]+):([a-f0-9]+)")
_IMAGE_ID = re.compile(r"(?:sha256:)?[a-f0-9]{64}")


@dataclass(frozen=True, slots=True)
class Reference:
    """One image reference. `str()` prints what the user wrote.

    `host` and `repository` are the meaning (`nginx` is docker.io, library/nginx);
    `tag` and `digest` are None where nothing was written.
    """

    host: str
    repository: str
    tag: str | None
    digest: str | None
    written: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a reference; raise InvalidReference, and nothing else, on any other text."""
        if _IMAGE_ID.fullmatch(text):
            raise InvalidReference(
                f"{text!r} is an image ID, not a reference: it names no repository to look in. "
                "Use the image's name, such as nginx:1.27."
            )
        rest, at, digest = text.partition("@")
        if at:
            _check_digest(text, digest)
        slash = rest.rfind("/")
        colon = rest.find(":", slash + 1)
        name, tag = (rest, None) if colon < 0 else (rest[:colon], rest[colon + 1 :])
        if tag is not None:
            _check_tag(text, tag)
        host, repository = _meaning(text, name)
        return cls(host, repository, tag, digest if at else None, text)

    def __str__(self) -> str:
        return self.written

    @property
    def name(self) -> str:
        """The name in the user's own spelling, without tag and digest."""
        end = len(self.written)
        if self.digest is not None:
            end -= len(self.digest) + 1
        if self.tag is not None:
            end -= len(self.tag) + 1
        return self.written[:end]

    @property
    def canonical_name(self) -> str:
        """Host and repository in full: two spellings of one image have the same."""
        return f"{self.host}/{self.repository}"

    @property
    def familiar(self) -> str:
        """The reference as Docker prints it: `nginx:1.27` for `docker.io/library/nginx:1.27`."""
        return _join(_familiar_name(self.host, self.repository), self.tag, self.digest)

    @property
    def tag_or_latest(self) -> str:
        """The tag, or `latest`, which is what Docker pulls when none is written."""
        return self.tag or "latest"

    def with_tag(self, tag: str) -> "Reference":
        """The same name with this tag and no digest; raises InvalidReference."""
        _check_tag(tag, tag)
        return self._spelled(tag, None)

    def with_digest(self, digest: str) -> "Reference":
        """The same name and tag, pinned to this digest; raises InvalidReference."""
        _check_digest(digest, digest)
        return self._spelled(self.tag, digest)

    def pull_by_digest(self, digest: str) -> str:
        """`name@digest`, the text that pulls exactly this content; raises InvalidReference."""
        _check_digest(digest, digest)
        return f"{self.name}@{digest}"

    def _spelled(self, tag: str | None, digest: str | None) -> "Reference":
        written = _join(self.name, tag, digest)
        return Reference(self.host, self.repository, tag, digest, written)


def is_tag(text: str) -> bool:
    """Whether a registry could hold this tag."""
    return _TAG.fullmatch(text) is not None


def is_digest(text: str) -> bool:
    """Whether this is a sha256 or sha512 digest of the right length."""
    match = _DIGEST.fullmatch(text)
    return match is not None and _HEX_LENGTHS.get(match[1]) == len(match[2])


def _meaning(text: str, name: str) -> tuple[str, str]:
    first, slash, path = name.partition("/")
    # A first part without dot, port or capital is a user name at Docker Hub, except localhost.
    if slash and (first == "localhost" or any(c in ".:[" or c.isupper() for c in first)):
        if not _HOST.fullmatch(first):
            raise InvalidReference(f"{text!r}: {first!r} is no host name. Write HOST[:PORT]/NAME.")
        host = first.lower()
    else:
        host, path = HUB, name
    if host == f"index.{HUB}":
        host = HUB
    if not _PATH.fullmatch(path):
        raise InvalidReference(f"{text!r}: {_fault_of_path(path)}")
    if host == HUB and "/" not in path:
        path = f"library/{path}"
    if len(host) + 1 + len(path) > _LONGEST_NAME:
        raise InvalidReference(
            f"{text[:40]!r}…: the name is longer than {_LONGEST_NAME} characters. Shorten it."
        )
    return host, path


def _fault_of_path(path: str) -> str:
    if not path:
        return "the repository's name is missing. Write NAME[:TAG]."
    if path != path.lower() and _PATH.fullmatch(path.lower()):
        return f"a repository's name has no capitals. Write {path.lower()!r}."
    return (
        f"{path!r} is no repository name: lower-case letters and digits, parted by single "
        "'.', '_', '__', '-' or '/'."
    )


def _check_tag(text: str, tag: str) -> None:
    if not is_tag(tag):
        raise InvalidReference(
            f"{text!r}: {tag!r} is no tag: 1 to 128 letters, digits, '_', '.', '-', "
            "the first neither '.' nor '-'."
        )


def _check_digest(text: str, digest: str) -> None:
    if not is_digest(digest):
        raise InvalidReference(
            f"{text!r}: {digest!r} is no digest: sha256: and 64, or sha512: and 128, "
            "lower-case hex digits."
        )


def _familiar_name(host: str, repository: str) -> str:
    if host != HUB:
        return f"{host}/{repository}"
    short = repository.removeprefix("library/")
    return repository if "/" in short else short


def _join(name: str, tag: str | None, digest: str | None) -> str:
    return name + (f":{tag}" if tag is not None else "") + (f"@{digest}" if digest else "")
