"""Who gets what at each door: one table, written from the design and not from the code."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from hospital import clock, records
from hospital.intake import senders
from hospital.intake.receiving import receive
from hospital.records import Hospital, Monitoring, Observation, Person, PersonSession
from hospital.roles import Role
from tests.access.strangers import hire, new_token
from tests.support.alarms import alarm
from tests.support.house import House, Visitor
from tests.support.readings import reading
from tests.support.websocket import HANDSHAKE

# `nurse` and `display` are in MED, `nurse-icu` in ICU, `charge` and `physician` in both, `nurse-b` in the MED of the
# other hospital. `nobody` is a browser without a sign-in, `sender` a program with a token of `demo`.
# <MED>, <ICU>, <none>, <other>: an alert or a patient in that unit, in none that is known, or in the other hospital.
# 501: may come in, but a client without a socket has none to give; tests/live/test_socket.py has one.
# <own>, <foreign>: a sign-in of oneself, or of somebody else. <here>, <there>: a person of `demo`, or of `demo-b`;
# <his>: a sign-in of <here>. `door`: sent to the sign-in page, and from there back. `list`: sent to the list of alerts.
# <his>: a sign-in of <here>. <board>: one that is not there; tests/access/test_pairing.py has those that are.
# `door`: sent to the sign-in page, and from there back. `list`: sent to the list of alerts. `code`: sent to where a
# screen shows its code. `wall`: sent to the board. `desk`: to the administration.
# `back`: to the page with the button.
TABLE = """
how  route                           nurse nurse-icu charge physician engineer admin display nurse-b nobody sender

GET  /static/<file>                  200   200       200    200       200      200   200     200     200    200
GET  /health/live                    200   200       200    200       200      200   200     200     200    200
GET  /health/ready                   200   200       200    200       200      200   200     200     200    200
GET  /internal/metrics               200   200       200    200       200      200   200     200     200    200

GET  /sign-in                        list  list      list   list      desk     desk  list    list    200    200
POST /sign-in                        list  list      list   list      list     list  list    list    list   list
GET  /sign-in/code                   list  list      list   list      desk     desk  list    list    door   door
POST /sign-in/code                   list  list      list   list      desk     desk  list    list    401    401
POST /session/renewal                200   200       200    200       200      200   200     200     401    401

GET  /account                        200   200       200    200       200      200   403     200     door   door
POST /account/sessions/<own>/end     back  back      back   back      back     back  403     back    401    401
POST /account/sessions/<foreign>/end 404   404       404    404       404      404   403     404     401    401
GET  /account/password               200   200       200    200       200      200   403     200     door   door
POST /account/password               422   422       422    422       422      422   403     422     401    401
GET  /account/second-factor          200   200       200    200       200      200   403     200     door   door
POST /account/second-factor          422   422       422    422       422      422   403     422     401    401
POST /account/second-factor-removal  422   422       422    422       422      422   403     422     401    401

GET  /admin                          403   403       403    403       200      200   403     403     door   door
GET  /admin/people                   403   403       403    403       403      200   403     403     door   door
POST /admin/second-factor-roles      403   403       403    403       403      back  403     403     401    401
GET  /admin/people/<here>/sessions   403   403       403    403       403      200   403     403     door   door
GET  /admin/people/<there>/sessions  403   403       403    403       403      404   403     403     door   door
POST /admin/people/<here>/sessions/<his>/end 403 403 403    403       403      back  403     403     401    401
POST /admin/people/<there>/sessions/<his>/end 403 403 403   403       403      404   403     403     401    401
POST /admin/people/<here>/password-reset 403   403       403    403       403      200   403     403     401    401
POST /admin/people/<there>/password-reset 403  403       403    403       403      404   403     403     401    401
POST /admin/people/<here>/second-factor-removal 403 403 403 403       403      back  403     403     401    401
POST /admin/people/<there>/second-factor-removal 403 403 403 403      403      404   403     403     401    401

GET  /                               list  list      list   list      desk     desk  list    list    door   door
GET  /alerts                         200   200       200    200       403      403   200     200     door   door
GET  /alerts/<MED>                   200   404       200    200       403      403   200     404     door   door
GET  /alerts/<ICU>                   404   200       200    200       403      403   404     404     door   door
GET  /alerts/<none>                  404   404       200    404       403      403   404     404     door   door
GET  /alerts/<other>                 404   404       404    404       403      403   404     200     door   door

POST /alerts/<MED>/acknowledgement   200   404       200    200       403      403   403     404     401    401
POST /alerts/<ICU>/acknowledgement   404   200       200    200       403      403   404     404     401    401
POST /alerts/<none>/acknowledgement  404   404       200    404       403      403   404     404     401    401
POST /alerts/<other>/acknowledgement 404   404       404    404       403      403   404     200     401    401

POST /alerts/<MED>/resolution        200   404       403    200       403      403   403     404     401    401
POST /alerts/<ICU>/resolution        404   200       403    200       403      403   404     404     401    401
POST /alerts/<none>/resolution       404   404       200    404       403      403   404     404     401    401
POST /alerts/<other>/resolution      404   404       404    404       403      403   404     200     401    401

POST /alerts/<MED>/escalation        200   404       200    200       403      403   403     404     401    401
POST /alerts/<ICU>/escalation        404   200       200    200       403      403   404     404     401    401
POST /alerts/<none>/escalation       404   404       200    404       403      403   404     404     401    401
POST /alerts/<other>/escalation      404   404       404    404       403      403   404     200     401    401

POST /alerts/<MED>/notes             200   404       200    200       403      403   403     404     401    401
POST /alerts/<ICU>/notes             404   200       200    200       403      403   404     404     401    401
POST /alerts/<none>/notes            404   404       200    404       403      403   404     404     401    401
POST /alerts/<other>/notes           404   404       404    404       403      403   404     200     401    401

GET  /patients                       200   200       200    200       403      403   200     200     door   door
GET  /patients/<MED>                 200   404       200    200       403      403   200     404     door   door
GET  /patients/<ICU>                 404   200       200    200       403      403   404     404     door   door
GET  /patients/<none>                404   404       200    404       403      403   404     404     door   door
GET  /patients/<other>               404   404       404    404       403      403   404     200     door   door
GET  /patients/<MED>/trend           200   404       200    200       403      403   200     404     door   door
GET  /patients/<ICU>/trend           404   200       200    200       403      403   404     404     door   door
GET  /patients/<none>/trend          404   404       200    404       403      403   404     404     door   door
GET  /patients/<other>/trend         404   404       404    404       403      403   404     200     door   door

POST /patients/<MED>/observations    200   404       200    200       403      403   403     404     401    401
POST /patients/<ICU>/observations    404   200       200    200       403      403   404     404     401    401
POST /patients/<none>/observations   404   404       200    404       403      403   404     404     401    401
POST /patients/<other>/observations  404   404       404    404       403      403   404     200     401    401

POST /patients/<MED>/spo2-scale      403   404       403    200       403      403   403     404     401    401
POST /patients/<ICU>/spo2-scale      404   403       403    200       403      403   404     404     401    401
POST /patients/<none>/spo2-scale     404   404       403    404       403      403   404     404     401    401
POST /patients/<other>/spo2-scale    404   404       404    404       403      403   404     403     401    401

GET  /metrics                        200   200       200    200       403      403   200     200     door   door
GET  /board                          200   200       200    200       403      403   200     200     code   code
GET  /boards                         403   403       200    403       403      403   403     403     door   door
POST /boards                         403   403       422    403       403      403   403     403     401    401
POST /boards/<board>/revocation      403   403       404    403       403      403   403     403     401    401
GET  /pair                           wall  wall      wall   wall      wall     wall  wall    wall    200    200
POST /pair/claim                     403   403       403    403       403      403   403     403     403    403

GET  /admin/audit                    403   403       403    403       403      200   403     403     door   door
GET  /admin/streams                  403   403       403    403       403      200   403     403     door   door
GET  /admin/audit/export             403   403       403    403       403      200   403     403     door   door

GET  /live/stream                    200   200       200    200       403      403   200     200     401    401
POST /live/reports                   204   204       204    204       204      204   204     204     401    401
POST /live/pulse                     404   404       404    404       403      403   404     404     401    401
GET  /live/socket                    501   501       501    501       403      403   501     501     401    401
POST /api/v1/hl7                     401   401       401    401       401      401   401     401     401    202
POST /api/v1/fhir                    401   401       401    401       401      401   401     401     401    202
POST /api/v1/alerts                  401   401       401    401       401      401   401     401     401    202

POST /sign-out                       door  door      door   door      door     door  door    door    401    401
"""

_, HEADINGS, *LINES = TABLE.splitlines()
WHO = HEADINGS.split()[2:]
CELLS = [line.split() for line in LINES if line]
ROWS = [(method, path) for method, path, *_ in CELLS]
EXPECTED = {who: {(cells[0], cells[1]): cells[n] for cells in CELLS} for n, who in enumerate(WHO, 2)}

BEDS = {"MED": "MED^^MED-07", "ICU": "ICU^^ICU-02", "none": "ATTIC^^ATTIC-01", "other": "MED^^MED-07"}
HAPPENINGS = {
    "acknowledgement": "acknowledged",
    "resolution": "resolved",
    "escalation": "escalated",
    "notes": "noted",
}

WHERE = {"/alerts": "list", "/admin": "desk", "/pair": "code", "/board": "wall"}
PLACE = "<(MED|ICU|none|other)>"
SIGN_IN, PERSON = "<(own|foreign|his)>", "<(here|there)>"
SAID = {"text": "Seen.", "pulse": "80", "scale": "2"}
BODIES = {
    "/api/v1/hl7": ("x-application/hl7-v2+er7", alarm()),
    "/api/v1/fhir": ("application/fhir+json", b'{"resourceType": "Patient", "identifier": [{"value": "1"}]}'),
    "/live/reports": ("application/json", b'{"errors": {}, "paint_ms": []}'),
    "/live/pulse": ("application/json", b'{"cursor": "e-1"}'),
    "/api/v1/alerts": ("application/json", b'{"id": "A", "unit": "MED", "bed": "MED-07", "text": "SpO2 low"}'),
}

Row = tuple[str, str]

# What makes a session less than a whole one: where its pages lead ('': to the sign-in), and what is open all the same.
STATES: dict[str, tuple[str, set[Row]]] = {
    "ended": ("", set()),
    "expired": ("", set()),
    "left alone": ("", set()),
    "with an old token": ("", set()),
    "of a disabled person": ("", set()),
    "without its code": ("/sign-in/code", {("GET", "/sign-in/code"), ("POST", "/sign-in/code")}),
    "with a password to change": ("/account/password", {("GET", "/account/password"), ("POST", "/account/password")}),
    "with a factor to set up": (
        "/account/second-factor",
        {("GET", "/account/second-factor"), ("POST", "/account/second-factor")},
    ),
}
SIGN_IN_ROWS = {
    (method, path)
    for method, path in ROWS
    if path in ("/sign-in", "/sign-out", "/pair", "/pair/claim") or path.startswith("/api/")
}


@pytest.mark.parametrize("who", WHO)
def test_everybody_gets_what_the_table_says(house: House, who: str) -> None:
    visitor, bearer = _come_in(house, who)
    numbers = {row: _bring(house, row) for row in ROWS if _place(row)}

    got = {row: _what_happened(_knock(visitor, bearer, _named(house, who, row), numbers.get(row))) for row in ROWS}

    assert _differences(got, EXPECTED[who]) == {}
    assert _differences(_traces(house, numbers), _expected_traces(who, numbers)) == {}


@pytest.mark.parametrize("who", ["nurse", "admin", "nobody"])
def test_a_head_request_is_answered_as_the_get_it_stands_for(house: House, who: str) -> None:
    visitor, bearer = _come_in(house, who)
    rows = [row for row in ROWS if row[0] == "GET" and not row[1].startswith("/live/")]

    named = {row: ("HEAD", _named(house, who, row)[1]) for row in rows}
    got = {row: _what_happened(_knock(visitor, bearer, named[row], _bring(house, row))) for row in rows}

    assert _differences(got, {row: EXPECTED[who][row] for row in rows}) == {}


@pytest.mark.parametrize("state", list(STATES))
@pytest.mark.parametrize("who", ["physician", "admin"])
def test_a_session_that_is_no_whole_one_gets_what_nobody_gets(house: House, who: str, state: str) -> None:
    """Ended, too old, left alone, stolen, of somebody who has left, or with a step before it: every door is closed."""
    clock.stop()
    visitor, _ = _come_in(house, who)
    door, still_open = STATES[state]
    _bring_to(state, house, visitor, who)
    number = house.raise_alarm()

    for row in ROWS:
        if row not in SIGN_IN_ROWS | still_open:
            answer = _knock(visitor, {}, _named(house, "nobody", row), number)
            expected = EXPECTED["nobody"][row]
            got = _what_happened(answer)
            if expected in ("door", "code") and door:
                expected, got = door, answer.headers.get("Location", "").partition("?")[0]
            assert (row, got) == (row, expected)


def test_the_table_says_something_of_everybody_in_every_row() -> None:
    assert {len(cells) for cells in CELLS} == {2 + len(WHO)}
    assert len(ROWS) == len(set(ROWS))


def test_every_route_about_something_is_tried_on_such_things_of_every_place() -> None:
    placed = {row for row in ROWS if _place(row)}
    assert placed == {(method, re.sub(PLACE, f"<{place}>", path)) for method, path in placed for place in BEDS}


def test_no_route_is_missing_in_the_table(house: House) -> None:
    assert not_in_the_table(house.app) == set()


def test_no_row_of_the_table_is_about_a_route_that_is_gone(house: House) -> None:
    assert _decided() <= _routes(house.app)


def test_a_planted_route_that_is_not_in_the_table_is_found(house: House) -> None:
    house.app.add_url_rule("/alerts/<int:alert_id>/planted", view_func=_planted, methods=["DELETE"])
    house.app.add_url_rule("/alerts", "second_planted", view_func=_planted, methods=["PATCH"])
    assert not_in_the_table(house.app) == {("DELETE", "/alerts/<int:alert_id>/planted"), ("PATCH", "/alerts")}


@pytest.mark.parametrize("who", ["physician", "admin", "nobody", "sender"])
def test_a_view_that_does_not_say_who_may_come_in_lets_nobody_in(house: House, who: str) -> None:
    house.app.add_url_rule("/planted", view_func=_planted, methods=["GET", "POST"])
    visitor, bearer = _come_in(house, who)

    for method in ("GET", "POST"):
        answer = _open(visitor, method, "/planted", bearer)
        assert (answer.status_code, "planted goods" in answer.text) == (403, False)


def test_a_method_that_a_route_does_not_take_is_refused(house: House) -> None:
    visitor, _ = _come_in(house, "physician")
    paths = {(method, _path(path, 1)) for method, path in ROWS}
    for _, path in paths:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            if (method, path) not in paths:
                assert (path, method, _open(visitor, method, path).status_code) == (path, method, 405)


def not_in_the_table(app: Flask) -> set[Row]:
    """Methods and routes of which nobody has decided who may use them."""
    return _routes(app) - _decided()


def _routes(app: Flask) -> set[Row]:
    """HEAD and OPTIONS come with each GET; HEAD has its own test."""
    by_itself = {"HEAD", "OPTIONS"}
    return {(method, rule.rule) for rule in app.url_map.iter_rules() for method in (rule.methods or set()) - by_itself}


def _decided() -> set[Row]:
    return {(method, _route(path)) for method, path in ROWS}


def _route(path: str) -> str:
    """As the code writes it."""
    number = "<int:patient_id>" if path.startswith("/patients/") else "<int:alert_id>"
    path = re.sub(SIGN_IN, "<int:session_id>", re.sub(PERSON, "<int:person_id>", path))
    return re.sub(PLACE, number, path).replace("<file>", "<path:filename>").replace("<board>", "<int:board_id>")


def _path(path: str, number: int | None) -> str:
    path = re.sub(f"{PLACE}|{SIGN_IN}|{PERSON}", str(number), path)
    return path.replace("<file>", "css/main.css").replace("<board>", "7")


def _named(house: House, who: str, row: Row) -> Row:
    """With the numbers of the people and sign-ins that the row means; each row has a sign-in of its own to end."""
    _, path = row
    if found := re.search(SIGN_IN, path):
        owner = who if found[1] == "own" and who not in ("nobody", "sender") else "nurse2"
        house.visitor(owner)
        with records.read() as session:
            path = path.replace(found[0], str(session.scalar(select(func.max(PersonSession.id)))))
    if found := re.search(PERSON, path):
        with records.read() as session:
            name = "nurse2" if found[1] == "here" else "nurse-b"
            path = path.replace(found[0], str(session.scalar(select(Person.id).where(Person.name == name))))
    return row[0], path


def _place(row: Row) -> str:
    found = re.search(PLACE, row[1])
    return found[1] if found else ""


def _planted(**_: object) -> str:
    return "planted goods"


def _come_in(house: House, who: str) -> tuple[Visitor, dict[str, str]]:
    if who == "nobody":
        return house.visitor(), {}
    if who == "sender":
        return house.visitor(), {"Authorization": f"Bearer {new_token(house)}"}
    if who == "display":
        hire(house, "display", Role.DISPLAY, "MED")
    return house.visitor(who), {}


def _bring_to(state: str, house: House, visitor: Visitor, who: str) -> None:
    """Make this visitor's session what the state says."""
    mine: Any = update(Person).where(Person.name == who)
    session_of_mine: Any = update(PersonSession)
    if state == "with an old token":
        cookie = visitor.client.get_cookie("session")
        assert cookie is not None
        for _ in range(2):
            clock.turn(timedelta(minutes=15))
            visitor.get("/")
            visitor.get("/")
        visitor.client.set_cookie("session", cookie.value)
        return
    change = {
        "ended": session_of_mine.values(ended_at=clock.now()),
        "expired": session_of_mine.values(expires_at=clock.now()),
        "left alone": session_of_mine.values(seen_at=clock.now() - timedelta(hours=5)),
        "of a disabled person": mine.values(active=False),
        "without its code": session_of_mine.values(complete=False),
        "with a password to change": mine.values(must_change_password=True),
        "with a factor to set up": update(Hospital).values(second_factor_roles="physician admin"),
    }[state]
    records.write(None, lambda session: session.execute(change))


def _bring(house: House, row: Row) -> int | None:
    """An alert or a patient of its own for each row, so that no row sees what another did."""
    place, name = _place(row), " ".join(row)
    if not place:
        return None
    sender = senders.by_token(new_token(house, "demo-b", "Gateway of B")) if place == "other" else None
    if row[1].startswith("/alerts/"):
        received = receive(alarm(bed=BEDS[place], alert_id=name, patient=None), sender)
        assert received is not None
        return received.alert_ids[0]
    receive(reading(bed=BEDS[place], patient=f"{name}^^^Ward^PI"), sender)
    with records.read() as session:
        return session.scalar(select(func.max(Monitoring.patient_id)))


def _knock(visitor: Visitor, bearer: dict[str, str], row: Row, number: int | None) -> TestResponse:
    method, path = row[0], _path(row[1], number)
    if row == ("POST", "/sign-in"):
        return _sign_in_again(visitor)
    if path in BODIES:
        kind, body = BODIES[path]
        return _open(visitor, method, path, bearer, data=body, content_type=kind)
    if path.startswith("/live/"):
        upgrade = HANDSHAKE if path == "/live/socket" else {}
        return _open(visitor, method, f"{path}?view=alerts", bearer | upgrade, buffered=False)
    accept = "application/json" if method == "POST" and number else "text/html"
    return _open(visitor, method, path, {"Accept": accept, **bearer}, data=SAID if method == "POST" else None)


def _open(
    visitor: Visitor,
    method: str,
    path: str,
    headers: dict[str, str] | None = None,
    *,
    buffered: bool = True,
    **how: Any,
) -> TestResponse:
    headers = {"X-CSRF-Token": visitor.csrf_token, **(headers or {})}
    answer = visitor.client.open(path, method=method, headers=headers, buffered=buffered, **how)
    answer.close()
    return answer


def _sign_in_again(visitor: Visitor) -> TestResponse:
    """As `nurse`, from a browser in which the visitor is signed in once more: that sign-in ends, and no other."""
    again = Visitor(visitor.client.application.test_client())
    if visitor.name:
        again.sign_in(visitor.name)
    token = re.findall(
        r'name="csrf_token" value="([^"]+)"', visitor.client.application.test_client().get("/sign-in").text
    )
    return again.client.post("/sign-in", data={"name": "nurse", "password": "demo-nurse", "csrf_token": token[0]})


def _what_happened(answer: TestResponse) -> str:
    """The status; of a redirect, where to."""
    if answer.status_code not in (302, 303):
        return str(answer.status_code)
    where, asked = answer.headers["Location"], answer.request.path
    if where in WHERE:
        return WHERE[where]
    if answer.status_code == 303 and asked.startswith((where, "/admin/second-factor-roles", "/admin/people/")):
        return "back"
    signed_out = asked == "/sign-out" and where == "/sign-in"
    return "door" if signed_out or where == f"/sign-in?next={asked}" else f"lost at {where}"


def _traces(house: House, numbers: dict[Row, int | None]) -> dict[Row, list[Any]]:
    """What has been done to each alert (its journal) and to each patient (who observed, which scale), and by whom."""
    lines = house.journal("demo") + house.journal("demo-b")
    with records.read() as session:
        observed = session.execute(select(Observation.patient_id, Observation.person_id)).all()
        scales = {one.patient_id: one.spo2_scale for one in session.scalars(select(Monitoring))}
    return {
        row: [(line.happening.value, line.person_id) for line in lines if line.alert_id == number]
        if row[1].startswith("/alerts/")
        else [person_id for patient_id, person_id in observed if patient_id == number] + [f"scale {scales[number]}"]
        for row, number in numbers.items()
    }


def _expected_traces(who: str, numbers: dict[Row, int | None]) -> dict[Row, list[Any]]:
    """One line by this person for what was done, none for what was refused or only looked at."""
    with records.read() as session:
        person_id = session.scalar(select(Person.id).where(Person.name == who))
    return {row: _expected_trace(row, person_id, done=_is_done(who, row)) for row in numbers}


def _expected_trace(row: Row, person_id: int | None, *, done: bool) -> list[Any]:
    act = row[1].rpartition("/")[2]
    if row[1].startswith("/alerts/"):
        return [("raised", None), *([(HAPPENINGS[act], person_id)] if done else [])]
    observed = [None, person_id] if done and act == "observations" else [None]
    return [*observed, "scale 2" if done and act == "spo2-scale" else "scale 1"]


def _is_done(who: str, row: Row) -> bool:
    return row[0] == "POST" and EXPECTED[who][row] == "200"


def _differences(got: dict[Row, Any], expected: dict[Row, Any]) -> dict[Row, str]:
    assert got.keys() == expected.keys()
    return {row: f"{got[row]}, not {expected[row]}" for row in got if got[row] != expected[row]}
