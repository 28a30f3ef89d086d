"""What came back over the wire."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{1,200}"')


class Headers:
    """The headers of one answer; names are read in any case."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name.lower(), []).append(value)

    def all(self, name: str) -> list[str]:
        """Every value of this name, as they came; `name` in lower case."""
        return self._values.get(name, [])

    def get(self, name: str) -> str | None:
        """The first value of this name."""
        return next(iter(self.all(name)), None)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, its body read and bounded. `url` is what was asked."""

    status: int
    headers: Headers
    body: bytes
    url: str

    @property
    def place(self) -> str:
        """Who answered, without path and query (which can hold signatures)."""
        return urlsplit(self.url).netloc

    @property
    def is_page(self) -> bool:
        """Whether this is a web page where JSON was expected."""
        return (self.headers.get("content-type") or "").lower().startswith("text/html")

    @property
    def etag(self) -> str | None:
        """The entity tag, where it is one that can be sent back."""
        text = self.headers.get("etag") or ""
        return text if _ETAG.fullmatch(text) else None
