"""What the program itself lives on: its container, its way to the engine, and what those need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.platforms.docker.needs import Everyone
from safe_auto_updater.platforms.docker.ours import lifeline
from safe_auto_updater.platforms.docker.own import Own
from safe_auto_updater.platforms.docker.self_id import (
    OwnId,
    container_id_in,
    container_id_in_group,
    short_id,
)

Json = dict[str, Any]
NET = {"proxied": {}}


def container(
    name: str,
    mode: str = "bridge",
    networks: Json | None = None,
    mounts: dict[str, str] | None = None,
    ports: Json | None = None,
    exposed: str | None = None,
    **labels: str,
) -> Json:
    return {
        "Id": (name[0] * 64),
        "Name": f"/{name}",
        "Config": {"Labels": labels, "ExposedPorts": {exposed: {}} if exposed else None},
        "HostConfig": {"NetworkMode": mode},
        "Mounts": [{"Source": s, "Destination": d} for s, d in (mounts or {}).items()],
        "NetworkSettings": {"Networks": networks or {}, "Ports": ports},
    }


def found(
    *everyone: Json, own: str | None = None, address: str = "", peer: Any = None, sure: bool = True
) -> dict[str, str]:
    """Rule by name of every container that must go on running."""
    names = {one["Id"]: one["Name"].lstrip("/") for one in everyone}
    mine = OwnId(own, sure) if own else None
    ours = lifeline(everyone, Everyone("local", everyone), "local", mine, address, peer)
    return {names[id_]: obstacle.rule for id_, obstacle in ours.items()}


UNIX = "unix:///var/run/docker.sock"


@pytest.mark.parametrize("own", ["s" * 64, "s" * 12])
def test_own_container_is_known_by_its_id_or_the_beginning_of_it(own: str) -> None:
    mine = Own(OwnId(own, True), Path("/state"))
    assert mine.is_it(container("sau"))
    assert not mine.is_it(container("web"))
    assert found(container("sau"), container("web"), own=own, address=UNIX) == {}, "it hands over"


def test_outside_of_a_container_nothing_is_ours() -> None:
    assert found(container("sau"), container("web"), own=None, address=UNIX) == {}


def test_what_our_container_shares_is_ours_too_along_the_whole_chain() -> None:
    everyone = (
        container("sau", mode="container:vpn"),
        container("vpn", mode="container:" + "h" * 64),
        container("hub"),
        container("other", mode="container:vpn"),
    )
    assert found(*everyone, own="s" * 64, address=UNIX) == {"vpn": "self", "hub": "self"}
    ours = lifeline(
        everyone, Everyone("local", everyone), "local", OwnId("s" * 64, True), UNIX, None
    )
    assert ours["v" * 64].reason.startswith(
        "sau, the program's own container, uses its network vpn"
    )


def test_whose_network_we_use_may_be_another_and_then_all_its_users_may_be_ours() -> None:
    everyone = (
        container("vpn"),
        container("sau", mode="container:" + "v" * 64),
        container("other", mode="container:" + "v" * 64),
        container("web"),
    )
    ours = found(*everyone, own="v" * 64, address=UNIX, sure=False)
    assert ours == {"vpn": "self", "sau": "self", "other": "self"}
    assert found(*everyone, own="s" * 64, address=UNIX) == {"vpn": "self"}
    alone = (container("sau"), container("web"))
    assert found(*alone, own="s" * 64, address=UNIX, sure=False) == {}


def test_who_would_restart_us_is_ours_and_who_only_comes_first_is_not() -> None:
    labels = {
        "com.docker.compose.project": "p",
        "com.docker.compose.service": "sau",
        "com.docker.compose.depends_on": "db:service_started:true,cache:service_started:false",
    }
    db, cache = (
        container(n, **{"com.docker.compose.project": "p", "com.docker.compose.service": n})
        for n in ("db", "cache")
    )
    everyone = (container("sau", **labels), db, cache)
    assert found(*everyone, own="s" * 64, address=UNIX) == {"db": "self"}


def at(ip: str) -> Json:
    return {"proxied": {"IPAddress": ip, "Aliases": ["socket-proxy"]}}


def published(port: int, ip: str = "0.0.0.0") -> Json:
    return {"2375/tcp": [{"HostIp": ip, "HostPort": str(port)}], "80/tcp": None}


@pytest.mark.parametrize(
    ("proxy", "address", "peer", "is_it"),
    [
        (container("proxy", networks=at("10.0.0.2")), "tcp://socket-proxy:2375", None, True),
        (container("proxy", networks=at("10.0.0.2")), "tcp://proxy:2375", None, True),
        (container("proxy", networks=at("10.0.0.2")), "tcp://x:2375", ("10.0.0.2", 2375), True),
        (container("proxy", networks=at("10.0.0.2")), "tcp://x:2375", ("10.0.0.3", 2375), False),
        (container("proxy", networks={"bridge": {}}), "tcp://proxy:2375", None, False),
        (container("proxy", ports=published(2375)), "tcp://h:2375", ("127.0.0.1", 2375), True),
        (container("proxy", ports=published(2375)), "tcp://h:2375", ("172.17.0.1", 2375), True),
        (container("proxy", ports=published(2376)), "tcp://h:2375", ("127.0.0.1", 2375), False),
        (
            container("proxy", ports=published(2375, "127.0.0.1")),
            "tcp://localhost:2375",
            ("::1", 2375),
            True,
        ),
        (
            container("proxy", ports=published(2375, "192.0.2.7")),
            "tcp://localhost:2375",
            ("127.0.0.1", 2375),
            False,
        ),
        (
            container("proxy", mode="host", exposed="2375/tcp"),
            "tcp://localhost:2375",
            ("127.0.0.1", 2375),
            True,
        ),
        (container("proxy", mode="host"), "tcp://localhost:2375", ("127.0.0.1", 2375), False),
        (container("proxy", ports=published(2375)), "ssh://nas", None, False),
    ],
)
def test_proxy_that_we_speak_through_is_known(
    proxy: Json, address: str, peer: tuple[str, int] | None, is_it: bool
) -> None:
    own = container("sau", networks={"proxied": {"IPAddress": "10.0.0.9"}, "bridge": {}})
    ours = found(own, proxy, container("web"), own="s" * 64, address=address, peer=peer)
    assert ours == ({"proxy": "proxy"} if is_it else {})


def test_container_that_only_has_the_engines_machines_name_is_no_proxy() -> None:
    namesake = container("pihole", networks={"lan": {"IPAddress": "10.0.0.2"}})
    assert found(namesake, address="tcp://pihole:2375", peer=("192.0.2.4", 2375)) == {}


def test_what_the_proxy_shares_is_needed_too() -> None:
    everyone = (container("proxy", mode="container:vpn"), container("vpn", ports=published(2375)))
    ours = found(*everyone, address="tcp://localhost:2375", peer=("127.0.0.1", 2375))
    assert ours == {"vpn": "proxy"}, "who publishes the port"
    everyone = (
        container("proxy", networks=at("10.0.0.2"), mode="container:vpn"),
        container("vpn"),
    )
    ours = found(*everyone, address="tcp://x:2375", peer=("10.0.0.2", 2375))
    assert ours == {"proxy": "proxy", "vpn": "proxy"}


ENGINE = {"/var/run/docker.sock": "/var/run/docker.sock"}
FILTERED = "unix:///srv/proxy/filtered.sock"


@pytest.mark.parametrize(
    ("mounts", "address", "own_mounts", "is_it"),
    [
        (ENGINE | {"/srv/proxy": "/out"}, FILTERED, {}, True),
        (ENGINE | {"/srv/proxy": "/out"}, UNIX, {}, False),
        ({"/srv/proxy": "/out"}, FILTERED, {}, False),
        (ENGINE, UNIX, {}, False),
        (ENGINE | {"/srv": "/srv"}, UNIX, {}, False),
        ({"/srv/e.sock": "/var/run/docker.sock", "/data": "/d"}, "unix:///srv/e.sock", {}, False),
        (ENGINE | {"/srv/proxy": "/out"}, "unix:///in/filtered.sock", {"/srv/proxy": "/in"}, True),
        (ENGINE | {"/srv/proxy": "/out"}, "unix:///in/filtered.sock", {"/srv/other": "/in"}, False),
        (ENGINE | {"/srv": "/out"}, "unix:///s.sock", {"/var/run/docker.sock": "/s.sock"}, False),
    ],
)
def test_proxy_that_offers_a_socket_in_a_shared_folder_is_known(
    mounts: dict[str, str], address: str, own_mounts: dict[str, str], is_it: bool
) -> None:
    everyone = (container("proxy", mounts=mounts), container("sau", mounts=own_mounts))
    own = "s" * 64 if own_mounts else None
    ours = found(*everyone, own=own, address=address)
    assert ("proxy" in ours) is is_it


ID = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"614 597 8:1 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw - ext4 a rw", ID),
        (f"1 2 8:1 /home/me/.local/share/docker/containers/{ID}/hosts /etc/hosts rw - ext4 a", ID),
        (
            f"1 2 0:24 /containers/overlay-containers/{ID}/userdata/hostname /etc/hostname rw - x",
            ID,
        ),
        (f"1 2 8:1 /var/lib/docker/containers/{ID}/mounts/shm /dev/shm rw - ext4 a rw", None),
        (f"1 2 8:1 /var/lib/docker/containers/{ID[:40]}/hostname /etc/hostname rw - ext4", None),
        ("1 0 8:1 / / rw - ext4 /dev/a rw", None),
    ],
)
def test_own_id_stands_in_the_mounts_that_engines_make(line: str, expected: str | None) -> None:
    assert container_id_in(f"1 0 0:1 / / rw - overlay overlay rw\n{line}\n") == expected


@pytest.mark.parametrize(
    ("cgroup", "expected"),
    [
        (f"5:memory:/docker/{ID}\n1:name=systemd:/docker/{ID}\n", ID),
        (f"0::/system.slice/docker-{ID}.scope\n", ID),
        (f"0::/user.slice/user-1000.slice/user@1000.service/app.slice/docker-{ID}.scope", ID),
        (f"0::/machine.slice/libpod-{ID}.scope/container", ID),
        (f"0::/docker/{'f' * 64}/docker/{ID}", ID),
        ("0::/", None),
        ("0::/system.slice/docker.service", None),
        (f"0::/docker/{ID}0", None),
    ],
)
def test_own_id_stands_in_the_control_group(cgroup: str, expected: str | None) -> None:
    assert container_id_in_group(cgroup) == expected


@pytest.mark.parametrize(
    ("hostname", "expected"),
    [(ID[:12], ID[:12]), ("nas", None), (ID, None), ("0123456789AB", None)],
)
def test_host_name_that_is_the_beginning_of_an_id_is_taken_for_ours(
    hostname: str, expected: str | None
) -> None:
    assert short_id(hostname) == expected
