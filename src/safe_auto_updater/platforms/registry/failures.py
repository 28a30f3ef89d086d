"""What a registry's refusals mean, in words for an operator and a reason for the program."""

import json
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2

from safe_auto_updater.core.errors import RegistryError

_LONGEST_DETAIL = 200
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, its body read and bounded. `url` is what was asked."""

    status: int
    headers: httpx2.Headers
    body: bytes
    url: str

    @property
    def place(self) -> str:
        """Who answered, without path and query (which can hold signatures)."""
        return urlsplit(self.url).netloc

    @property
    def is_page(self) -> bool:
        """Whether this is a web page where JSON was expected."""
        return self.headers.get("content-type", "").lower().startswith("text/html")


def refused(what: str, answer: Answer, *, signed_in: bool) -> RegistryError:
    """The error for a status other than success. `what` names the question."""
    fact = f"{what}: {answer.place} answered {answer.status}{_detail(answer)}"
    match answer.status:
        case 401 if signed_in:
            return RegistryError(
                f"{fact}. There is no such repository, or this user may not see it. "
                "Check the name and the credentials.",
                "auth",
            )
        case 401:
            return RegistryError(
                f"{fact}. There is no such repository, or it needs a login. "
                "Check the name; run docker login, or configure username and password_file.",
                "auth",
            )
        case 402 | 403 | 451:
            return RegistryError(
                f"{fact}. Access is denied. Give the user the right to pull.", "denied"
            )
        case 404 | 410:
            return RegistryError(
                f"{fact}. It does not exist (any more). Check name and tag.", "not_found"
            )
        case 408:
            return RegistryError(f"{fact}. It took too long. Try again later.", "timeout")
        case _:
            return RegistryError(
                f"{fact}. The registry cannot answer this now. Try again later.", "server"
            )


def malformed(what: str, fact: str) -> RegistryError:
    """The error for an answer that is not what the specification says."""
    return RegistryError(
        f"{what}: {fact}. The answer is not used. Check the registry and any proxy before it.",
        "malformed",
    )


def json_object(what: str, answer: Answer) -> dict[str, Any]:
    """The body as a JSON object; raises RegistryError with the reason malformed."""
    if answer.is_page:
        raise malformed(what, f"{answer.place} answered with a web page instead of JSON")
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise malformed(what, f"{answer.place} answered with broken JSON") from error
    if not isinstance(value, dict):
        raise malformed(what, f"{answer.place} answered with JSON that is no object")
    return value


def retry_after_s(headers: httpx2.Headers, now: float) -> float | None:
    """Retry-After in seconds, from a number or an HTTP date; None where absent or unreadable."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _detail(answer: Answer) -> str:
    """The registry's own words, made safe to print."""
    try:
        errors = json.loads(answer.body)["errors"]
        words = "; ".join(f"{e.get('code', '')} {e.get('message', '')}".strip() for e in errors)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return ""
    words = _UNPRINTABLE.sub(" ", words)[:_LONGEST_DETAIL].rstrip(" .")
    return f" ({words})" if words else ""
