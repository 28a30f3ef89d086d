"""One container on the way through updates, and what a person would have made by hand."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable
from typing import Any

from safe_auto_updater.app import App
from safe_auto_updater.config import ConfigLoader
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
execution:
  health: {{timeout: 10s, stable_for: 100ms}}
"""


def app(world: World) -> App:
    """The wired program, seeing this world alone. A new one has nothing cached."""
    config = ConfigLoader().load_text(CONFIG.format(prefix=world.prefix), "test")
    return App(config, world.state_dir / "state", os.environ, [])


def plan(world: World) -> Plan:
    """What would be done now."""
    with app(world) as program:
        return program.cycle.plan([])[0]


def update(world: World) -> Record:
    """Carry out the plan's one update, once a HEALTHCHECK has said its first word."""
    eventually(lambda: all(world.health(one) != "starting" for one in world.ids()))
    with app(world) as program:
        wanted, _ = program.cycle.plan([])
        assert len(wanted.updates) == 1, [(s.asset, s.action, s.reasons) for s in wanted.steps]
        (record,) = program.cycle.execute(wanted, lambda: False)
        return record


def updated(world: World, tag: str, **recipe: Any) -> Json:
    """Publish a good image, update to it; the new container."""
    world.publish(tag, **recipe)
    record = update(world)
    assert record.rows[-1].name == "SUCCEEDED", record.rows[-1].facts
    return world.get("web")


def rolled_back(world: World, tag: str, **recipe: Any) -> Json:
    """Publish an image that crashes, let it fail; the container that serves then."""
    world.publish(tag, **({"behaviour": "crash"} | recipe))
    record = update(world)
    assert record.rows[-1].name == "ROLLED_BACK", record.rows[-1].facts
    return world.get("web")


def created(world: World, tag: str, body: Json, name: str = "web") -> Json:
    """A container made of an image of this world, not started.

    Without any HostConfig this engine fills its defaults in at the first start only.
    """
    asked = {"HostConfig": {}} | copy.deepcopy(body)
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
    value = container["NetworkSettings"]["Networks"][network].get(name)
    engines = (container["Id"][:12], container["Config"]["Hostname"])
    return [a for a in value if a not in engines] if name == "Aliases" else value


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


def chosen(container: Json) -> Json:
    """Per network, what can be chosen of an endpoint."""
    keys = ("IPAMConfig", "Links", "Aliases", "DriverOpts")
    engines = (container["Id"][:12], container["Config"]["Hostname"])
    return {
        network: {
            key: sorted(a for a in endpoint[key] if a not in engines)
            if key == "Aliases" and endpoint[key]
            else endpoint[key]
            for key in keys
            if endpoint.get(key)
        }
        for network, endpoint in container["NetworkSettings"]["Networks"].items()
    }


def identity(container: Json) -> Json:
    """What must be exactly as before when an update was taken back."""
    keys = ("Id", "Name", "Image", "Config", "HostConfig", "Mounts")
    return {key: container[key] for key in keys} | {"Networks": chosen(container)}
