"""The audit's page: an administrator finds who looked at what in the own hospital, and never a patient's name."""

import csv
import io
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from hospital import clock, records
from hospital.pages import audit as audit_page
from hospital.records import Base, Hospital, Person, audit
from hospital.records.audit import Trace
from hospital.records.person import person_unit
from hospital.roles import Role
from tests.access.strangers import hire
from tests.pages.markup import Element, read
from tests.support.house import House, Visitor

ADA = "Ada S."


@pytest.fixture
def admin(house: House) -> Visitor:
    return house.visitor("admin")


def lines(admin: Visitor, search: str = "") -> list[list[str]]:
    shown = read(admin.get(f"/admin/audit?{search}").text)
    tables = shown.all(data_testid="audit-lines")
    return [[cell.text for cell in row.all("td")] for row in tables[0].one("tbody").all("tr")] if tables else []


def who_what(admin: Visitor, search: str = "") -> list[tuple[str, str, str]]:
    return [(cells[1], cells[2], cells[3]) for cells in lines(admin, search)]


def test_it_tells_who_looked_at_what_newest_first(house: House, admin: Visitor) -> None:
    alert_id = house.raise_alarm()
    nurse = house.visitor("nurse")
    nurse.get(f"/alerts/{alert_id}")
    nurse.get("/board")

    shown = who_what(admin)
    assert shown[:2] == [("Amara N.", "Look", "/board"), ("Amara N.", "Look", f"alert:{alert_id}")]
    assert ("Amara N.", "Sign-in", "") in shown
    cells = lines(admin)[-1]
    assert (cells[4], cells[6]) == ("303", "127.0.0.1")


def test_looking_is_a_line_itself(admin: Visitor) -> None:
    admin.get("/admin/audit")
    assert (ADA, "Look", "/admin/audit") in who_what(admin)


def test_a_search_by_person_act_thing_and_day_finds_these_alone(house: House, admin: Visitor) -> None:
    first, second = house.raise_alarm(alert_id="1"), house.raise_alarm(alert_id="2")
    for who in ("nurse", "physician"):
        visitor = house.visitor(who)
        for alert_id in (first, second):
            visitor.get(f"/alerts/{alert_id}")
    house.visitor("nurse-icu").get(f"/alerts/{first}")
    nurse = house.actor("nurse").person_id

    assert {who for who, *_ in who_what(admin, f"person={nurse}")} == {"Amara N."}
    assert {what for _, what, _ in who_what(admin, "act=refused")} == {"Refused"}
    assert [who for who, *_ in who_what(admin, f"kind=alert&id={first}")] == ["Ines R.", "Dr. Okafor", "Amara N."]
    assert who_what(admin, f"kind=alert&id={first}&person={nurse}&act=look") == [("Amara N.", "Look", f"alert:{first}")]
    today = clock.now().date()
    assert len(who_what(admin, f"day={today}&act=refused")) == 2, "the administrator was refused the alerts"
    assert who_what(admin, f"day={today - timedelta(days=1)}") == []


def test_a_day_is_one_of_the_hospital_s_zone(house: House, admin: Visitor) -> None:
    zone = update(Hospital).where(Hospital.id == 1).values(timezone="Pacific/Auckland")
    records.write(1, lambda session: session.execute(zone))
    clock.stop(datetime(2026, 3, 4, 23, 30, tzinfo=ZoneInfo("Pacific/Auckland")))
    audit.leave(Trace(1, "look", "late", 200))
    clock.turn(timedelta(hours=1))
    audit.leave(Trace(1, "look", "early", 200))

    assert [what for *_, what in who_what(admin, "day=2026-03-04")] == ["late"]
    assert "early" in [what for *_, what in who_what(admin, "day=2026-03-05")]


def test_it_is_read_in_pages_without_a_line_lost_or_doubled(
    house: House, admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_page, "_LINES", 10)
    for n in range(35):
        audit.leave(Trace(1, "look", f"alert:{n}", 200))
    seen, search = [], "act=look&kind=alert"
    while search:
        shown = read(admin.get(f"/admin/audit?{search}").text)
        seen += [row.all("td")[3].text for row in shown.one("tbody").all("tr")]
        links = [link.attributes["href"] for link in shown.all("a")]
        search = next((link.partition("?")[2] for link in links if "before=" in link), "")

    assert seen == [f"alert:{n}" for n in range(34, -1, -1)]


def test_another_hospital_s_lines_are_nowhere(house: House, admin: Visitor) -> None:
    house.visitor("nurse-b").get("/board")
    hire(house, "admin-b", Role.ADMIN, "MED", hospital="demo-b")
    bela = house.actor("nurse-b").person_id

    assert who_what(admin, f"person={bela}") == []
    assert "Bela V." not in admin.get("/admin/audit").text
    theirs = house.visitor("admin-b")
    assert ("Bela V.", "Look", "/board") in who_what(theirs)
    assert ADA not in theirs.get("/admin/audit").text + theirs.get("/admin/audit/export").text


def test_no_patient_is_named(house: House, admin: Visitor) -> None:
    alert_id = house.raise_alarm(patient="PID-90210^^^Ward||Zwiebelfisch^Ottokar")
    house.visitor("nurse").get(f"/alerts/{alert_id}")

    told = admin.get("/admin/audit").text + admin.get("/admin/audit/export").text
    assert f"alert:{alert_id}" in told
    assert not re.search("zwiebelfisch|ottokar|90210", told, re.IGNORECASE)


def test_a_reason_with_markup_is_text(admin: Visitor) -> None:
    audit.leave(Trace(1, "look", "patient:3", 200, detail='{"reason": "<script>alert(1)</script>"}'))
    answer = admin.get("/admin/audit").text
    assert "<script>alert(1)" not in answer
    assert any(cells[-1] == "<script>alert(1)</script>" for cells in lines(admin))


@pytest.mark.parametrize(
    "search", ["person=Somebody", "act=glance", "kind=bed&id=1", "id=seventh", "day=tomorrow", "day=2026-02-30"]
)
def test_what_cannot_be_looked_for_is_refused_with_a_sentence(admin: Visitor, search: str) -> None:
    for page in ("/admin/audit", "/admin/audit/export"):
        answer = admin.get(f"{page}?{search}")
        assert answer.status_code == 400
        assert search.partition("=")[2] not in answer.text or search == "day=2026-02-30"


def test_what_is_looked_for_stays_in_the_form(house: House, admin: Visitor) -> None:
    nurse = house.actor("nurse").person_id
    form = read(admin.get(f"/admin/audit?person={nurse}&act=look&kind=alert&id=7&day=2026-03-04").text)
    form = form.one(data_testid="audit-search")
    chosen = [one.text for one in form.all("option") if "selected" in one.attributes]
    assert chosen == ["Amara N.", "Look", "Alert"]
    assert (form.one(id="audit-id").attributes["value"], form.one(id="audit-day").attributes["value"]) == (
        "7",
        "2026-03-04",
    )


def test_the_export_holds_what_was_looked_for_and_leaves_a_line_first(house: House, admin: Visitor) -> None:
    house.visitor("nurse").get("/board")
    answer = admin.get("/admin/audit/export?act=export")

    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["person"], row["act"], row["object"]) for row in rows] == [(ADA, "export", "/admin/audit")]


def test_an_export_that_cannot_be_written_down_is_not_given(admin: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot(_trace: Trace) -> None:
        raise records.NotStored("disk full")

    monkeypatch.setattr(audit, "leave", cannot)
    assert admin.get("/admin/audit/export").status_code == 503


def test_the_way_to_it_stands_in_the_navigation_of_administrators_alone(house: House, admin: Visitor) -> None:
    def ways(visitor: Visitor, path: str) -> list[Element]:
        return [link for link in read(visitor.get(path).text).all("a") if link.attributes.get("href") == "/admin/audit"]

    assert len(ways(admin, "/admin/audit")) == 1
    assert ways(house.visitor("nurse"), "/alerts") == []


def strangers(admin: Visitor) -> list[list[str]]:
    tables = read(admin.get("/admin/audit/strangers").text).all(data_testid="strangers")
    return [[cell.text for cell in row.all("td")] for row in tables[0].one("tbody").all("tr")] if tables else []


def test_strangers_who_were_refused_are_shown_without_a_name(house: House, admin: Visitor) -> None:
    assert strangers(admin) == []
    house.visitor().sign_in("hunter2 is my password", "x")
    house.visitor().get("/patients/1")
    shown = [cells[1:] for cells in strangers(admin)]
    assert shown == [["Refused", "/patients/<int:patient_id>", "401"], ["Sign-in refused", "", "401"]]
    assert "hunter2" not in admin.get("/admin/audit/strangers").text
    assert (ADA, "Look", "/admin/audit/strangers") in who_what(admin)


def test_from_where_strangers_came_is_told_where_there_is_but_one_hospital(house: House, admin: Visitor) -> None:
    house.visitor().sign_in("nobody", "x")
    assert "127.0.0.1" not in str(strangers(admin))
    records.write(None, _leave_alone)
    assert strangers(admin)[0][-1] == "127.0.0.1"


def _leave_alone(session: Session) -> None:
    """No hospital but the first."""
    theirs = [table for table in Base.metadata.sorted_tables if "hospital_id" in table.c and table.name != "audit_line"]
    other = select(Person.id).where(Person.hospital_id == 2)
    session.execute(delete(person_unit).where(person_unit.c.person_id.in_(other)))
    for table in reversed(theirs):
        session.execute(delete(table).where(table.c.hospital_id == 2))
    session.execute(delete(Hospital).where(Hospital.id == 2))
