"""What registries and repositories of charts answered, kept between runs."""

from __future__ import annotations

from typing import Protocol


class Stored(Protocol):
    """A body as it was kept, and the entity tag that it came with."""

    @property
    def etag(self) -> str | None:
        """The entity tag, where there was one."""
        ...

    @property
    def body(self) -> bytes:
        """The body."""
        ...


class Answers(Protocol):
    """Where answers are kept between runs. Called from several threads; never raises."""

    def get(self, key: str) -> Stored | None:
        """What is kept under this key, or None: also where the store cannot be read."""
        ...

    def put(self, key: str, etag: str | None, body: bytes) -> None:
        """Keep it if that can be done."""
        ...
