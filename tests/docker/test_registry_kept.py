"""What is kept between runs, against the real registry; a proxy counts what is asked."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.registries import ImageAnswer
from safe_auto_updater.engine.answers import Answers, open_answers
from safe_auto_updater.platforms.registry import Platform
from tests.docker.test_registry import new_client, platform_of
from tests.http_kit import LocalServer, QuietHandler
from tests.lab_kit import World

pytestmark = pytest.mark.any_engine


class Counter(LocalServer):
    """Passes requests on as they are; may leave out the digest, as some registries do."""

    def __init__(self, registry: str) -> None:
        self.asked: list[tuple[str, str, int]] = []
        self.without_digest = False
        counter = self

        class Handler(QuietHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                with closing(http.client.HTTPConnection(registry, timeout=30)) as connection:
                    connection.request(self.command, self.path, headers=dict(self.headers))
                    answer = connection.getresponse()
                    body = answer.read()
                target = self.path.rpartition("/")[2]
                counter.asked.append((self.command, target, answer.status))
                left_out = ("date", "docker-content-digest" if counter.without_digest else "")
                headers = {k: v for k, v in answer.getheaders() if k.lower() not in left_out}
                self.answer(answer.status, body, headers)

            do_HEAD = do_GET

        super().__init__(Handler)


@pytest.fixture
def counter(world: World) -> Iterator[Counter]:
    with Counter(world.lab.registry) as made:
        yield made


def resolved(counter: Counter, world: World, state: Path, platform: Platform) -> ImageAnswer:
    """What a run of its own finds out about tag 1, and keeps."""
    with closing(open_answers(state)) as connection:
        answers = Answers(connection, lambda: 1_000_000.0)
        with closing(new_client(answers)) as client:
            found = client.resolve(Reference.parse(f"{counter.host}/{world.name}:1"), platform)
        answers.keep()
    return found


def test_unchanged_tag_costs_one_head_in_the_next_run(
    world: World, counter: Counter, tmp_path: Path
) -> None:
    platform = platform_of(world)
    world.publish("1", version="a")
    first = resolved(counter, world, tmp_path, platform)
    counter.asked.clear()

    assert resolved(counter, world, tmp_path, platform) == first
    assert counter.asked == [("HEAD", "1", 200)]

    world.publish("1", version="b")
    counter.asked.clear()
    moved = resolved(counter, world, tmp_path, platform)
    assert moved != first
    assert [method for method, _, _ in counter.asked].count("HEAD") == 1


def test_registry_that_tells_no_digest_answers_304_to_what_is_known(
    world: World, counter: Counter, tmp_path: Path
) -> None:
    platform = platform_of(world)
    published = world.publish("1", version="a")
    counter.without_digest = True
    first = resolved(counter, world, tmp_path, platform)
    counter.asked.clear()

    assert resolved(counter, world, tmp_path, platform) == first
    assert counter.asked == [("HEAD", "1", 200), ("GET", "1", 304)]
    with closing(new_client()) as client:
        assert client.head(Reference.parse(published.reference)) == first.digest

    world.publish("1", version="b")
    assert resolved(counter, world, tmp_path, platform) != first
