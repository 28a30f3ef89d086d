"""Many images and few hosts: who shares what, and who waits for whom."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.model import Asset, Health, Image, ImageUse, Status
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.engine.side_by_side import AT_ONCE, place_of, side_by_side
from safe_auto_updater.platforms.registry import Credentials, HostSettings, RegistryClient
from safe_auto_updater.platforms.registry.settings import canonical_host
from tests.unit.registry.conftest import MakeClient
from tests.unit.registry.fake import Fake, Reply, Request

DIGEST = "sha256:" + "a" * 64
OK = Reply(200, headers={"Docker-Content-Digest": DIGEST})


def test_no_host_has_more_than_eight_questions_at_once(client: RegistryClient, fake: Fake) -> None:
    """All of eight are inside before one goes on: a ninth would be seen there."""
    inside: list[int] = []
    lock = threading.Lock()
    eight = threading.Barrier(8)
    now = 0

    def answer(request: Request) -> Reply:
        nonlocal now
        with lock:
            now += 1
            inside.append(now)
        eight.wait(10)
        with lock:
            now -= 1
        return OK

    refs = [fake.ref(f"app{number}:1") for number in range(16)]
    fake.routes |= {f"/v2/{ref.repository}/manifests/1": answer for ref in refs}
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(client.head, refs)) == {DIGEST}
    assert max(inside) == 8


def test_a_host_that_hangs_delays_no_other(
    make_client: MakeClient, fake: Fake, other: Fake
) -> None:
    """The other host has answered everything while the first still says nothing."""
    released = threading.Event()

    def hang(request: Request) -> Reply:
        released.wait(30)
        return OK

    client = make_client()
    stuck = [fake.ref(f"app{number}:1") for number in range(20)]
    well = [other.ref(f"app{number}:1") for number in range(20)]
    fake.routes |= {f"/v2/{ref.repository}/manifests/1": hang for ref in stuck}
    other.routes |= {f"/v2/{ref.repository}/manifests/1": OK for ref in well}
    with ThreadPoolExecutor(20) as pool, ThreadPoolExecutor(8) as beside:
        waiting = [pool.submit(client.head, ref) for ref in stuck]
        assert set(beside.map(client.head, well)) == {DIGEST}
        assert not any(one.done() for one in waiting)
        released.set()
        assert {one.result() for one in waiting} == {DIGEST}


def test_a_registry_that_fails_at_everything_is_left_alone(
    client: RegistryClient, fake: Fake
) -> None:
    refs = [fake.ref(f"app{number}:1") for number in range(50)]
    fake.routes |= {f"/v2/{ref.repository}/manifests/1": Reply(500) for ref in refs}
    reasons = set()
    for ref in refs:
        with pytest.raises(RegistryError) as caught:
            client.head(ref)
        reasons.add(caught.value.reason)
    assert reasons == {"server"}
    assert len(fake.asked) == 15  # five questions, each three times


def test_broken_images_in_a_registry_that_works_stop_no_other(
    client: RegistryClient, fake: Fake
) -> None:
    for number in range(20):
        broken, well = fake.ref(f"broken{number}:1"), fake.ref(f"well{number}:1")
        fake.routes[f"/v2/broken{number}/manifests/1"] = Reply(500)
        fake.routes[f"/v2/well{number}/manifests/1"] = OK
        with pytest.raises(RegistryError):
            client.head(broken)
        assert client.head(well) == DIGEST


def test_a_registry_without_head_is_asked_by_get(client: RegistryClient, fake: Fake) -> None:
    digest = fake.image()
    honest = fake.routes["/v2/app/manifests/1"]
    assert isinstance(honest, Reply)
    fake.routes["/v2/app/manifests/1"] = lambda request: (
        Reply(405) if request.method == "HEAD" else honest
    )
    assert client.head(fake.ref()) == digest


@pytest.mark.parametrize("host", ["docker.io", "index.docker.io", "registry-1.docker.io"])
def test_the_hub_is_one_registry_by_all_its_names(make_client: MakeClient, host: str) -> None:
    assert canonical_host(Reference.parse(f"{host}/library/nginx").host) == "docker.io"
    settings = {host: HostSettings(host, username="me")}
    with pytest.raises(RegistryError, match="password_file"):
        Credentials(settings).for_host("docker.io")
    assert canonical_host("ghcr.io") == "ghcr.io"


@pytest.mark.slow
def test_one_dead_registry_among_ten_keeps_no_other_waiting(client: RegistryClient) -> None:
    """It stays silent until the others have answered for every one of their containers."""
    all_told = threading.Event()
    dead, *well = fakes = [Fake() for _ in range(10)]
    each = 2 * AT_ONCE  # more than are asked at once
    left = len(well) * each
    lock = threading.Lock()

    def silent(request: Request) -> Reply:
        return OK if all_told.wait(30) else Reply(404)

    def look_up(asset: Asset) -> str:
        nonlocal left
        digest = client.head(Reference.parse(asset.images[0].image.reference))
        with lock:
            left -= not asset.id.startswith(dead.host)
            if left == 0:
                all_told.set()
        return digest

    assets = []
    for fake in fakes:
        for number in range(each):
            ref = fake.ref(f"app{number}:1")
            fake.routes[f"/v2/{ref.repository}/manifests/1"] = silent if fake is dead else OK
            use = ImageUse("web", Image(str(ref)))
            name = f"{fake.host}/{number}"
            assets.append(
                Asset(name, "docker", "container", name, (use,), Status.RUNNING, Health.NONE)
            )
    try:
        assert set(side_by_side(assets, place_of, look_up)) == {DIGEST}
    finally:
        for fake in fakes:
            fake.close()
