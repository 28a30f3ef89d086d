"""A policy of a plugin, installed from a folder of its own, holds an update in its own words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab_kit import World
from tests.sau_kit import Sau

pytestmark = pytest.mark.any_engine

EXAMPLE = Path(__file__).parents[1] / "plugins/sau-example-plugin/src/sau_example_plugin"
POLICY = """\
class Policy:
    def __init__(self, options):
        pass

    def judge(self, proposal):
        {body}
"""
BAD = {
    "raise RuntimeError('the calendar is down')": "RuntimeError: the calendar is down",
    "return 42": "answered 42, which is neither None nor a reason",
    "return '  '": "neither None nor a reason",
    "import time; time.sleep(600)": "gave no answer within 10 s",
    "raise SystemExit(0)": "SystemExit",
}


def configured(sau: Sau, kind: str, **options: str) -> None:
    told = "".join(f"{key}: {value}, " for key, value in options.items())
    sau.configure(
        extra="detection:\n  policies:\n"
        f'    - {{match: {{asset: "*/*-web"}}, type: {kind}, options: {{{told}}}}}\n'
    )


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder where Python finds distributions, as after an installation there."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder))
    yield folder


def put(
    folder: Path, name: str, code: str, group: str = "policies", factory: str = "Policy"
) -> None:
    (folder / f"{name}.py").write_text(code)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    points = f"[safe_auto_updater.{group}]\n{name} = {name}:{factory}\n"
    (info / "entry_points.txt").write_text(points)


def test_doctor_tells_of_a_scanner_that_cannot_see(sau: Sau, install: Path) -> None:
    code = """class Scanner:
    def __init__(self, options):
        pass

    def scan(self):
        raise OSError("its API is down")
"""
    put(install, "away", code, "scanners", "Scanner")
    doctor = sau("doctor")
    bad = [one for one in doctor.json["findings"] if not one["ok"]]
    (fact,) = [one["fact"] for one in bad if one["what"] == "plugin away"]
    assert doctor.code == 1
    assert "plugin 'away' (away:Scanner) of away 1.0 failed: OSError: its API is down" in fact


@pytest.fixture
def outdated(world: World) -> str:
    """A container with a newer version at the registry; its name."""
    world.run(world.publish("1.0.0").reference)
    world.publish("1.1.0")
    return f"{world.prefix}-web"


def test_example_policy_holds_until_its_file_is_gone(
    world: World, sau: Sau, install: Path, outdated: str, tmp_path: Path
) -> None:
    code = (EXAMPLE / "__init__.py").read_text() + "\nPolicy = FilePolicy\n"
    put(install, "example", code)
    reason = tmp_path / "busy"
    reason.write_text("the auditors are here")
    configured(sau, "example", path=str(reason))

    held = sau("plan").step(outdated)
    refused = sau("apply", "--yes")
    reason.unlink()
    applied = sau("apply", "--yes")

    assert (held["action"], held["hold_rules"]) == ("hold", ["plugin"])
    assert held["reasons"] == [f"policy example: {outdated} waits: the auditors are here"]
    assert (refused.code, refused.json["updates"]) == (0, [])
    assert applied.update["outcome"] == "succeeded"


@pytest.mark.parametrize("body", BAD)
def test_bad_policy_holds_and_is_named(sau: Sau, install: Path, outdated: str, body: str) -> None:
    put(install, "bad", POLICY.format(body=body))
    configured(sau, "bad")

    step = sau("plan").step(outdated)

    assert (step["action"], step["hold_rules"]) == ("hold", ["plugin"])
    assert BAD[body] in step["reasons"][0]
    assert "bad" in step["reasons"][0]


def test_policy_that_is_not_installed_holds_and_is_named(sau: Sau, outdated: str) -> None:
    configured(sau, "absent")
    step = sau("plan").step(outdated)
    assert (step["action"], step["hold_rules"]) == ("hold", ["plugin"])
    assert "no plugin named 'absent'" in step["reasons"][0]


def test_policy_that_begins_to_object_before_the_update_stops_it(
    sau: Sau, install: Path, outdated: str, tmp_path: Path
) -> None:
    count = tmp_path / "count"
    body = (
        f"p = __import__('pathlib').Path({str(count)!r}); "
        "n = len(p.read_text()) if p.exists() else 0; p.write_text('x' * (n + 1)); "
        "return 'enough' if n >= 2 else None"
    )
    put(install, "fickle", POLICY.format(body=body))
    configured(sau, "fickle")

    said = sau("apply", "--yes")

    assert (said.code, said.update["outcome"], said.update["cause"]) == (1, "aborted", "conflict")
    assert "policy fickle: enough" in said.update["error"]
