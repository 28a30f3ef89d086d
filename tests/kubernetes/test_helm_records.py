"""What real helm stored is read as it is: values to the byte, revisions, labels, and only once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from safe_auto_updater.core.errors import NotFound
from safe_auto_updater.core.model import Asset
from safe_auto_updater.platforms.kubernetes.access import Access
from safe_auto_updater.platforms.kubernetes.cluster import Cluster
from safe_auto_updater.platforms.kubernetes.helm.releases import Releases
from safe_auto_updater.platforms.kubernetes.helm.scanner import HelmScanner
from safe_auto_updater.platforms.kubernetes.scanner import KubernetesScanner
from tests.kubernetes.charts import plain
from tests.kubernetes.helm_kit import Helm
from tests.kubernetes.kit import Namespace

EVERY_TYPE = """\
text: hello
quoted: "1.10"
float: 1.10
int: 8080
large: 9007199254740993
million: 1000000
tiny: 1e-7
octal: 0755
hex: 0x1F
yes-word: yes
true-word: true
nothing: null
tilde: ~
empty: {}
none: []
date: 2026-01-01
multi: |
  first
    second
folded: >-
  one
  two
list: [1, "1", 1.0, [a, {b: c}]]
nested: {a: {b: {c: [d]}}}
"key with: colon": x
1: number as a key
ключ: значение
emoji: "\\U0001F600"
html: "<a href='x'>&amp;</a>"
anchor: &a {x: 1}
alias: *a
"""


class Counting(Cluster):
    """Notes each record that is fetched."""

    def __init__(self, namespace: Namespace) -> None:
        super().__init__("lab", Access(namespace.cluster.kubeconfigs["admin"]))
        self.fetched: list[str] = []

    def get(self, path: str, **params: Any) -> Any:
        _, key, name = path.partition("/sh.helm.release.v1.")
        if key:
            self.fetched.append(name)
        return super().get(path, **params)


@pytest.fixture
def asked(namespace: Namespace) -> Counting:
    return Counting(namespace)


def scanned(cluster: Cluster, namespace: Namespace, scanner: HelmScanner) -> list[Asset]:
    scan = KubernetesScanner(cluster, [namespace.name], named=True, helm=scanner).scan()
    assert scan.failures == ()
    return [asset for asset in scan.assets if asset.kind == "release"]


VALUES = {
    "every type": EVERY_TYPE,
    "none": "",
    "a megabyte": json.dumps({f"key-{n}": "x" * 1000 for n in range(1000)}),
    "deep": json.dumps({"a": json.loads('{"b":' * 60 + "1" + "}" * 60)}),
}


@pytest.mark.parametrize("values", VALUES)
def test_values_are_what_helm_itself_gives_back(
    namespace: Namespace, helm: Helm, asked: Counting, values: str
) -> None:
    helm.install("web", plain(), values=VALUES[values])
    release = Releases(asked).revision(namespace.name, "web", 1)
    said = helm.run("get", "values", "web", "--output", "json")
    literal = {"parse_float": str, "parse_int": str}
    theirs = json.loads(said, **literal)
    assert json.loads(release.config_text, **literal) == (theirs or {}), "each number as it stands"
    assert json.loads(release.config_text) == release.config
    assert release.manifest.strip() == helm.get_manifest("web").strip()


def test_values_that_were_read_give_the_same_release_again(
    namespace: Namespace, helm: Helm, asked: Counting
) -> None:
    helm.install("web", plain(), values=EVERY_TYPE)
    before = helm.get_values("web")
    text = Releases(asked).revision(namespace.name, "web", 1).config_text
    helm.upgrade("web", plain("1.1.0"), "--reset-values", values=text)
    assert helm.get_values("web") == before


def test_each_revision_is_known_by_its_labels_and_read_when_asked(
    namespace: Namespace, helm: Helm, asked: Counting
) -> None:
    helm.install("web", plain("1.0.0"), "--labels", "safe-auto-updater/policy=minor,team=a")
    helm.upgrade("web", plain("1.1.0"), values={"a": 1})
    helm.install("web-2", plain("3.0.0"))
    releases = Releases(asked)
    history = releases.history(namespace.name, "web")
    assert [(one.revision, one.status) for one in history] == [(1, "superseded"), (2, "deployed")]
    assert asked.fetched == []
    assert history[0].labels == {"safe-auto-updater/policy": "minor", "team": "a"}
    first, second = (releases.revision(namespace.name, "web", n) for n in (1, 2))
    assert (first.chart.version, first.config_text) == ("1.0.0", "{}")
    assert (second.chart.version, second.config_text) == ("1.1.0", '{"a":1}')
    assert first.info.first_deployed == second.info.first_deployed
    assert releases.history(namespace.name, "nobody") == ()
    with pytest.raises(NotFound, match="has no revision 3"):
        releases.revision(namespace.name, "web", 3)


def test_only_the_newest_revisions_are_read_and_only_what_changed_again(
    namespace: Namespace, helm: Helm, asked: Counting
) -> None:
    for name in ("web", "db"):
        helm.install(name, plain("1.0.0"))
        helm.upgrade(name, plain("1.1.0"))
    scanner = HelmScanner(asked)
    assert len(scanned(asked, namespace, scanner)) == 2
    assert sorted(asked.fetched) == ["db.v2", "web.v2"]
    assert len(scanned(asked, namespace, scanner)) == 2
    assert len(asked.fetched) == 2, "nothing has changed"
    helm.upgrade("db", plain("1.2.0"))
    versions = {asset.name: asset.images[0].image.version for asset in
                scanned(asked, namespace, scanner)}  # fmt: skip
    assert versions == {"web": "1.1.0", "db": "1.2.0"}
    assert asked.fetched[2:] == ["db.v3"]
    helm.uninstall("web")
    assert [one.name for one in scanned(asked, namespace, scanner)] == ["db"]


def test_labels_of_the_release_are_its_policy(
    namespace: Namespace, helm: Helm, asked: Counting
) -> None:
    labels = "safe-auto-updater/policy=minor,safe-auto-updater.enable=true,team=a"
    helm.install("web", plain(), "--labels", labels)
    (asset,) = scanned(asked, namespace, HelmScanner(asked))
    assert asset.images[0].policy_labels == (
        ("safe-auto-updater.enable", "true"),
        ("safe-auto-updater.policy", "minor"),
    )


def test_unicode_is_kept(namespace: Namespace, helm: Helm, asked: Counting) -> None:
    meta = {"description": "日本語", "appVersion": "3.4-ß"}
    helm.install("web", plain(values={"gruß": "Ünïcödé ✓"}, meta=meta), values={"名前": "😀"})
    release = Releases(asked).revision(namespace.name, "web", 1)
    assert release.config == {"名前": "😀"}
    assert release.chart.defaults == {"gruß": "Ünïcödé ✓"}
    assert release.chart.app_version == "3.4-ß"
