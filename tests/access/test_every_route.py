"""Who gets what at each door: one table, written from the design and not from the code."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from hospital import clock, records
from hospital.live.hub import PATIENT, VIEWS
from hospital.records import Monitoring, Observation, Person
from tests.access.knocking import BEDS, Caller, Row, numbered, place_of, things_of
from tests.access.states import STATES, bring_to
from tests.support.house import House

# `nurse` and `display` are in MED, `nurse-icu` in ICU, `charge` and `physician` in both, `nurse-b` in the MED of the
# other hospital. `nobody` is a browser without a sign-in, `sender` a program with a token of `demo`.
# <MED>, <ICU>, <none>, <other>: an alert or a patient in that unit, in none that is known, or in the other hospital.
# <own>, <foreign>: a sign-in of oneself, or of somebody else. <here>, <there>: a person of `demo`, or of `demo-b`;
# <ours>, <theirs>: a unit, a bed or a code of a bed, of `demo` or of `demo-b`.
# <his>: a sign-in of <here>. <board>: one, or a notice, that is not there; test_pairing.py has those that are.
# <glass>, <glassthere>: an emergency access in `demo`, or in `demo-b`; what it opens: tests/access/test_emergency.py.
# <gate>, <gatethere>: a sender of `demo`, or of `demo-b`; <pass>, <passthere>: a token of either.
# <refused>: a refused message of `demo`; who may read it, and when: tests/pages/test_engineering.py.
# `door`: sent to the sign-in page, and from there back. `list`: sent to the list of alerts. `code`: sent to where a
# screen shows its code. `wall`: sent to the board. `desk`: to the administration. `back`: to the page with the button.
# 101: a WebSocket is open; what may be said on it stands in tests/access/test_every_message.py.
TABLE = """
how  route                           nurse nurse-icu charge physician engineer admin display nurse-b nobody sender

GET  /static/<file>                  200   200       200    200       200      200   200     200     200    200
GET  /health/live                    200   200       200    200       200      200   200     200     200    200
GET  /health/ready                   200   200       200    200       200      200   200     200     200    200
GET  /internal/metrics               200   200       200    200       200      200   200     200     200    200
GET  /api/v1/openapi.json            200   200       200    200       200      200   200     200     200    200
POST /csp-reports                    204   204       204    204       204      204   204     204     204    204

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

GET  /preferences                    200   200       200    200       200      200   403     200     door   door
POST /preferences                    back  back      back   back      back     back  403     back    401    401

GET  /admin                          403   403       403    403       200      200   403     403     door   door
GET  /admin/people                   403   403       403    403       403      200   403     403     door   door
POST /admin/people                   403   403       403    403       403      422   403     403     401    401
GET  /admin/people/<here>            403   403       403    403       403      200   403     403     door   door
GET  /admin/people/<there>           403   403       403    403       403      404   403     403     door   door
POST /admin/people/<here>            403   403       403    403       403      422   403     403     401    401
POST /admin/people/<there>           403   403       403    403       403      404   403     403     401    401
POST /admin/second-factor-roles      403   403       403    403       403      back  403     403     401    401
GET  /admin/people/<here>/sessions   403   403       403    403       403      200   403     403     door   door
GET  /admin/people/<there>/sessions  403   403       403    403       403      404   403     403     door   door
POST /admin/people/<here>/sessions/<his>/end 403 403 403    403       403      back  403     403     401    401
POST /admin/people/<there>/sessions/<his>/end 403 403 403   403       403      404   403     403     401    401
POST /admin/people/<here>/password-reset 403   403       403    403       403      200   403     403     401    401
POST /admin/people/<there>/password-reset 403  403       403    403       403      404   403     403     401    401
POST /admin/people/<here>/second-factor-removal 403 403 403 403       403      back  403     403     401    401
POST /admin/people/<there>/second-factor-removal 403 403 403 403      403      404   403     403     401    401

GET  /admin/senders                  403   403       403    403       200      200   403     403     door   door
POST /admin/senders                  403   403       403    403       422      422   403     403     401    401
GET  /admin/senders/<gate>           403   403       403    403       200      200   403     403     door   door
GET  /admin/senders/<gatethere>      403   403       403    403       404      404   403     403     door   door
POST /admin/senders/<gate>/binding   403   403       403    403       back     back  403     403     401    401
POST /admin/senders/<gatethere>/binding 403 403      403    403       404      404   403     403     401    401
POST /admin/senders/<gate>/revocation 403  403       403    403       back     back  403     403     401    401
POST /admin/senders/<gatethere>/revocation 403 403   403    403       404      404   403     403     401    401
POST /admin/senders/<gate>/restoration 403 403       403    403       back     back  403     403     401    401
POST /admin/senders/<gatethere>/restoration 403 403  403    403       404      404   403     403     401    401
POST /admin/senders/<gate>/tokens    403   403       403    403       403      422   403     403     401    401
POST /admin/senders/<gatethere>/tokens 403 403       403    403       403      404   403     403     401    401
POST /admin/senders/<gate>/tokens/<pass>/revocation 403 403 403 403   403      back  403     403     401    401
POST /admin/senders/<gatethere>/tokens/<pass>/revocation 403 403 403 403 403   404   403     403     401    401
POST /admin/senders/<gate>/tokens/<passthere>/revocation 403 403 403 403 403   404   403     403     401    401

GET  /emergency                      200   200       200    200       200      200   403     200     door   door
POST /emergency                      422   422       422    422       422      422   403     422     401    401
POST /emergency/end                  list  list      list   list      desk     desk  403     list    401    401
GET  /admin/reviews                  403   403       403    403       403      200   403     403     door   door
POST /admin/reviews/<glass>/review   403   403       403    403       403      back  403     403     401    401
POST /admin/reviews/<glassthere>/review 403 403      403    403       403      404   403     403     401    401

GET  /admin/units                    403   403       403    403       403      200   403     403     door   door
POST /admin/units                    403   403       403    403       403      422   403     403     401    401
POST /admin/zone                     403   403       403    403       403      422   403     403     401    401
GET  /admin/units/<ours>             403   403       403    403       403      200   403     403     door   door
GET  /admin/units/<theirs>           403   403       403    403       403      404   403     403     door   door
POST /admin/units/<ours>             403   403       403    403       403      422   403     403     401    401
POST /admin/units/<theirs>           403   403       403    403       403      404   403     403     401    401
POST /admin/units/<ours>/beds        403   403       403    403       403      422   403     403     401    401
POST /admin/units/<theirs>/beds      403   403       403    403       403      404   403     403     401    401
POST /admin/beds/<ours>/removal      403   403       403    403       403      back  403     403     401    401
POST /admin/beds/<theirs>/removal    403   403       403    403       403      404   403     403     401    401
GET  /admin/bed-codes                403   403       403    403       403      200   403     403     door   door
POST /admin/bed-codes                403   403       403    403       403      422   403     403     401    401
POST /admin/bed-codes/<ours>/removal 403   403       403    403       403      back  403     403     401    401
POST /admin/bed-codes/<theirs>/removal 403 403       403    403       403      404   403     403     401    401

GET  /engineering                    403   403       403    403       200      200   403     403     door   door
GET  /engineering/messages/<refused> 403   403       403    403       403      403   403     403     door   door

GET  /                               list  list      list   list      desk     desk  list    list    door   door
GET  /alerts                         200   200       200    200       403      403   200     200     door   door
GET  /alerts/<MED>                   200   404       200    200       403      403   200     404     door   door
GET  /alerts/<ICU>                   404   200       200    200       403      403   404     404     door   door
GET  /alerts/<none>                  404   404       200    404       403      403   404     404     door   door
GET  /alerts/<other>                 404   404       404    404       403      403   404     200     door   door
GET  /alerts/<MED>/trend             200   404       200    200       403      403   200     404     door   door
GET  /alerts/<ICU>/trend             404   200       200    200       403      403   404     404     door   door
GET  /alerts/<none>/trend            404   404       200    404       403      403   404     404     door   door
GET  /alerts/<other>/trend           404   404       404    404       403      403   404     200     door   door

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
POST /patients                       422   422       422    422       403      403   403     422     401    401
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
GET  /metrics/export                 200   200       200    200       403      403   403     200     door   door
GET  /board                          200   200       200    200       403      403   200     200     code   code
GET  /notices                        403   403       200    403       403      200   403     403     door   door
POST /notices                        403   403       422    403       403      422   403     403     401    401
POST /notices/<board>/withdrawal     403   403       404    403       403      404   403     403     401    401
POST /notices/<board>/reading        404   404       404    404       404      404   404     404     401    401
GET  /board/offline                  200   200       200    200       200      200   200     200     200    200
GET  /boards                         403   403       200    403       403      403   403     403     door   door
POST /boards                         403   403       422    403       403      403   403     403     401    401
GET  /boards/<wall>                  403   403       200    403       403      403   403     403     door   door
POST /boards/<wall>                  403   403       422    403       403      403   403     403     401    401
POST /boards/<board>/revocation      403   403       404    403       403      403   403     403     401    401
GET  /pair                           wall  wall      wall   wall      wall     wall  wall    wall    200    200
POST /pair/claim                     403   403       403    403       403      403   403     403     403    403

GET  /admin/audit                    403   403       403    403       403      200   403     403     door   door
GET  /admin/streams                  403   403       403    403       403      200   403     403     door   door
GET  /admin/audit/strangers          403   403       403    403       403      200   403     403     door   door
POST /admin/streams/<line>/end       403   403       403    403       403      404   403     403     401    401
GET  /admin/audit/export             403   403       403    403       403      200   403     403     door   door

GET  /live/stream?view=alerts        200   200       200    200       403      403   200     200     401    401
GET  /live/stream?view=patients      200   200       200    200       403      403   200     200     401    401
GET  /live/stream?view=metrics       200   200       200    200       403      403   200     200     401    401
GET  /live/stream?view=metrics:0     200   200       200    200       403      403   200     200     401    401
GET  /live/stream?view=metrics:1     200   200       200    200       403      403   200     200     401    401
GET  /live/stream?view=metrics:24    200   200       200    200       403      403   200     200     401    401
GET  /live/stream?view=metrics:168   200   200       200    200       403      403   200     200     401    401
GET  /live/stream?view=metrics:720   200   200       200    200       403      403   200     200     401    401
GET  /live/stream?view=board         200   200       200    200       403      403   200     200     401    401
GET  /live/stream?view=patient:<MED> 200   404       200    200       403      403   200     404     401    401
GET  /live/stream?view=patient:<ICU> 404   200       200    200       403      403   404     404     401    401
GET  /live/stream?view=patient:<none> 404   404       200    404       403      403   404     404     401    401
GET  /live/stream?view=patient:<other> 404   404       404    404       403      403   404     200     401    401

GET  /live/socket?view=alerts        101   101       101    101       403      403   101     101     401    401
GET  /live/socket?view=patients      101   101       101    101       403      403   101     101     401    401
GET  /live/socket?view=metrics       101   101       101    101       403      403   101     101     401    401
GET  /live/socket?view=metrics:0     101   101       101    101       403      403   101     101     401    401
GET  /live/socket?view=metrics:1     101   101       101    101       403      403   101     101     401    401
GET  /live/socket?view=metrics:24    101   101       101    101       403      403   101     101     401    401
GET  /live/socket?view=metrics:168   101   101       101    101       403      403   101     101     401    401
GET  /live/socket?view=metrics:720   101   101       101    101       403      403   101     101     401    401
GET  /live/socket?view=board         101   101       101    101       403      403   101     101     401    401
GET  /live/socket?view=patient:<MED> 101   404       101    101       403      403   101     404     401    401
GET  /live/socket?view=patient:<ICU> 404   101       101    101       403      403   404     404     401    401
GET  /live/socket?view=patient:<none> 404   404       101    404       403      403   404     404     401    401
GET  /live/socket?view=patient:<other> 404   404       404    404       403      403   404     101     401    401

POST /live/reports                   204   204       204    204       204      204   204     204     401    401
POST /live/pulse                     404   404       404    404       403      403   404     404     401    401

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

HAPPENINGS = {
    "acknowledgement": "acknowledged",
    "resolution": "resolved",
    "escalation": "escalated",
    "notes": "noted",
}

SIGN_IN_ROWS = {
    (method, path)
    for method, path in ROWS
    if path in ("/sign-in", "/sign-out", "/pair", "/pair/claim") or path.startswith("/api/")
}


@pytest.mark.parametrize("who", WHO)
def test_everybody_gets_what_the_table_says(house: House, port: int, who: str) -> None:
    caller = Caller.come_in(house, who, port)
    things = {row: things_of(house, who, row) for row in ROWS if place_of(row)}

    got = {row: caller.knock(row, things.get(row) or things_of(house, who, row)) for row in ROWS}

    assert _differences(got, EXPECTED[who]) == {}
    numbers = {row: things[row][place_of(row)] for row in things}
    assert _differences(_traces(house, numbers), _expected_traces(who, numbers)) == {}


@pytest.mark.parametrize("who", ["nurse", "admin", "nobody"])
def test_a_head_request_is_answered_as_the_get_it_stands_for(house: House, port: int, who: str) -> None:
    caller = Caller.come_in(house, who, port)
    rows = [row for row in ROWS if row[0] == "GET" and not row[1].startswith("/live/")]

    got = {row: caller.knock(("HEAD", row[1]), things_of(house, who, row)) for row in rows}

    assert _differences(got, {row: EXPECTED[who][row] for row in rows}) == {}


@pytest.mark.parametrize("state", list(STATES))
@pytest.mark.parametrize("who", ["physician", "admin"])
def test_a_session_that_is_no_whole_one_gets_what_nobody_gets(house: House, port: int, who: str, state: str) -> None:
    """Ended, too old, left alone, stolen, of somebody who has left, or with a step before it: every door is closed."""
    clock.stop()
    caller = Caller.come_in(house, who, port)
    rows = [row for row in ROWS if row not in SIGN_IN_ROWS | STATES[state][1]]
    number = house.raise_alarm()
    things = {row: {place_of(row): number} if place_of(row) else things_of(house, "nobody", row) for row in rows}
    bring_to(state, house, caller.visitor, who)

    got = {row: caller.knock(row, things[row]).partition("?next=")[0] for row in rows}

    assert _differences(got, {row: _behind(STATES[state][0], EXPECTED["nobody"][row]) for row in rows}) == {}


def test_the_table_says_something_of_everybody_in_every_row() -> None:
    assert {len(cells) for cells in CELLS} == {2 + len(WHO)}
    assert len(ROWS) == len(set(ROWS))


def test_every_route_about_something_is_tried_on_such_things_of_every_place() -> None:
    placed = {row for row in ROWS if place_of(row)}
    assert placed == {
        (method, path.replace(f"<{place_of((method, path))}>", f"<{place}>"))
        for method, path in placed
        for place in BEDS
    }


@pytest.mark.parametrize("line", ["/live/stream", "/live/socket"])
def test_no_view_of_a_stream_or_socket_is_missing_in_the_table(line: str) -> None:
    views = {path.partition("?view=")[2] for _, path in ROWS if path.startswith(line)}
    assert views == VIEWS | {f"{PATIENT}<{place}>" for place in BEDS}


def test_no_route_is_missing_in_the_table(house: House) -> None:
    assert not_in_the_table(house.app) == set()


def test_no_row_of_the_table_is_about_a_route_that_is_gone(house: House) -> None:
    assert _decided(house.app) <= _routes(house.app)


def test_a_planted_route_that_is_not_in_the_table_is_found(house: House) -> None:
    house.app.add_url_rule("/alerts/<int:alert_id>/planted", view_func=_planted, methods=["DELETE"])
    house.app.add_url_rule("/alerts", "second_planted", view_func=_planted, methods=["PATCH"])
    assert not_in_the_table(house.app) == {("DELETE", "/alerts/<int:alert_id>/planted"), ("PATCH", "/alerts")}


@pytest.mark.parametrize("who", ["physician", "admin", "nobody", "sender"])
def test_a_view_that_does_not_say_who_may_come_in_lets_nobody_in(house: House, who: str) -> None:
    house.app.add_url_rule("/planted", view_func=_planted, methods=["GET", "POST"])
    caller = Caller.come_in(house, who, port=0)

    for method in ("GET", "POST"):
        answer = caller.open(method, "/planted")
        assert (answer.status_code, "planted goods" in answer.text) == (403, False)


def test_a_method_that_a_route_does_not_take_is_refused(house: House) -> None:
    caller = Caller.come_in(house, "physician", port=0)
    paths = {(method, numbered(path)) for method, path in ROWS}
    for _, path in paths:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            if (method, path) not in paths:
                assert (path, method, caller.open(method, path).status_code) == (path, method, 405)


def not_in_the_table(app: Flask) -> set[Row]:
    """Methods and routes of which nobody has decided who may use them."""
    return _routes(app) - _decided(app)


def _routes(app: Flask) -> set[Row]:
    """HEAD and OPTIONS come with each GET; HEAD has its own test."""
    by_itself = {"HEAD", "OPTIONS"}
    return {(method, rule.rule) for rule in app.url_map.iter_rules() for method in (rule.methods or set()) - by_itself}


def _decided(app: Flask) -> set[Row]:
    """The routes that the rows lead to; raises NotFound for one that leads nowhere."""
    route_of = app.url_map.bind("localhost").match
    sockets = {rule.rule for rule in app.url_map.iter_rules() if rule.websocket}
    rows = [(method, numbered(path)) for method, path in ROWS]
    return {(how, route_of(path, how, return_rule=True, websocket=path in sockets)[0].rule) for how, path in rows}


def _planted(**_: object) -> str:
    return "planted goods"


def _behind(door: str, expected: str) -> str:
    """Where a page that is closed to `nobody` leads when the session has a step before it."""
    return f"lost at {door}" if door and expected in ("door", "code") else expected


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
