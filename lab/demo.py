"""The main job on real input: an update that succeeds, one that is rolled back, one that waits.

Everything is real: an engine, a registry, two containers, the program in a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any

from lab import images, wire
from lab.behaviours import HEALTHCHECK
from lab.processes import wait_until

GOOD, BAD, RISKY = "demo-web", "demo-shop", "demo-db"
CONFIG = """\
inventory: {include: ["*/demo-*"]}
detection: {rules: [{match: {asset: "*/demo-db"}, policy: major}]}
execution: {health: {timeout: 20s, stable_for: 2s}}
"""


class Demo:
    """One run, on the lab that SAU_LAB describes."""

    def __init__(self, folder: Path) -> None:
        told = json.loads(Path(os.environ["SAU_LAB"]).read_text())
        self.socket, self.registry = Path(told["socket"]), told["registry"]
        (folder / "sau.yml").write_text(CONFIG)
        program = str(Path(sys.executable).parent / "sau")
        self.sau = [program, "--config", str(folder / "sau.yml"), "--state", str(folder / "state")]

    def run(self, name: str, reference: str) -> str:
        """Pull and start a container by the engine's own API; its ID."""
        self.call("POST", f"/images/create?fromImage={reference}")
        made = self.call("POST", f"/containers/create?name={name}", {"Image": reference})
        self.call("POST", f"/containers/{made['Id']}/start")
        return str(made["Id"])

    def call(self, method: str, url: str, body: object = None) -> Any:
        """One raw request to the engine."""
        return wire.call(self.socket, method, url, body, timeout_s=60)

    def answers(self, name: str) -> tuple[str, str]:
        """The container of this name: its ID, and what it serves."""
        found = self.call("GET", f"/containers/{name}/json")
        address = found["NetworkSettings"]["IPAddress"]
        with urllib.request.urlopen(f"http://{address}:8080/", timeout=5) as page:
            return found["Id"], page.read().decode().strip()

    def is_healthy(self, name: str) -> bool:
        """Whether the engine's own check of this container passes."""
        state = self.call("GET", f"/containers/{name}/json")["State"]
        return bool(state["Health"]["Status"] == "healthy")

    def clean(self) -> None:
        """Remove the demo's containers, also those of a run that was interrupted."""
        for one in self.call("GET", "/containers/json?all=1"):
            if any(name.startswith("/demo-") for name in one["Names"]):
                self.call("DELETE", f"/containers/{one['Id']}?force=1&v=1")

    def command(self, *words: str) -> int:
        """Run `sau` and show it."""
        print(f"\n$ sau {' '.join(words)}", flush=True)
        return subprocess.run([*self.sau, *words], stdin=subprocess.DEVNULL, check=False).returncode

    def updates(self) -> dict[str, dict[str, Any]]:
        """What the journal says, by container name."""
        answer = subprocess.run(
            [*self.sau, "history", "--output", "json"], capture_output=True, check=True
        )
        listed = json.loads(answer.stdout)["updates"]
        return {update["asset"].rsplit("/", 1)[-1]: update for update in listed}


def expect(what: str, held: bool) -> None:
    """Stop the demo where it did not show what it promises."""
    if not held:
        raise SystemExit(f"demo: {what} does not hold")


def tell(update: dict[str, Any]) -> str:
    """One line: versions, outcome, downtime."""
    change = update["changes"][0]
    old, new = change["current"]["version"], change["candidate"]["version"]
    down = f"{update['downtime_s'] * 1000:.0f} ms"
    return f"{old} -> {new}: {update['outcome']}, out of service for {down}"


def main() -> None:
    """Show it, and check what was shown."""
    with tempfile.TemporaryDirectory(prefix="demo-", dir=Path(os.environ["SAU_LAB"]).parent) as at:
        demo = Demo(Path(at))
        demo.clean()
        try:
            show(demo)
        finally:
            demo.clean()


def show(demo: Demo) -> None:
    """Two run 1.0.0, and one newer version is good, the other never is; a database waits."""
    check = {"healthcheck": HEALTHCHECK}
    for name, tag, recipe in (
        ("web", "1.0.0", check),
        ("web", "1.1.0", check),
        ("web", "2.0.0", check),
        ("shop", "1.0.0", check),
        ("shop", "1.1.0", {"behaviour": "unhealthy"}),
        ("postgres", "16.4", {"env": {"PG_MAJOR": "16"}, "volumes": ("/data",)}),
        ("postgres", "17.0", {"env": {"PG_MAJOR": "17"}, "volumes": ("/data",)}),
    ):
        made = images.Recipe(**({"version": tag, "maker": f"demo {name}"} | recipe))
        images.publish(demo.registry, f"demo/{name}", tag, made)
    demo.run(GOOD, f"{demo.registry}/demo/web:1.0.0")
    old_shop = demo.run(BAD, f"{demo.registry}/demo/shop:1.0.0")
    demo.run(RISKY, f"{demo.registry}/demo/postgres:16.4")
    for name in (GOOD, BAD):
        well = wait_until(partial(demo.is_healthy, name), timeout_s=30)
        expect(f"{name} is healthy within 30 s", well)

    expect("plan exits 0", demo.command("plan") == 0)
    expect("diff exits 0", demo.command("diff", RISKY) == 0)
    expect("apply exits 3, for the one rolled back", demo.command("apply", "--yes") == 3)
    expect("a bad version is not tried again", demo.command("apply", "--yes") == 0)

    found = demo.updates()
    _, web = demo.answers(GOOD)
    shop_id, shop = demo.answers(BAD)
    expect("the good update succeeded and serves", web == "1.1.0")
    expect("the bad update was rolled back", found[BAD]["outcome"] == "rolled_back")
    expect("the same old container serves", (shop_id, shop) == (old_shop, "1.0.0"))
    expect("the database waits for a human", RISKY not in found)
    print(f"\nweb   {tell(found[GOOD])}")
    print(f"      now serves {web}")
    print(f"shop  {tell(found[BAD])}")
    print(f"      because: {found[BAD]['error']}")
    print(f"      serves {shop} again, the same container as before: {shop_id[:12]}")


if __name__ == "__main__":
    main()
