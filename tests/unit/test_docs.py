"""The documents say what the program does: everything named in the code is documented, every name
in a document exists, and links lead somewhere."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from safe_auto_updater import plugins
from safe_auto_updater.cli import documents, root
from safe_auto_updater.cli.root import COMMANDS, sau
from safe_auto_updater.core import memory, model
from safe_auto_updater.core.events import EVENTS
from safe_auto_updater.core.outcome import Cause, Outcome
from safe_auto_updater.core.phases import TABLE
from safe_auto_updater.core.policy import LABEL_KEYS, LABEL_PREFIX
from safe_auto_updater.core.versions import PolicyLevel
from safe_auto_updater.engine.checks import PRECHECK_S
from safe_auto_updater.engine.executor import MOST_ENTRIES, PATIENCE_S
from safe_auto_updater.platforms.docker import scanner
from safe_auto_updater.platforms.docker.api_version import NEWEST_KNOWN
from safe_auto_updater.platforms.docker.marks import MARK, PARKED, STAGED, USERS
from safe_auto_updater.platforms.docker.state import SOAK_PROVEN_S, SOAK_UNPROVEN_S
from safe_auto_updater.platforms.docker.takeover import START_AGAIN_S

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "safe_auto_updater"
ALL = {path: path.read_text() for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))}
NAMES = [str(path.relative_to(ROOT)) for path in ALL]


def doc(name: str) -> str:
    return ALL[ROOT / name]


COMMANDS_MD, SAFETY_MD = doc("docs/commands.md"), doc("docs/safety.md")


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next of any level."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.M | re.S)
    assert found, f"no heading {heading!r}"
    return found[1]


def spans(text: str) -> list[str]:
    """What is set as code within lines."""
    return re.findall(r"`([^`\n]+)`", prose(text))


def prose(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S)


def words(text: str) -> set[str]:
    return {word for span in spans(text) for word in re.findall(r"[\w.-]+", span)}


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its whole name, groups included."""
    context = click.Context(sau)
    for name in COMMANDS:
        command = sau.get_command(context, name)
        assert command is not None
        yield f"sau {name}", command
        if isinstance(command, click.Group):
            yield from ((f"sau {name} {sub}", child) for sub, child in command.commands.items())


BY_NAME = dict(commands())


def options(command: click.Command) -> set[str]:
    """Its own options, without the global ones that every command takes."""
    return {
        name
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
        for name in parameter.opts
    }


def in_first_column(text: str) -> list[str]:
    """The code in the first column of the tables of a text."""
    rows = re.findall(r"^\| ([^|]*`[^|]*)\|", text, re.M)
    return [span for row in rows for span in spans(row)]


@pytest.mark.parametrize("name", BY_NAME)
def test_every_command_and_its_options_are_documented(name: str) -> None:
    text = section(COMMANDS_MD, name)
    listed = {word for word in in_first_column(text) if word.startswith("-")}
    assert listed == options(BY_NAME[name])


def test_every_documented_command_exists() -> None:
    headings = re.findall(r"^#+ (sau .*)$", COMMANDS_MD, re.M)
    assert sorted(headings) == sorted(BY_NAME)
    table = section(doc("README.md"), "Commands")
    told = {word for word in in_first_column(table) if word.startswith("sau ")}
    assert told == {f"sau {name}" for name in COMMANDS}


def test_every_command_line_in_a_document_can_be_typed() -> None:
    wrong = []
    for path, text in ALL.items():
        typed = re.findall(r"^ *(?:\$ )?(sau [^#\n]*)", text, re.M)  # in blocks
        for line in typed + [span for span in spans(text) if span.startswith("sau ")]:
            _, *rest = line.split()
            if not rest or not re.fullmatch(r"[a-z]+", rest[0]):
                continue
            name = max((n for n in BY_NAME if f"{line} ".startswith(f"{n} ")), key=len, default="")
            given = {word for word in rest if word.startswith("--")}
            known = options(sau) | options(BY_NAME[name]) if name else set()
            if (not name and rest[0] != "run") or given - known - {"--help"}:
                wrong.append(f"{path.name}: {line}")
    assert wrong == []


def test_every_global_option_and_its_variable_is_documented() -> None:
    text = section(COMMANDS_MD, "Global options")
    assert set(in_first_column(text)) - {"table", "json", "human"} == options(sau) | {
        "-h",
        "--help",
    }
    variables = {str(p.envvar) for p in sau.params if getattr(p, "envvar", None)}
    assert variables <= words(text)


@pytest.mark.parametrize(("name", "heading"), [("docs/commands.md", "Exit codes"),
                                               ("README.md", "Commands")])  # fmt: skip
def test_every_exit_code_is_documented(name: str, heading: str) -> None:
    codes = {outcome.exit_code for outcome in Outcome}
    codes |= {value for key, value in vars(root).items() if key.startswith("EXIT_")}
    rows = re.findall(r"^\| (\d+) \|", section(doc(name), heading), re.M)
    assert sorted(map(int, rows)) == sorted(codes)


def test_every_event_outcome_and_cause_is_documented() -> None:
    assert set(EVENTS) <= set(in_first_column(doc("docs/notifications.md")))
    assert {*Outcome, *Cause} <= words(section(COMMANDS_MD, "JSON"))


def test_every_label_is_documented() -> None:
    text = section(COMMANDS_MD, "Labels")
    labels = {LABEL_PREFIX + key for key in LABEL_KEYS} | {MARK, USERS}
    assert set(in_first_column(text)) == labels
    assert set(PolicyLevel) <= words(text)
    assert {LABEL_PREFIX + "policy", MARK} <= words(COMMANDS_MD + SAFETY_MD)


def test_names_on_the_engine_are_documented() -> None:
    told = set(" ".join(spans(section(SAFETY_MD, "What it puts on your engine"))).split())
    assert {MARK, USERS, f"<name>{STAGED}", f"<name>{PARKED}"} <= told


NUMBERS = [  # what the program has, what the document was written for, and its words
    (PRECHECK_S, 120, "docs/safety.md", "Waits up to 2 min"),
    (SOAK_PROVEN_S, 30, "docs/safety.md", "for 30 s without interruption"),
    (SOAK_UNPROVEN_S, 60, "docs/safety.md", "runs for 60 s"),
    (PATIENCE_S, 600, "docs/safety.md", "waits up to ten minutes"),
    (MOST_ENTRIES, 8, "docs/safety.md", "more than eight times"),
    (round(sum(START_AGAIN_S) / 60), 1, "docs/safety.md", "is tried again for a minute"),
    (NEWEST_KNOWN, (1, 56), "docs/limits.md", "Engine API 1.41 to 1.56"),
]


@pytest.mark.parametrize(("actual", "written", "name", "phrase"), NUMBERS)
def test_numbers_in_docs_are_those_of_the_program(
    actual: object, written: object, name: str, phrase: str
) -> None:
    assert actual == written, f"{name} says {phrase!r}"
    assert phrase in " ".join(doc(name).split())


@pytest.mark.parametrize("name", ["docs/configuration.md", "CONTRIBUTING.md"])
def test_every_plugin_group_is_documented(name: str) -> None:
    assert [group for group in plugins.GROUPS if group not in doc(name)] == []


def literal_keys(tree: ast.AST) -> set[str]:
    """The constant keys of all dictionaries written out in some code."""
    literals = [node for node in ast.walk(tree) if isinstance(node, ast.Dict)]
    return {str(key.value) for one in literals for key in one.keys if isinstance(key, ast.Constant)}


def json_fields() -> set[str]:
    """Every field of every document: keys of literals, and fields of words written whole."""
    files = [Path(documents.__file__), *(SOURCE / "cli/commands").glob("*.py")]
    found = {"schema"}.union(*(literal_keys(ast.parse(file.read_text())) for file in files))
    found |= literal_keys(ast.parse(inspect.getsource(scanner._stored)))
    for whole in (memory.Hold, memory.Failed, memory.Blocked, model.Rejection):
        found |= {field.name for field in dataclasses.fields(whole)}
    return found


def test_every_json_field_is_documented() -> None:
    assert json_fields() - words(COMMANDS_MD) == set()


def test_every_make_target_is_documented_and_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.M))
    listed = {word.removeprefix("make ") for word in in_first_column(doc("CONTRIBUTING.md"))
              if word.startswith("make ")}  # fmt: skip
    assert listed == targets
    named = {
        t for text in ALL.values() for s in spans(text) for t in re.findall(r"make ([a-z-]+)", s)
    }
    assert named <= targets


def test_the_phase_table_is_that_of_the_program() -> None:
    text = section(doc("docs/architecture.md"), "The phase table")
    rows = [line.split() for line in text.splitlines() if re.match(r"[A-Z]+ +[A-Z]", line)]
    assert rows == [[phase, exits.ok, exits.failed, exits.died] for phase, exits in TABLE.items()]
    assert set(TABLE) <= set(in_first_column(text))


@pytest.mark.parametrize("heading", ["How an update goes", "Killed in the middle"])
def test_safety_says_what_happens_in_every_phase(heading: str) -> None:
    assert in_first_column(section(SAFETY_MD, heading)) == [str(phase) for phase in TABLE]


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", prose(text), re.M)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", NAMES)
def test_links_in_docs_lead_somewhere(name: str) -> None:
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(doc(name))):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (ROOT / name).parent / target if target else ROOT / name
        text = ALL.get(file.resolve())
        if not file.exists() or (anchor and text is not None and anchor not in anchors(text)):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("name", NAMES)
def test_files_that_docs_name_exist(name: str) -> None:
    places = (ROOT, SOURCE, (ROOT / name).parent)
    file = r"[\w.*-]+(/[\w.*-]+)*\.(py|md|toml|txt)"
    folder = r"(core|engine|platforms|cli|config|lab|tests|docs)/[\w.*/-]*"
    tokens = [word for span in spans(doc(name)) for word in span.split()]
    named = [word for word in tokens if re.fullmatch(f"{file}|{folder}", word)]
    missing = [word for word in named if not any(any(p.glob(word.rstrip("/"))) for p in places)]
    assert missing == []


def test_every_page_is_in_the_site() -> None:
    listed = re.findall(r"^  - .*: (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.M)
    assert sorted(listed) == sorted(path.name for path in (ROOT / "docs").glob("*.md"))


def test_every_decision_is_listed() -> None:
    listed = re.findall(r"\(decisions/([\w-]+\.md)\)", doc("docs/architecture.md"))
    files = sorted(path.name for path in (ROOT / "docs/decisions").glob("*.md"))
    assert listed == files
    for number, name in enumerate(files, 1):
        text = doc(f"docs/decisions/{name}")
        assert name.startswith(f"{number:04}-") and text.startswith(f"# {number:04}: ")
        for part in ("**Context.**", "**Decision.**", "**What would change our mind.**"):
            assert part in text


def test_every_case_names_a_test_that_exists() -> None:
    rows = re.findall(r"^\| (D\d\d) \| .* \| (.*) \|$", doc("docs/safety.md"), re.MULTILINE)
    assert [number for number, _ in rows] == [f"D{number:02}" for number in range(1, 41)]
    for number, cell in rows:
        for file, name in re.findall(r"`(test_\w+\.py)::(\w+)`", cell):
            assert f"def {name}(" in (ROOT / "tests/docker" / file).read_text(), number
        assert "`" in cell, number


def test_every_case_of_releases_names_a_test_that_exists() -> None:
    rows = re.findall(r"^\| ([KV]\d\d) \| .* \| (.*) \|$", doc("docs/helm.md"), re.MULTILINE)
    assert "V10" in dict(rows)
    for number, cell in rows:
        named = re.findall(r"`([\w./]+\.py)::(\w+)`", cell)
        assert named, number
        for file, name in named:
            assert f"def {name}(" in (ROOT / "tests/kubernetes" / file).read_text(), number


def test_every_case_of_workloads_names_a_test_that_exists() -> None:
    rows = re.findall(r"^\| (K\d\d) \| .* \| (.*) \|$", doc("docs/kubernetes.md"), re.MULTILINE)
    of_helm_alone = {3, 14, 15, 16, 18, 20}
    wanted = [f"K{number:02}" for number in range(1, 28) if number not in of_helm_alone]
    assert [number for number, _ in rows] == wanted
    for number, cell in rows:
        named = re.findall(r"`([\w./]+\.py)::(\w+)`", cell)
        assert named, number
        for file, name in named:
            assert f"def {name}(" in (ROOT / "tests/kubernetes" / file).read_text(), number
