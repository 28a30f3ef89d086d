"""A Watchtower's settings as a configuration file of ours, with what has no counterpart. Pure.

No value that may be secret is written: tokens, and the addresses of notifications, which carry
passwords.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from textwrap import wrap

from safe_auto_updater.core.spelling import duration_s
from safe_auto_updater.platforms.docker.watchtower.settings import WatchtowerSettings

Fits = Callable[[str], bool]
MONTH_S = 30 * 86400  # the longest interval of ours
_WIDTH = 92
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def configuration(theirs: WatchtowerSettings, fits: Fits, host: str = "local") -> str:
    """A valid file that does what this Watchtower does; `host` is the engine's name.

    `fits` says whether a text can be `detection.schedule`.
    """
    when = _when(theirs, fits)
    named = f"{theirs.line.value} {theirs.version or ''}".strip()
    lines = [
        *_comment(f"Made from the settings of the Watchtower {theirs.container} ({named}).", "# "),
        "# Check it with: sau config validate. See what would be done with: sau plan.",
        "# Stop Watchtower then: two updaters on one host undo each other's work. In its place",
        "# comes the service: sau --config FILE run.",
        "",
        "inventory:",
        *_inventory(theirs, host),
        "",
        "detection:",
        *_detection(theirs, when),
        "",
        "execution:",
        *_execution(theirs),
    ]
    rest = [line for text in _without_counterpart(theirs, when) for line in _comment(text)]
    if rest:
        lines += ["", "# Without a counterpart, and why:", *rest]
    return "\n".join(lines) + "\n"


def _inventory(theirs: WatchtowerSettings, host: str) -> Iterator[str]:
    wanted = [name for name in theirs.names if _PLAIN_NAME.fullmatch(name)]
    included = [f"docker:{host}/{name}" for name in wanted] or ["*"]
    yield f"  include: {json.dumps(included)}"
    unwanted = [n for n in theirs.many("disable-containers") if _PLAIN_NAME.fullmatch(n)]
    if unwanted:
        yield f"  exclude: {json.dumps([f'docker:{host}/{name}' for name in unwanted])}"
    yield "  watchtower_labels: true           # its labels on containers count as if ours"


def _detection(theirs: WatchtowerSettings, when: str | None) -> Iterator[str]:
    yield "  policy: minor                     # it took all; here a major version waits for you"
    yield '  exclude_tags: "*"                 # as it does: the tag stays'
    if when is not None:
        yield f"  {when}"
    delay = theirs.value("cooldown-delay")
    if delay and _is_duration(delay):
        yield f"  minimum_age: {delay}  # counted from our own first sight"
    keys = []
    if "monitor-only" in theirs.on:
        keys.append("enable: false")
    if "include-restarting" in theirs.on:
        keys.append("fix_forward: true")
    if keys:
        yield f'  rules: [{{match: {{asset: "*"}}, {", ".join(keys)}}}]'


def _when(theirs: WatchtowerSettings, fits: Fits) -> str | None:
    """Its schedule, where that can be ours."""
    cron = theirs.value("schedule")
    if cron is None:
        s = theirs.interval_s
        return f"interval: {s}s" if theirs.polls and 1 <= s <= MONTH_S else None
    # Theirs begins with seconds, and its zone is the container's.
    seconds, _, fields = cron.replace("?", "*").partition(" ")
    ours = f"{fields.strip()} {theirs.zone or 'UTC'}"
    is_one = theirs.polls and seconds.isdecimal() and fits(ours)
    return f"schedule: {json.dumps(ours)}" if is_one else None


def _execution(theirs: WatchtowerSettings) -> Iterator[str]:
    if "label-enable" in theirs.on:
        yield "  unattended: labelled              # what its label `enable=true` or ours says"
    else:
        yield "  unattended: all                   # as it does; the default is what is labelled"
    if "cleanup" in theirs.on:
        yield "  keep: {versions: 1, days: 7}      # it removes the old image at once"
    else:
        yield "  keep: {versions: 1, days: 30}     # it keeps every old image for ever"
    yield "  # To let it go on replacing the containers, with our checks and way back around it,"
    yield "  # keep it running with its API on and its own polls off:"
    yield "  # docker_updater: watchtower"
    given = theirs.value("http-api-port") or ""
    port = given if given.isascii() and given.isdecimal() else "8080"
    yield f'  # watchtower: {{url: "http://127.0.0.1:{port}", token_file: /run/secrets/watchtower}}'


def _without_counterpart(theirs: WatchtowerSettings, when: str | None) -> Iterator[str]:
    if not theirs.polls:
        yield "it updates when it is asked, and polls nothing: `sau apply --yes` does that"
    elif when is None:
        yield f"its schedule ({theirs.every}): write detection.schedule or detection.interval"
    odd = [name for name in theirs.names if not _PLAIN_NAME.fullmatch(name)]
    odd += [n for n in theirs.many("disable-containers") if not _PLAIN_NAME.fullmatch(n)]
    if odd:
        yield (
            f"the patterns over names {', '.join(odd)}: ours are not regular expressions; write "
            'inventory.include or exclude, such as "*/web-*"'
        )
    for name in sorted(theirs.on):
        if name in _SWITCHED:
            yield f"{name}: {_SWITCHED[name]}"
    for name in sorted(theirs.values):
        if name in _VALUED:
            shown = "" if name in _HIDDEN else f" ({', '.join(theirs.values[name])})"
            yield f"{name}{shown}: {_VALUED[name]}"
    delay = theirs.value("cooldown-delay")
    if delay and not _is_duration(delay):
        yield f"cooldown-delay ({delay}): write it as detection.minimum_age, such as 3d"
    for name in theirs.unknown:
        yield f"{name}: not known here; look it up in Watchtower's manual"


_SWITCHED = {
    "cleanup": "images are removed by execution.keep, never before the new version is well",
    "enable-lifecycle-hooks": "hooks of its labels are run as before_update and after_update; one "
    "that fails stops the update. Those of its checks are not run",
    "include-restarting": "fix_forward, above, means unhealthy containers too",
    "include-stopped": "a container that does not run stays as it is",
    "label-enable": "what has no label is planned too, and left to you: `sau apply` takes it as "
    "well. Write inventory.include, or enable: false as a rule for the others",
    "label-take-precedence": "labels always go before rules and defaults",
    "no-pull": "candidates are what registries say; policy: none looks for nothing",
    "no-restart": "a new container is always started, and watched",
    "registry-tls-skip": "give the registry's certificate as ca_file in detection.registries",
    "remove-volumes": "volumes are never removed with an old container",
    "revive-stopped": "a container that does not run stays as it is",
    "rolling-restart": "containers are updated one at a time anyway; see execution.max_parallel",
    "run-once": "`sau run --once`, or `sau apply --yes`",
    "tlsverify": "write the engine with its certificates in inventory.docker",
    "update-on-start": "with detection.interval a cycle begins when `sau run` does",
}
_VALUED = {
    "disable-containers-by-label": "selection by label is not there; write inventory.exclude",
    "enable-containers-by-label": "selection by label is not there; write inventory.include",
    "host": "write the engine in inventory.docker, unless it is the one that `docker` asks",
    "monitor-image-names": "selection by image is not there; write inventory.include",
    "notification-url": "write it in notifications, as webhook, email or apprise (over a hundred "
    "services, by addresses much like these)",
    "notifications": "write them in notifications, as webhook, email or apprise",
    "scope": "one updater looks after the host; write inventory.include and exclude",
    "skip-image-names": "selection by image is not there; write inventory.exclude",
    "stop-timeout": "each container's own stop timeout holds (stop_grace_period in Compose)",
}
_HIDDEN = frozenset(("notification-url", "notifications"))


def _is_duration(text: str) -> bool:
    try:
        return duration_s(text) > 0
    except ValueError:
        return False


def _comment(text: str, first: str = "# - ") -> list[str]:
    one_line = "".join(c if c.isprintable() else "?" for c in text)
    return wrap(one_line, _WIDTH, initial_indent=first, subsequent_indent="#".ljust(len(first)))
