"""What a change is judged to be: the rule table, its bands, and known stateful images."""

from __future__ import annotations

import pytest

from safe_auto_updater.core.stateful import STATEFUL, Kind, is_stateful, version_from

KNOWN = [
    ("postgres:16", "PostgreSQL"),
    ("docker.io/library/postgres", "PostgreSQL"),
    ("bitnami/postgresql:16.4.0-debian-12-r4", "PostgreSQL"),
    ("ghcr.io/immich-app/postgres:14-vectorchord0.4.3", "PostgreSQL"),
    ("quay.io/sclorg/postgresql-15-c9s", "PostgreSQL"),
    ("postgis/postgis:16-3.4", "PostgreSQL"),
    ("timescale/timescaledb:2.15.3-pg16", "PostgreSQL"),
    ("arm64v8/mysql:8.4", "MySQL"),
    ("lscr.io/linuxserver/mariadb", "MariaDB"),
    ("127.0.0.1:5000/mirror/hub/mongo:7", "MongoDB"),
    ("redis:7-alpine", "Redis"),
    ("example.org/redis7", "Redis"),
    ("valkey/valkey:8", "Valkey"),
    ("docker.elastic.co/elasticsearch/elasticsearch:8.15.0", "Elasticsearch"),
    ("confluentinc/cp-kafka:7.6.0", "Kafka"),
    ("mcr.microsoft.com/mssql/server:2022-latest", "SQL Server"),
    ("quay.io/minio/minio:RELEASE.2024-01-11T07-46-16Z", "MinIO"),
    ("ghcr.io/goauthentik/server:2024.8", "authentik"),
    ("ghcr.io/home-assistant/home-assistant:stable", "Home Assistant"),
    ("sonatype/nexus3:3.70.0", "Nexus"),
    ("nginx:1.27", None),
    ("prometheuscommunity/postgres-exporter:v0.15.0", None),
    ("prom/mysqld-exporter", None),
    ("rediscommander/redis-commander", None),
    ("mongo-express", None),
    ("example.org/server", None),
    ("grafana/mimir", None),
    ("redis-exporter2", None),
    ("sha256:" + "a" * 64, None),
    ("No Reference!", None),
]


@pytest.mark.parametrize(("reference", "name"), KNOWN)
def test_stateful_images_are_known_by_their_name_in_any_registry(
    reference: str, name: str | None
) -> None:
    found = is_stateful(reference)
    assert (found and found.name) == name


VERSIONS = [
    ("postgres:latest", {"PG_MAJOR": "16", "PG_VERSION": "16.4-1.pgdg120+2"}, "16.4"),
    ("postgres:latest", {"PG_MAJOR": "16"}, "16"),
    ("postgres:latest", {"PG_VERSION": "17~beta1-1.pgdg120+1"}, "17"),
    ("mariadb", {"MARIADB_VERSION": "1:11.4.3+maria~ubu2404"}, "11.4.3"),
    ("mysql", {"MYSQL_VERSION": "8.4.2-1.el9", "MYSQL_MAJOR": "8.4"}, "8.4.2"),
    ("redis", {"REDIS_DOWNLOAD_URL": "https://example.org/tags/8.0.1.tar.gz"}, "8.0.1"),
    ("neo4j", {"NEO4J_TARBALL": "neo4j-community-5.23.0-unix.tar.gz"}, "5.23.0"),
    ("bitnami/postgresql", {"APP_VERSION": "16.4.0", "BITNAMI_APP_NAME": "postgresql"}, "16.4.0"),
    ("postgres", {"APP_VERSION": "3.0.0"}, None),
    ("postgres", {"PG_VERSION": "unknown"}, None),
    ("postgres", {}, None),
    ("nginx", {"PG_VERSION": "16.4"}, None),
]


@pytest.mark.parametrize(("reference", "env", "version"), VERSIONS)
def test_known_images_state_their_version_in_their_environment(
    reference: str, env: dict[str, str], version: str | None
) -> None:
    assert version_from(reference, env) == version


def test_no_repository_names_two_products() -> None:
    names = [name for known in STATEFUL for name in known.repositories]
    assert len(names) == len(set(names))


def test_data_moves_one_way_at_a_major_and_where_nobody_can_say() -> None:
    for known in STATEFUL:
        assert known.moves_one_way("major")
        assert known.moves_one_way("unknown")
        assert known.moves_one_way("prerelease")
        assert not known.moves_one_way("patch")
        assert not known.moves_one_way("digest")
    assert {known.kind for known in STATEFUL} == set(Kind)
