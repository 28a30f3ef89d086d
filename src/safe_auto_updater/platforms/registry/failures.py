"""What a registry's refusals mean, in words for an operator and a reason for the program."""

import json
import re
from email.utils import parsedate_to_datetime
from typing import Any

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.platforms.registry.answer import Answer

_LONGEST_DETAIL = 200
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")


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


def unreachable(place: str, fact: str) -> RegistryError:
    """The error for a host that no connection could be made to, or that cut it."""
    return RegistryError(
        f"{place} cannot be reached ({_clean(fact)}). Check the name, the network and any proxy.",
        "unreachable",
    )


def late(place: str) -> RegistryError:
    """The error for a host that answered too slowly or not at all."""
    return RegistryError(
        f"{place} did not answer in time. Check the network, or try again later.", "timeout"
    )


def broken_off(place: str, error: Exception) -> RegistryError:
    """The error for an answer that ended early or is no HTTP."""
    return malformed(place, f"its answer broke off or is no HTTP ({_clean(str(error))})")


def failing(place: str, status: int) -> RegistryError:
    """The error for a host that fails whatever it is asked."""
    return RegistryError(
        f"{place} answers {status} again and again, or asks for rest. Try again later.", "server"
    )


def limited(place: str, rest_s: float | None) -> RegistryError:
    """The error for 429; `rest_s` is how long the host wants to be left alone."""
    said = "without saying for how long" if rest_s is None else f"and wants {rest_s:.0f} s of rest"
    return RegistryError(
        f"{place} limits our requests (429) {said}. "
        "Wait, sign in for a higher limit, or use a mirror.",
        "rate_limited",
    )


def no_tls(place: str, error: Exception) -> RegistryError:
    """The error for a connection that could not be secured."""
    if "verify failed" in str(error):
        remedy = "If it has a private certificate authority, configure ca_file for this registry"
    else:
        remedy = "If it speaks plain HTTP, configure plain_http: true for this registry"
    return RegistryError(
        f"{place}: no secure connection ({_clean(str(error))}). {remedy}.", "unreachable"
    )


def json_object(what: str, answer: Answer) -> dict[str, Any]:
    """The body as a JSON object; raises RegistryError with the reason malformed."""
    refuse_page(what, answer)
    return parse_object(what, answer.body, answer.place)


def refuse_page(what: str, answer: Answer) -> None:
    """Raise RegistryError (malformed) for a web page, as sign-in portals answer to everything."""
    if answer.is_page:
        raise malformed(what, f"{answer.place} answered with a web page instead of JSON")


def parse_object(what: str, body: bytes, place: str) -> dict[str, Any]:
    """The JSON object in these bytes; raises RegistryError with the reason malformed."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise malformed(what, f"{place} answered with broken JSON") from error
    if not isinstance(value, dict):
        raise malformed(what, f"{place} answered with JSON that is no object")
    return value


def retry_after_s(header: str | None, now: float) -> float | None:
    """Retry-After in seconds, from a number or an HTTP date; None where absent or unreadable."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None


def _detail(answer: Answer) -> str:
    """The registry's own words, made safe to print."""
    try:
        errors = json.loads(answer.body)["errors"]
        words = "; ".join(f"{e.get('code', '')} {e.get('message', '')}".strip() for e in errors)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return ""
    words = _clean(words)
    return f" ({words})" if words else ""


def _clean(text: str) -> str:
    """Somebody else's words, fit for a terminal and a log."""
    return _UNPRINTABLE.sub(" ", text)[:_LONGEST_DETAIL].rstrip(" .")
