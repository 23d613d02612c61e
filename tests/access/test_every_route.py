"""Who gets what at each door: one table, written from the design and not from the code."""

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from hospital import records
from hospital.intake import senders
from hospital.intake.receiving import receive
from hospital.records import Person
from hospital.roles import Role
from tests.access.strangers import hire, new_token
from tests.support.alarms import alarm
from tests.support.house import House, Visitor

# `nurse` and `display` are in MED, `nurse-icu` in ICU, `charge` and `physician` in both, `nurse-b` in the MED of the
# other hospital. `nobody` is a browser without a sign-in, `sender` a program with a token of `demo`.
# <MED>, <ICU>, <none>, <other>: an alert in that unit, in none that is known, or in the other hospital.
# `door`: sent to the sign-in page, and from there back. `list`: sent to the list of alerts.
TABLE = """
method route                           nurse nurse-icu charge physician engineer admin display nurse-b nobody sender

GET    /static/<file>                  200   200       200    200       200      200   200     200     200    200
GET    /health/live                    200   200       200    200       200      200   200     200     200    200
GET    /health/ready                   200   200       200    200       200      200   200     200     200    200
GET    /internal/metrics               200   200       200    200       200      200   200     200     200    200

GET    /sign-in                        list  list      list   list      list     list  list    list    200    200
POST   /sign-in                        list  list      list   list      list     list  list    list    list   list

GET    /                               list  list      list   list      list     list  list    list    door   door
GET    /alerts                         200   200       200    200       403      403   200     200     door   door
GET    /alerts/<MED>                   200   404       200    200       403      403   200     404     door   door
GET    /alerts/<ICU>                   404   200       200    200       403      403   404     404     door   door
GET    /alerts/<none>                  404   404       200    404       403      403   404     404     door   door
GET    /alerts/<other>                 404   404       404    404       403      403   404     200     door   door

POST   /alerts/<MED>/acknowledgement   200   404       200    200       403      403   403     404     401    401
POST   /alerts/<ICU>/acknowledgement   404   200       200    200       403      403   404     404     401    401
POST   /alerts/<none>/acknowledgement  404   404       200    404       403      403   404     404     401    401
POST   /alerts/<other>/acknowledgement 404   404       404    404       403      403   404     200     401    401

POST   /alerts/<MED>/resolution        200   404       403    200       403      403   403     404     401    401
POST   /alerts/<ICU>/resolution        404   200       403    200       403      403   404     404     401    401
POST   /alerts/<none>/resolution       404   404       200    404       403      403   404     404     401    401
POST   /alerts/<other>/resolution      404   404       404    404       403      403   404     200     401    401

POST   /alerts/<MED>/escalation        200   404       200    200       403      403   403     404     401    401
POST   /alerts/<ICU>/escalation        404   200       200    200       403      403   404     404     401    401
POST   /alerts/<none>/escalation       404   404       200    404       403      403   404     404     401    401
POST   /alerts/<other>/escalation      404   404       404    404       403      403   404     200     401    401

POST   /alerts/<MED>/notes             200   404       200    200       403      403   403     404     401    401
POST   /alerts/<ICU>/notes             404   200       200    200       403      403   404     404     401    401
POST   /alerts/<none>/notes            404   404       200    404       403      403   404     404     401    401
POST   /alerts/<other>/notes           404   404       404    404       403      403   404     200     401    401

GET    /live/stream                    200   200       200    200       403      403   200     200     401    401
POST   /api/v1/hl7                     401   401       401    401       401      401   401     401     401    202

POST   /sign-out                       door  door      door   door      door     door  door    door    401    401
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

Row = tuple[str, str]


@pytest.mark.parametrize("who", WHO)
def test_everybody_gets_what_the_table_says(house: House, who: str) -> None:
    visitor, bearer = _come_in(house, who)
    alerts = {row: _raise(house, row) for row in ROWS if _place(row)}

    got = {row: _what_happened(_knock(visitor, bearer, row, alerts.get(row))) for row in ROWS}

    assert _differences(got, EXPECTED[who]) == {}
    assert _differences(_journals(house, alerts), _expected_journals(who, alerts)) == {}


@pytest.mark.parametrize("who", ["nurse", "admin", "nobody"])
def test_a_head_request_is_answered_as_the_get_it_stands_for(house: House, who: str) -> None:
    visitor, bearer = _come_in(house, who)
    rows = [row for row in ROWS if row[0] == "GET" and row[1] != "/live/stream"]

    got = {row: _what_happened(_knock(visitor, bearer, ("HEAD", row[1]), _raise(house, row))) for row in rows}

    assert _differences(got, {row: EXPECTED[who][row] for row in rows}) == {}


def test_the_table_says_something_of_everybody_in_every_row() -> None:
    assert {len(cells) for cells in CELLS} == {2 + len(WHO)}
    assert len(ROWS) == len(set(ROWS))


def test_every_route_of_an_alert_is_tried_on_alerts_of_every_place() -> None:
    of_alerts = {row for row in ROWS if row[1].startswith("/alerts/")}
    routes = {(method, _route(path)) for method, path in of_alerts}
    assert {(method, path) for method, path in of_alerts} == {
        (method, route.replace("<int:alert_id>", f"<{place}>")) for method, route in routes for place in BEDS
    }


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
    return re.sub(r"<(MED|ICU|none|other)>", "<int:alert_id>", path).replace("<file>", "<path:filename>")


def _path(path: str, alert_id: int | None) -> str:
    return re.sub(r"<(MED|ICU|none|other)>", str(alert_id), path).replace("<file>", "css/main.css")


def _place(row: Row) -> str:
    found = re.search(r"<(MED|ICU|none|other)>", row[1])
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


def _raise(house: House, row: Row) -> int | None:
    """An alert of its own for each row, so that no row sees what another did."""
    place, name = _place(row), " ".join(row)
    if place != "other":
        return house.raise_alarm(bed=BEDS[place], alert_id=name) if place else None
    sender = senders.by_token(new_token(house, "demo-b", "Gateway of B"))
    received = receive(alarm(bed=BEDS[place], alert_id=name), sender)
    assert received is not None
    return received.alert_ids[0]


def _knock(visitor: Visitor, bearer: dict[str, str], row: Row, alert_id: int | None) -> TestResponse:
    method, path = row[0], _path(row[1], alert_id)
    if row == ("POST", "/sign-in"):
        return _sign_in_again(visitor)
    if path == "/live/stream":
        return _open(visitor, method, f"{path}?view=alerts", bearer, buffered=False)
    if path == "/api/v1/hl7":
        return _open(visitor, method, path, bearer, data=alarm(), content_type="x-application/hl7-v2+er7")
    accept = "application/json" if method == "POST" and alert_id else "text/html"
    return _open(
        visitor, method, path, {"Accept": accept, **bearer}, data={"text": "Seen."} if method == "POST" else None
    )


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
    """From a form in another tab; the visitor stays who it is."""
    other_tab = visitor.client.application.test_client()
    fields = {"name": "nurse", "password": "demo-nurse"}
    fields["csrf_token"] = re.findall(r'name="csrf_token" value="([^"]+)"', other_tab.get("/sign-in").text)[0]
    cookie = visitor.client.get_cookie("session")
    if cookie is not None:
        other_tab.set_cookie("session", cookie.value)
    return other_tab.post("/sign-in", data=fields)


def _what_happened(answer: TestResponse) -> str:
    """The status; of a redirect, where to."""
    if answer.status_code not in (302, 303):
        return str(answer.status_code)
    where, asked = answer.headers["Location"], answer.request.path
    if where == "/alerts":
        return "list"
    signed_out = asked == "/sign-out" and where == "/sign-in"
    return "door" if signed_out or where == f"/sign-in?next={asked}" else f"lost at {where}"


def _journals(house: House, alerts: dict[Row, int | None]) -> dict[Row, list[tuple[str, int | None]]]:
    lines = house.journal("demo") + house.journal("demo-b")
    return {
        row: [(line.happening.value, line.person_id) for line in lines if line.alert_id == alert_id]
        for row, alert_id in alerts.items()
    }


def _expected_journals(who: str, alerts: dict[Row, int | None]) -> dict[Row, list[tuple[str, int | None]]]:
    """One line by this person for what was done, none for what was refused or only looked at."""
    with records.read() as session:
        person_id = session.scalar(select(Person.id).where(Person.name == who))
    expected: dict[Row, list[tuple[str, int | None]]] = {row: [("raised", None)] for row in alerts}
    for row, lines in expected.items():
        if row[0] == "POST" and EXPECTED[who][row] == "200":
            lines.append((HAPPENINGS[row[1].rpartition("/")[2]], person_id))
    return expected


def _differences(got: dict[Row, Any], expected: dict[Row, Any]) -> dict[Row, str]:
    assert got.keys() == expected.keys()
    return {row: f"{got[row]}, not {expected[row]}" for row in got if got[row] != expected[row]}
