"""What keeps the program's own container from handing over to another one like it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safe_auto_updater.platforms.docker.exclusive import exclusive_in
from safe_auto_updater.platforms.docker.own import Own


def on_two_networks(**config: str) -> dict[str, Any]:
    """A container as engines from 28 on tell it: addresses that they made by chance."""
    networks = {
        name: {"NetworkID": name, "MacAddress": mac, "IPAddress": "10.0.0.2", "DNSNames": ["sau"]}
        for name, mac in (("engine", "fe:00:00:00:00:01"), ("outside", "ba:b5:53:64:08:8a"))
    }
    return {
        "Id": "a" * 64,
        "Name": "/sau",
        "State": {"Status": "running"},
        "Config": config,
        "HostConfig": {"NetworkMode": "engine"},
        "NetworkSettings": {"Networks": networks},
        "Mounts": [{"Type": "volume", "Destination": "/var/lib/sau", "RW": True}],
    }


def hindrances(container: dict[str, Any]) -> tuple[str, ...]:
    return Own(None, Path("/var/lib/sau")).hindrances(container)


def test_address_that_nobody_may_have_chosen_is_shared_for_a_while() -> None:
    container = on_two_networks()
    kept = "it keeps the MAC address ba:b5:53:64:08:8a in network outside"
    assert kept in exclusive_in(container)
    assert hindrances(container) == ()


def test_address_that_somebody_chose_is_in_the_way() -> None:
    found = hindrances(on_two_networks(MacAddress="02:00:00:00:00:07"))
    assert found[0] == "it has a MAC address of its own choice"
