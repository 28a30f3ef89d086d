"""What the lab's images do when they run: one script, one word per image.

Each serves its version's text on port 8080 (``PORT`` overrides) unless its name says
otherwise. Process 1 is the script itself, so that signals arrive as with a real service.
"""

from __future__ import annotations

from typing import Literal, get_args

Behaviour = Literal[
    "good",  # serves; ends at once on its stop signal
    "unhealthy",  # serves, but its health check never passes
    "never_ready",  # runs and never listens
    "crash",  # exits 1 at once
    "crash_later",  # serves, then exits 1 after CRASH_AFTER (3) seconds
    "flapping",  # serves its health page for 3 s, then for 3 s not, and so on
    "ready_late",  # listens after READY_AFTER (3) seconds
    "slow_stop",  # takes STOP_SECONDS (3) to stop, then writes /data/clean-stop
    "ignore_term",  # stops by SIGKILL alone
    "one_shot",  # exits 0 at once
]
BEHAVIOURS: tuple[Behaviour, ...] = get_args(Behaviour)

SECOND = 1_000_000_000
"""A second as the engine counts it (nanoseconds)."""

HEALTHCHECK: dict[str, object] = {
    "Test": ["CMD", "/lab/health"],
    "Interval": SECOND,
    "Timeout": 2 * SECOND,
    "Retries": 2,
}
"""A health check that every behaviour answers truly; quick, for tests."""

OWN_HEALTHCHECK: dict[str, dict[str, object]] = {
    "unhealthy": HEALTHCHECK,
    "ready_late": HEALTHCHECK | {"StartPeriod": 30 * SECOND},
}
"""Behaviours that make no sense without a health check bring one."""

HEALTH = """\
#!/bin/sh
# Passes when the page /health is served; an unhealthy image lacks that page.
# No -T: with it, a static busybox of Debian 12 dies of a segmentation fault.
exec /bin/busybox wget -q -O - "http://127.0.0.1:${PORT:-8080}/health"
"""

START = """\
#!/bin/sh
# Process 1 of every lab image. What it does is written in /lab/behaviour, not in the
# command, so that an image stays itself whatever command a container gives it.
behaviour=$(cat /lab/behaviour)
server= ending=

serve() { /bin/busybox httpd -f -p "${PORT:-8080}" -h /lab/www & server=$!; }
pause() { # a sleep that signals may cut short
  sleep "$1" & pause=$!; wait $pause
}
finish() {
  [ -z "$ending" ] || return 0
  ending=1
  if [ "$behaviour" = slow_stop ]; then
    sleep "${STOP_SECONDS:-3}"
    [ ! -d /data ] || date > /data/clean-stop
  fi
  [ -z "$server" ] || kill -9 "$server" 2>/dev/null
  exit 0
}
trap finish TERM INT QUIT HUP USR1 USR2

case $behaviour in
  crash) echo "lab: this image crashes at once" >&2; exit 1 ;;
  one_shot) echo "lab: done"; exit 0 ;;
  crash_later) serve; pause "${CRASH_AFTER:-3}"
    echo "lab: this image crashes now" >&2; kill -9 "$server"; exit 1 ;;
  flapping) serve
    while :; do
      pause 3; mv /lab/www/health /lab/www/hidden; pause 3; mv /lab/www/hidden /lab/www/health
    done ;;
  ready_late) pause "${READY_AFTER:-3}"; serve ;;
  ignore_term) trap '' TERM INT QUIT HUP USR1 USR2; serve ;;
  never_ready) ;;
  *) serve ;;
esac
while :; do pause 3600; done
"""
