"""`deploy/compose` as it is shipped, on a real engine: image, socket proxy, real Compose."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab import built_image
from tests.docker.compose_kit import program  # noqa: F401
from tests.docker.deploy_kit import ENABLED, Deployment, labelled, serves
from tests.docker.watchtower.real import PROGRAM
from tests.lab_kit import World, eventually

pytestmark = [
    pytest.mark.any_engine,
    pytest.mark.timeout(1200),
    # The image is built once per engine, by the builder that engines have until 28.
    pytest.mark.engines(lambda lab: not lab.containerd_store),
]
Make = Callable[..., Deployment]


@pytest.fixture
def make(world: World, program: Path, our_image: str, tmp_path: Path) -> Iterator[Make]:  # noqa: F811
    """Brings the shipped files into a folder; what runs of them is gone afterwards."""
    made: list[Deployment] = []

    def one(*files: str, ours: str = our_image, **names: str) -> Deployment:
        made.append(Deployment(world, program, tmp_path / "updater", ours, *files, **names))
        return made[-1]

    yield one
    for deployment in made:
        print(deployment("logs"))  # shown where the test has failed
        deployment("down", "--volumes", "--timeout", "1")
        deployment.forget_images()


def test_it_updates_what_is_labelled_and_takes_a_bad_one_back(world: World, make: Make) -> None:
    old = labelled(world)
    world.publish("1.1.0")
    updater = make()
    updater.start()
    with updater.registry():
        eventually(lambda: serves(world, "1.1.0"), 90)
        world.publish("1.2.0", behaviour="crash")
        eventually(lambda: updater.outcomes()[0][1] == "rolled_back", 90)
    assert world.text("web") == "1.1.0"
    assert [outcome for _, outcome in updater.outcomes()] == ["rolled_back", "succeeded"]
    assert old not in world.ids()
    assert world.health(updater.service["Id"]) == "healthy"
    assert updater.refused() == []


def test_it_hears_of_what_is_started_once_the_proxy_lets_it(world: World, make: Make) -> None:
    updater = make()
    proxy = "socket-proxy/nginx.conf"
    updater.write(updater.read(proxy).replace("# include watching", "include watching"), proxy)
    updater.configure({"interval": "12h", "watch": True})
    updater.start()
    eventually(lambda: "cycle" in log(updater), 60)
    world.publish("1.0.0")
    world.run(f"{world.repository}:1.0.0", Labels=ENABLED)
    eventually(lambda: f"seen between two cycles: {world.prefix}-web" in log(updater), 90)
    assert updater.refused() == []


def log(updater: Deployment) -> str:
    """What the service has told."""
    return updater("logs", "--no-log-prefix", "safe-auto-updater")


def test_it_is_nobody_of_importance_and_sees_no_socket(world: World, make: Make) -> None:
    updater = make()
    updater.start()
    sh = ("exec", "-T", "safe-auto-updater", "sh", "-c")
    assert updater(*sh, "id -u").strip() == "10001"
    assert (
        updater(*sh, "ls /var/run/docker.sock || true")
        .strip()
        .endswith("No such file or directory")
    )
    assert "Read-only file system" in updater(*sh, "touch /etc/x || true")
    assert re.search(r"CapEff:\s+0+$", updater(*sh, "grep CapEff /proc/1/status").strip())
    ask = "import http.client as h; c = h.HTTPConnection('socket-proxy', 2375); "
    for method, path, allowed in (
        ("GET", "/v1.41/version", True),
        ("GET", "/info", True),
        ("POST", "/v1.41/build", False),
        ("GET", "/secrets", False),
        ("POST", "/v1.41/containers/x/exec", False),
        ("GET", "/containers/x/../../secrets", False),
        ("GET", "/images/x/..%2f..%2fsecrets/json", False),
    ):
        asked = f"{ask}c.request('{method}', '{path}'); print(c.getresponse().status)"
        status = updater("exec", "-T", "safe-auto-updater", "/opt/sau/bin/python", "-c", asked)
        assert (status.strip() != "403") is allowed, (method, path, status)


def had_from_registry(updater: Deployment, image: str, folder: Path) -> str:
    """Have it run our image, checked each second, as one from a registry; what that is made of."""
    quick = 'HEALTHCHECK --interval=1s CMD ["/opt/sau/bin/python", "/opt/sau/bin/healthy"]'
    first = updater.another(image, folder / "first", quick)
    ours = updater.push(first, "sau:0.1")
    updater.write(re.sub("SAU_IMAGE=.*", f"SAU_IMAGE={ours}", updater.read(".env")), ".env")
    return first


def test_it_replaces_itself_by_its_new_version(
    world: World,
    make: Make,
    our_image: str,
    tmp_path: Path,
) -> None:
    updater = make()
    first = had_from_registry(updater, our_image, tmp_path)
    newer = updater.another(first, tmp_path / "newer", "LABEL newer=yes")
    updater.start()
    before = updater.service
    with updater.registry():
        updater.publish_next(newer)
        eventually(lambda: updater.service["Id"] != before["Id"], 120)
    after = eventually(lambda: whole(updater, before["Id"]), 120)
    assert after["Config"]["Labels"]["newer"] == "yes"
    eventually(lambda: updater.outcomes() == [(f"{updater.name}-safe-auto-updater-1", "succeeded")])
    assert after["RestartCount"] == 0, "it waited for its turn, and did not fail meanwhile"
    updater.assert_settled()


def whole(updater: Deployment, old: str) -> dict[str, object] | None:
    """The service where it is alone and healthy."""
    now = updater.service
    well = now["State"].get("Health", {}).get("Status") == "healthy"
    gone = old not in updater.world.ids()
    return now if well and gone else None


def test_asked_to_end_in_an_update_it_ends_within_its_grace(world: World, make: Make) -> None:
    old = labelled(world)
    world.publish("1.1.0")
    updater = make()
    updater.configure(stop_grace="2s", health={"timeout": "20m", "stable_for": "10m"})
    updater.start()
    with updater.registry():
        eventually(lambda: serves(world, "1.1.0"), 90)
        assert old in world.ids(), "the update is under way"
        updater("stop", "safe-auto-updater")
    state = updater.service["State"]
    assert state["ExitCode"] == 0, "it ended by itself: a kill would be 137"
    assert world.text("web") == "1.0.0"
    assert old in world.ids()
    updater("start", "safe-auto-updater")
    assert eventually(updater.outcomes) == [(f"{world.prefix}-web", "rolled_back")]


@pytest.mark.usefixtures("only_watchtower")
def test_watchtower_replaces_and_what_is_bad_is_taken_back(
    world: World, make: Make, tmp_path: Path
) -> None:
    lab, folder = world.lab, tmp_path / "watchtower"
    watchtower = (
        built_image.watchtower(lab.docker, lab.layout, folder, Path(PROGRAM))
        if PROGRAM
        else built_image.stand_in(lab.docker, lab.layout, folder)
    )
    updater = make("compose.yaml", "compose.watchtower.yaml", WATCHTOWER_IMAGE=watchtower)
    access = {"url": "http://watchtower:8080", "token_file": "/run/secrets/watchtower-token"}
    updater.configure(docker_updater="watchtower", watchtower=access)
    updater.write("a-token-for-tests\n", "secrets/watchtower-token")
    more = f"services: {{watchtower: {{command: ['{world.prefix}-web']}}}}\n"
    updater.write(more, "command.yaml")
    updater.options += ("-f", "command.yaml")
    old = labelled(world, version="first")
    world.publish("1.0.0", version="second")
    updater.start()
    with updater.registry():
        eventually(lambda: serves(world, "second"), 90)
        world.publish("1.0.0", version="third", behaviour="crash")
        eventually(lambda: updater.outcomes()[0][1] == "rolled_back", 120)
    assert world.text("web") == "second"
    assert old not in world.ids()
    assert [one for one, _ in updater.outcomes()] == [f"{world.prefix}-web"] * 2
    assert updater.refused() == []


def test_bad_version_of_itself_never_takes_over(
    world: World,
    make: Make,
    our_image: str,
    tmp_path: Path,
) -> None:
    updater = make()
    first = had_from_registry(updater, our_image, tmp_path)
    broken = updater.another(first, tmp_path / "broken", 'ENTRYPOINT ["/bin/false"]')
    updater.start()
    before = updater.service
    with updater.registry():
        updater.publish_next(broken)
        eventually(lambda: [one for _, one in updater.outcomes()] == ["rolled_back"], 120)
    assert updater.service["Id"] == before["Id"]
    assert updater.service["State"]["StartedAt"] == before["State"]["StartedAt"]
    updater.assert_settled()
