"""One HTTP question: retried when that may help, and no host is asked more than it can bear."""

import http.client
import threading
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.ports import Clock
from safe_auto_updater.core.registries import Asked
from safe_auto_updater.platforms.registry.answer import Answer
from safe_auto_updater.platforms.registry.connection import NoConnection, NotSecured
from safe_auto_updater.platforms.registry.failures import (
    broken_off,
    failing,
    late,
    limited,
    no_tls,
    retry_after_s,
    unreachable,
)
from safe_auto_updater.platforms.registry.gate import Gate
from safe_auto_updater.platforms.registry.observed import Observe, answered, by_nobody
from safe_auto_updater.platforms.registry.transport import Transport

_RETRIES = 2
_FIRST_WAIT_S = 0.5
_LONGEST_RETRY_AFTER_S = 5.0
_REST_WITHOUT_RETRY_AFTER_S = 60.0
_REST_S = 30.0
_AT_ONCE = 8
_FAULTS_IN_A_ROW = 5


class Wire:
    """Asks and waits for every registry; redirects are returned, not followed. Thread-safe.

    GET and HEAD are asked up to three times where that can help (no connection, a broken body,
    408, 429, 5xx). A host that limits us, cannot be reached, is too slow or fails again and again
    is left alone for a while. No host has more than eight questions of ours at once. `observe` is
    told of each try.
    """

    def __init__(
        self,
        clock: Clock,
        random: Callable[[], float],
        deadline_s: float,
        observe: Observe = by_nobody,
    ) -> None:
        self._clock = clock
        self._observe = observe
        self._random = random
        self._deadline_s = deadline_s
        self._gate = Gate(clock)
        self._lock = threading.Lock()
        self._slots: dict[str, threading.BoundedSemaphore] = {}
        self._faults: dict[str, int] = {}

    def send(
        self,
        transport: Transport,
        method: str,
        url: str,
        headers: Mapping[str, str],
        limit: int,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer, whatever its status, with at most `limit` bytes of body.

        Raises RegistryError: unreachable, timeout, malformed, rate_limited, server.
        """
        place = urlsplit(url).netloc
        retries = _RETRIES if method in ("GET", "HEAD") else 0
        for attempt in range(retries + 1):
            last = attempt == retries
            wait = _FIRST_WAIT_S * 2**attempt * (0.5 + self._random())
            try:
                with self._slot(place):
                    self._gate.check(place)  # a slot can come free because the gate was closed
                    answer = self._observed(transport, method, url, headers, limit, form)
            except _Transient as trouble:
                slow = trouble.error.reason == "timeout"  # asking again would wait as long again
                if last or slow:
                    if trouble.at_connect or slow:
                        self._gate.close(place, _REST_S, trouble.error)
                    raise trouble.error from trouble.__cause__
            else:
                asked = self._wished_rest(answer)
                if answer.status == 429:
                    if last or (asked or 0.0) > _LONGEST_RETRY_AFTER_S:
                        raise self._closed(place, limited(place, asked), asked)
                elif last or (answer.status != 408 and answer.status < 500):
                    self._count(answer)
                    return answer
                elif (asked or 0.0) > _LONGEST_RETRY_AFTER_S:
                    raise self._closed(place, failing(place, answer.status), asked)
                wait = max(wait, asked or 0.0)
            self._clock.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _slot(self, place: str) -> threading.BoundedSemaphore:
        with self._lock:
            if place not in self._slots:
                self._slots[place] = threading.BoundedSemaphore(_AT_ONCE)
            return self._slots[place]

    def _wished_rest(self, answer: Answer) -> float | None:
        """None also where it is over already: clocks differ, and no rest at all is no wish."""
        return retry_after_s(answer.headers.get("retry-after"), self._clock.now()) or None

    def _closed(self, place: str, error: RegistryError, asked: float | None) -> RegistryError:
        rest = _REST_WITHOUT_RETRY_AFTER_S if asked is None else asked
        self._gate.close(place, rest, error)
        return error

    def _count(self, answer: Answer) -> None:
        """Some images may be broken in a registry that works; many in a row are the registry."""
        with self._lock:
            faults = self._faults.get(answer.place, 0) + 1 if answer.status >= 500 else 0
            self._faults[answer.place] = faults
        if faults >= _FAULTS_IN_A_ROW:
            self._gate.close(answer.place, _REST_S, failing(answer.place, answer.status))

    def _observed(
        self,
        transport: Transport,
        method: str,
        url: str,
        headers: Mapping[str, str],
        limit: int,
        form: Mapping[str, str] | None,
    ) -> Answer:
        place = urlsplit(url).netloc.rpartition("@")[2]  # what signs in is nobody's to see
        try:
            answer = self._once(transport, method, url, headers, limit, form)
        except _Transient as trouble:
            self._observe(Asked(place, method, trouble.error.reason))
            raise
        except RegistryError as error:
            self._observe(Asked(place, method, error.reason))
            raise
        self._observe(answered(place, method, answer))
        return answer

    def _once(
        self,
        transport: Transport,
        method: str,
        url: str,
        headers: Mapping[str, str],
        limit: int,
        form: Mapping[str, str] | None,
    ) -> Answer:
        place = urlsplit(url).netloc
        try:
            return transport.exchange(method, url, headers, limit, self._deadline_s, form)
        except TimeoutError as error:
            raise _Transient(late(place), False) from error
        except NotSecured as error:
            refusal = no_tls(place, error)
            self._gate.close(place, _REST_S, refusal)
            raise refusal from error
        except NoConnection as error:
            raise _Transient(unreachable(place, str(error)), True) from error
        except http.client.InvalidURL as error:
            raise _Transient(unreachable(place, str(error)), False) from error
        except http.client.HTTPException as error:
            raise _Transient(broken_off(place, error), False) from error
        except (OSError, ValueError) as error:  # ValueError: a URL that is none
            raise _Transient(unreachable(place, str(error)), False) from error


class _Transient(Exception):
    """A trouble that asking again may cure."""

    def __init__(self, error: RegistryError, at_connect: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.at_connect = at_connect
