"""`sau notify test`: real notices to real servers, and an answer for each receiver."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from safe_auto_updater.app import SystemClock
from safe_auto_updater.cli.root import sau
from safe_auto_updater.config import ConfigLoader
from safe_auto_updater.core.errors import UsageError
from safe_auto_updater.core.events import Event
from safe_auto_updater.core.windows import parse_window
from safe_auto_updater.notify.courier import Handler
from safe_auto_updater.notify.outbox import Manners
from safe_auto_updater.notify.trial import try_all
from safe_auto_updater.wiring.notices import handlers, notifications
from tests.unit.notify.kit import Hook, Recorder, posted


def run(tmp_path: Path, config: str, *words: str) -> Result:
    file = tmp_path / "config.yml"
    file.write_text(config)
    return CliRunner().invoke(sau, ["--config", str(file), "notify", "test", *words])


@pytest.mark.slow
def test_each_receiver_gets_a_notice_and_says_so(hook: Hook, tmp_path: Path) -> None:
    with posted() as post:
        said = run(
            tmp_path,
            f"""
notifications:
  - {{type: email, host: 127.0.0.1, port: {post.port}, tls: none, from: a@h.org, to: [b@h.org]}}
  - {{type: webhook, url: "http://127.0.0.1:1/s3cr3t"}}
  - {{type: heartbeat, url: "{hook.url}"}}
""",
            "--output",
            "json",
        )
    document = json.loads(said.output)
    by_name: dict[str, Any] = {each["name"]: each for each in document["receivers"]}
    assert document["schema"] == "safe-auto-updater/notify-test/v1"
    assert list(by_name) == ["email", "webhook", "heartbeat"]
    assert by_name["email"] == {"name": "email", "delivered": True, "error": None}
    assert by_name["webhook"]["delivered"] is False
    assert "cannot be reached" in by_name["webhook"]["error"]
    assert said.exit_code == 1
    [(_, _, message)] = post.taken
    assert message["Subject"] == "Safe Auto-Updater: test"
    assert "s3cr3t" not in said.output


@pytest.mark.slow
def test_those_of_one_type_or_one_of_them_can_be_named(hook: Hook, tmp_path: Path) -> None:
    config = f"""
notifications:
  - {{type: webhook, url: "{hook.url}/1"}}
  - {{type: webhook, url: "{hook.url}/2", events: [started], match: {{asset: "*/x"}}, batch: cycle}}
  - {{type: heartbeat, url: "{hook.url}/3"}}
"""
    assert run(tmp_path, config, "webhook").exit_code == 0
    assert sorted(path[-1] for _, path, _, _ in hook.requests) == ["1", "2"]
    said = run(tmp_path, config, "webhook 2")
    assert said.exit_code == 0 and "delivered" in said.output
    assert hook.requests[-1][1].endswith("/2")
    assert json.loads(hook.requests[-1][3])["events"][0]["kind"] == "test"


@pytest.mark.parametrize(("words", "told"), [((), "no notifications"), (("email",), "no notif")])
def test_nothing_to_try_is_an_error(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    said = run(tmp_path, "{}", *words)
    assert isinstance(said.exception, UsageError)
    assert told in str(said.exception)


def test_unknown_type_is_named_with_those_that_are_there(hook: Hook, tmp_path: Path) -> None:
    config = f"notifications: [{{type: webhook, url: '{hook.url}'}}]"
    said = run(tmp_path, config, "email")
    assert isinstance(said.exception, UsageError)
    assert str(said.exception) == "email: none is configured; known: webhook"
    assert hook.requests == []


@pytest.mark.slow
def test_receiver_that_hangs_has_failed_and_the_others_have_not() -> None:
    hangs, fine = Recorder(), Recorder()
    hangs.gate.clear()
    quiet = Manners(quiet=(parse_window("00:00-00:00 UTC"),))  # always
    tried = try_all(
        [Handler("hangs", hangs), Handler("fine", fine, manners=quiet)], Event("test", "x", 0.0), 1
    )
    assert [(each.name, each.error) for each in tried] == [
        ("hangs", "no answer within 1 s"),
        ("fine", None),
    ]
    hangs.gate.set()


def test_configuration_becomes_receivers_that_deliver_as_it_says(hook: Hook) -> None:
    """From the file to the wire: batch, template, match and kinds."""
    text = f"""
notifications:
  - type: webhook
    url: "{hook.url}"
    match: {{asset: "docker:local/*"}}
    batch: cycle
    template: {{title: "$count news", body: "$name $what"}}
"""
    config = ConfigLoader().load_text(text, "config.yml")
    told = notifications(config, SystemClock(), pytest.fail)
    for kind, asset in (("held", "docker:local/a"), ("held", "docker:nas/b"), ("started", None)):
        told(Event(kind, "x", 0.0, asset))
    told(Event("succeeded", "x", 0.0, "docker:local/c"))
    told.close(30)

    [(_, _, _, body)] = hook.requests
    document = json.loads(body)
    assert (document["title"], document["text"]) == ("2 news", "a held\nc succeeded")


def test_doctor_says_what_keeps_a_receiver_from_being_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)  # as if it were not installed
    secret = tmp_path / "secret"
    secret.write_text("s3cr3t")
    file = tmp_path / "config.yml"
    file.write_text(f"""
inventory: {{docker: [{{name: gone, host: "unix://{tmp_path}/no-such.sock"}}]}}
notifications:
  - {{type: webhook, url: "http://127.0.0.1:1/", secret_file: {secret}}}
  - {{type: webhook, url: "http://127.0.0.1:1/", token_file: {tmp_path}/none}}
  - {{type: apprise, urls: ["ntfy://h/t"]}}
  - {{type: nosuch, options: {{key_file: 1}}}}
""")
    words = ["--config", str(file), "--state", str(tmp_path / "state"), "--output", "json"]
    said = CliRunner().invoke(sau, [*words, "doctor"])
    found = {each["what"]: each for each in json.loads(said.stdout)["findings"]}
    assert found["notifications webhook 1"]["ok"]
    assert found["notifications webhook 1"]["fact"] == "`sau notify test 'webhook 1'` tries it"
    assert [found[f"notifications {name}"]["fact"] for name in ("webhook 2", "apprise")] == [
        f"webhook 2: token_file {tmp_path}/none cannot be read: No such file or directory",
        "apprise: the library is not installed; pip install 'safe-auto-updater[apprise]'",
    ]
    assert "no plugin named 'nosuch'" in found["notifications nosuch"]["fact"]
    assert said.exit_code == 1


def test_heartbeat_is_asked_after_cycles_only(hook: Hook) -> None:
    config = ConfigLoader().load_text(
        f"notifications: [{{type: heartbeat, url: '{hook.url}'}}]", "config.yml"
    )
    [heartbeat] = handlers(config, SystemClock())
    assert heartbeat.wants(Event("cycle", "x", 0.0))
    assert not heartbeat.wants(Event("succeeded", "x", 0.0, "docker:local/a"))
    assert not heartbeat.wants(Event("inconsistent", "x", 0.0, "docker:local/a"))


def test_problem_of_a_plugin_that_is_not_there_is_told_by_its_name() -> None:
    config = ConfigLoader().load_text("notifications: [{type: nosuch}]", "config.yml")
    problems: list[str] = []
    told = notifications(config, SystemClock(), problems.append)
    told(Event("held", "x", 0.0, "docker:local/a"))
    told.close(30)
    assert len(problems) == 1
    assert problems[0].startswith("notification nosuch: no plugin named 'nosuch'")
