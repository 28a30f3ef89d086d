"""What Compose writes on containers is read back as it was meant."""

import pytest

from safe_auto_updater.platforms.docker.compose.labels import compose_service, depends_on

DEPENDS = {
    "": (),
    "db:service_healthy:true": (("db", "service_healthy", True),),
    "db:service_started:false": (("db", "service_started", False),),
    # in any order: Compose writes a map
    "web:service_started:false,db:service_completed_successfully:true": (
        ("db", "service_completed_successfully", True),
        ("web", "service_started", False),
    ),
    # what older ones wrote
    "db": (("db", "service_started", False),),
    "db,web": (("db", "service_started", False), ("web", "service_started", False)),
    "db:service_healthy": (("db", "service_healthy", False),),
    ",,:x": (),
}


@pytest.mark.parametrize("text", DEPENDS)
def test_depends_on_is_read_in_every_spelling(text: str) -> None:
    assert depends_on({"com.docker.compose.depends_on": text}) == DEPENDS[text]


def test_no_label_is_no_dependency() -> None:
    assert depends_on({}) == ()


def container(**labels: str) -> dict[str, object]:
    return {
        "Config": {
            "Labels": {
                f"com.docker.compose.{k.replace('__', '.').replace('_hash', '-hash')}": v
                for k, v in labels.items()
            }
        }
    }


def test_a_service_is_known_with_its_files() -> None:
    found = compose_service(
        container(
            project="shop",
            service="web",
            config_hash="abc",
            project__working_dir="/srv/shop",
            project__config_files="/srv/shop/compose.yml,/srv/shop/compose.override.yml",
            project__environment_file="/srv/shop/my.env",
        )
    )
    assert found is not None
    assert (found.project, found.service, found.config_hash) == ("shop", "web", "abc")
    assert found.config_files == ("/srv/shop/compose.yml", "/srv/shop/compose.override.yml")
    assert (found.working_dir, found.environment_files) == ("/srv/shop", ("/srv/shop/my.env",))


@pytest.mark.parametrize(
    "labels",
    [{}, {"project": "shop"}, {"project": "shop", "service": "web", "oneoff": "True"}],
    ids=["plain container", "no service", "docker compose run"],
)
def test_others_are_no_service(labels: dict[str, str]) -> None:
    assert compose_service(container(**labels)) is None
