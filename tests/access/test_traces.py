"""Every look and every refusal leaves a trace, and no route can forget it."""

import json
import re
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from hospital import clock, meters, records
from hospital.access import guard, traces
from hospital.records import AuditLine, Person, PersonSession, audit
from hospital.records.audit import NOBODYS
from hospital.roles import Role
from tests.access.strangers import hire
from tests.support.house import House, Visitor

# What pages ask by themselves, and what shows nothing.
SILENT = {"renewal.renew", "pulse.take", "reports.take", "pairing.claim", "violations.take"}


def left(hospital_id: int = 1, after: int = 0) -> list[AuditLine]:
    with records.read() as session:
        query = select(AuditLine).where(AuditLine.hospital_id == hospital_id, AuditLine.number > after)
        return list(session.scalars(query.order_by(AuditLine.number)))


def told(hospital_id: int = 1, after: int = 0) -> list[tuple[str, str, int]]:
    return [(line.act, line.object, line.outcome) for line in left(hospital_id, after)]


@pytest.fixture
def nurse(house: House) -> Visitor:
    """Signed in; what that left is out of the way."""
    visitor = house.visitor("nurse")
    with records.read() as session:
        visitor.lines = len(session.scalars(select(AuditLine).where(AuditLine.hospital_id == 1)).all())  # type: ignore[attr-defined]
    return visitor


def of(nurse: Visitor) -> list[tuple[str, str, int]]:
    return told(after=nurse.lines)  # type: ignore[attr-defined]


# ---- Looks


def test_a_look_at_an_alert_names_the_alert_the_person_the_session_and_the_scope(house: House, nurse: Visitor) -> None:
    alert_id = house.raise_alarm()
    nurse.get(f"/alerts/{alert_id}", environ_base={"REMOTE_ADDR": "192.0.2.7"})

    assert of(nurse) == [("look", f"alert:{alert_id}", 200)]
    line, actor = left()[-1], house.actor("nurse")
    with records.read() as session:
        session_id = session.scalars(select(PersonSession.id)).one()
    assert (line.person_id, line.session_id, line.sender_id) == (actor.person_id, session_id, None)
    assert line.scope == ",".join(str(unit) for unit in actor.unit_ids)
    assert json.loads(line.detail or "") == {"address": "192.0.2.7"}


def test_a_charge_nurse_s_scope_names_the_unassigned(house: House) -> None:
    house.visitor("charge").get("/patients")
    assert left()[-1].scope.endswith(",none")


def test_a_list_is_one_line_that_names_the_page(nurse: Visitor) -> None:
    for path in ("/patients", "/board", "/metrics"):
        nurse.get(path)
    assert of(nurse) == [("look", path, 200) for path in ("/patients", "/board", "/metrics")]


def test_a_stream_is_one_line_at_its_opening_with_its_views(house: House, nurse: Visitor) -> None:
    nurse.get("/live/stream?view=alerts&view=board", buffered=False).close()
    assert of(nurse) == [("look", "/live/stream alerts board", 200)]


def test_the_same_look_again_within_a_minute_is_one_look(nurse: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        nurse.get("/patients")
    assert of(nurse) == [("look", "/patients", 200)]
    later = traces.time.monotonic() + 61  # for the traces alone: who waits by the same clock would wait for it
    monkeypatch.setattr(traces, "time", SimpleNamespace(monotonic=lambda: later))
    nurse.get("/patients")
    assert of(nurse) == [("look", "/patients", 200)] * 2


def test_the_same_look_of_another_person_or_session_is_another(house: House, nurse: Visitor) -> None:
    nurse.get("/patients")
    house.visitor("nurse").get("/patients")
    house.visitor("nurse2").get("/patients")
    assert of(nurse).count(("look", "/patients", 200)) == 3


def test_the_line_is_committed_before_the_answer_leaves(nurse: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies with the first byte on its way has written down who looked."""
    before: list[list[tuple[str, str, int]]] = []
    nurse.client.application.wsgi_app = _watched(nurse.client.application.wsgi_app, lambda: before.append(of(nurse)))  # type: ignore[method-assign]
    nurse.get("/patients")
    assert before == [[("look", "/patients", 200)]]


def test_a_search_s_words_are_never_kept(house: House, nurse: Visitor) -> None:
    nurse.get("/patients?name=Zwiebelfisch")
    nurse.get("/live/stream?view=alerts&view=Zwiebelfisch", buffered=False).close()
    assert not any("Zwiebel" in f"{line.act}{line.object}{line.scope}{line.detail}" for line in left())


# ---- Acts


def test_acts_leave_their_trace_too(house: House, nurse: Visitor) -> None:
    alert_id = house.raise_alarm()
    nurse.acknowledge(alert_id)
    nurse.act(f"/alerts/{alert_id}/notes", text="")
    assert of(nurse) == [("acknowledgement", f"alert:{alert_id}", 200), ("refused", f"alert:{alert_id}", 422)]


# ---- The door


def test_sign_ins_right_and_wrong_and_out(house: House) -> None:
    visitor = house.visitor()
    visitor.sign_in("nurse", "wrong")
    visitor.sign_in("nurse")
    visitor.act("/sign-out")

    person_id = house.actor("nurse").person_id
    door = [(line.act, line.outcome, line.person_id) for line in left() if line.act.startswith("sign")]
    assert door == [("sign-in refused", 401, person_id), ("sign-in", 303, person_id), ("sign-out", 303, person_id)]


def test_a_sign_in_s_line_has_the_session_s_number_as_all_that_follows_has(house: House) -> None:
    house.visitor("nurse").get("/board")
    with records.read() as session:
        session_id = session.scalars(select(PersonSession.id)).one()
    assert {(line.act, line.session_id) for line in left()} == {("sign-in", session_id), ("look", session_id)}


def test_a_name_that_nobody_has_is_not_kept_for_it_may_be_a_password(house: House) -> None:
    house.visitor().sign_in("hunter2 is my password", "x")

    (line,) = left(NOBODYS)
    assert (line.act, line.outcome, line.person_id) == ("sign-in refused", 401, None)
    assert "hunter2" not in f"{line.object}{line.scope}{line.detail}"


# ---- Refusals


def test_the_engineer_who_is_refused_the_alerts_leaves_a_line(house: House) -> None:
    house.visitor("engineer").get("/alerts/1")
    assert told()[-1] == ("refused", "alert:1", 403)


def test_who_asks_for_an_alert_of_another_hospital_leaves_a_line_in_the_own_one(house: House, nurse: Visitor) -> None:
    nurse.get("/alerts/4711")
    assert of(nurse) == [("refused", "alert:4711", 404)]


def test_an_act_from_another_site_leaves_a_line(house: House, nurse: Visitor) -> None:
    nurse.act("/alerts/7/acknowledgement", headers={"Origin": "https://evil.example"})
    assert of(nurse) == [("refused", "alert:7", 403)]


def test_a_stranger_leaves_one_line_a_minute_for_each_door_and_cannot_fill_the_disk(house: House) -> None:
    stranger = house.visitor()
    for _ in range(20):
        stranger.get("/alerts/7")
        stranger.get("/live/stream?view=alerts")
        stranger.client.post("/api/v1/hl7", data=b"x", headers={"Authorization": "Bearer guessed"})
    assert told(NOBODYS) == [
        ("refused", "/alerts/<int:alert_id>", 401),
        ("refused", "/live/stream", 401),
        ("refused", "/api/v1/hl7", 401),
    ]


def test_what_is_open_to_all_or_handed_in_leaves_nothing(house: House) -> None:
    stranger = house.visitor()
    for path in ("/sign-in", "/health/ready", "/internal/metrics", "/static/css/main.css", "/nowhere"):
        stranger.get(path).close()
    assert told(NOBODYS) == told() == []


# ---- No route can forget


def test_every_route_that_people_use_leaves_a_trace(house: House) -> None:
    """A route that is added tomorrow is traced without a word of its own; what is excepted is listed here."""
    visitor = house.visitor("physician")
    forgotten = []
    for rule in house.app.url_map.iter_rules():
        view = house.app.view_functions[rule.endpoint]
        if getattr(view, "guard", None) in ("all", "door", "senders") or rule.endpoint in SILENT:
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            visitor = visitor if visitor.get("/patients").status_code == 200 else house.visitor("physician")
            traces._left.clear()
            with records.read() as session:
                before = session.scalar(select(audit.AuditHead.number).where(audit.AuditHead.hospital_id == 1)) or 0
            path = re.sub("<int:[a-z_]+>", "1", rule.rule)
            answer = visitor.client.open(
                path, method=method, headers={"X-CSRF-Token": visitor.csrf_token}, buffered=False
            )
            answer.close()
            if len(left(after=before)) != 1:
                forgotten.append((method, rule.rule, answer.status_code))
    shown = [(method, rule) for method, rule, status in forgotten if not 300 <= status < 400]
    assert shown == [("GET", "/live/socket")], "a redirect shows nothing; this is tried in tests/live/test_socket.py"


def test_a_planted_route_is_traced(house: House) -> None:
    house.app.add_url_rule("/planted/<int:thing_id>", view_func=guard.for_people()(lambda **_: "shown"))
    house.visitor("nurse").get("/planted/5")
    assert told()[-1] == ("look", "thing:5", 200)


def test_these_routes_alone_leave_no_trace(house: House) -> None:
    silent = {name for name, view in house.app.view_functions.items() if hasattr(view, "leaves_no_trace")}
    assert silent == SILENT


# ---- When nothing can be stored


def test_an_alarm_is_seen_although_the_look_cannot_be_written_down(
    house: House, nurse: Visitor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    alert_id = house.raise_alarm()
    monkeypatch.setattr(audit, "leave", _cannot)

    assert nurse.get(f"/alerts/{alert_id}").status_code == 200

    assert meters.counted("traces_lost_total") == 1
    assert f"alert:{alert_id}" in caplog.text and str(house.actor("nurse").person_id) in caplog.text


def test_what_must_not_be_shown_without_a_trace_is_refused(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def view() -> str:
        traces.leave("export", "everything")
        return "shown"

    house.app.add_url_rule("/planted", view_func=guard.for_people()(view))
    nurse = house.visitor("nurse")
    assert nurse.get("/planted").text == "shown"
    assert told()[-1] == ("export", "everything", 200)
    monkeypatch.setattr(audit, "leave", _cannot)
    assert nurse.get("/planted").status_code == 503


def test_a_display_s_looks_are_traced_as_anybody_s(house: House) -> None:
    hire(house, "display", Role.DISPLAY, "MED")
    house.visitor("display").get("/board")
    with records.read() as session:
        person_id = session.scalar(select(Person.id).where(Person.name == "display"))
    assert (left()[-1].person_id, left()[-1].object) == (person_id, "/board")


def _cannot(_trace: Any) -> None:
    raise records.NotStored("disk full")


def _watched(application: Any, when_leaving: Any) -> Any:
    def wrapped(environ: Any, start_response: Any) -> Any:
        def start(*arguments: Any) -> Any:
            when_leaving()
            return start_response(*arguments)

        return application(environ, start)

    return wrapped


def test_time_of_a_line_is_the_clock_s(house: House, nurse: Visitor) -> None:
    nurse.get("/board")
    assert abs((left()[-1].at - clock.now()).total_seconds()) < 5
