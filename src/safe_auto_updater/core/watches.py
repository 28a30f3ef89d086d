"""How a service hears of changes between its cycles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Line(Protocol):
    """An open line to a source that tells of changes while they happen.

    `missed`: whether something may have changed there that no line told of.
    """

    missed: bool

    def changes(self) -> Iterator[None]:
        """One item for each change, as it comes, until the source ends the line by itself.

        Raises PlatformUnreachable where it breaks.
        """
        ...

    def end(self) -> None:
        """Have `changes` end, from another thread."""
        ...

    def close(self) -> None:
        """Free what it holds, once nobody reads from it."""
        ...


class Watch(Protocol):
    """What opens lines to one source, one after the other. `source` is its scanner's name."""

    source: str

    def open(self) -> Line | None:
        """A new line, going on where the one before it ended; None: there is nothing to watch.

        Raises PlatformUnreachable (nobody answers), PlatformError (that is refused).
        """
        ...

    def close(self) -> None:
        """Hang up, once the last line is closed."""
        ...
