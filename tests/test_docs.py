"""The documentation is held to the code: settings, addresses, commands, counters, guarantees; and the README runs."""

import ast
import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from functools import cache
from pathlib import Path

import click
import pytest
from flask import Flask

from hospital.settings import Settings
from tests.operations.counters import counters
from tests.support.house import House
from tests.support.server import Server

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
OPERATIONS = ROOT / "docs/operations.md"
GUARANTEES = ROOT / "docs/guarantees.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]

# What the last part of a setting's name says its unit is.
UNITS = {
    "s": "s",
    "min": "min",
    "ms": "ms",
    "h": "h",
    "days": "days",
    "bytes": "bytes",
    "lines": "lines",
    "port": "port",
}


@pytest.mark.parametrize("page", [README, OPERATIONS, GUARANTEES, ROOT / "docs/architecture.md"], ids=lambda p: p.name)
def test_the_page_is_there(page: Path) -> None:
    assert page.is_file()


# ---- Settings --------------------------------------------------------------------------------------------------------


def test_every_setting_is_in_the_table() -> None:
    assert list(_settings_told()) == list(dict.fromkeys(_settings_told()))
    assert {f"HOSPITAL_{field.name.upper()}" for field in fields(Settings)} == set(_settings_told())


def test_every_default_in_the_table_is_the_one_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("HOSPITAL_")]:
        monkeypatch.delenv(name)
    for name, (_, _, default) in _settings_told().items():
        assert re.fullmatch("`[^`]*`|``", default), name
        monkeypatch.setenv(name, default.strip("`").strip())
    assert Settings.from_environment() == Settings()


def test_every_unit_in_the_table_is_the_one_of_the_name() -> None:
    for name, (meaning, unit, _) in _settings_told().items():
        assert meaning and unit, name
        expected = "1/s" if name.endswith("_PER_S") else UNITS.get(name.rpartition("_")[2].lower())
        assert expected in (None, unit), name


def test_no_page_names_a_setting_that_does_not_exist() -> None:
    known = {f"HOSPITAL_{field.name.upper()}" for field in fields(Settings)}
    for page in [*PAGES, ROOT / "Makefile"]:
        named = set(re.findall(r"HOSPITAL_[A-Z0-9_]*[A-Z0-9]", page.read_text()))
        assert named - known == set(), page.name


def _settings_told() -> dict[str, tuple[str, str, str]]:
    """Name → meaning, unit, default; from the table of docs/operations.md."""
    rows = re.findall(r"(?m)^\| `(HOSPITAL_\w+)` \| (.*?) \| (.*?) \| (.*?) \|$", OPERATIONS.read_text())
    assert len(rows) == len({name for name, *_ in rows})
    return {name: (meaning, unit, default) for name, meaning, unit, default in rows}


# ---- Addresses and commands ------------------------------------------------------------------------------------------


def test_every_address_is_documented(house: House) -> None:
    assert undocumented(house.app) == set()


def test_a_planted_address_is_missed(house: House) -> None:
    house.app.add_url_rule("/planted/<int:planted_id>/x", view_func=lambda **_: "", methods=["PUT"])
    assert undocumented(house.app) == {"PUT /planted/<id>/x"}


def test_no_address_is_documented_that_is_gone(house: House) -> None:
    told = set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`]*)`", OPERATIONS.read_text()))
    assert told - _addresses(house.app) == set()


def test_every_command_is_documented_with_its_options(house: House) -> None:
    text = _all_text()
    commands = list(_commands(house.app.cli))
    assert commands
    for words, command in commands:
        line = next((line for line in text.splitlines() if f"flask --app app {words}" in line), "")
        assert line, f"nobody tells of: flask --app app {words}"
        for option in command.params:
            assert not option.required or option.opts[0] in line, f"{words} needs {option.opts[0]}"


def test_every_make_target_for_people_is_documented() -> None:
    targets = re.findall(r"(?m)^([a-z]+):.*## ", (ROOT / "Makefile").read_text())
    assert {"run", "test", "check"} <= set(targets)
    assert [name for name in targets if f"make {name}" not in _all_text()] == []


def undocumented(app: Flask) -> set[str]:
    return {address for address in _addresses(app) if f"`{address}`" not in _all_text()}


def _addresses(app: Flask) -> set[str]:
    """`GET /alerts/<id>`: what a number is called in the code does not matter."""
    return {
        f"{method} {re.sub(r'<int:[^>]*>', '<id>', rule.rule).replace('<path:filename>', '<file>')}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def _commands(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


# ---- Counters --------------------------------------------------------------------------------------------------------


def test_every_counter_is_documented_with_its_labels_and_no_other() -> None:
    rows = re.findall(r"(?m)^\| `hospital_(\w+)` \| (.*?) ?\| (.+?) \|$", OPERATIONS.read_text())
    told = {name: tuple(sorted(re.findall(r"`(\w+)`", labels))) for name, labels, _ in rows}
    assert told == dict(counters())


# ---- Guarantees ------------------------------------------------------------------------------------------------------


def test_every_test_that_a_guarantee_names_exists() -> None:
    text = GUARANTEES.read_text()
    assert named_tests(text)
    assert missing_tests(text) == []


def test_a_test_that_does_not_exist_is_missed() -> None:
    here = "tests/test_docs.py::test_a_test_that_does_not_exist_is_missed"
    assert missing_tests(f"`{here}`, `test_the_page_is_there`, [x](../tests/test_docs.py)") == []
    for gone in ("tests/test_docs.py::test_gone", "tests/gone/test_x.py", "test_that_nobody_wrote"):
        assert missing_tests(f"It holds: `{gone}`.") == [gone]


def missing_tests(text: str) -> list[str]:
    """What a page names as a test and what is none: `tests/…/test_x.py::test_name`, a file, or a bare name."""
    return [named for named in named_tests(text) if not _exists(named)]


def named_tests(text: str) -> list[str]:
    return re.findall(r"tests/[\w/.-]+\.py(?:::\w+)?|(?<![\w/.:])test_\w+\b(?!\.py)", text)


def _exists(named: str) -> bool:
    if not named.startswith("tests/"):
        return any(named in _tests_of(file) for file in (ROOT / "tests").rglob("test_*.py"))
    path, _, name = named.partition("::")
    return (ROOT / path).is_file() and (not name or name in _tests_of(ROOT / path))


@cache
def _tests_of(file: Path) -> frozenset[str]:
    return frozenset(node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef))


# ---- The README ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_first_alarm_of_the_readme_is_raised(server: Server) -> None:
    """Each block of ```sh in the README is for a running server, and does what the text around it says."""
    blocks = re.findall(r"(?ms)^```sh\n(.*?)^```$", README.read_text())
    assert blocks
    outputs = [_run(block, server) for block in blocks]
    assert any("MSA|AA" in output for output in outputs)
    with closing(sqlite3.connect(server.folder / "hospital.db")) as database:
        alerts = database.execute("SELECT code, priority, state FROM alert JOIN bed ON bed.id = bed_id").fetchall()
    assert alerts == [("MED-07", "high", "open")]


def _run(block: str, server: Server) -> str:
    """The block as it stands, but for the ports, which tests choose freely."""
    here = re.sub(r"(127\.0\.0\.1[:/])8000\b", rf"\g<1>{server.port}", block)
    here = re.sub(r"(127\.0\.0\.1[:/])2575\b", rf"\g<1>{server.mllp_port}", here)
    path = {"PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"}
    command = ["bash", "-euo", "pipefail", "-c", here]
    done = subprocess.run(command, cwd=ROOT, env=server.environment | path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
    return done.stdout


def _all_text() -> str:
    return "\n".join(page.read_text() for page in PAGES)
