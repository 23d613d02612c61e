"""Whatever comes from outside is named here, with what becomes of it when it is far too long, or nonsense.

The table is held to the code: a field, a query's word, a header or a cookie that a door reads and nobody has thought
about is missed. What HL7, FHIR and JSON messages may hold: tests/intake; what is said on a socket:
tests/access/test_every_message.py; bad bytes by the thousand: tests/fuzz.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from hospital import records
from hospital.records import Board, Monitoring, Sender
from tests.access.strangers import new_token
from tests.live.lines import visitor_of
from tests.support.boards import paired
from tests.support.house import House
from tests.support.readings import reading

# Who sends it, and what the answer is to a value of 100,000 characters. `as ever`: what is too long says nothing, and
# the answer is what it is without it. The rest of a form is as it should be.
TABLE = """
physician POST /session/renewal                form   active           200 as ever
physician POST /account/password               form   old              422 cut, and wrong
physician POST /account/password               form   new              422
physician POST /account/password               form   again            422
physician POST /account/second-factor          form   code             422
physician POST /account/second-factor-removal  form   code             422
physician POST /alerts/<alert>/acknowledgement form   idempotency_key  400
physician POST /alerts/<alert>/acknowledgement form   seen_state       400
physician POST /alerts/<alert>/acknowledgement form   seen_priority    400
physician POST /alerts/<alert>/acknowledgement header Idempotency-Key  400
physician POST /alerts/<alert>/acknowledgement header Seen-State       400
physician POST /alerts/<alert>/acknowledgement header Seen-Priority    400
physician POST /alerts/<alert>/acknowledgement header Pressed-At       400
physician POST /alerts/<alert>/acknowledgement header HX-Request       200 as ever
physician POST /alerts/<alert>/acknowledgement header X-CSRF-Token     403
physician POST /alerts/<alert>/acknowledgement header Origin           403
physician POST /alerts/<alert>/acknowledgement header Sec-Fetch-Site   403
physician POST /alerts/<alert>/notes           form   text             422
physician POST /patients/<patient>/observations form  pulse            422
physician POST /patients/<patient>/observations form  on_oxygen        422
physician POST /patients/<patient>/observations form  consciousness    422
physician POST /patients/<patient>/spo2-scale  form   scale            422
physician POST /patients                       form   words            422
physician GET  /patients                       query  order            200 as ever
nurse     POST /emergency                      form   reason           422
charge    POST /boards                         form   code             422
charge    POST /boards                         form   name             422
charge    POST /boards                         form   unit             422
charge    POST /boards/<wall>                  form   night_from       422
charge    POST /boards/<wall>                  form   night_to         422
admin     POST /admin/people                   form   name             422
admin     POST /admin/people                   form   sign_in_name     422
admin     POST /admin/people                   form   role             422
admin     POST /admin/people                   form   unit             422
admin     POST /admin/people/<person>          form   active           303 as ever
admin     POST /admin/second-factor-roles      form   role             303 as ever
admin     POST /admin/units                    form   code             422
admin     POST /admin/units                    form   name             422
admin     POST /admin/units/<unit>/beds        form   code             422
admin     POST /admin/zone                     form   timezone         422
admin     POST /admin/bed-codes                form   bed_code         422
admin     POST /admin/bed-codes                form   bed              422
admin     POST /admin/senders                  form   name             422
admin     POST /admin/senders                  form   application      422
admin     POST /admin/senders                  form   facility         422
admin     POST /admin/senders                  form   addresses        422
admin     POST /admin/senders                  form   unit             422
admin     POST /admin/senders/<sender>/tokens  form   kind             422
admin     GET  /admin/audit                    query  person           400
admin     GET  /admin/audit                    query  act              400
admin     GET  /admin/audit                    query  kind             400
admin     GET  /admin/audit                    query  id               400
admin     GET  /admin/audit                    query  day              400
admin     GET  /admin/audit                    query  before           200 as ever
physician GET  /patients/<patient>/trend       query  hours            400
physician GET  /metrics                        query  hours            400
physician GET  /metrics                        query  from             422
physician GET  /metrics                        query  to               422
physician GET  /metrics/export                 query  hours            400
physician GET  /metrics/export                 query  from             400
physician GET  /metrics/export                 query  to               400
physician GET  /live/stream                    query  view             400
physician GET  /live/stream                    query  after            200 a resync
physician GET  /live/stream                    query  build            200 cut
physician GET  /live/stream                    header Last-Event-ID    200 a resync
physician GET  /alerts                         header Accept-Language  200 as ever
physician GET  /alerts                         header Accept           200 as ever
physician GET  /alerts                         header User-Agent       200 as ever
physician GET  /alerts                         header Referer          200 as ever
physician GET  /alerts                         header Sec-Fetch-User   200 as ever
physician GET  /alerts                         header Sec-Fetch-Mode   200 as ever
physician GET  /alerts                         header X-By-Itself      200 as ever
nobody    GET  /alerts                         cookie session          302
nobody    GET  /board                          cookie device           302
nobody    GET  /pair                           cookie pairing          200 as ever
nobody    POST /sign-in                        form   name             401 cut, and wrong
nobody    POST /sign-in                        form   password         401 cut, and wrong
nobody    POST /sign-in                        form   next             303 as ever
nobody    POST /sign-in                        form   csrf_token       403
nobody    POST /api/v1/alerts                  header Authorization    401
physician POST /live/pulse                     body   -                413
physician POST /live/reports                   body   -                413
nobody    POST /csp-reports                    body   -                413
sender    POST /api/v1/hl7                     body   -                422
sender    POST /api/v1/fhir                    body   -                400
sender    POST /api/v1/alerts                  body   -                400
"""
ROWS = [tuple(line.split(maxsplit=6)) for line in TABLE.splitlines() if line]
IDS = ["-".join(row[2:5]).replace("/", ".") for row in ROWS]

GOOD: dict[str, dict[str, str]] = {
    "/sign-in": {"name": "nurse", "password": "demo-nurse"},
    "/account/password": {"old": "demo-physician", "new": "a horse in the lift", "again": "a horse in the lift"},
    "/boards": {"code": "ACDEFGHJ", "name": "Corridor", "unit": "1"},
    "/admin/people": {"name": "New N.", "sign_in_name": "new", "role": "nurse", "unit": "1"},
    "/admin/people/<person>": {"name": "Jonas K.", "role": "nurse", "unit": "1", "active": "1"},
    "/admin/units": {"code": "NEW", "name": "New unit"},
    "/admin/bed-codes": {"bed_code": "MED^^7", "bed": "7"},
    "/admin/senders": {"name": "Gateway", "application": "GW", "facility": "X"},
}
LONG, DIGITS, NUL, ODD = "x" * 100_000, "9" * 5_000, "a\0b", "\u202e\u0661\ud7ff\n"  # far too long, and only strange
DOORS = Path(__file__).parents[2] / "hospital"
# Read under a name that only the code knows: each word stands in the table all the same.
READERS = {"typed", "chosen", "_given", "get", "getlist"}
OF_LOOPS = {"name", "password", "old", "new", "again", "person", "act", "kind", "id", "day", "pulse", "on_oxygen"}
NOT_READ_HERE = {"consciousness", "Accept", "Accept-Language", "Referer", "session", "device", "pairing"}


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_what_is_far_too_long_is_refused_or_says_nothing(house: House, row: tuple[str, ...]) -> None:
    assert _send(house, row, LONG).status_code == int(row[5])


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row[3] in ("form", "query")], ids=lambda row: f"{row[2]}-{row[4]}"
)
def test_nonsense_never_breaks_us(house: House, row: tuple[str, ...]) -> None:
    for value in (DIGITS, NUL, ODD):
        assert _send(house, row, value).status_code < 500, value[:10]


def test_a_stream_has_only_so_many_views(house: House) -> None:
    nurse = visitor_of(house, "nurse")
    views = "&".join(f"view=patient:{number}" for number in range(101))
    assert nurse.get(f"/live/stream?{views}").status_code == 400


def test_everything_that_a_door_reads_is_in_the_table() -> None:
    assert read_by_doors() - {row[4] for row in ROWS} == set()


def test_nothing_in_the_table_has_gone(house: House) -> None:
    assert {row[4] for row in ROWS if row[3] != "body"} - read_by_doors() - OF_LOOPS - NOT_READ_HERE == set()


def test_a_field_that_nobody_thought_about_is_missed(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("from flask import request\nrequest.form.get('planted')\nrequest.headers['X-Planted']\n")
    assert set(_read_by(planted)) == {"planted", "X-Planted"}


def read_by_doors() -> set[str]:
    files = [
        file for room in ("access", "intake", "live", "pages", "operations") for file in (DOORS / room).glob("*.py")
    ]
    named = {name for file in files for name in _read_by(file)}
    return {{"seen_state": "Seen-State", "seen_priority": "Seen-Priority"}.get(name, name) for name in named} | {
        name for name in named if name.startswith("seen_")
    }


def _read_by(file: Path) -> Iterator[str]:
    """The words with which this file asks for fields, queries, headers and cookies, where they are written there."""
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=what), attr=how), args=[*args]) if (
                what in ("form", "args", "headers", "values", "cookies") and how in READERS
            ):
                if ast.unparse(node.func).startswith("request."):
                    yield from _words(args[:1])
            case ast.Call(func=ast.Name(id=how), args=[*args]) if how in READERS:
                yield from _words(args)
            case ast.Subscript(value=value, slice=key) if ast.unparse(value) in ("request.headers", "request.form"):
                yield from _words([key])
            case ast.Compare(left=left, comparators=[where]) if ast.unparse(where) in (
                "request.headers",
                "request.form",
            ):
                yield from _words([left])


def _words(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _send(house: House, row: tuple[str, ...], value: str) -> TestResponse:
    who, method, route, kind, name = row[:5]
    visitor = visitor_of(house, who) if who not in ("nobody", "sender") else house.visitor()
    headers = {"X-CSRF-Token": visitor.csrf_token}
    if who == "sender":
        headers = {"Authorization": f"Bearer {new_token(house)}", "Content-Type": _type_of(route)}
    path, form, query = _path(house, route), dict(GOOD.get(route, {})), {}
    if route == "/sign-in":
        page = visitor.client.get("/sign-in").text
        form["csrf_token"] = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]
    if route.startswith("/live/stream") and name != "view":
        query["view"] = "alerts"
    if kind == "cookie":
        headers["Cookie"] = f"{name}={value}"
    else:
        {"form": form, "query": query, "header": headers, "body": {}}[kind][name] = value
    how: dict[str, Any] = {"data": value} if kind == "body" else {"data": form} if method == "POST" else {}
    answer = visitor.client.open(path, method=method, headers=headers, query_string=query, buffered=False, **how)
    answer.close()
    return answer


def _type_of(route: str) -> str:
    return "x-application/hl7-v2+er7" if route.endswith("hl7") else "application/json"


def _path(house: House, route: str) -> str:
    """With a thing of its own for each word in it."""
    made = {
        "<alert>": lambda: house.raise_alarm(),
        "<patient>": lambda: (house.take(reading()), _newest(Monitoring.patient_id))[1],
        "<person>": lambda: house.actor("nurse2").person_id,
        "<unit>": lambda: 1,
        "<wall>": lambda: paired(house, f"Wall {_newest(Board.id)}")[1].id,
        "<sender>": lambda: (new_token(house), _newest(Sender.id))[1],
    }
    for word, make in made.items():
        if word in route:
            route = route.replace(word, str(make()))
    return route


def _newest(column: Any) -> int:
    with records.read() as session:
        return int(session.scalar(select(func.max(column))) or 0)
