"""Images that are known to keep data which a newer version changes for good. A table, and lookups.

An image is known by the last part of its repository, whatever registry and namespace it was
mirrored to (`bitnami/postgresql`, `ghcr.io/immich-app/postgres`), or by its last two parts where
the last says nothing (`goauthentik/server`). Whole names only: `postgres-exporter` is no database.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from safe_auto_updater.core.errors import InvalidReference
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.versions import Bump


class Kind(StrEnum):
    """What keeps the data."""

    DATABASE = "database"
    BROKER = "broker"
    APPLICATION = "application"


@dataclass(frozen=True)
class Stateful:
    """One product. From a bump of `one_way` on, an older version may refuse the data.

    `versions` are the environment variables by which the official image states its version,
    the most exact one first.
    """

    name: str
    kind: Kind
    one_way: Bump
    repositories: tuple[str, ...]
    versions: tuple[str, ...] = ()

    def moves_one_way(self, bump: str) -> bool:
        """Whether a step that far may change the data so that going back is no longer promised.

        What cannot be ordered (a prerelease, an unknown bump) may.
        """
        match bump:
            case Bump.DIGEST | Bump.PATCH:
                return False
            case Bump.MINOR:
                return self.one_way is Bump.MINOR
            case _:
                return True


def is_stateful(reference: str) -> Stateful | None:
    """The product behind a reference, or None where it is none of those known."""
    try:
        parts = Reference.parse(reference).repository.split("/")
    except InvalidReference:
        return None
    return _known("/".join(parts[-2:])) or _known(parts[-1])


def version_from(reference: str, env: Mapping[str, str]) -> str | None:
    """The version that a known image states in its own environment: `16.4`, or only `16`.

    `env` is the image's, not a container's: a user may have set the same name. The text is the
    number alone, without epoch, distribution and build.
    """
    known = is_stateful(reference)
    if known is None:
        return None
    packaged = ("APP_VERSION",) if "BITNAMI_APP_NAME" in env else ()
    for name in (*known.versions, *packaged):
        found = _NUMBER.search(env.get(name, ""))
        if found is not None:
            return found[1] or found[2]
    return None


# The first number with dots that begins a word (`1:11.4.3+maria`, `neo4j-community-5.23.0-unix`),
# or else the number that the text begins with.
_NUMBER = re.compile(r"(?s)^.*?(?<![\w.])v?(\d+(?:\.\d+)+)|^v?(\d+)", re.ASCII)
# A version or distribution at the end: `postgresql-15-c9s`, `redis7`, `postgres-alpine`.
_DECORATION = re.compile(
    r"(?:-?v?\d+(?:[.-]\d+)*)?(?:-(?:alpine|debian|(?:c|el|centos|ubi)\d+s?))?"
)


def _known(name: str) -> Stateful | None:
    return _BY_NAME.get(name) or _BY_NAME.get(_plain(name))


def _plain(name: str) -> str:
    """The name without a version or distribution at its end."""
    for end in range(len(name) - 1, max(0, len(name) - 24), -1):
        if name[:end] in _BY_NAME and _DECORATION.fullmatch(name, end):
            return name[:end]
    return name


def _row(kind: Kind, name: str, one_way: Bump, repositories: str, versions: str = "") -> Stateful:
    return Stateful(name, kind, one_way, tuple(repositories.split()), tuple(versions.split()))


# Where a product promises that older releases of the same major read the data, MAJOR; else MINOR.
STATEFUL = (
    _row(
        Kind.DATABASE,
        "PostgreSQL",
        Bump.MAJOR,
        "postgres postgresql postgresql-repmgr postgis timescaledb timescaledb-ha pgvector "
        "pgvecto-rs vectorchord-postgres spilo supabase/postgres",
        "PG_VERSION PG_MAJOR",
    ),
    _row(Kind.DATABASE, "MySQL", Bump.MINOR, "mysql mysql-server", "MYSQL_VERSION MYSQL_MAJOR"),
    _row(
        Kind.DATABASE,
        "MariaDB",
        Bump.MINOR,
        "mariadb mariadb-galera",
        "MARIADB_VERSION MARIADB_MAJOR",
    ),
    _row(
        Kind.DATABASE,
        "Percona",
        Bump.MINOR,
        "percona percona-server percona-xtradb-cluster",
        "PS_VERSION",
    ),
    _row(
        Kind.DATABASE,
        "MongoDB",
        Bump.MINOR,
        "mongo mongodb mongodb-sharded mongodb-community-server percona-server-mongodb",
        "MONGO_VERSION MONGO_MAJOR",
    ),
    _row(
        Kind.DATABASE,
        "Redis",
        Bump.MINOR,
        "redis redis-cluster redis-stack redis-stack-server",
        "REDIS_VERSION REDIS_DOWNLOAD_URL",
    ),
    _row(
        Kind.DATABASE, "Valkey", Bump.MINOR, "valkey valkey-cluster valkey-bundle", "VALKEY_VERSION"
    ),
    _row(Kind.DATABASE, "KeyDB", Bump.MINOR, "keydb"),
    _row(Kind.DATABASE, "Dragonfly", Bump.MINOR, "dragonfly"),
    _row(Kind.DATABASE, "Elasticsearch", Bump.MINOR, "elasticsearch"),
    _row(Kind.DATABASE, "OpenSearch", Bump.MINOR, "opensearch"),
    _row(Kind.DATABASE, "Solr", Bump.MAJOR, "solr", "SOLR_VERSION"),
    _row(Kind.DATABASE, "Meilisearch", Bump.MINOR, "meilisearch"),
    _row(Kind.DATABASE, "Typesense", Bump.MINOR, "typesense"),
    _row(Kind.DATABASE, "InfluxDB", Bump.MINOR, "influxdb", "INFLUXDB_VERSION"),
    _row(
        Kind.DATABASE,
        "ClickHouse",
        Bump.MINOR,
        "clickhouse clickhouse-server",
        "CLICKHOUSE_VERSION",
    ),
    _row(Kind.DATABASE, "Prometheus", Bump.MAJOR, "prometheus"),
    _row(Kind.DATABASE, "VictoriaMetrics", Bump.MAJOR, "victoria-metrics"),
    _row(Kind.DATABASE, "Cassandra", Bump.MINOR, "cassandra", "CASSANDRA_VERSION"),
    _row(Kind.DATABASE, "ScyllaDB", Bump.MINOR, "scylla scylladb"),
    _row(Kind.DATABASE, "CockroachDB", Bump.MINOR, "cockroach cockroachdb"),
    _row(Kind.DATABASE, "CouchDB", Bump.MAJOR, "couchdb", "COUCHDB_VERSION"),
    _row(Kind.DATABASE, "Couchbase", Bump.MINOR, "couchbase", "CB_VERSION"),
    _row(Kind.DATABASE, "RethinkDB", Bump.MINOR, "rethinkdb", "RETHINKDB_PACKAGE_VERSION"),
    _row(Kind.DATABASE, "ArangoDB", Bump.MINOR, "arangodb", "ARANGO_VERSION"),
    _row(Kind.DATABASE, "Neo4j", Bump.MINOR, "neo4j", "NEO4J_TARBALL"),
    _row(Kind.DATABASE, "SQL Server", Bump.MAJOR, "mssql/server mssql-server"),
    _row(Kind.DATABASE, "Qdrant", Bump.MINOR, "qdrant"),
    _row(Kind.DATABASE, "Weaviate", Bump.MINOR, "weaviate"),
    _row(Kind.DATABASE, "Milvus", Bump.MINOR, "milvus"),
    _row(Kind.DATABASE, "etcd", Bump.MINOR, "etcd"),
    _row(Kind.DATABASE, "Consul", Bump.MINOR, "consul", "CONSUL_VERSION"),
    _row(Kind.DATABASE, "Vault", Bump.MINOR, "vault openbao", "VAULT_VERSION"),
    _row(Kind.DATABASE, "MinIO", Bump.MINOR, "minio"),
    _row(Kind.BROKER, "RabbitMQ", Bump.MINOR, "rabbitmq", "RABBITMQ_VERSION"),
    _row(
        Kind.BROKER, "Kafka", Bump.MINOR, "kafka kafka-native cp-kafka cp-server", "KAFKA_VERSION"
    ),
    _row(Kind.BROKER, "ZooKeeper", Bump.MINOR, "zookeeper cp-zookeeper", "ZOOKEEPER_VERSION"),
    _row(Kind.BROKER, "Redpanda", Bump.MINOR, "redpanda"),
    _row(Kind.BROKER, "Pulsar", Bump.MINOR, "pulsar pulsar-all"),
    _row(Kind.BROKER, "NATS", Bump.MINOR, "nats", "NATS_SERVER"),
    _row(Kind.BROKER, "ActiveMQ", Bump.MINOR, "activemq activemq-classic activemq-artemis artemis"),
    _row(Kind.BROKER, "EMQX", Bump.MINOR, "emqx"),
    _row(Kind.APPLICATION, "Nextcloud", Bump.MAJOR, "nextcloud", "NEXTCLOUD_VERSION"),
    _row(Kind.APPLICATION, "Gitea", Bump.MINOR, "gitea"),
    _row(Kind.APPLICATION, "Forgejo", Bump.MAJOR, "forgejo"),
    _row(Kind.APPLICATION, "GitLab", Bump.MINOR, "gitlab gitlab-ce gitlab-ee"),
    _row(Kind.APPLICATION, "Immich", Bump.MINOR, "immich immich-server"),
    _row(Kind.APPLICATION, "Paperless-ngx", Bump.MINOR, "paperless paperless-ngx"),
    _row(Kind.APPLICATION, "authentik", Bump.MINOR, "authentik goauthentik/server"),
    _row(Kind.APPLICATION, "Keycloak", Bump.MAJOR, "keycloak"),
    _row(Kind.APPLICATION, "Home Assistant", Bump.MINOR, "home-assistant homeassistant"),
    _row(Kind.APPLICATION, "Vaultwarden", Bump.MINOR, "vaultwarden vaultwarden/server"),
    _row(Kind.APPLICATION, "Jellyfin", Bump.MINOR, "jellyfin"),
    _row(Kind.APPLICATION, "Mastodon", Bump.MINOR, "mastodon"),
    _row(Kind.APPLICATION, "Synapse", Bump.MAJOR, "synapse"),
    _row(
        Kind.APPLICATION,
        "Mattermost",
        Bump.MAJOR,
        "mattermost-team-edition mattermost-enterprise-edition",
    ),
    _row(Kind.APPLICATION, "BookStack", Bump.MINOR, "bookstack"),
    _row(Kind.APPLICATION, "Ghost", Bump.MAJOR, "ghost", "GHOST_VERSION"),
    _row(Kind.APPLICATION, "WordPress", Bump.MAJOR, "wordpress"),
    _row(Kind.APPLICATION, "Grafana", Bump.MAJOR, "grafana grafana-oss grafana-enterprise"),
    _row(Kind.APPLICATION, "Zabbix", Bump.MINOR, "zabbix-server-mysql zabbix-server-pgsql"),
    _row(Kind.APPLICATION, "SonarQube", Bump.MINOR, "sonarqube"),
    _row(Kind.APPLICATION, "Nexus", Bump.MINOR, "nexus3"),
)

_BY_NAME = {name: known for known in STATEFUL for name in known.repositories}
