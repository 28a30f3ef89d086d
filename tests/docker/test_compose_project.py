"""A whole Compose project as people run them: updated, taken back, and Compose agrees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.behaviours import HEALTHCHECK
from tests.docker.compose_kit import Project, program
from tests.lab_kit import World
from tests.sau_kit import SOAK, Sau

__all__ = ["program"]

pytestmark = pytest.mark.timeout(900)  # eight services three times, beside five other tests
SERVICES = ("vpn", "torrent", "indexer", "db", "api", "web", "cache", "worker")
FILE = """\
x-health: &health
  healthcheck: {test: [CMD, /lab/health], interval: 1s, timeout: 2s, retries: 3}
services:
  vpn:                      # everybody behind it has its network
    image: REPO/vpn:1.0.0
    <<: *health
    networks: {front: {ipv4_address: FRONT.10, aliases: [tunnel]}}
    environment: [MODE=tunnel]
  torrent:
    image: REPO/torrent:1.0.0
    network_mode: service:vpn
    environment: {PORT: "9001"}
    <<: *health
    depends_on: {vpn: {condition: service_healthy, restart: true}}
    volumes: [downloads:/data]
  indexer:
    image: REPO/indexer:1.0.0
    network_mode: "service:vpn"
    environment: {PORT: "9002"}
    depends_on: [vpn]
  db:
    image: REPO/db:1.0.0
    <<: *health
    networks: {back: {ipv4_address: BACK.20}}
    volumes: [data:/data]
    secrets: [password, token]
  api:
    image: REPO/api:${API_TAG:-0.1}
    <<: *health
    networks: {back: {ipv4_address: BACK.21}, front: {ipv4_address: FRONT.21}}
    depends_on: {db: {condition: service_healthy}}
    configs: [{source: settings, target: /etc/api.conf, mode: 0400}]
    env_file: api.env
    restart: unless-stopped
  web:
    image: "REPO/web:1.0.0"
    networks: [front]
    depends_on: {api: {condition: service_healthy, restart: true}}
    configs: [banner]
    labels: {about: "größer $$5"}
    stop_grace_period: 3s
  cache:
    image: REPO/cache:1.0.0
    networks: [back]
    tmpfs: /scratch
  worker:
    image: REPO/worker:1.0.0
    networks: [back]
    pid: service:cache
    volumes_from: [db]
    depends_on: {cache: {condition: service_started}, db: {condition: service_healthy}}
configs:
  settings: {content: "level = ${LEVEL}\\n"}
  banner: {file: ./banner.txt}
secrets:
  password: {file: ./password.txt}
  token: {environment: LEVEL}
networks:
  front: {ipam: {config: [{subnet: FRONT.0/24}]}}
  back: {ipam: {config: [{subnet: BACK.0/24}]}}
volumes: {data: , downloads: }
"""


def publish(world: World, service: str, tag: str, **recipe: Any) -> None:
    """An image of its own for each service, as in life."""
    world.publish(tag, name=service, healthcheck=HEALTHCHECK, env={"FOR": service}, **recipe)


@pytest.fixture
def project(world: World, program: Path, tmp_path: Path, sau: Sau) -> Project:
    made = Project(world, program, tmp_path / "home")
    for service in SERVICES:
        publish(world, service, "1.0.0")
    # Two subnets of this world's own, beside those of tests that run at the same time.
    high, low = int(world.prefix[1:3], 16) % 50 + 200, int(world.prefix[3:5], 16) & 0xFE
    front, back = f"10.{high}.{low}", f"10.{high}.{low + 1}"
    repository = f"{world.lab.registry}/{world.prefix}"
    text = FILE.replace("REPO", repository).replace("FRONT", front).replace("BACK", back)
    made.write(text)
    made.write("# of this house\nLEVEL=7\nexport API_TAG='1.0.0'\n", ".env")
    made.write("FROM_FILE=1\n", "api.env")
    made.write("hello\n", "banner.txt")
    made.write("secret\n", "password.txt")
    made.up()
    made.settle()
    rule = '{match: {asset: "*"}, compose: update-file}'
    sau.configure(SOAK, f"detection:\n  approval: none\n  rules: [{rule}]\n")
    return made


def seen(project: Project) -> dict[str, Any]:
    """What must be the same before and after: addresses, volumes, files inside, other labels."""
    found: dict[str, Any] = {service: _seen(project, service) for service in SERVICES}
    look = "/bin/busybox cat /etc/api.conf; /bin/busybox stat -c %a /etc/api.conf"
    found["settings"] = project.sh(look, service="api")
    look = "/bin/busybox cat /run/secrets/token /run/secrets/password"
    found["secrets"] = project.sh(look, service="db")
    return found


def _seen(project: Project, service: str) -> tuple[Any, ...]:
    one, labels = project.container(service), project.labels(service)
    changing = ("image", "config-hash", "replace")
    return (
        {
            name: (network["IPAMConfig"], sorted({*(network["Aliases"] or ())} - {one["Id"][:12]}))
            for name, network in one["NetworkSettings"]["Networks"].items()
        },
        {key: value for key, value in labels.items() if key not in changing},
        sorted((mount["Destination"], mount.get("Name")) for mount in one["Mounts"]),
    )


def shares(project: Project) -> None:
    """Whoever is behind the tunnel is behind the one that runs now."""
    vpn, cache = project.container("vpn")["Id"], project.container("cache")["Id"]
    for service in ("torrent", "indexer"):
        assert project.container(service)["HostConfig"]["NetworkMode"] == f"container:{vpn}"
    assert project.container("worker")["HostConfig"]["PidMode"] == f"container:{cache}"


def test_new_content_for_all_of_a_project(project: Project, sau: Sau) -> None:
    before = seen(project)
    for service in SERVICES:
        publish(project.world, service, "1.0.0", version="new")
    said = sau("apply", "--yes", timeout_s=240)
    assert {u["outcome"] for u in said.json["updates"]} == {"succeeded"}, said.out
    changed = [change for update in said.json["updates"] for change in update["changes"]]
    assert len(changed) == len(SERVICES), said.err
    shares(project)
    assert project.sh("/bin/busybox cat /lab/www/index.html", service="torrent").strip() == "new"
    project.assert_settled()
    assert seen(project) == before


def test_newer_tags_for_all_of_a_project_and_back(project: Project, sau: Sau) -> None:
    before, text = seen(project), project.read()
    for service in SERVICES:
        publish(project.world, service, "1.1.0")
    said = sau("apply", "--yes", timeout_s=240)
    assert {u["outcome"] for u in said.json["updates"]} == {"succeeded"}, said.out
    changed = [change for update in said.json["updates"] for change in update["changes"]]
    assert len(changed) == len(SERVICES), said.err
    assert project.read() == text.replace(":1.0.0", ":1.1.0")
    assert project.read(".env") == "# of this house\nLEVEL=7\nexport API_TAG='1.1.0'\n"
    shares(project)
    project.assert_settled()
    assert seen(project) == before

    for update in reversed([u["id"] for u in said.json["updates"]]):
        back = sau("rollback", "--yes", update, timeout_s=240)
        assert back.update["outcome"] == "succeeded", back.out
    assert project.read() == text
    shares(project)
    project.assert_settled()
    assert seen(project) == before


def test_a_tunnel_that_fails_leaves_the_project_as_it_was(project: Project, sau: Sau) -> None:
    before, text, ids = seen(project), project.read(), project.world.ids()
    publish(project.world, "vpn", "1.1.0", behaviour="unhealthy")
    said = sau("apply", "--yes", timeout_s=240)
    assert said.update["outcome"] == "rolled_back", said.out
    assert project.world.ids() == ids
    assert project.read() == text
    shares(project)
    project.assert_settled()
    assert seen(project) == before
