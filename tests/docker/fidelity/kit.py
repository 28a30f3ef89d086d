"""One container on the way through updates, and what a person would have made by hand."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from safe_auto_updater.app import App
from safe_auto_updater.config import ConfigLoader
from safe_auto_updater.core.events import Emit
from safe_auto_updater.core.model import Plan
from safe_auto_updater.engine.journal import Record
from safe_auto_updater.platforms.docker.compare import differences
from safe_auto_updater.platforms.docker.marks import MARK
from safe_auto_updater.platforms.docker.recreate import create_body
from tests.docker.fidelity.fields import Field
from tests.lab_kit import World, eventually

Json = dict[str, Any]
CONFIG = """\
inventory:
  include: ["*/{prefix}*"]
detection:
  approval: none  # what is risky is none of these tests' business
execution:
  health: {{timeout: 10s, stable_for: {soak}}}
"""


def app(world: World, *listeners: Emit, soak: str = "0s") -> App:
    """The wired program, seeing this world alone. A new one has nothing cached."""
    config = ConfigLoader().load_text(CONFIG.format(prefix=world.prefix, soak=soak), "test")
    return App(config, world.state_dir / "state", os.environ, listeners)


def plan(world: World) -> Plan:
    """What would be done now."""
    with app(world) as program:
        return program.cycle.plan([])[0]


def update(world: World, *listeners: Emit, soak: str = "0s") -> Record:
    """Carry out the plan's one update, once all that runs is past its own start."""
    eventually(lambda: all(settled(world, one) for one in world.ids()))
    with app(world, *listeners, soak=soak) as program:
        wanted, checked = program.cycle.plan([])
        seen = [(s.asset, s.action, s.reasons) for s in wanted.steps]
        assert len(wanted.updates) == 1, (seen, checked.inventory.failures)
        (record,) = program.cycle.execute(wanted, lambda: False)
        return record


def settled(world: World, container: str) -> bool:
    """Whether it serves (before that it hears no stop signal) and its health is known."""
    if not world.get(container)["State"]["Running"]:
        return True
    serves = "httpd" in str(world.call("GET", f"/containers/{container}/top")["Processes"])
    return serves and world.health(container) != "starting"


def updated(world: World, tag: str, *listeners: Emit, **recipe: Any) -> Json:
    """Publish a good image, update to it; the new container."""
    world.publish(tag, **recipe)
    record = update(world, *listeners)
    assert record.rows[-1].name == "SUCCEEDED", record.rows[-1].facts
    return world.get("web")


def rolled_back(world: World, tag: str, *listeners: Emit, **recipe: Any) -> Json:
    """Publish an image that crashes, let it fail; the container that serves then."""
    world.publish(tag, **({"behaviour": "crash"} | recipe))
    record = update(world, *listeners, soak="100ms")
    assert record.rows[-1].name == "ROLLED_BACK", record.rows[-1].facts
    return world.get("web")


def created(world: World, tag: str, body: Json, name: str = "web") -> Json:
    """A container made of an image of this world, not started.

    Without any HostConfig this engine fills its defaults in at the first start only.
    """
    asked: Json = {"HostConfig": {}} | copy.deepcopy(body)
    return world.get(world.create(f"{world.repository}:{tag}", name, **asked))


def by_hand(world: World, tag: str, body: Json) -> Json:
    """What the same request makes of the new image; created under another name, not started."""
    return created(world, tag, body, "hand")


def recreated(world: World, container: Json, tag: str) -> Json:
    """The container that an update would put beside this one, without the rest of an update."""
    reference = f"{world.repository}:{tag}"
    world.pull(reference)
    body = create_body(container, world.image(container["Image"]), reference, "test")
    made = world.call("POST", f"/containers/create?name={world.prefix}-next", body)
    new = world.get(made["Id"])
    found = differences(container, body, new, world.image(reference))
    assert not found, found
    return new


def body_of(fields: Iterable[Field], network: str) -> Json:
    """One create request that sets all these fields."""
    body: Json = {"HostConfig": {}}
    for field in fields:
        part, name = field.path.split(".")
        match part:
            case "Config":
                body[name] = field.value
            case "HostConfig":
                body["HostConfig"][name] = field.value
            case _:
                asked = body.setdefault("NetworkingConfig", {"EndpointsConfig": {network: {}}})
                asked["EndpointsConfig"][network][name] = field.value
    return body


def fill(value: Any, words: dict[str, str]) -> Any:
    """The value with `<word>`s replaced."""
    if isinstance(value, dict):
        return {fill(key, words): fill(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, words) for item in value]
    if isinstance(value, str):
        for word, meant in words.items():
            value = value.replace(f"<{word}>", meant)
    return value


def told(container: Json, path: str, network: str = "") -> Any:
    """A field as inspect tells it; the short ID among the aliases is the engine's."""
    part, name = path.split(".")
    if path == "Config.Labels":
        return {key: v for key, v in container["Config"]["Labels"].items() if key != MARK}
    if part != "Endpoint":
        return container[part].get(name)
    endpoint = container["NetworkSettings"]["Networks"][network]
    return user_aliases(container, endpoint) if name == "Aliases" else endpoint.get(name)


def settings(container: Json) -> Json:
    """All settings, without what differs between any two containers."""
    name, short = container["Name"], container["Id"][:12]
    config, host = copy.deepcopy(container["Config"]), copy.deepcopy(container["HostConfig"])
    if config["Hostname"] == short:
        config["Hostname"] = "<generated>"
    config["Labels"] = {key: v for key, v in config["Labels"].items() if key != MARK}
    config["Env"] = sorted(config["Env"] or ())
    host["Links"] = [link.replace(f":{name}/", ":/<name>/") for link in host["Links"] or ()]
    return {"Config": config, "HostConfig": host, "Networks": chosen(container)}


_CHOSEN = ("IPAMConfig", "Links", "DriverOpts", "GwPriority")


def chosen(container: Json) -> Json:
    """Per network, what can be chosen of an endpoint."""
    found = {}
    for network, endpoint in container["NetworkSettings"]["Networks"].items():
        asked: Json = {key: endpoint.get(key) for key in _CHOSEN}
        asked["Aliases"] = sorted(user_aliases(container, endpoint))
        found[network] = {key: value for key, value in asked.items() if value}
    return found


def user_aliases(container: Json, endpoint: Json) -> list[str]:
    """The aliases that are not the engine's own: the short ID and the host name."""
    engines = (container["Id"][:12], container["Config"]["Hostname"])
    return [alias for alias in endpoint["Aliases"] or () if alias not in engines]


def words(world: World) -> dict[str, str]:
    """Names, addresses and a port that belong to this world alone."""
    number = int(world.prefix[1:], 16)
    first, second, third = number >> 24 & 0xFF, number >> 16 & 0xFF, number >> 8 & 0xFF
    return {
        "prefix": world.prefix,
        "name": f"{world.prefix}-web",
        "peer": f"{world.prefix}-peer",
        "volume": f"{world.prefix}-data",
        "network": f"{world.prefix}-net",
        "subnet": subnet(world),
        "subnet6": f"fd{first:02x}:{second:02x}{third:02x}",
        "port": str(20_000 + number % 10_000),
        "octet": f"{third:02x}",
    }


def volume_of(mount: Json) -> str:
    """A mounted volume's name; newer engines keep some names to themselves."""
    return str(mount.get("Name") or Path(mount["Source"]).parent.name)


def subnet(world: World, which: int = 0) -> str:
    """The first three numbers of a network's addresses."""
    number = int(world.prefix[1:], 16)
    return f"10.{number >> 24 & 0xFF}.{(number >> 16) + which & 0xFF}"


def network(world: World, name: str = "net", which: int = 0) -> str:
    """A network with addresses of its own, IPv4 and IPv6; its full name."""
    pools = [
        {"Subnet": f"{subnet(world, which)}.0/24"},
        {"Subnet": f"{words(world)['subnet6']}:{which:x}::/64"},
    ]
    return world.network(name, EnableIPv6=True, IPAM={"Config": pools})


def peer(world: World, **host: Any) -> str:
    """Another service, with a volume at /shared, for this one to speak with; its ID."""
    image = world.publish("1", name="peer", volumes=("/shared",))
    return world.run(image.reference, "peer", HostConfig={"IpcMode": "shareable"} | host)


def inside(world: World, container: str, script: str) -> str:
    """What a shell script says that runs in a container."""
    command = {"Cmd": ["/bin/sh", "-c", script], "AttachStdout": True, "Tty": True}
    run = world.call("POST", f"/containers/{container}/exec", command)["Id"]
    said = world.call("POST", f"/exec/{run}/start", {"Tty": True})
    return str("" if said is None else said)


def identity(container: Json) -> Json:
    """What must be exactly as before when an update was taken back."""
    keys = ("Id", "Name", "Image", "Config", "HostConfig")
    mounts = sorted(container["Mounts"], key=lambda mount: str(mount["Destination"]))
    return {key: container[key] for key in keys} | {
        "Mounts": mounts,
        "Networks": chosen(container),
    }
