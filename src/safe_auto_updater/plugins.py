"""Load what others bring, by entry points. A bad plugin is a named error, never a crash.

A factory is called with the entry's `options` and returns an object with the group's method.
Nothing of a plugin is imported before a configuration names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from errno import EHOSTDOWN, EHOSTUNREACH, ENETDOWN, ENETUNREACH
from importlib.metadata import EntryPoint, entry_points
from socket import gaierror
from typing import Any, TypeVar

from safe_auto_updater.core.errors import PlatformUnreachable, PluginError
from safe_auto_updater.core.events import Event
from safe_auto_updater.core.model import Asset
from safe_auto_updater.core.ports import CheckResult, Proposal, Scan, Scanner, Subject

SCANNERS = "safe_auto_updater.scanners"
HEALTH_CHECKS = "safe_auto_updater.health_checks"
NOTIFIERS = "safe_auto_updater.notifiers"
POLICIES = "safe_auto_updater.policies"

_METHOD = {SCANNERS: "scan", HEALTH_CHECKS: "check", NOTIFIERS: "notify", POLICIES: "judge"}
GROUPS = tuple(_METHOD)
_NOBODY_THERE = (ConnectionError, TimeoutError, gaierror)
_NO_WAY_THERE = (ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH)  # a plain OSError has these

T = TypeVar("T")

Factory = Callable[[Mapping[str, Any]], Any]


def known(group: str) -> tuple[str, ...]:
    """The names that installed plugins offer in a group, in order. Imports nothing of theirs."""
    return tuple(sorted({point.name for point in entry_points(group=group)}))


def load(group: str, name: str) -> Factory:
    """The factory of one plugin: `factory(options)` returns a scanner, check, notifier or policy.

    PluginError, here or from the factory or the object's method, names the distribution, the
    entry point and what went wrong: unknown or ambiguous name, failed import, something that
    cannot be called, an object of the wrong shape, an exception, a wrong result.
    """
    method = _METHOD[group]
    points = [point for point in entry_points(group=group) if point.name == name]
    if not points:
        names = ", ".join(known(group)) or "none"
        raise PluginError(f"no plugin named {name!r} in {group}; installed: {names}")
    if len({point.value for point in points}) > 1:
        owners = " and ".join(sorted(map(_where, points)))
        raise PluginError(f"plugin {name!r} is offered by {owners}; uninstall one")
    where = _where(points[0])
    try:
        factory = points[0].load()
    except (Exception, SystemExit) as error:
        raise PluginError(f"{where} cannot be imported: {_told(error)}") from error
    if not callable(factory):
        raise PluginError(f"{where} is {type(factory).__name__}, which cannot be called")

    def make(options: Mapping[str, Any]) -> Any:
        try:
            made = factory(options)
        except (Exception, SystemExit) as error:
            raise PluginError(f"{where} refused its options: {_told(error)}") from error
        if not callable(getattr(made, method, None)):
            raise PluginError(f"{where} made {type(made).__name__}, which has no {method}()")
        return _WRAPPED[group](made, where)

    return make


class LazyScanner:
    """A plugin that is loaded when it is asked: a broken one is a failed part of the scan."""

    def __init__(self, name: str) -> None:
        self.name = f"plugin {name}"
        self._plugin = name

    def scan(self) -> Scan:
        """What the plugin sees; PluginError where it cannot."""
        scanner: Scanner = load(SCANNERS, self._plugin)({})
        return scanner.scan()


class Broken:
    """Stands for a plugin that cannot be loaded: whoever asks it is told why.

    A check that says so is *unknown*, a notifier a warning: neither stops a recovery.
    """

    def __init__(self, error: PluginError) -> None:
        self._error = error

    def check(self, subject: Subject) -> CheckResult:
        """The error, at every look."""
        raise self._error

    def notify(self, event: Event) -> None:
        """The error, for every event."""
        raise self._error

    def judge(self, proposal: Proposal) -> str | None:
        """The error, as an objection to everything."""
        raise self._error


def load_or_broken(group: str, name: str, options: Mapping[str, Any]) -> Any:
    """The object that a plugin makes, or one that says at each use why there is none."""
    try:
        return load(group, name)(options)
    except PluginError as error:
        return Broken(error)


@dataclass(frozen=True)
class _Scanner:
    made: Any
    where: str

    @property
    def name(self) -> str:
        return str(getattr(self.made, "name", self.where))

    def scan(self) -> Scan:
        return _answer(self.where, Scan, lambda: self._whole(self.made.scan()))

    def _whole(self, scan: Any) -> Any:
        """All of it, now: what comes bit by bit would fail where nobody looks for it."""
        if not isinstance(scan, Scan):
            return scan
        whole = Scan(tuple(scan.assets), tuple(scan.images), tuple(scan.failures))
        wrong: dict[str, list[object]] = {
            "assets": [one for one in whole.assets if not isinstance(one, Asset)],
            "images": [one for one in whole.images if not isinstance(one, Mapping)],
            "failures": [one for one in whole.failures if [*map(type, one)] != [str, str]],
        }
        for name, found in wrong.items():
            if found:
                raise TypeError(f"{found[0]!r:.60} among the {name}")
        return whole


@dataclass(frozen=True)
class _HealthCheck:
    made: Any
    where: str

    def check(self, subject: Subject) -> CheckResult:
        return _answer(self.where, CheckResult, lambda: self.made.check(subject))


@dataclass(frozen=True)
class _Notifier:
    made: Any
    where: str

    def notify(self, event: Event) -> None:
        try:
            self.made.notify(event)
        except PlatformUnreachable:
            raise
        except (Exception, SystemExit) as error:
            fact = f"{self.where} failed: {_told(error)}"
            raise (PlatformUnreachable if _found_nobody(error) else PluginError)(fact) from error


@dataclass(frozen=True)
class _Policy:
    made: Any
    where: str

    def judge(self, proposal: Proposal) -> str | None:
        answer = _answer(self.where, object, lambda: self.made.judge(proposal))
        if answer is None or (isinstance(answer, str) and answer.strip()):
            return answer
        raise PluginError(
            f"{self.where} answered {answer!r:.60}, which is neither None nor a reason"
        )


_WRAPPED: dict[str, Callable[[Any, str], Any]] = {
    SCANNERS: _Scanner,
    HEALTH_CHECKS: _HealthCheck,
    NOTIFIERS: _Notifier,
    POLICIES: _Policy,
}


def _answer(where: str, kind: type[T], ask: Callable[[], Any]) -> T:
    """Whatever a plugin does, its caller sees the right type or a PluginError."""
    try:
        answer = ask()
    except (Exception, SystemExit) as error:
        raise PluginError(f"{where} failed: {_told(error)}") from error
    if not isinstance(answer, kind):
        raise PluginError(f"{where} answered {type(answer).__name__} instead of {kind.__name__}")
    return answer


def _found_nobody(error: BaseException | None) -> bool:
    """Whether it comes from a network that does not answer, whichever library told it."""
    while error is not None:
        if isinstance(error, _NOBODY_THERE):
            return True
        if isinstance(error, OSError) and error.errno in _NO_WAY_THERE:
            return True
        error = error.__cause__ or error.__context__
    return False


def _where(point: EntryPoint) -> str:
    owner = f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"
    return f"plugin {point.name!r} ({point.value}) of {owner}"


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
