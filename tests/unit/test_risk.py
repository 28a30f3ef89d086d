"""What a change is judged to be: the rule table, its bands, and known stateful images."""

from __future__ import annotations

import os
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.core.diff import DiffAnalyzer
from safe_auto_updater.core.risk import (
    Band,
    Bands,
    Circumstances,
    Finding,
    On,
    Reversibility,
    Risk,
    Severity,
    combine,
    weigh,
)
from safe_auto_updater.core.risk_rules import RULES
from safe_auto_updater.core.stateful import STATEFUL, Kind, is_stateful, version_from
from safe_auto_updater.core.versions import Bump
from tests.unit.rule_tables import table

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


Json = dict[str, Any]
IMAGE: Json = {
    "os": "linux",
    "architecture": "amd64",
    "created": "2024-05-01T02:00:00Z",
    "size": 200_000_000,
    "volumes": ["/data"],
    "labels": {"org.opencontainers.image.version": "1.0.0", "maintainer": "them"},
    "base": {"name": "debian:12", "digest": "sha256:1"},
    "layers": {"count": 5, "shared": 5},
    "series": "16",
}
INHERITED: Json = {
    "env": {"TZ": "UTC", "NGINX_VERSION": "1.27.0"},
    "entrypoint": ["/start"],
    "cmd": ["serve"],
    "user": "root",
    "workdir": "/",
    "stop_signal": "SIGTERM",
    "healthcheck": {"Test": ["CMD", "true"]},
}


def tree(*data: str, image: Json | None = None, **inherited: Any) -> Json:
    """One side, with writable mounts on `data`; None takes a setting away."""
    found = {**INHERITED, **inherited}
    return {
        "image": {**IMAGE, **(image or {})},
        "container": {
            "inherited": {key: value for key, value in found.items() if value is not None},
            "set": {"cmd": False},
            "ports": {"published": ["80/tcp"], "unpublished": ["9000/tcp"]},
            "mounted": list(data),
            "data": list(data),
        },
    }


def put(start: Json, path: str, value: Any) -> Json:
    """The tree with one value set; None takes it away."""
    made = deepcopy(start)
    *parts, last = path.split("/")
    inside = made
    for part in parts:
        inside = inside[part]
    if value is None:
        del inside[last]
    else:
        inside[last] = value
    return made


WEB, POSTGRES, MYSQL, GITEA = "example.org/web:2", "postgres:17", "mysql:8.4", "gitea/gitea:1.23"
PLAIN, MOUNTED = tree(), tree("/data")
UNDER_CMD = put(PLAIN, "container/set/cmd", True)

# One row per rule: what is there before and after, how far the step goes and to which image.
ROWS: dict[str, tuple[Json, Json, str, str]] = {
    "major": (PLAIN, PLAIN, "major", WEB),
    "minor": (PLAIN, PLAIN, "minor", WEB),
    "prerelease": (PLAIN, PLAIN, "prerelease", WEB),
    "unknown-step": (PLAIN, PLAIN, "unknown", WEB),
    "digest": (PLAIN, PLAIN, "digest", WEB),
    "one-way-data": (PLAIN, PLAIN, "major", POSTGRES),
    "one-way-schema": (PLAIN, PLAIN, "minor", GITEA),
    "stateful": (PLAIN, PLAIN, "patch", POSTGRES),
    "step-over-data": (MOUNTED, MOUNTED, "minor", WEB),
    "unknown-over-data": (MOUNTED, MOUNTED, "unknown", WEB),
    "patch-over-data": (MOUNTED, MOUNTED, "patch", WEB),
    "major-over-data": (MOUNTED, MOUNTED, "prerelease", WEB),
    "series": (PLAIN, put(PLAIN, "image/series", "17"), "digest", POSTGRES),
    "volume-moved": (MOUNTED, put(MOUNTED, "image/volumes", ["/new"]), "patch", WEB),
    "volume-gone": (MOUNTED, put(MOUNTED, "image/volumes", []), "patch", WEB),
    "volume-dropped": (PLAIN, put(PLAIN, "image/volumes", ["/new"]), "patch", WEB),
    "volume-mounted": (
        tree("/data", "/more"),
        tree("/data", "/more", image={"volumes": ["/data", "/more"]}),
        "patch",
        WEB,
    ),
    "volume-over-data": (
        MOUNTED, put(MOUNTED, "image/volumes", ["/data", "/data/cache"]), "patch", WEB
    ),
    "volume-new": (MOUNTED, put(MOUNTED, "image/volumes", ["/data", "/database"]), "patch", WEB),
    "user-over-data": (MOUNTED, tree("/data", user="app"), "patch", WEB),
    "user": (PLAIN, tree(user="app"), "patch", WEB),
    "entrypoint-under-cmd": (
        UNDER_CMD, put(UNDER_CMD, "container/inherited/entrypoint", ["/run"]), "patch", WEB
    ),
    "data-path": (tree("/srv", cmd=["--data", "/srv"]), tree("/srv"), "patch", WEB),
    "entrypoint": (PLAIN, tree(entrypoint=["/start", "-x"]), "patch", WEB),
    "cmd": (PLAIN, tree(cmd=[]), "patch", WEB),
    "workdir": (PLAIN, tree(workdir="/app"), "patch", WEB),
    "stop-signal": (PLAIN, tree(stop_signal="SIGQUIT"), "patch", WEB),
    "env-build": (PLAIN, tree(env={"TZ": "UTC", "NGINX_VERSION": "1.27.1"}), "patch", WEB),
    "env-removed": (PLAIN, tree(env={"NGINX_VERSION": "1.27.0"}), "patch", WEB),
    "env-changed": (PLAIN, tree(env={**INHERITED["env"], "TZ": "CET"}), "patch", WEB),
    "env-added": (PLAIN, tree(env={**INHERITED["env"], "LANG": "C"}), "patch", WEB),
    "published-port-gone": (PLAIN, put(PLAIN, "container/ports/published", []), "patch", WEB),
    "published-port-new": (
        PLAIN, put(PLAIN, "container/ports/published", ["443/tcp", "80/tcp"]), "patch", WEB
    ),
    "port-gone": (PLAIN, put(PLAIN, "container/ports/unpublished", []), "patch", WEB),
    "port-new": (
        PLAIN, put(PLAIN, "container/ports/unpublished", ["9001/tcp", "9000/tcp"]), "patch", WEB
    ),
    "healthcheck-gone": (PLAIN, tree(healthcheck=None), "patch", WEB),
    "healthcheck-new": (tree(healthcheck=None), PLAIN, "patch", WEB),
    "healthcheck": (PLAIN, tree(healthcheck={"Test": ["CMD", "false"]}), "patch", WEB),
    "platform": (PLAIN, put(PLAIN, "image/architecture", "arm64"), "patch", WEB),
    "base": (PLAIN, put(PLAIN, "image/base/name", "alpine:3.20"), "patch", WEB),
    "base-content": (PLAIN, put(PLAIN, "image/base/digest", "sha256:2"), "patch", WEB),
    "layers": (PLAIN, put(PLAIN, "image/layers", {"count": 5, "shared": 0}), "patch", WEB),
    "size": (PLAIN, put(PLAIN, "image/size", 300_000_000), "patch", WEB),
    "created": (PLAIN, put(PLAIN, "image/created", "2024-04-30T02:00:00Z"), "patch", WEB),
    "labels": (
        PLAIN, put(PLAIN, "image/labels/org.opencontainers.image.version", "1.0.1"), "patch", WEB
    ),
}  # fmt: skip


def judged(before: Json, after: Json, bump: str, reference: str) -> Risk:
    return DiffAnalyzer().analyze(before, after, Circumstances(bump, reference))


def rules_of(risk: Risk) -> set[str]:
    return {finding.rule for finding in risk.findings}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_finds_what_it_is_for(rule: Any) -> None:
    risk = judged(*ROWS[rule.name])
    (found,) = [finding for finding in risk.findings if finding.rule == rule.name]
    assert (found.severity, found.points, found.why) == (rule.severity, rule.points, rule.why)
    assert found.reversibility is rule.reversibility <= risk.reversibility
    assert risk.score >= rule.points
    assert (found.severity is Severity.BLOCKER) == bool(risk.blockers)


def test_the_rule_table_reads_well() -> None:
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names)) and set(names) == set(ROWS)
    for rule in RULES:
        assert rule.why.endswith(".") and "{" not in rule.why
        assert all(not rule.unordered or path.endswith("/*") for path in rule.paths)
        assert rule.on is not On.STEP or len(rule.paths) == 1
    by_weight = {s: {rule.points for rule in RULES if rule.severity is s} for s in Severity}
    assert by_weight[Severity.INFO] <= {0, 5}
    assert max(by_weight[Severity.LOW]) <= 10 <= min(by_weight[Severity.MEDIUM])
    assert max(by_weight[Severity.MEDIUM]) < 30 <= min(by_weight[Severity.HIGH])
    assert by_weight[Severity.BLOCKER] == {60}


def test_what_cannot_be_taken_back_is_never_automatic() -> None:
    assert all(rule.points >= 30 for rule in RULES if rule.reversibility is Reversibility.R3)


NO_FINDINGS = [
    ("a label of no interest", PLAIN, put(PLAIN, "image/labels/maintainer", "us")),
    ("a little larger", PLAIN, put(PLAIN, "image/size", 250_000_000)),
    ("much larger, and small", PLAIN, put(PLAIN, "image/size", 1)),
    ("newer", PLAIN, put(PLAIN, "image/created", "2024-05-02T02:00:00Z")),
    ("some layers shared", PLAIN, put(PLAIN, "image/layers", {"count": 7, "shared": 2})),
    ("ports in another order", put(PLAIN, "container/ports/unpublished", ["1", "2"]),
     put(PLAIN, "container/ports/unpublished", ["2", "1"])),
    ("no platform told", PLAIN, put(PLAIN, "image/os", None)),
    ("another series of an image that is not known", PLAIN, put(PLAIN, "image/series", None)),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), [row[1:] for row in NO_FINDINGS],
                         ids=[row[0] for row in NO_FINDINGS])  # fmt: skip
def test_what_does_not_matter_is_no_finding(before: Json, after: Json) -> None:
    assert judged(before, after, "patch", WEB) == Risk(0, (), (), Reversibility.R0)


OTHER_ENV = {"TZ": "CET", "NEW": "x", "NGINX_VERSION": "2"}
AUTOMATIC, APPROVAL, NEVER = Band.AUTOMATIC, Band.APPROVAL, Band.NEVER
REDIS = "bitnami/redis:7.4.0"
CALIBRATION = [
    # image, bump, before, after, band, what going back costs
    (WEB, "patch", PLAIN, PLAIN, AUTOMATIC, "R0"),
    (WEB, "digest", PLAIN, PLAIN, AUTOMATIC, "R0"),
    (WEB, "minor", PLAIN, PLAIN, AUTOMATIC, "R0"),
    (WEB, "minor", PLAIN, tree(env=OTHER_ENV, cmd=["go"], workdir="/app"), AUTOMATIC, "R0"),
    (WEB, "major", PLAIN, PLAIN, AUTOMATIC, "R0"),
    (WEB, "major", PLAIN, tree(env=OTHER_ENV, image={"layers": {"shared": 0}}), AUTOMATIC, "R0"),
    (WEB, "major", PLAIN, tree(env={}, user="app", healthcheck=None), APPROVAL, "R0"),
    (WEB, "patch", MOUNTED, MOUNTED, AUTOMATIC, "R1"),
    (WEB, "digest", MOUNTED, MOUNTED, AUTOMATIC, "R1"),
    (WEB, "minor", MOUNTED, MOUNTED, AUTOMATIC, "R2"),
    (WEB, "major", MOUNTED, MOUNTED, APPROVAL, "R2"),
    (WEB, "prerelease", MOUNTED, MOUNTED, APPROVAL, "R2"),
    (WEB, "unknown", MOUNTED, MOUNTED, AUTOMATIC, "R2"),
    (WEB, "unknown", MOUNTED, tree("/data", env={}, healthcheck=None), APPROVAL, "R2"),
    (WEB, "patch", MOUNTED, tree("/data", user="app"), APPROVAL, "R2"),
    (WEB, "patch", PLAIN, put(PLAIN, "container/ports/published", []), APPROVAL, "R0"),
    (WEB, "patch", *ROWS["volume-moved"][:2], NEVER, "R2"),
    (WEB, "patch", *ROWS["platform"][:2], NEVER, "R0"),
    (POSTGRES, "patch", MOUNTED, MOUNTED, AUTOMATIC, "R1"),
    (POSTGRES, "digest", MOUNTED, MOUNTED, AUTOMATIC, "R1"),
    (POSTGRES, "minor", MOUNTED, MOUNTED, AUTOMATIC, "R2"),  # 16.3 to 16.4: the same format
    (POSTGRES, "major", MOUNTED, MOUNTED, APPROVAL, "R3"),
    (POSTGRES, "major", PLAIN, PLAIN, APPROVAL, "R3"),
    (POSTGRES, "major", MOUNTED, tree("/data", env={"LANG": "C"}, user="app"), APPROVAL, "R3"),
    (POSTGRES, "unknown", MOUNTED, MOUNTED, APPROVAL, "R3"),
    (POSTGRES, "digest", MOUNTED, put(MOUNTED, "image/series", "17"), APPROVAL, "R3"),
    (MYSQL, "minor", MOUNTED, MOUNTED, APPROVAL, "R3"),
    (MYSQL, "major", MOUNTED, MOUNTED, APPROVAL, "R3"),
    (REDIS, "patch", MOUNTED, MOUNTED, AUTOMATIC, "R1"),
    (GITEA, "patch", MOUNTED, MOUNTED, AUTOMATIC, "R1"),
    (GITEA, "minor", MOUNTED, MOUNTED, APPROVAL, "R3"),
    (GITEA, "major", MOUNTED, MOUNTED, APPROVAL, "R3"),
]


@pytest.mark.parametrize(
    ("reference", "bump", "before", "after", "band", "reversibility"), CALIBRATION
)
def test_bands_are_those_that_a_careful_operator_would_choose(
    reference: str, bump: str, before: Json, after: Json, band: Band, reversibility: str
) -> None:
    risk = judged(before, after, bump, reference)
    assert (Bands().band(risk), risk.reversibility) == (band, reversibility), risk


def test_data_is_not_taken_back_and_every_step_over_data_but_a_patch_says_so() -> None:
    for reference in (WEB, POSTGRES, MYSQL, GITEA):
        for bump in ("minor", "major", "prerelease", "unknown"):
            risk = judged(MOUNTED, MOUNTED, bump, reference)
            assert risk.reversibility >= Reversibility.R2
            assert "back does not take the data back" in " ".join(f.why for f in risk.findings)


def test_a_default_that_the_image_did_not_state_before_is_masked_too() -> None:
    risk = judged(PLAIN, tree(env={"TZ": "Mars/Olympus", "SHIP": "Nostromo"}), "patch", WEB)
    assert {f.path.rsplit("/", 1)[-1] for f in risk.findings} == {"TZ", "SHIP", "NGINX_VERSION"}
    assert not any(word in str(risk) for word in ("Mars", "Nostromo", "1.27"))


def test_a_secret_in_a_command_is_masked() -> None:
    risk = judged(PLAIN, tree(cmd=["serve", "--token=hunter2hunter2"]), "patch", WEB)
    assert "hunter2" not in str(risk)
    assert rules_of(risk) == {"cmd"}


def test_the_heaviest_counts_whole_and_each_next_half() -> None:
    assert weigh([]) == ((), 0)
    assert weigh([5, 30, 10]) == ((30, 5, 1.25), 36)
    assert weigh([60] * 40)[1] == 100


def finding(rule: str) -> Finding:
    return Finding("a", 1, 2, rule, Severity.LOW, "because.")


def test_several_changes_are_as_risky_as_the_riskiest_and_as_bad_to_undo_as_the_worst() -> None:
    low = Risk(5, (), (finding("a"),), Reversibility.R2)
    high = Risk(40, ("never",), (finding("b"),), Reversibility.R0)
    both = combine([low, high])
    assert (both.score, both.blockers, both.reversibility) == (40, ("never",), Reversibility.R2)
    assert both.findings == (finding("a"), finding("b"))
    assert combine([]) == Risk(0, (), (), Reversibility.R0)


SAFETY = Path(__file__).parents[2] / "docs" / "safety.md"


def documented() -> str:
    """The rule table and the known images, as docs/safety.md shows them."""
    lines = [table(RULES), ""]
    for kind, words in {
        Kind.DATABASE: "Known databases", Kind.BROKER: "Known brokers",
        Kind.APPLICATION: "Known applications that migrate their data",
    }.items():  # fmt: skip
        names = [
            f"{known.name}{'*' * (known.one_way is Bump.MAJOR)}"
            for known in STATEFUL
            if known.kind is kind
        ]
        lines.append(f"{words}: {', '.join(names)}.")
    return "\n".join(lines)


def test_the_rule_table_and_the_known_images_are_documented_as_they_are() -> None:
    found = re.search(r"^\| rule \|.*?^Known applications[^\n]*", SAFETY.read_text(), re.M | re.S)
    assert found
    if os.environ.get("SAU_UPDATE_GOLDEN"):
        SAFETY.write_text(SAFETY.read_text().replace(found[0], documented()))
        return
    assert found[0] == documented(), "SAU_UPDATE_GOLDEN=1 make test-unit writes it"


def test_bands_and_classes_are_documented() -> None:
    text = SAFETY.read_text().partition("## Risk\n")[2].partition("\n## ")[0]
    assert f"below {Bands().automatic}" in text and f"from {Bands().approval} on" in text
    assert all(f"`{word}`" in text for word in (*Band, *Severity, *Reversibility))
