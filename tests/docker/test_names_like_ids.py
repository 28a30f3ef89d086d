"""A container's name may be how the IDs of others begin, as `db` may."""

from __future__ import annotations

from safe_auto_updater.platforms.docker.containers import Containers
from safe_auto_updater.platforms.docker.engine import DockerEngine
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau


def test_name_that_begins_the_ids_of_others_is_nobody_elses(world: World, sau: Sau) -> None:
    old = world.publish("1.0.0").reference
    ids: list[str] = []
    while len({id_[:2] for id_ in ids}) == len(ids):
        ids.append(world.create(old, f"other{len(ids)}"))
    name = ids[-1][:2]
    containers = Containers(DockerEngine(world.lab.docker_host))
    assert containers.find(name) is None, "several IDs begin so"
    assert containers.find(ids[0][:12]) is None, "one does"

    body = {"Image": old, "Labels": world.labels}
    mine = world.call("POST", f"/containers/create?name={name}", body)["Id"]
    world.call("POST", f"/containers/{mine}/start")
    sau.configure("stable_for: 1s")
    text = sau.config.read_text().replace(f"*/{world.prefix}-*", f"*/{name}")
    sau.config.write_text(text)
    world.publish("1.1.0", behaviour="crash")
    said = sau("apply", name, "--yes")
    assert said.update["outcome"] == "rolled_back", said
    found = containers.find(name)
    assert found is not None and found["Id"] == mine
    world.publish("1.2.0")
    said = sau("apply", name, "--yes")
    assert said.update["outcome"] == "succeeded", said
    assert eventually(lambda: world.http(str((containers.find(name) or {})["Id"]))) == "1.2.0"
    assert len(world.ids()) == len(ids) + 1
