"""Who gets what at each door: one table, written from the design and not from the code."""

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from hospital.intake import senders
from hospital.intake.receiving import receive
from hospital.roles import Role
from tests.access.strangers import hire, new_token
from tests.support.alarms import alarm
from tests.support.house import House, Visitor

# `nurse` and the demo display work in MED, `nurse-icu` in ICU, `charge` and `physician` in both, `nurse-b` in the MED of
# the other hospital. `nobody` is a browser without a sign-in, `sender` a program with a token of `demo`.
# An alert lies in MED, in ICU, in no unit that is known (`none`), or in the other hospital (`other`).
# `door`: sent to the sign-in page, and from there back. `list`: sent to the list of alerts.
TABLE = """
method route                                 target   nurse nurse-icu charge physician engineer admin display nurse-b nobody sender

GET    /static/<path:filename>               -        200   200       200    200       200      200   200     200     200    200
GET    /health/live                          -        200   200       200    200       200      200   200     200     200    200
GET    /health/ready                         -        200   200       200    200       200      200   200     200     200    200
GET    /internal/metrics                     -        200   200       200    200       200      200   200     200     200    200

GET    /sign-in                              -        list  list      list   list      list     list  list    list    200    200
POST   /sign-in                              -        list  list      list   list      list     list  list    list    list   list

GET    /                                     -        list  list      list   list      list     list  list    list    door   door
GET    /alerts                               -        200   200       200    200       403      403   200     200     door   door
GET    /alerts/<int:alert_id>                MED      200   404       200    200       403      403   200     404     door   door
GET    /alerts/<int:alert_id>                ICU      404   200       200    200       403      403   404     404     door   door
GET    /alerts/<int:alert_id>                none     404   404       200    404       403      403   404     404     door   door
GET    /alerts/<int:alert_id>                other    404   404       404    404       403      403   404     200     door   door

POST   /alerts/<int:alert_id>/acknowledgement MED     200   404       200    200       403      403   403     404     401    401
POST   /alerts/<int:alert_id>/acknowledgement ICU     404   200       200    200       403      403   404     404     401    401
POST   /alerts/<int:alert_id>/acknowledgement none    404   404       200    404       403      403   404     404     401    401
POST   /alerts/<int:alert_id>/acknowledgement other   404   404       404    404       403      403   404     200     401    401

POST   /alerts/<int:alert_id>/resolution     MED      200   404       403    200       403      403   403     404     401    401
POST   /alerts/<int:alert_id>/resolution     ICU      404   200       403    200       403      403   404     404     401    401
POST   /alerts/<int:alert_id>/resolution     none     404   404       200    404       403      403   404     404     401    401
POST   /alerts/<int:alert_id>/resolution     other    404   404       404    404       403      403   404     200     401    401

POST   /alerts/<int:alert_id>/escalation     MED      200   404       200    200       403      403   403     404     401    401
POST   /alerts/<int:alert_id>/escalation     ICU      404   200       200    200       403      403   404     404     401    401
POST   /alerts/<int:alert_id>/escalation     none     404   404       200    404       403      403   404     404     401    401
POST   /alerts/<int:alert_id>/escalation     other    404   404       404    404       403      403   404     200     401    401

POST   /alerts/<int:alert_id>/notes          MED      200   404       200    200       403      403   403     404     401    401
POST   /alerts/<int:alert_id>/notes          ICU      404   200       200    200       403      403   404     404     401    401
POST   /alerts/<int:alert_id>/notes          none     404   404       200    404       403      403   404     404     401    401
POST   /alerts/<int:alert_id>/notes          other    404   404       404    404       403      403   404     200     401    401

GET    /live/stream                          -        200   200       200    200       403      403   200     200     401    401
POST   /api/v1/hl7                           -        401   401       401    401       401      401   401     401     401    202

POST   /sign-out                             -        door  door      door   door      door     door  door    door    401    401
"""

_, HEADINGS, *LINES = TABLE.splitlines()
WHO = HEADINGS.split()[3:]
ROWS = [tuple(line.split()[:3]) for line in LINES if line]
EXPECTED = {who: {tuple(x[:3]): x[n] for x in (line.split() for line in LINES if line)} for n, who in enumerate(WHO, 3)}

BEDS = {"MED": "MED^^MED-07", "ICU": "ICU^^ICU-02", "none": "ATTIC^^ATTIC-01", "other": "MED^^MED-07"}
WORDS = {"202": "202", "200": "200", "401": "401", "403": "403", "404": "404"}


@pytest.mark.parametrize("who", WHO)
def test_everybody_gets_what_the_table_says(house: House, who: str) -> None:
    visitor, bearer = _come_in(house, who)
    targets = {row: str(_raise(house, row[2])) for row in ROWS if row[2] != "-"}

    got = {row: _what_happened(_knock(visitor, bearer, row, targets.get(row, ""))) for row in ROWS}

    assert got == EXPECTED[who]


@pytest.mark.parametrize("who", WHO)
def test_a_head_request_is_answered_as_the_get_it_stands_for(house: House, who: str) -> None:
    visitor, bearer = _come_in(house, who)
    targets = {row: str(_raise(house, row[2])) for row in ROWS if row[2] != "-" and row[0] == "GET"}
    rows = [row for row in ROWS if row[0] == "GET" and row[1] != "/live/stream"]

    got = {row: _what_happened(visitor.client.head(_path(row[1], targets.get(row, "")), headers=bearer)) for row in rows}

    assert got == {row: EXPECTED[who][row] for row in rows}


def test_who_was_refused_has_changed_nothing(house: House) -> None:
    """Every refused act of everybody, and then not one line more in either journal."""
    acts = [row for row in ROWS if row[2] != "-" and row[0] == "POST"]
    targets = {row: str(_raise(house, row[2])) for row in acts}
    journals = [house.journal("demo"), house.journal("demo-b")]
    for who in WHO:
        visitor, bearer = _come_in(house, who)
        for row in acts:
            if EXPECTED[who][row] != "200":
                _knock(visitor, bearer, row, targets[row])

    after = [house.journal("demo"), house.journal("demo-b")]
    assert [[line.hash for line in lines] for lines in after] == [[line.hash for line in lines] for lines in journals]


def test_no_route_is_missing_in_the_table(house: House) -> None:
    assert not_in_the_table(house.app) == set()


def test_no_row_of_the_table_is_about_a_route_that_is_gone(house: House) -> None:
    assert {(method, path) for method, path, _ in ROWS} <= _routes(house.app)


def test_every_act_is_tried_on_alerts_of_every_place() -> None:
    with_number = {(method, path) for method, path, _ in ROWS if "<int:" in path}
    assert {row for row in ROWS if "<int:" in row[1]} == {(*route, place) for route in with_number for place in BEDS}


def test_a_planted_route_that_is_not_in_the_table_is_found(house: House) -> None:
    house.app.add_url_rule("/alerts/<int:alert_id>/planted", view_func=_planted, methods=["DELETE"])
    house.app.add_url_rule("/alerts", "second_planted", view_func=_planted, methods=["PATCH"])
    assert not_in_the_table(house.app) == {("DELETE", "/alerts/<int:alert_id>/planted"), ("PATCH", "/alerts")}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("who", ["physician", "admin", "nobody", "sender"])
def test_a_view_that_does_not_say_who_may_come_in_lets_nobody_in(house: House, who: str, method: str) -> None:
    house.app.add_url_rule("/planted", view_func=_planted, methods=["GET", "POST"])
    visitor, bearer = _come_in(house, who)

    answer = visitor.client.open("/planted", method=method, headers={"X-CSRF-Token": visitor.csrf_token, **bearer})

    assert answer.status_code == 403
    assert "planted goods" not in answer.get_data(as_text=True)


def test_what_no_route_takes_is_refused_for_everybody(house: House) -> None:
    visitor, _ = _come_in(house, "physician")
    paths = {(method, _path(path, "1")) for method, path, _ in ROWS}
    for _, path in paths:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            if (method, path) not in paths:
                answer = visitor.client.open(path, method=method, headers={"X-CSRF-Token": visitor.csrf_token})
                assert answer.status_code == 405, (method, path)


def not_in_the_table(app: Flask) -> set[tuple[str, str]]:
    """Methods and routes of which nobody has decided who may use them."""
    return _routes(app) - {(method, path) for method, path, _ in ROWS}


def _routes(app: Flask) -> set[tuple[str, str]]:
    """HEAD and OPTIONS come with each GET; HEAD has its own test."""
    return {
        (method, rule.rule) for rule in app.url_map.iter_rules() for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


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


def _raise(house: House, place: str) -> int:
    """An alert of its own for each row, so that no row sees what another did."""
    if place != "other":
        return house.raise_alarm(bed=BEDS[place], alert_id=None or f"A{len(house.journal())}")
    sender = senders.by_token(new_token(house, "demo-b", "Gateway of B"))
    received = receive(alarm(bed=BEDS[place], alert_id=f"B{len(house.journal('demo-b'))}"), sender)
    assert received is not None
    return received.alert_ids[0]


def _knock(visitor: Visitor, bearer: dict[str, str], row: tuple[str, ...], alert_id: str) -> TestResponse:
    method, route, _ = row
    path = _path(route, alert_id)
    if route == "/sign-in" and method == "POST":
        return visitor.sign_in("nurse")
    if route == "/live/stream":
        answer = visitor.client.get(f"{path}?view=alerts", headers=bearer, buffered=False)
        answer.close()
        return answer
    if route == "/api/v1/hl7":
        headers = {"Content-Type": "x-application/hl7-v2+er7", **bearer}
        return visitor.client.post(path, data=alarm(alert_id="over HTTP"), headers=headers)
    if method == "GET":
        return visitor.client.get(path, headers={"Accept": "text/html", **bearer})
    json = {"Accept": "application/json"} if alert_id else {}
    return visitor.client.post(
        path, data={"text": "Seen."}, headers={"X-CSRF-Token": visitor.csrf_token, **json, **bearer}
    )


def _path(route: str, alert_id: str) -> str:
    return route.replace("<int:alert_id>", alert_id).replace("<path:filename>", "css/main.css")


def _what_happened(answer: TestResponse) -> str:
    """The status; of a redirect, where to."""
    if answer.status_code not in (302, 303):
        return str(answer.status_code)
    where = answer.headers["Location"]
    asked = answer.request.full_path.rstrip("?")
    if where == "/alerts":
        return "list"
    signed_out = asked == "/sign-out" and where == "/sign-in"
    return "door" if signed_out or where == f"/sign-in?next={asked}" else f"lost at {where}"
