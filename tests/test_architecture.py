"""The rules of docs/architecture.md that a machine can read: who imports whom, what a template may hold."""

import ast
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# ---- Who may import whom ---------------------------------------------------------------------------------------------

WORDS = {"vocabulary", "roles", "clock", "settings", "meters"}

# Room by room, from the bottom up: the rooms that it may import besides itself.
MAY_IMPORT: dict[str, set[str]] = {
    "words": set(),
    "triage": {"words"},
    "records": {"words"},
    "alerts": {"words", "triage", "records"},
    "fragments": {"words", "triage", "records"},
    "access": {"words", "records"},
    "intake": {"words", "triage", "records", "alerts", "access"},
    "pages": {"words", "triage", "records", "alerts", "fragments", "access"},
    "live": {"words", "records", "fragments", "access"},
    "operations": {"words", "records", "alerts", "access"},
    "background": {"words", "records", "alerts", "live"},
    "simulator": {"words"},  # knocks at the front door like any monitor
}
WIRING = {"app", "wsgi"}  # know every room; no room knows them

WEB = {"flask", "flask_login", "flask_sock", "werkzeug", "jinja2"}
DATABASE = {"sqlalchemy", "alembic", "psycopg"}

MAY_USE_WEB = {"fragments", "access", "intake", "pages", "live", "operations", "background"} | WIRING
MAY_NOT_USE_DATABASE = {"words", "triage", "simulator"}
ONLY_THESE_PACKAGES: dict[str, set[str]] = {"words": set(), "simulator": {"gevent"}}


def import_breaches(root: Path) -> list[str]:
    """Every import of hospital/, app.py and wsgi.py that its room may not have, as 'file:line: why'."""
    breaches = []
    for file in _project_modules(root):
        room = _room_of(_module_name(root, file))
        where = file.relative_to(root)
        if room not in MAY_IMPORT and room not in WIRING | {""}:
            breaches.append(f"{where}:1: {room} has no place in the layers")
            continue
        for line, module in _imports(root, file):
            why = _breach(room, module)
            if why:
                breaches.append(f"{where}:{line}: {why}")
    return breaches


def _breach(room: str, module: str) -> str | None:
    package = module.partition(".")[0]
    if room in WIRING or package in sys.stdlib_module_names:
        return None
    if package in WIRING | {"tests", "bench", "migrations"}:
        return f"{room} imports {package}"
    if package == "hospital":
        known = _room_of(module)
        return None if known in MAY_IMPORT.get(room, set()) | {room, ""} else f"{room} imports {known}"
    forbidden = (
        (package in WEB and room not in MAY_USE_WEB)
        or (package in DATABASE and room in MAY_NOT_USE_DATABASE)
        or (room in ONLY_THESE_PACKAGES and package not in ONLY_THESE_PACKAGES[room])
    )
    return f"{room} imports {package}" if forbidden else None


def _room_of(module: str) -> str:
    """'hospital.alerts.raising' lies in 'alerts', 'hospital.clock' in 'words'; 'hospital' itself in ''."""
    names = module.split(".")
    if names[0] != "hospital":
        return names[0]
    room = names[1] if len(names) > 1 else ""
    return "words" if room in WORDS else room


def _imports(root: Path, file: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of whatever a file imports, wherever in the file it does so."""
    package = _module_name(root, file).split(".")
    if file.name != "__init__.py":
        package.pop()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join(above + ([node.module] if node.module else []))
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def _module_name(root: Path, file: Path) -> str:
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _project_modules(root: Path) -> list[Path]:
    wiring = [root / f"{name}.py" for name in sorted(WIRING)]
    return sorted((root / "hospital").rglob("*.py")) + [file for file in wiring if file.exists()]


# ---- What a file says of itself --------------------------------------------------------------------------------------


def docstring_breaches(root: Path) -> list[str]:
    """Files of hospital/ that do not begin by saying what they are for. An empty file has nothing to explain."""
    trees = ((file, ast.parse(file.read_text())) for file in _project_modules(root))
    return [f"{file.relative_to(root)}:1: no docstring" for file, tree in trees if tree.body and not _opens(tree)]


def _opens(tree: ast.Module) -> bool:
    return ast.get_docstring(tree) is not None


# ---- What a template may hold ----------------------------------------------------------------------------------------

JINJA_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
JINJA = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)

# In the template as it is written.
NEVER_WRITTEN = {
    "|safe": re.compile(r"\|\s*safe\b"),
    "autoescape": re.compile(r"\{%-?\s*autoescape\b"),
    "hx-on": re.compile(r"\bhx-on\b"),
    "js:": re.compile(r"\b(js|javascript):", re.IGNORECASE),
}
# In what remains when Jinja's own marks are taken out: the Content-Security-Policy would refuse these anyway.
NEVER_IN_HTML = {
    "style=": re.compile(r"(?<![\w-])style\s*=", re.IGNORECASE),
    "an on…= attribute": re.compile(r"(?<![\w:.-])on[a-z]+\s*=", re.IGNORECASE),
    "a script without src": re.compile(r"<script\b(?![^>]*(?<![\w-])src\s*=)", re.IGNORECASE),
}
# Besides: a fragment is rendered once for many people, so it holds nothing that belongs to one of them.
NEVER_IN_A_FRAGMENT = {
    "csrf": re.compile("csrf", re.IGNORECASE),
    "nonce": re.compile("nonce", re.IGNORECASE),
    "a script": re.compile(r"<script\b", re.IGNORECASE),
}
# It is served only with its own page, to the person who asked, and never by the stream.
MAY_HOLD = {("fragments/alert_detail.html", "csrf")}


def template_breaches(root: Path) -> list[str]:
    """What templates hold that no browser should get, as 'file:line: what'."""
    folder = root / "templates"
    return [breach for file in sorted(folder.rglob("*.html")) for breach in _breaches_of_template(folder, file)]


def _breaches_of_template(folder: Path, file: Path) -> Iterator[str]:
    written = JINJA_COMMENT.sub(_blank, file.read_text())
    html = JINJA.sub(_blank, written)
    name = file.relative_to(folder).as_posix()
    rules = [(written, NEVER_WRITTEN), (html, NEVER_IN_HTML)]
    if name.startswith("fragments/"):
        rules.append((written, NEVER_IN_A_FRAGMENT))
    for text, patterns in rules:
        for what, pattern in patterns.items():
            if (name, what) not in MAY_HOLD:
                yield from (f"templates/{name}:{_line(text, hit)}: {what}" for hit in pattern.finditer(text))


def _blank(hit: re.Match[str]) -> str:
    """As many lines, so that a breach below keeps its line number."""
    return " " + "\n" * hit.group().count("\n")


def _line(text: str, hit: re.Match[str]) -> int:
    return text.count("\n", 0, hit.start()) + 1


# ---- What no file may name -------------------------------------------------------------------------------------------

# Put together, so that this file does not find itself.
DEVELOPERS_FOLDERS = "|".join(["wo" + "rk", "ro" + "ot", "ho" + "me", "Us" + "ers"])
DEVELOPERS_PATH = re.compile(rf"(?<![\w.:/$}}~-])/({DEVELOPERS_FOLDERS})/\w".encode())
NOT_OURS = {".git", "__pycache__", "instance", "node_modules", "vendor"}
HIDDEN_BUT_OURS = {".ci", ".github"}


def path_breaches(root: Path) -> list[str]:
    """Files that name a path of somebody's machine."""
    return [
        f"{file.relative_to(root)}:{number}: {hit.group().decode()}…"
        for file in _project_files(root)
        for number, line in enumerate(file.read_bytes().splitlines(), 1)
        if (hit := DEVELOPERS_PATH.search(line))
    ]


def _project_files(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink() or entry.name in NOT_OURS:
            continue
        if entry.is_file():
            yield entry
        elif not entry.name.startswith(".") or entry.name in HIDDEN_BUT_OURS:
            yield from _project_files(entry)


# ---- This tree keeps the rules ---------------------------------------------------------------------------------------


def test_rooms_import_only_rooms_below_them() -> None:
    assert import_breaches(ROOT) == []


def test_every_file_begins_by_saying_what_it_is_for() -> None:
    assert docstring_breaches(ROOT) == []


def test_templates_hold_no_inline_code_and_fragments_nothing_personal() -> None:
    assert template_breaches(ROOT) == []


def test_no_file_names_a_path_of_a_developers_machine() -> None:
    assert path_breaches(ROOT) == []


# ---- And a breach of them is found -----------------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """This tree's code and templates, to break rules in."""
    for name in ("hospital", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in WIRING:
        if (ROOT / f"{name}.py").exists():
            shutil.copy(ROOT / f"{name}.py", tmp_path)
    return tmp_path


def plant(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def planted(breaches: list[str]) -> list[str]:
    return [breach for breach in breaches if "planted" in breach]


def test_an_import_of_a_room_above_is_found(copy: Path) -> None:
    plant(copy, "hospital/records/planted.py", '"""x"""\nfrom hospital.alerts import raising\n')
    assert planted(import_breaches(copy)) == ["hospital/records/planted.py:2: records imports alerts"]


def test_a_door_that_imports_a_door_is_found(copy: Path) -> None:
    plant(copy, "hospital/pages/planted.py", '"""x"""\nimport hospital.live.hub\n')
    assert planted(import_breaches(copy)) == ["hospital/pages/planted.py:2: pages imports live"]


def test_triage_that_looks_into_the_records_is_found(copy: Path) -> None:
    plant(copy, "hospital/triage/planted.py", '"""x"""\nfrom hospital.records.alert import Alert\n')
    assert planted(import_breaches(copy)) == ["hospital/triage/planted.py:2: triage imports records"]


def test_records_that_call_triage_are_found_even_inside_a_function(copy: Path) -> None:
    plant(copy, "hospital/records/planted.py", '"""x"""\ndef f():\n    from hospital import triage\n')
    assert planted(import_breaches(copy)) == ["hospital/records/planted.py:3: records imports triage"]


def test_a_relative_import_hides_nothing(copy: Path) -> None:
    plant(
        copy, "hospital/access/planted.py", '"""x"""\nfrom ..alerts.raising import raise_alert\nfrom . import guard\n'
    )
    assert planted(import_breaches(copy)) == ["hospital/access/planted.py:2: access imports alerts"]


def test_words_that_import_a_package_are_found(copy: Path) -> None:
    plant(copy, "hospital/clock.py", '"""x"""\nimport os\nimport msgspec\n')
    assert "hospital/clock.py:3: words imports msgspec" in import_breaches(copy)


def test_flask_in_an_act_is_found(copy: Path) -> None:
    plant(copy, "hospital/alerts/planted.py", '"""x"""\nfrom flask import request\n')
    assert planted(import_breaches(copy)) == ["hospital/alerts/planted.py:2: alerts imports flask"]


def test_sqlalchemy_in_triage_is_found(copy: Path) -> None:
    plant(copy, "hospital/triage/planted.py", '"""x"""\nfrom sqlalchemy.orm import Session\n')
    assert planted(import_breaches(copy)) == ["hospital/triage/planted.py:2: triage imports sqlalchemy"]


def test_a_simulator_that_takes_the_back_door_is_found(copy: Path) -> None:
    plant(copy, "hospital/simulator/planted.py", '"""x"""\nimport gevent\nfrom hospital import clock, records\n')
    assert planted(import_breaches(copy)) == ["hospital/simulator/planted.py:3: simulator imports records"]


def test_a_room_that_imports_the_wiring_is_found(copy: Path) -> None:
    plant(copy, "hospital/pages/planted.py", '"""x"""\nfrom app import create_app\n')
    assert planted(import_breaches(copy)) == ["hospital/pages/planted.py:2: pages imports app"]


def test_a_room_without_a_place_in_the_layers_is_found(copy: Path) -> None:
    plant(copy, "hospital/utils.py", '"""x"""\n')
    assert "hospital/utils.py:1: utils has no place in the layers" in import_breaches(copy)


def test_a_file_that_does_not_say_what_it_is_for_is_found(copy: Path) -> None:
    plant(copy, "hospital/alerts/planted.py", "import os\n")
    assert planted(docstring_breaches(copy)) == ["hospital/alerts/planted.py:1: no docstring"]


@pytest.mark.parametrize(
    ("html", "what"),
    [
        ('<p class="a"\n   style="color: red">', "style="),
        ("<p {% if late %}style='color: red'{% endif %}>", "style="),
        ('<button onclick="go()">', "an on…= attribute"),
        ('<p title="{{ name }}"onfocus=go()>', "an on…= attribute"),
        ("<script>go()</script>", "a script without src"),
        ('<script data-src="a.js" nonce="{{ nonce }}">', "a script without src"),
        ("{{ name | safe }}", "|safe"),
        ("{% autoescape false %}{{ name }}{% endautoescape %}", "autoescape"),
        ('<p hx-on:click="go()">', "hx-on"),
        ("<p hx-vals='js:{a: go()}'>", "js:"),
    ],
)
def test_inline_code_in_a_template_is_found(copy: Path, html: str, what: str) -> None:
    plant(copy, "templates/pages/planted.html", html)
    assert [breach.partition(": ")[2] for breach in planted(template_breaches(copy))] == [what]


def test_markup_that_only_looks_like_inline_code_is_left_alone(copy: Path) -> None:
    plant(
        copy,
        "templates/pages/planted.html",
        '{# no style= here #}{% set one = 1 %}<script type="module" src="{{ url_for("static", filename="js/a.js") }}">'
        '</script><link rel="stylesheet" href="a.css"><p data-style="x" data-on="y">{{ card(style="wide") }}</p>',
    )
    assert planted(template_breaches(copy)) == []


@pytest.mark.parametrize(
    ("html", "what"),
    [
        ('<input name="csrf" value="{{ csrf_token() }}">', "csrf"),
        ('<p data-x="{{ nonce }}">', "nonce"),
        ('<script src="a.js"></script>', "a script"),
    ],
)
def test_something_personal_in_a_shared_fragment_is_found(copy: Path, html: str, what: str) -> None:
    plant(copy, "templates/fragments/planted.html", f"<article>\n{html}\n</article>")
    assert f"templates/fragments/planted.html:2: {what}" in template_breaches(copy)


def test_the_detail_of_an_alert_may_hold_its_readers_token(copy: Path) -> None:
    plant(copy, "templates/fragments/alert_detail.html", '<input name="csrf">')
    assert not [breach for breach in template_breaches(copy) if "alert_detail" in breach]


@pytest.mark.parametrize("folder", DEVELOPERS_FOLDERS.split("|"))
def test_a_path_of_a_developers_machine_is_found(copy: Path, folder: str) -> None:
    plant(copy, "docs/planted.md", f"See it\nin `/{folder}/ada/notes`, not at https://example.org/{folder}/ada.\n")
    assert planted(path_breaches(copy)) == [f"docs/planted.md:2: /{folder}/a…"]
