"""One HTTP question: bounded in time and size, retried when it may be, failing in our own words."""

import ssl
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import httpx2

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.ports import Clock
from safe_auto_updater.platforms.registry.failures import Answer, malformed, retry_after_s
from safe_auto_updater.platforms.registry.gate import Gate

_RETRIES = 2
_FIRST_WAIT_S = 0.5
_LONGEST_RETRY_AFTER_S = 5.0
_REST_WITHOUT_RETRY_AFTER_S = 60.0
_REST_WHEN_UNREACHABLE_S = 30.0
_DEADLINE_S = 60.0


class Wire:
    """Asks and waits for every registry; redirects are returned, not followed.

    GET and HEAD are asked up to three times where that can help (no connection, a broken body,
    408, 429, 5xx). A host that limits us, cannot be reached or is too slow is left alone for a
    while.
    """

    def __init__(self, clock: Clock, random: Callable[[], float]) -> None:
        self._clock = clock
        self._random = random
        self._gate = Gate(clock)

    def send(
        self,
        http: httpx2.Client,
        method: str,
        url: str,
        headers: Mapping[str, str],
        limit: int,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer, whatever its status, with at most `limit` bytes of body.

        Raises RegistryError: unreachable, timeout, malformed, rate_limited.
        """
        place = urlsplit(url).netloc
        retries = _RETRIES if method in ("GET", "HEAD") else 0
        for attempt in range(retries + 1):
            self._gate.check(place)
            last = attempt == retries
            wait = _FIRST_WAIT_S * 2**attempt * (0.5 + self._random())
            try:
                answer = self._once(http, method, url, headers, limit, form)
            except _Transient as trouble:
                slow = trouble.error.reason == "timeout"  # asking again would wait as long again
                if last or slow:
                    if trouble.at_connect or slow:
                        self._gate.close(place, _REST_WHEN_UNREACHABLE_S, trouble.error)
                    raise trouble.error from trouble.__cause__
            else:
                if answer.status == 429:
                    wait = self._pause(place, answer, wait, last)
                elif last or (answer.status != 408 and answer.status < 500):
                    return answer
            self._clock.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _pause(self, place: str, answer: Answer, wait: float, last: bool) -> float:
        """How long to wait before asking again; or close the gate and raise."""
        asked = retry_after_s(answer.headers, self._clock.now())
        if not last and (asked is None or asked <= _LONGEST_RETRY_AFTER_S):
            return wait if asked is None else asked
        rest = _REST_WITHOUT_RETRY_AFTER_S if asked is None else asked
        said = (
            "without saying for how long" if asked is None else f"and wants {asked:.0f} s of rest"
        )
        error = RegistryError(
            f"{place} limits our requests (429) {said}. "
            "Wait, sign in for a higher limit, or use a mirror.",
            "rate_limited",
        )
        self._gate.close(place, rest, error)
        raise error

    def _once(
        self,
        http: httpx2.Client,
        method: str,
        url: str,
        headers: Mapping[str, str],
        limit: int,
        form: Mapping[str, str] | None,
    ) -> Answer:
        place = urlsplit(url).netloc
        data = dict(form) if form is not None else None
        answering = False
        try:
            with http.stream(method, url, headers=dict(headers), data=data) as response:
                answering = True
                body = self._body(response, place, limit)
                return Answer(response.status_code, response.headers, body, url)
        except httpx2.TimeoutException as error:
            late = RegistryError(
                f"{place} did not answer in time. Check the network, or try again later.", "timeout"
            )
            raise _Transient(late, False) from error
        except (httpx2.RemoteProtocolError, httpx2.DecodingError) as error:
            if answering:
                raise _Transient(malformed(place, "its answer broke off"), False) from error
            raise _Transient(_unreachable(place, error), False) from error
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError) as error:
            if isinstance(error, httpx2.ConnectError) and _is_tls(error):
                raise _tls(place, error) from error
            at_connect = isinstance(error, httpx2.ConnectError)
            raise _Transient(_unreachable(place, error), at_connect) from error

    def _body(self, response: httpx2.Response, place: str, limit: int) -> bytes:
        end = self._clock.monotonic() + _DEADLINE_S
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > limit:
                raise malformed(place, f"its answer is larger than {limit} bytes")
            if self._clock.monotonic() > end:
                raise RegistryError(
                    f"{place} needed more than {_DEADLINE_S:.0f} s for one answer. "
                    "Check the network, or try again later.",
                    "timeout",
                )
        return bytes(body)


class _Transient(Exception):
    """A trouble that asking again may cure."""

    def __init__(self, error: RegistryError, at_connect: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.at_connect = at_connect


def _unreachable(place: str, error: Exception) -> RegistryError:
    return RegistryError(
        f"{place} cannot be reached ({error}). Check the name, the network and any proxy.",
        "unreachable",
    )


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _tls(place: str, error: Exception) -> RegistryError:
    if "verify failed" in str(error):
        remedy = "If it has a private certificate authority, configure ca_file for this registry"
    else:
        remedy = "If it speaks plain HTTP, configure plain_http: true for this registry"
    return RegistryError(f"{place}: no secure connection ({error}). {remedy}.", "unreachable")
