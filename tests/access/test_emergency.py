"""Breaking the glass: wider rights for a while, for one session, with a reason, told to everybody and reviewed."""

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from hospital import background, clock, records, settings
from hospital.access.sessions import COOKIE
from hospital.alerts import emergency
from hospital.alerts.refusals import NotAllowed
from hospital.intake import senders
from hospital.intake.receiving import receive
from hospital.records import Alert, EmergencyAccess
from hospital.roles import Role
from hospital.vocabulary import AlertKind, Condition, Priority, State
from tests.access.strangers import hire, new_token
from tests.access.test_traces import left
from tests.live.lines import joined, shown, visitor_of
from tests.support.alarms import alarm
from tests.support.house import House, Visitor

WHY = "Cardiac arrest in ICU-02, team is on its way"
ICU = {"bed": "ICU^^ICU-02", "alert_id": "icu"}
HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture(autouse=True)
def stopped(house: House) -> None:
    clock.stop()


def break_glass(visitor: Visitor, reason: str = WHY) -> TestResponse:
    return visitor.act("/emergency", headers={"Accept": "text/html"}, reason=reason)


def broken(house: House, name: str) -> Visitor:
    visitor = visitor_of(house, name)
    assert break_glass(visitor).status_code == 303
    return visitor


# ---- What it opens


def test_a_nurse_sees_and_helps_in_the_other_unit_until_it_ends(house: House) -> None:
    alert_id, nurse = house.raise_alarm(**ICU), visitor_of(house, "nurse")
    assert nurse.get(f"/alerts/{alert_id}").status_code == 404

    assert break_glass(nurse).headers["Location"] == "/patients"
    assert nurse.get(f"/alerts/{alert_id}").status_code == 200
    assert nurse.acknowledge(alert_id).status_code == 200

    assert nurse.act("/emergency/end").headers["Location"] == "/alerts"
    assert nurse.get(f"/alerts/{alert_id}").status_code == 404
    assert nurse.acknowledge(alert_id).status_code == 404


def test_it_ends_by_itself_to_the_second(house: House) -> None:
    alert_id, nurse = house.raise_alarm(**ICU), broken(house, "nurse")
    clock.turn(HALF_AN_HOUR - timedelta(seconds=1))
    assert nurse.get(f"/alerts/{alert_id}").status_code == 200
    clock.turn(timedelta(seconds=1))
    assert nurse.get(f"/alerts/{alert_id}").status_code == 404


@pytest.mark.parametrize("name", ["admin", "engineer"])
def test_who_sits_at_a_desk_may_look_and_not_touch(house: House, name: str) -> None:
    alert_id, visitor = house.raise_alarm(patient="4711^^^Ward^PI"), visitor_of(house, name)
    assert visitor.get("/alerts").status_code == 403
    break_glass(visitor)

    assert "MED-07" in visitor.get("/alerts").text
    assert visitor.get("/patients").status_code == visitor.get(f"/alerts/{alert_id}").status_code == 200
    for act in ("acknowledgement", "resolution", "escalation", "notes"):
        assert visitor.act(f"/alerts/{alert_id}/{act}", text="x").status_code == 403
    assert [line.happening.value for line in house.journal() if line.alert_id == alert_id] == ["raised"]


def test_it_never_reaches_into_another_hospital(house: House) -> None:
    theirs = receive(alarm(), senders.by_token(new_token(house, "demo-b", "Gateway of B")))
    assert theirs is not None
    for name in ("nurse", "admin"):
        visitor = broken(house, name)
        assert _units(visitor) == "ICU, MED"
        assert visitor.get(f"/alerts/{theirs.alert_ids[0]}").status_code == 404
        assert f"alert-{theirs.alert_ids[0]}" not in visitor.get("/alerts").text
    assert house.journal("demo-b")[-1].alert_id == theirs.alert_ids[0]


def test_it_opens_nothing_without_a_place_of_its_own(house: House) -> None:
    """What stands in no unit is the charge nurses', in an emergency too."""
    alert_id = house.raise_alarm(bed="ATTIC^^ATTIC-01")
    assert broken(house, "nurse").get(f"/alerts/{alert_id}").status_code == 404


def test_a_wall_never_gets_it(house: House) -> None:
    hire(house, "display", Role.DISPLAY, "MED")
    wall = visitor_of(house, "display")
    assert wall.get("/emergency").status_code == break_glass(wall).status_code == 403
    with pytest.raises(NotAllowed):
        records.write(None, lambda session: emergency.begin(session, house.actor("display"), 1, WHY, clock.now()))


# ---- How one gets it


@pytest.mark.parametrize("reason", ["", " \n ", "x" * 501], ids=["none", "blank", "long"])
def test_without_a_reason_there_is_none(house: House, reason: str) -> None:
    nurse = visitor_of(house, "nurse")
    answer = break_glass(nurse, reason)
    assert answer.status_code == 422 and "why you need it" in answer.text
    assert _accesses() == [] and _alerts() == []


def test_who_sees_everything_already_has_nothing_to_open(house: House) -> None:
    assert break_glass(visitor_of(house, "charge")).status_code == 409
    assert _accesses() == []


def test_it_is_given_once_at_a_time(house: House) -> None:
    nurse = broken(house, "nurse")
    assert break_glass(nurse).status_code == 409
    assert len(_accesses()) == len(_alerts()) == 1


def test_another_site_cannot_ask_for_it(house: House) -> None:
    nurse = visitor_of(house, "nurse")
    assert nurse.client.post("/emergency", data={"reason": WHY}).status_code == 403
    answer = nurse.act("/emergency", headers={"Sec-Fetch-Site": "cross-site"}, reason=WHY)
    assert answer.status_code == 403 and _accesses() == []


def test_nobody_breaks_the_glass_again_and_again(house: House) -> None:
    nurse = visitor_of(house, "nurse")
    answers = []
    for _ in range(7):  # a minute may begin anew meanwhile
        answers.append(break_glass(nurse))
        nurse.act("/emergency/end")
    assert [answer.status_code for answer in answers[:3]] == [303] * 3
    assert answers[-1].status_code == 429 and int(answers[-1].headers["Retry-After"]) > 0
    assert len(_accesses()) == [answer.status_code for answer in answers].count(303)


def test_the_session_has_a_new_token_and_the_old_one_opens_nothing(house: House) -> None:
    nurse = visitor_of(house, "nurse")
    before = nurse.client.get_cookie(COOKIE)
    break_glass(nurse)
    after = nurse.client.get_cookie(COOKIE)
    assert before and after and before.value != after.value
    assert nurse.get("/alerts").status_code == 200
    nurse.client.set_cookie(COOKIE, before.value)
    assert nurse.get("/alerts").status_code == 302


def test_another_sign_in_of_the_same_person_has_no_more_rights_than_before(house: House) -> None:
    alert_id, elsewhere = house.raise_alarm(**ICU), visitor_of(house, "nurse")
    broken(house, "nurse")
    assert elsewhere.get(f"/alerts/{alert_id}").status_code == 404
    assert "Emergency access until" not in elsewhere.get("/alerts").text


def test_how_long_it_lasts_is_a_setting(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "current", settings.current.but(glass_min=5))
    nurse = broken(house, "nurse")
    clock.turn(timedelta(minutes=5))
    assert "ICU" not in _units(nurse)


# ---- Who is told


def test_the_units_that_were_opened_are_told_at_once_and_the_charge_nurse_first(house: House) -> None:
    charge, other = joined(house, "charge"), joined(house, "nurse2")
    broken(house, "nurse")
    house.relay.look()

    (alert,) = _alerts()
    assert (alert.text, alert.place) == ("Emergency access to this unit", "ICU · Amara N.")
    assert (alert.kind, alert.priority, alert.step) == (AlertKind.TECHNICAL, Priority.LOW, 1)
    assert [one.alert_id for one in shown(charge.named("frame")[0])] == [alert.id]
    assert other.named("frame") == []
    assert WHY not in charge.named("frame")[0].data


def test_at_a_desk_it_opens_every_unit_and_each_is_told(house: House) -> None:
    broken(house, "admin")
    assert len({alert.unit_id for alert in _alerts()}) == len(_alerts()) == 2


def test_nobody_is_let_in_whom_nobody_could_be_told_of(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise records.NotStored("disk full")

    monkeypatch.setattr("hospital.alerts.emergency.raise_technical", full)
    nurse = visitor_of(house, "nurse")
    assert break_glass(nurse).status_code == 503
    assert _accesses() == [] and "ICU" not in _units(nurse)


@pytest.mark.parametrize("how", ["by hand", "by time", "by sign-out"])
def test_when_it_ends_the_units_are_told_of_that_too(house: House, how: str) -> None:
    nurse, began = broken(house, "nurse"), clock.now()
    clock.turn(timedelta(minutes=1))
    if how == "by time":
        clock.turn(HALF_AN_HOUR)
    else:
        nurse.act("/emergency/end" if how == "by hand" else "/sign-out")
    background.end_emergencies()
    background.end_emergencies()

    (alert,), (access,) = _alerts(), _accesses()
    assert (alert.condition, alert.state) == (Condition.CLEARED, State.OPEN)
    assert access.ended_at == began + (HALF_AN_HOUR if how == "by time" else timedelta(minutes=1))


def test_while_it_goes_on_the_units_are_not_told_that_it_is_over(house: House) -> None:
    broken(house, "nurse")
    clock.turn(HALF_AN_HOUR - timedelta(seconds=1))
    background.end_emergencies()
    assert [alert.condition for alert in _alerts()] == [Condition.ACTIVE]


# ---- On one's own screen


@pytest.mark.parametrize("path", ["/alerts", "/patients", "/account", "/emergency", "/metrics"])
def test_every_page_says_so_with_a_way_to_end_it(house: House, path: str) -> None:
    clock.stop()
    nurse = broken(house, "nurse")
    until = (clock.now() + HALF_AN_HOUR).strftime("%H:%M")
    page = nurse.get(path).text
    assert re.search(rf"Emergency access until <time [^>]*>{until}</time>", page)
    assert 'action="/emergency/end"' in page and 'http-equiv="refresh" content="1801; url=/"' in page
    nurse.act("/emergency/end")
    assert "Emergency access until" not in nurse.get(path).text


def test_a_page_of_an_error_says_so_too(house: House) -> None:
    assert 'action="/emergency/end"' in broken(house, "nurse").get("/alerts/4711").text


def test_an_administrator_keeps_the_desk_beside_the_ward(house: House) -> None:
    page = broken(house, "admin").get("/alerts").text
    assert re.findall(r'<li><a href="([^"]+)"', page) == [
        "/alerts", "/patients", "/notices", "/admin", "/admin/audit",
    ]  # fmt: skip


# ---- What is written down


def test_the_audit_has_the_reason_and_marks_every_look(house: House) -> None:
    alert_id, nurse = house.raise_alarm(**ICU), visitor_of(house, "nurse")
    nurse.get("/alerts")
    break_glass(nurse)
    nurse.get("/alerts")
    nurse.get(f"/alerts/{alert_id}")
    nurse.acknowledge(alert_id)
    nurse.act("/emergency/end")
    nurse.get("/patients")

    lines = left()
    assert [(line.act, line.object) for line in lines] == [
        ("look", "/alerts"),
        ("emergency", "/emergency"),
        ("emergency look", "/alerts"),
        ("emergency look", f"alert:{alert_id}"),
        ("emergency acknowledgement", f"alert:{alert_id}"),
        ("emergency end", "/emergency/end"),
        ("look", "/patients"),
    ]
    assert json.loads(lines[1].detail or "")["change"] == WHY


def test_the_reason_lies_sealed(house: House) -> None:
    broken(house, "nurse")
    with records.read() as session:
        stored = session.execute(text("SELECT * FROM emergency_access")).one()
    assert not any("arrest" in str(value) for value in stored)
    assert _accesses()[0].reason == WHY


# ---- Reviews


def test_an_administrator_sees_who_when_why_and_what_and_marks_it(house: House) -> None:
    alert_id, nurse, admin = house.raise_alarm(**ICU), broken(house, "nurse"), visitor_of(house, "admin")
    for _ in range(2):
        nurse.get(f"/alerts/{alert_id}")
    nurse.act("/emergency/end")
    nurse.get("/metrics")

    page = admin.get("/admin/reviews").text
    assert "Amara N." in page and WHY in page and f"look <code>alert:{alert_id}</code>" in page
    assert "/metrics</code>" not in page and "reviewed: 1" in page

    (access,) = _accesses()
    assert admin.act(f"/admin/reviews/{access.id}/review").status_code == 303
    (access,) = _accesses()
    assert (access.reviewed_at, access.reviewed_by_id) == (clock.now(), house.actor("admin").person_id)
    assert "reviewed: 0" in admin.get("/admin/reviews").text


def test_what_somebody_wrote_as_a_reason_is_text(house: House) -> None:
    nurse = visitor_of(house, "nurse")
    break_glass(nurse, "<script>alert(1)</script>")
    page = visitor_of(house, "admin").get("/admin/reviews").text
    assert "&lt;script&gt;alert(1)" in page and "<script>alert" not in page


def test_nobody_reviews_their_own(house: House) -> None:
    admin = broken(house, "admin")
    (access,) = _accesses()
    assert admin.act(f"/admin/reviews/{access.id}/review").status_code == 403
    assert f"/admin/reviews/{access.id}/review" not in admin.get("/admin/reviews").text
    assert _accesses()[0].reviewed_at is None


def test_an_administrator_of_another_hospital_sees_and_marks_nothing(house: House) -> None:
    broken(house, "nurse")
    hire(house, "admin-b", Role.ADMIN, "MED", hospital="demo-b")
    stranger = visitor_of(house, "admin-b")
    page = stranger.get("/admin/reviews").text
    assert "Amara" not in page and WHY not in page
    assert stranger.act(f"/admin/reviews/{_accesses()[0].id}/review").status_code == 404
    assert _accesses()[0].reviewed_at is None


def _units(visitor: Visitor) -> str:
    return re.findall(r'<p class="units">.*?</span>(.*?)</p>', visitor.get("/alerts").text)[0]


def _alerts() -> list[Alert]:
    """Those of emergencies."""
    with records.read() as session:
        query = select(Alert).where(Alert.condition_key.startswith("emergency-"))
        return list(session.scalars(query.order_by(Alert.id)))


def _accesses() -> list[EmergencyAccess]:
    with records.read() as session:
        return list(session.scalars(select(EmergencyAccess).order_by(EmergencyAccess.id)))
