"""Networks, addresses, names and ports are there after an update and a rollback."""

from __future__ import annotations

from typing import Any

import pytest

from tests.docker.fidelity import kit
from tests.lab_kit import World, eventually, fetch

Json = dict[str, Any]


def addresses(container: Json) -> dict[str, tuple[str, str]]:
    networks = container["NetworkSettings"]["Networks"]
    return {n: (one["IPAddress"], one["GlobalIPv6Address"]) for n, one in networks.items()}


def connect(world: World, network: str, **settings: Any) -> None:
    body: Json = {"Container": f"{world.prefix}-web", "EndpointConfig": settings}
    world.call("POST", f"/networks/{network}/connect", body)


def disconnect(world: World, network: str) -> None:
    world.call("POST", f"/networks/{network}/disconnect", {"Container": f"{world.prefix}-web"})


def test_all_networks_are_back_with_their_addresses_and_aliases(world: World) -> None:
    first, second = kit.network(world, "first"), kit.network(world, "second", 1)
    fixed, six = f"{kit.subnet(world)}.50", f"{kit.words(world)['subnet6']}::50"
    kit.peer(world, NetworkMode=second)
    chosen = {"IPAMConfig": {"IPv4Address": fixed, "IPv6Address": six}, "Aliases": ["www"]}
    body: Json = {
        "HostConfig": {"NetworkMode": first},
        "NetworkingConfig": {"EndpointsConfig": {first: chosen}},
    }
    world.run(world.publish("1.0.0").reference, **body)
    later = f"{kit.subnet(world, 1)}.60"
    connect(
        world,
        second,
        IPAMConfig={"IPv4Address": later},
        Aliases=["front", "www"],
        Links=[f"{world.prefix}-peer:db"],
    )
    connect(world, "bridge")
    before = world.get("web")
    assert addresses(before)[first][1].endswith(":50")

    back = kit.rolled_back(world, "1.1.0")
    assert kit.identity(back) == kit.identity(before)
    after = kit.updated(world, "1.2.0")

    assert kit.chosen(after) == kit.chosen(before)
    for now in (back, after):
        assert {n: addresses(now)[n] for n in (first, second)} == {
            n: addresses(before)[n] for n in (first, second)
        }
        assert addresses(now)["bridge"][0]


def test_names_lead_to_the_new_container(world: World) -> None:
    network = kit.network(world)
    peer = kit.peer(world, NetworkMode=network)
    body: Json = {
        "HostConfig": {"NetworkMode": network},
        "NetworkingConfig": {"EndpointsConfig": {network: {"Aliases": ["www"]}}},
        "Hostname": "shop",
    }
    world.run(world.publish("1.0.0").reference, **body)

    after = kit.updated(world, "1.1.0")

    address = after["NetworkSettings"]["Networks"][network]["IPAddress"]
    for name in ("www", "shop", f"{world.prefix}-web", after["Id"][:12]):
        assert address in kit.inside(world, peer, f"/bin/busybox nslookup {name}."), name


def test_network_left_after_creation_stays_left(world: World) -> None:
    network = kit.network(world)
    world.run(world.publish("1.0.0").reference)
    connect(world, network, Aliases=["www"])
    disconnect(world, "bridge")

    assert kit.chosen(kit.updated(world, "1.1.0")) == {network: {"Aliases": ["www"]}}


def test_own_network_left_for_another_stays_left(world: World) -> None:
    first, second = kit.network(world, "first"), kit.network(world, "second", 1)
    world.run(world.publish("1.0.0").reference, HostConfig={"NetworkMode": first})
    connect(world, second)
    disconnect(world, first)

    assert kit.chosen(kit.updated(world, "1.1.0")) == {second: {}}


def test_container_that_left_every_network_joins_none(world: World) -> None:
    world.run(world.publish("1.0.0").reference)
    disconnect(world, "bridge")

    assert kit.chosen(kit.rolled_back(world, "1.1.0")) == {}
    assert kit.chosen(kit.updated(world, "1.2.0")) == {}


@pytest.mark.parametrize("by", ["Name", "Id"])
def test_network_given_by_id_is_the_same_network(world: World, by: str) -> None:
    name = kit.network(world)
    network = world.call("GET", f"/networks/{name}")
    chosen = {"IPAMConfig": {"IPv4Address": f"{kit.subnet(world)}.9"}, "Aliases": ["www"]}
    body: Json = {
        "HostConfig": {"NetworkMode": network["Id"]},
        "NetworkingConfig": {"EndpointsConfig": {network[by]: chosen}},
    }
    world.run(world.publish("1.0.0").reference, **body)
    before = world.get("web")

    after = kit.updated(world, "1.1.0")

    assert after["HostConfig"]["NetworkMode"] == network["Id"]
    assert kit.chosen(after) == kit.chosen(before)
    assert addresses(after)[name] == addresses(before)[name]


def chosen_address(world: World, container: Json) -> str:
    """The MAC address that somebody chose for the main network; later APIs do not tell it."""
    older = "/v1.51" if world.lab.engine_api > (1, 51) else ""
    config = world.call("GET", f"{older}/containers/{container['Id']}/json")["Config"]
    return str(config.get("MacAddress") or "")


def test_configured_mac_stays_and_a_generated_one_is_not_pinned(world: World) -> None:
    configured = f"02:42:ac:11:{world.prefix[-4:-2]}:{world.prefix[-2:]}"
    image = world.publish("1.0.0").reference
    chosen: Json = {"EndpointsConfig": {"bridge": {"MacAddress": configured}}}
    per_network = world.lab.engine_api >= (1, 44)  # before, it was the container's
    asked = {"NetworkingConfig": chosen} if per_network else {"MacAddress": configured}
    world.run(image, "fixed", **asked)
    world.run(image)

    with kit.app(world) as program:
        world.publish("1.1.0")
        program.cycle.execute(program.cycle.plan([])[0], lambda: False)

    fixed, free = world.get("fixed"), world.get("web")
    assert {world.get(name)["Config"]["Image"] for name in ("fixed", "web")} == {
        f"{world.repository}:1.1.0"
    }
    assert fixed["NetworkSettings"]["Networks"]["bridge"]["MacAddress"] == configured
    assert (chosen_address(world, fixed), chosen_address(world, free)) == (configured, "")


@pytest.mark.engines(lambda lab: lab.engine_api >= (1, 44))  # before, it is the container's
def test_address_chosen_on_a_second_network_stays_and_goes_from_one_update_to_the_next(
    world: World,
) -> None:
    first, second = kit.network(world, "first"), kit.network(world, "second", 1)
    mac = f"02:42:ac:13:{world.prefix[-4:-2]}:{world.prefix[-2:]}"
    body: Json = {
        "HostConfig": {"NetworkMode": first},
        "NetworkingConfig": {"EndpointsConfig": {first: {}, second: {"MacAddress": mac}}},
    }
    world.run(world.publish("1.0.0").reference, **body)

    for act, tag in ((kit.rolled_back, "1.1.0"), (kit.updated, "1.2.0"), (kit.updated, "1.3.0")):
        now = act(world, tag)
        assert now["NetworkSettings"]["Networks"][second]["MacAddress"] == mac
        assert chosen_address(world, now) == ""


# mode, the user's host name, the host name after an update
MODES = [
    ("default", {}, None),
    ("bridge", {"Hostname": "shop"}, "shop"),
    ("bridge", {"Domainname": "example.org"}, None),
    ("none", {}, None),
    ("none", {"Hostname": "shop.example.org"}, "shop.example.org"),
    ("host", {}, "<machine>"),
    ("host", {"Hostname": "shop"}, "shop"),
    ("<network>", {}, None),
    ("<network>", {"Hostname": "shop", "Domainname": "example.org"}, "shop"),
    ("container:<peer>", {}, "<peer's>"),
]


@pytest.mark.parametrize(("mode", "names", "expected"), MODES)
def test_network_mode_and_host_name_stay_and_a_generated_host_name_does_not(
    world: World, mode: str, names: Json, expected: str | None
) -> None:
    words = kit.words(world)
    if "<network>" in mode:
        kit.network(world)
    known = {
        "<machine>": world.call("GET", "/info")["Name"],
        "<peer's>": world.get(kit.peer(world))["Config"]["Hostname"] if "<peer>" in mode else "",
    }
    host = {"NetworkMode": kit.fill(mode, words), "PublishAllPorts": mode == "bridge"}
    env = [f"PORT={words['port']}"]  # on the host's network the port must be ours
    body: Json = {"HostConfig": host, "Env": env, **names}
    world.run(world.publish("1.0.0").reference, **body)
    before = world.get("web")

    if host["NetworkMode"] == "host":  # both versions want the same port of the machine
        assert kit.identity(kit.rolled_back(world, "1.1.0")) == kit.identity(before)
    after = kit.updated(world, "1.2.0")

    generated = after["Id"][:12]
    name = known.get(expected or "", expected) or generated
    assert after["Config"]["Hostname"] == name
    assert after["Config"]["Domainname"] == before["Config"]["Domainname"]
    assert after["HostConfig"]["NetworkMode"] == before["HostConfig"]["NetworkMode"]
    assert kit.chosen(after) == kit.chosen(before)
    assert kit.inside(world, after["Id"], "hostname").strip() == name


def test_ports_are_published_as_before(world: World) -> None:
    port = int(kit.words(world)["port"])
    fixed = {
        "8080/tcp": [
            {"HostIp": "127.0.0.1", "HostPort": str(port)},
            {"HostIp": "127.0.0.2", "HostPort": str(port)},
        ],
        "53/tcp": [{"HostIp": "127.0.0.3", "HostPort": str(port)}],
        "53/udp": [{"HostIp": "127.0.0.3", "HostPort": str(port)}],
    }
    free = {
        "9/udp": [{"HostIp": "", "HostPort": ""}],
        "10/tcp": [{"HostIp": "127.0.0.1", "HostPort": "0"}],
        "11/tcp": [{"HostIp": "127.0.0.4", "HostPort": f"{port}-{port + 9}"}],
        "12/tcp": None,
    }
    exposed: Json = {number: {} for number in (*fixed, *free)}
    bindings = fixed | {number: binding for number, binding in free.items() if binding}
    body: Json = {"ExposedPorts": exposed, "HostConfig": {"PortBindings": bindings}}
    world.run(world.publish("1.0.0").reference, **body)
    before = world.get("web")

    back = kit.rolled_back(world, "1.1.0")
    assert kit.identity(back) == kit.identity(before)
    assert eventually(lambda: fetch(f"http://127.0.0.1:{port}/")) == "1.0.0"
    after = kit.updated(world, "1.2.0")
    assert kit.settings(after) == kit.settings(kit.by_hand(world, "1.2.0", body))
    assert eventually(lambda: fetch(f"http://127.0.0.2:{port}/")) == "1.2.0"

    for now in (back, after):
        open_ports = {
            number: found and sorted(found, key=lambda one: str(one["HostIp"]))
            for number, found in now["NetworkSettings"]["Ports"].items()
        }
        assert {number: open_ports[number] for number in fixed} == fixed
        assert open_ports["12/tcp"] is None
        assert all(int(one["HostPort"]) for n in free if free[n] for one in open_ports[n])
        assert port <= int(open_ports["11/tcp"][0]["HostPort"]) <= port + 9
