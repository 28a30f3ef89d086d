"""Plugins are found by real entry points of real distributions; bad ones are named."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from safe_auto_updater import plugins
from safe_auto_updater.core.errors import PlatformUnreachable, PluginError
from safe_auto_updater.core.events import Event
from safe_auto_updater.core.policy import Settings
from safe_auto_updater.core.ports import CheckState, Subject
from safe_auto_updater.engine.inventory import take_inventory

EXAMPLE = Path(__file__).parent.parent / "plugins" / "sau-example-plugin"
SUBJECT = Subject("docker:local/web", "web")

Install = Callable[[str, str, dict[str, dict[str, str]]], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a distribution where Python finds it, as an installer would."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def put(name: str, code: str, groups: dict[str, dict[str, str]]) -> None:
        module = name.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(code)
        monkeypatch.delitem(sys.modules, module, raising=False)
        info = tmp_path / f"{module}-1.0.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0.0\n")
        sections = (
            f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in points.items())
            for group, points in groups.items()
        )
        (info / "entry_points.txt").write_text("\n".join(sections))

    return put


@pytest.fixture
def example(install: Install) -> None:
    """The example package, installed."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    code = (EXAMPLE / "src" / "sau_example_plugin" / "__init__.py").read_text()
    install(project["name"], code, project["entry-points"])


@pytest.mark.usefixtures("example")
def test_example_offers_one_plugin_in_each_group() -> None:
    assert all("example" in plugins.known(group) for group in plugins.GROUPS)


@pytest.mark.usefixtures("example")
def test_example_health_check_looks_at_its_file(tmp_path: Path) -> None:
    check = plugins.load(plugins.HEALTH_CHECKS, "example")({"path": str(tmp_path / "well")})

    assert check.check(SUBJECT).state is CheckState.FAILING
    (tmp_path / "well").touch()
    assert check.check(SUBJECT).state is CheckState.PASSED


@pytest.mark.usefixtures("example")
def test_example_notifier_writes_its_file(tmp_path: Path) -> None:
    notifier = plugins.load(plugins.NOTIFIERS, "example")({"path": str(tmp_path / "out")})

    notifier.notify(Event("succeeded", "web 1 -> 2", 0.0))

    assert (tmp_path / "out").read_text() == '{"kind": "succeeded", "message": "web 1 -> 2"}\n'


@pytest.mark.usefixtures("example")
def test_example_scanner_finds_assets_and_says_what_it_cannot_read(tmp_path: Path) -> None:
    scanner = plugins.load(plugins.SCANNERS, "example")({"path": str(tmp_path / "list")})

    assert plugins.load(plugins.SCANNERS, "example")({}).name == "example"
    assert scanner.scan().failures
    (tmp_path / "list").write_text("web nginx:1.2\n")
    assert [asset.id for asset in scanner.scan().assets] == ["example:file/web"]


@pytest.mark.usefixtures("example")
def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(PluginError, match=r"no plugin named 'exmaple'.*installed: .*example"):
        plugins.load(plugins.NOTIFIERS, "exmaple")


CHECKS = "class make:\n def __init__(self, options): pass\n def check(self, subject): "

BAD = {
    "cannot be imported: ModuleNotFoundError": "import nothing_like_this",
    "cannot be imported: SyntaxError": "def",
    "cannot be imported: SystemExit": "import sys; sys.exit(3)",
    "cannot be imported: AttributeError": "",
    "is int, which cannot be called": "make = 5",
    "refused its options: KeyError: 'path'": "def make(options): return options['path']",
    "refused its options: TypeError": "def make(): pass",
    "refused its options: SystemExit": "def make(options): raise SystemExit",
    "made NoneType, which has no check": "def make(options): pass",
    "failed: RuntimeError: oh": CHECKS + "raise RuntimeError('oh')",
    "answered bool instead of CheckResult": CHECKS + "return True",
}


@pytest.mark.parametrize("message", BAD)
def test_bad_plugin_is_a_named_error(install: Install, message: str) -> None:
    code = BAD[message]
    install("sau-bad", code, {plugins.HEALTH_CHECKS: {"bad": "sau_bad:make"}})

    with pytest.raises(PluginError) as caught:
        plugins.load(plugins.HEALTH_CHECKS, "bad")({}).check(SUBJECT)

    assert message in str(caught.value)
    assert "plugin 'bad' (sau_bad:make) of sau-bad 1.0.0" in str(caught.value)


SCANS = "from safe_auto_updater.core.ports import Scan\nclass make:\n def __init__(self, o): pass\n"

BAD_SCANS = {
    "answered list instead of Scan": "return []",
    "failed: RuntimeError: api is down": "return Scan(one for one in self.later())",
    "failed: TypeError: 'NoneType' object is not iterable": "return Scan(None)",
    "failed: TypeError: 'web' among the assets": "return Scan(('web',))",
    "failed: TypeError: 5 among the images": "return Scan((), (5,))",
    "failed: TypeError: ('a',) among the failures": "return Scan((), (), (('a',),))",
    "failed: TypeError: (1, 2) among the failures": "return Scan((), (), ((1, 2),))",
}


@pytest.mark.parametrize("message", BAD_SCANS)
def test_bad_scan_is_a_failed_part_that_names_the_plugin(install: Install, message: str) -> None:
    later = " def later(self):\n  yield 5 / 1\n  raise RuntimeError('api is down')\n"
    code = f"{SCANS}{later} def scan(self): {BAD_SCANS[message]}"
    install("sau-bad", code, {plugins.SCANNERS: {"bad": "sau_bad:make"}})

    found = take_inventory([plugins.LazyScanner("bad")], Settings())

    ((source, fact),) = found.failures
    assert (found.assets, source) == ((), "plugin bad")
    assert message in fact and "plugin 'bad' (sau_bad:make) of sau-bad 1.0.0" in fact


RAISES = "class make:\n def __init__(self, options): pass\n def notify(self, event):\n  "

FAILS: dict[str, tuple[str, type[Exception]]] = {
    "nobody listens": ("raise ConnectionRefusedError('refused')", PlatformUnreachable),
    "no way there": (
        "import errno, urllib.error\n  try: raise OSError(errno.ENETUNREACH, 'unreachable')\n"
        "  except OSError as e: raise urllib.error.URLError(e)",
        PlatformUnreachable,
    ),
    "too late": ("raise TimeoutError('too late')", PlatformUnreachable),
    "a library's own error of a connection": (
        "try: raise ConnectionResetError\n  except OSError as e: raise RuntimeError from e",
        PlatformUnreachable,
    ),
    "it says so itself": (
        "from safe_auto_updater.core.errors import PlatformUnreachable as P; raise P('away')",
        PlatformUnreachable,
    ),
    "refused": ("raise RuntimeError('401')", PluginError),
    "no such file": ("raise FileNotFoundError('token')", PluginError),
}


@pytest.mark.parametrize("what", FAILS)
def test_notice_that_found_nobody_is_told_from_one_that_was_refused(
    install: Install, what: str
) -> None:
    code, kind = FAILS[what]
    install("sau-told", RAISES + code, {plugins.NOTIFIERS: {"told": "sau_told:make"}})

    with pytest.raises((PlatformUnreachable, PluginError)) as caught:
        plugins.load(plugins.NOTIFIERS, "told")({}).notify(Event("inconsistent", "web", 0.0))

    assert type(caught.value) is kind


def test_name_that_two_distributions_offer_is_refused(install: Install) -> None:
    for name in ("sau-one", "sau-two"):
        module = name.replace("-", "_")
        install(name, "make = print", {plugins.NOTIFIERS: {"same": f"{module}:make"}})

    with pytest.raises(PluginError, match=r"sau-one 1\.0\.0 and .* sau-two 1\.0\.0; uninstall one"):
        plugins.load(plugins.NOTIFIERS, "same")


def test_listing_plugins_imports_none(install: Install) -> None:
    install("sau-bad", "raise RuntimeError", {plugins.SCANNERS: {"bad": "sau_bad:make"}})

    assert "bad" in plugins.known(plugins.SCANNERS)
    assert "sau_bad" not in sys.modules
