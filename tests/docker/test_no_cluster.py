"""A cluster that is not there is told in one line; containers are updated as before."""

from __future__ import annotations

import json

import pytest

from tests.docker.remote_kit import free_port
from tests.lab_kit import World
from tests.sau_kit import Sau

pytestmark = pytest.mark.any_engine


def test_cluster_that_is_away_is_one_line_and_containers_are_updated(
    world: World, sau: Sau
) -> None:
    world.run(world.publish("1.0.0").reference, "web")
    world.publish("1.1.0")
    kubeconfig = world.state_dir / "kubeconfig"
    user = {"name": "u", "user": {"token": "secret-token"}}
    server = f"https://127.0.0.1:{free_port()}"
    context = {"name": "prod", "context": {"cluster": "prod", "user": "u"}}
    kubeconfig.write_text(
        json.dumps(
            {
                "current-context": "prod",
                "contexts": [context],
                "clusters": [{"name": "prod", "cluster": {"server": server}}],
                "users": [user],
            }
        )
    )
    entry = f"  kubernetes: [{{name: prod, kubeconfig: {kubeconfig}}}]\n"
    host = f"  docker: [{{name: local, host: unix://{world.lab.socket}}}]\n"
    text = sau.config.read_text()
    sau.config.write_text(text.replace("inventory:\n", f"inventory:\n{host}{entry}", 1))

    scan = sau("scan")

    assert scan.code == 1
    assert [asset["name"] for asset in scan.json["assets"]] == [f"{world.prefix}-web"]
    (failure,) = scan.json["failures"]
    assert failure["source"] == "kubernetes:prod"
    assert failure["error"].startswith(f"cluster prod at {server} does not answer")
    assert "\n" not in failure["error"] and "secret-token" not in scan.out + scan.err

    said = sau("apply", "--yes")
    assert said.update["outcome"] == "succeeded", said
