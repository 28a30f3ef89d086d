"""``python -m lab.cluster.pause``, inside the lab: publish what every pod's sandbox runs.

It holds the pod's namespaces and does nothing; the lab's own image does that as well.
"""

from __future__ import annotations

from lab.cluster.settings import PAUSE
from lab.images import Recipe, publish

if __name__ == "__main__":
    registry, _, rest = PAUSE.partition("/")
    name, _, tag = rest.partition(":")
    publish(registry, name, tag, Recipe("never_ready", exposed_ports=()))
