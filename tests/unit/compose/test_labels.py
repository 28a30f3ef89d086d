"""What Compose writes on containers is read back as it was meant."""

import pytest

from safe_auto_updater.platforms.docker.compose.labels import (
    compose_service,
    depends_on,
    labels_after,
)

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


OLD_ID, NEW_IMAGE = "0" * 64, "sha256:new"
BEFORE = {"project": "shop", "service": "web", "config-hash": "aa", "image": "sha256:old"}
NUMBERED = {**BEFORE, "container-number": "2"}
# labels before, the container's name, and those that are renewed
RENEWED = {
    "2.40": ({**NUMBERED, "version": "2.40.3"}, "shop-web-2", {"replace": "web-2"}),
    "a name of its own": ({**NUMBERED, "version": "5.1.0"}, "front", {"replace": "front"}),
    "2.30": ({**NUMBERED, "version": "2.30.0"}, "shop-web-2", {"replace": OLD_ID}),
    "2.5": ({**NUMBERED, "version": "2.5.1"}, "shop-web-2", {}),
    "1.29": ({**NUMBERED, "version": "1.29.2"}, "shop_web_2", {}),
    "docker compose run": ({**BEFORE, "version": "2.40.3", "oneoff": "True"}, "shop-web-run-1", {}),
}


def old(name: str, labels: dict[str, str]) -> dict[str, object]:
    told = {f"com.docker.compose.{key}": value for key, value in labels.items()}
    return {"Id": OLD_ID, "Name": f"/{name}", "Config": {"Labels": told}}


@pytest.mark.parametrize("which", RENEWED)
def test_labels_are_renewed_as_that_compose_does(which: str) -> None:
    labels, name, expected = RENEWED[which]
    found = labels_after(old(name, labels), NEW_IMAGE, "bb")
    told = {key.removeprefix("com.docker.compose."): value for key, value in found.items()}
    assert told == {"image": NEW_IMAGE, "config-hash": "bb", **expected}


def test_no_label_is_made_up() -> None:
    assert labels_after(old("web", {}), NEW_IMAGE, "bb") == {}
    assert labels_after({**old("web", {}), "Config": {"Labels": None}}, NEW_IMAGE) == {}
    bare = old("shop-web-1", {"project": "shop", "service": "web", "version": "2.0.0"})
    assert labels_after(bare, NEW_IMAGE, "bb") == {}
