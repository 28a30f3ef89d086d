"""Archives of charts: what is in them, and what is refused of those that may harm."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safe_auto_updater.core import chart_archive
from safe_auto_updater.core.chart_archive import ChartFiles, NotAChart, read_archive
from safe_auto_updater.engine.chart import Dependency, read_chart

CHART = b"apiVersion: v2\nname: web\nversion: 1.10.0\nappVersion: 1.10\n"


def packed(
    files: Mapping[str, bytes], then: Callable[[tarfile.TarFile], object] | None = None
) -> bytes:
    """An archive of these files; `then` may put more into it."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        if then is not None:
            then(tar)
    return gzip.compress(raw.getvalue(), 1)


def web(**more: bytes) -> dict[str, bytes]:
    named = {name.replace("__", "/").replace("_yaml", ".yaml"): body for name, body in more.items()}
    return {"web/Chart.yaml": CHART} | {f"web/{name}": body for name, body in named.items()}


def test_everything_of_a_chart_is_found() -> None:
    inner = packed({"db/Chart.yaml": b"name: db\nversion: 2.0.0\n", "db/values.yaml": b"a: 1\n"})
    archive = packed(
        {
            **web(values_yaml=b"x: 1.10\n", templates__one_yaml=b"{{ }}", crds__a_yaml=b"kind: A"),
            "web/values.schema.json": b"{}",
            "web/charts/db-2.0.0.tgz": inner,
            "web/charts/cache/Chart.yaml": b"name: cache\nversion: 1.0.0\n",
            "web/charts/cache/templates/a.yaml": b"b",
            "web/charts/README.md": b"no chart",
            "web/charts/_old/Chart.yaml": b"name: old\nversion: 1.0.0\n",
        }
    )
    files = read_archive(archive)
    assert (files.values, files.schema) == (b"x: 1.10\n", b"{}")
    assert files.templates == {"templates/one.yaml": b"{{ }}"}
    assert files.crds == {"crds/a.yaml": b"kind: A"}
    assert sorted(files.subcharts) == ["cache", "db-2.0.0"]
    assert files.subcharts["db-2.0.0"].values == b"a: 1\n"
    assert files.subcharts["cache"].templates == {"templates/a.yaml": b"b"}


def test_what_a_chart_says_of_itself_is_text() -> None:
    said = CHART + (
        b"kubeVersion: '>=1.19'\ndeprecated: true\ntype: library\n"
        b"dependencies:\n- {name: db, version: ~1.10, repository: 'https://x', alias: main}\n"
    )
    found = read_chart(packed({"web/Chart.yaml": said}))
    assert (found.name, found.version, found.app_version) == ("web", "1.10.0", "1.10")
    assert (found.kube_version, found.deprecated, found.kind) == (">=1.19", True, "library")
    assert found.dependencies == (Dependency("db", "~1.10", "https://x", "main"),)


def test_dependencies_of_an_older_chart_are_in_a_file_of_their_own() -> None:
    needs = b"dependencies:\n- name: db\n  version: 1.x\n  condition: db.enabled\n"
    found = read_chart(packed(web(requirements_yaml=needs)))
    assert found.dependencies == (Dependency("db", "1.x", condition="db.enabled"),)
    assert (found.deprecated, found.kind) == (False, "application")


def member(name: str, kind: bytes, **more: object) -> Callable[[tarfile.TarFile], object]:
    found = tarfile.TarInfo(name)
    found.type = kind
    for key, value in more.items():
        setattr(found, key, value)
    return lambda tar: tar.addfile(found)


def nested(depth: int) -> bytes:
    inner = packed(web())
    for _ in range(depth):
        inner = packed({**web(), "web/charts/x.tgz": inner})
    return inner


HOSTILE = {
    "nothing": (b"", "is no tar archive"),
    "no gzip": (b"<html>sign in</html>", "is no whole gzip archive"),
    "cut short": (packed(web())[:-20], "is no whole gzip archive"),
    "no tar": (gzip.compress(b"x" * 2000), "is no tar archive"),
    "an empty tar": (packed({}), "holds no Chart.yaml"),
    "no Chart.yaml": (packed({"web/values.yaml": b""}), "holds no Chart.yaml"),
    "not in a folder": (packed({"Chart.yaml": CHART}), "outside of the chart's folder"),
    "two folders": (packed({**web(), "api/a": b""}), "outside of the chart's folder"),
    "upwards": (packed({**web(), "web/../../etc/passwd": b""}), "leads out of"),
    "from the root": (packed({**web(), "/web/a": b""}), "leads out of"),
    "here": (packed({"./web/Chart.yaml": CHART}), "leads out of"),
    "a drive": (packed({**web(), "c:/a": b""}), "leads out of"),
    "a backslash": (packed({**web(), "web\\..\\a": b""}), "leads out of"),
    "a control character": (packed({**web(), "web/a\nb": b""}), "leads out of"),
    "a file twice": (
        packed(web(), lambda tar: tar.addfile(tarfile.TarInfo("web/Chart.yaml"))), "twice"),
    "a symbolic link": (
        packed(web(), member("web/a", tarfile.SYMTYPE, linkname="/etc")), "no plain file"),
    "a hard link": (
        packed(web(), member("web/a", tarfile.LNKTYPE, linkname="/etc/x")), "no plain file"),
    "a device": (packed(web(), member("web/a", tarfile.CHRTYPE)), "no plain file"),
    "a pipe": (packed(web(), member("web/a", tarfile.FIFOTYPE)), "no plain file"),
    "a sparse file": (
        packed(web(), member("web/a", tarfile.GNUTYPE_SPARSE)), "no plain file"),
    "a large file": (packed(web(a=bytes(6 << 20))), "more than 5 MiB"),
    "a size that is not there": (
        packed(web(), member("web/a", tarfile.REGTYPE, size=1 << 20)), "is no tar|cut short"),
    "charts in charts": (nested(9), "more than 8 deep"),
    "a broken chart inside": (
        packed({**web(), "web/charts/x.tgz": b"no"}), r"charts/x\.tgz: is no whole gzip"),
    "something behind it": (
        gzip.compress(gzip.decompress(packed(web())) + b"x" * 512), "something else behind"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_what_may_harm_is_refused(what: str) -> None:
    archive, told = HOSTILE[what]
    with pytest.raises(NotAChart, match=told):
        read_archive(archive)


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_archive, "_LARGEST", 1 << 20)
    with pytest.raises(NotAChart, match="unpacks to more than 1 MiB"):
        read_archive(gzip.compress(bytes(2 << 20)))
    with pytest.raises(NotAChart, match="unpacks to more than 1 MiB"):
        read_archive(packed(web(**{f"a{n}": bytes(100_000) for n in range(11)})))


def test_there_are_only_so_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_archive, "_MOST_FILES", 20)
    inner = packed(web(**{f"a{n}": b"" for n in range(10)}))
    read_archive(inner)
    with pytest.raises(NotAChart, match="more than 20 files"):
        read_archive(packed({**web(), "web/charts/a.tgz": inner, "web/charts/b.tgz": inner}))


def test_charts_in_charts_share_what_may_be_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_archive, "_LARGEST", 100_000)
    inner = packed(web(a=bytes(40_000)))
    read_archive(packed({**web(), "web/charts/a.tgz": inner}))
    twice = packed({**web(), "web/charts/a.tgz": inner, "web/charts/b.tgz": inner})
    with pytest.raises(NotAChart, match="unpacks to more than"):
        read_archive(twice)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"", "is no mapping"), (b"[]", "is no mapping"),
        (b"name: web\n", "without name or version"),
        (b"name: [a]\nversion: 1.0.0\n", "without name or version"), (b"a: [", "is no YAML"),
        (b"a: &x 1\nb: *x\n", "anchor or alias"), (b"[" * 100_000, "levels deep"),
        (b"name: web\nversion: 1.0.0\ndependencies: [5]\n", "something that is no chart"),
        (b"a: b\n" * 300_000, "larger than 1 MiB"),
    ],
)  # fmt: skip
def test_a_chart_that_says_nothing_sensible_is_refused(said: bytes, told: str) -> None:
    with pytest.raises(NotAChart, match=told):
        read_chart(packed({"web/Chart.yaml": said}))


@given(st.binary(max_size=300), st.integers(0, 400))
def test_any_bytes_are_a_chart_or_refused(noise: bytes, place: int) -> None:
    good = packed(web(values_yaml=b"a: b\n"))
    for archive in (noise, good[:place] + noise + good[place + len(noise) :]):
        try:
            assert isinstance(read_archive(archive), ChartFiles)
        except NotAChart:
            pass
