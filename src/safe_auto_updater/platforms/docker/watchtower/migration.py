"""A Watchtower's settings as a configuration file of ours, with what has no counterpart. Pure.

No value that may be secret is written: tokens, and the addresses of notifications, which carry
passwords.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from textwrap import wrap

from safe_auto_updater.core.spelling import duration_s
from safe_auto_updater.platforms.docker.watchtower.settings import WatchtowerSettings

_WIDTH = 92
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def configuration(theirs: WatchtowerSettings, host: str = "local") -> str:
    """A valid file that does what this Watchtower does; `host` is the engine's name."""
    named = f"{theirs.line.value} {theirs.version or ''}".strip()
    lines = [
        *_comment(f"Made from the settings of the Watchtower {theirs.container} ({named}).", "# "),
        "# Check it with: sau config validate. See what would be done with: sau plan.",
        "# Stop Watchtower then: two updaters on one host undo each other's work.",
        "",
        "inventory:",
        *_inventory(theirs, host),
        "",
        "detection:",
        *_detection(theirs),
        "",
        "execution:",
        *_execution(theirs),
    ]
    rest = [line for text in _without_counterpart(theirs) for line in _comment(text)]
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


def _detection(theirs: WatchtowerSettings) -> Iterator[str]:
    yield "  policy: digest                    # as it does: patch or minor take newer tags too"
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


def _execution(theirs: WatchtowerSettings) -> Iterator[str]:
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


def _without_counterpart(theirs: WatchtowerSettings) -> Iterator[str]:
    yield (
        f"its schedule ({theirs.every}): there is no service yet; let a timer run `sau apply --yes`"
        if theirs.polls
        else "it updates when it is asked: run `sau apply --yes` there"
    )
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
    "label-enable": "what has no label is planned too; `sau apply NAME` changes only what you "
    "name. Write inventory.include, or enable: false as a rule for the others",
    "label-take-precedence": "labels always go before rules and defaults",
    "no-pull": "candidates are what registries say; policy: none looks for nothing",
    "no-restart": "a new container is always started, and watched",
    "registry-tls-skip": "give the registry's certificate as ca_file in detection.registries",
    "remove-volumes": "volumes are never removed with an old container",
    "revive-stopped": "a container that does not run stays as it is",
    "rolling-restart": "containers are updated one at a time anyway; see execution.max_parallel",
    "run-once": "each `sau apply` runs once",
    "tlsverify": "write the engine with its certificates in inventory.docker",
    "update-on-start": "run `sau apply --yes` at boot",
}
_VALUED = {
    "disable-containers-by-label": "selection by label is not there; write inventory.exclude",
    "enable-containers-by-label": "selection by label is not there; write inventory.include",
    "host": "write the engine in inventory.docker, unless it is the one that `docker` asks",
    "monitor-image-names": "selection by image is not there; write inventory.include",
    "notification-url": "write a webhook in notifications, for failures say: events: [rolled_back, "
    "inconsistent]. Mail and chats need a plugin or a gateway",
    "notifications": "write a webhook in notifications. Mail and chats need a plugin or a gateway",
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
