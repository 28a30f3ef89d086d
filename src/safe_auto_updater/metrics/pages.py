"""As much of HTTP/1.1 as three pages need: read one request, write one answer, hang up."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

LONGEST_REQUEST = 8192
_END = re.compile(rb"\r?\n\r?\n")
_LINE = re.compile(rb"([A-Za-z]{1,20}) (/[!-~]{0,2000}) HTTP/1\.[01]")
_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Page:
    """What is answered to a GET."""

    status: HTTPStatus
    body: bytes
    kind: str = _TEXT


Pages = Mapping[str, Callable[[], Page]]
"""What there is, by its path. A page that raises is an error 500 that names the exception."""


def said(status: HTTPStatus, text: str) -> Page:
    """A page of one line."""
    return Page(status, f"{text}\n".encode())


def answer(received: bytes, pages: Pages) -> bytes | None:
    """The whole answer to what was received so far; None: that is no whole request yet."""
    end = _END.search(received)
    if end is None:
        if len(received) <= LONGEST_REQUEST:
            return None
        wide = said(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too large a request")
        return _written(wide)
    line = _LINE.fullmatch(received[: end.start()].splitlines()[0] if end.start() else b"")
    if line is None:
        return _written(said(HTTPStatus.BAD_REQUEST, "this is no HTTP/1.1 request"))
    method, path = line[1], line[2].decode("ascii").partition("?")[0]
    if path not in pages:
        return _written(said(HTTPStatus.NOT_FOUND, "no such page"), method)
    if method != b"GET":
        return _written(said(HTTPStatus.METHOD_NOT_ALLOWED, "only GET"), method, "Allow: GET\r\n")
    return _written(_made(pages[path]))


def _made(page: Callable[[], Page]) -> Page:
    try:
        return page()
    except Exception as error:  # whatever it is, the server goes on
        return said(HTTPStatus.INTERNAL_SERVER_ERROR, type(error).__name__)


def _written(page: Page, method: bytes = b"GET", more: str = "") -> bytes:
    head = (
        f"HTTP/1.1 {page.status.value} {page.status.phrase}\r\n"
        f"Content-Type: {page.kind}\r\n"
        f"Content-Length: {len(page.body)}\r\n"
        "Cache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        f"{more}"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + (b"" if method == b"HEAD" else page.body)
