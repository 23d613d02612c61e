"""Units, beds and what senders call them, as an administrator sets them up."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from hospital import clock, records
from hospital.records import AuditLine, Bed, BedCode, Hospital, Unit
from tests.access.strangers import new_token
from tests.pages.markup import read
from tests.support.alarms import alarm
from tests.support.house import House, Visitor
from tests.support.readings import reading
from tests.support.standing import standing

CODE = "7W^07^A"


@pytest.fixture
def admin(house: House) -> Visitor:
    return house.visitor("admin")


def post(visitor: Visitor, path: str, **fields: object) -> TestResponse:
    return visitor.client.post(path, data={"csrf_token": visitor.csrf_token, **fields})


def wrong(answer: TestResponse) -> list[str]:
    assert answer.status_code == 422
    return re.findall(r'<p id="wrong-([^"]+)"', answer.text)


def number(table: Any, code: str, hospital: str = "demo") -> int:
    with records.read() as session:
        home = session.scalars(select(Hospital.id).where(Hospital.code == hospital)).one()
        return int(session.scalars(select(table.id).where(table.code == code, table.hospital_id == home)).one())


def bind(admin: Visitor, code: str = CODE, bed: str = "MED-07") -> TestResponse:
    return post(admin, "/admin/bed-codes", bed_code=code, bed=number(Bed, bed))


def listed(admin: Visitor, what: str) -> list[str]:
    """The codes in one of the two lists of the page."""
    page = read(admin.get("/admin/bed-codes").text)
    return [item.one("b").text for item in page.one("ul", data_testid=what).all("li") if item.all("b")]


def audited(act: str) -> list[tuple[str, str]]:
    with records.read() as session:
        lines = session.scalars(select(AuditLine).where(AuditLine.act == act).order_by(AuditLine.number))
        return [(line.object, json.loads(line.detail or "{}").get("change", "")) for line in lines]


# ---- Units and beds


def test_a_unit_and_its_beds_take_alarms_as_soon_as_they_are_there(house: House, admin: Visitor) -> None:
    added = post(admin, "/admin/units", code="8E", name="Eight East")
    unit_id = number(Unit, "8E")
    assert (added.status_code, added.headers["Location"]) == (303, f"/admin/units/{unit_id}")
    assert post(admin, f"/admin/units/{unit_id}/beds", code="8E-01\r\n 8E-02 \r\n\r\n").status_code == 303
    for sent in ("8E^^8E-01", "8E^3^02"):
        assert house.alert(house.raise_alarm(bed=sent, alert_id=sent)).unit_id == unit_id
    assert "Eight East" in admin.get("/admin/units").text and "8E-02" in admin.get(f"/admin/units/{unit_id}").text


@pytest.mark.parametrize(
    ("path", "fields", "field"),
    [
        ("/admin/units", {"code": "MED", "name": "Again"}, "code"),
        ("/admin/units", {"code": "7^W", "name": "Ward"}, "code"),
        ("/admin/units", {"code": "8E", "name": ""}, "name"),
        ("/admin/units", {}, "code"),
        ("/admin/units/1", {"name": "x" * 101}, "name"),
        ("/admin/units/1/beds", {"code": "ICU-01"}, "code"),
        ("/admin/units/1/beds", {"code": ""}, "code"),
        ("/admin/units/1/beds", {"code": "\n".join(f"B{n}" for n in range(101))}, "code"),
        ("/admin/zone", {"timezone": "Mars/Olympus"}, "timezone"),
        ("/admin/bed-codes", {"bed_code": "", "bed": "1"}, "bed_code"),
        ("/admin/bed-codes", {"bed_code": CODE}, "bed"),
        ("/admin/bed-codes", {"bed_code": "MED^^MED-01", "bed": "2"}, "bed_code"),
    ],
)
def test_what_cannot_be_taken_is_told_beside_its_field(
    admin: Visitor, path: str, fields: dict[str, str], field: str
) -> None:
    answer = post(admin, path, **fields)
    assert set(wrong(answer)) == {field}
    for name, typed in fields.items():
        assert typed in answer.text or name == "bed"


def test_a_unit_is_renamed_and_keeps_the_code_that_senders_say(house: House, admin: Visitor) -> None:
    post(admin, f"/admin/units/{number(Unit, 'MED')}", name="Medicine", code="OTHER")
    with records.read() as session:
        unit = session.get_one(Unit, number(Unit, "MED"))
    assert (unit.name, house.alert(house.raise_alarm()).unit_id) == ("Medicine", unit.id)


def test_times_are_shown_in_the_hospital_s_zone(house: House, admin: Visitor) -> None:
    assert post(admin, "/admin/zone", timezone="Asia/Tokyo").status_code == 303
    assert house.hospital().timezone == "Asia/Tokyo" and house.hospital("demo-b").timezone == "UTC"
    assert 'data-zone="Asia/Tokyo"' in house.visitor("nurse").get("/alerts").text


def test_a_bed_that_was_added_by_mistake_goes_and_one_that_was_used_stays(house: House, admin: Visitor) -> None:
    house.raise_alarm(bed="MED^^MED-07")
    bind(admin, bed="MED-08")
    gone, used, bound = (number(Bed, code) for code in ("MED-09", "MED-07", "MED-08"))
    assert post(admin, f"/admin/beds/{gone}/removal").status_code == 303
    for bed_id in (used, bound):
        answer = post(admin, f"/admin/beds/{bed_id}/removal")
        assert (answer.status_code, "it stays" in answer.text) == (409, True)
    with records.read() as session:
        assert session.get(Bed, gone) is None and session.get(Bed, used) and session.get(Bed, bound)


# ---- What senders call them


def test_a_code_that_came_in_and_means_nothing_is_listed_and_bound_with_one_press(house: House, admin: Visitor) -> None:
    alert_id = house.raise_alarm(bed=CODE)
    assert listed(admin, "unknown") == [CODE]
    form = read(admin.get("/admin/bed-codes").text).one("form", class_="bind")
    fields = {field.attributes["name"]: field.attributes["value"] for field in form.all("input")}
    assert post(admin, "/admin/bed-codes", **fields, bed=number(Bed, "MED-07")).status_code == 303
    assert (listed(admin, "unknown"), listed(admin, "bound")) == ([], [CODE])
    assert house.visitor("nurse").get(f"/alerts/{alert_id}").status_code == 200
    assert house.visitor("nurse").get(f"/alerts/{house.raise_alarm(bed=CODE, alert_id='next')}").status_code == 200


def test_the_newest_stands_first_and_what_came_long_ago_not_at_all(house: House, admin: Visitor) -> None:
    clock.stop()
    house.raise_alarm(bed="OLD^^1")
    clock.turn(timedelta(days=7, minutes=1))
    house.raise_alarm(bed="A^^1")
    clock.turn(timedelta(minutes=1))
    house.take(reading(bed="B^^1", patient=None))
    admin = house.visitor("admin")
    assert listed(admin, "unknown") == ["B^^1", "A^^1"]


def test_neither_a_patient_nor_what_was_sent_stands_there(house: House, admin: Visitor) -> None:
    house.raise_alarm(bed=CODE)
    house.take(reading(bed="8E^12"))
    page = admin.get("/admin/bed-codes").text
    assert "8E^12" in page
    assert not standing(page, ("Testmann", "Tilda", "4711", "SpO2 low"))


def test_what_means_a_bed_by_now_is_listed_no_more(house: House, admin: Visitor) -> None:
    house.raise_alarm(bed="8E^^8E-01")
    post(admin, "/admin/units", code="8E", name="Eight East")
    assert listed(admin, "unknown") == ["8E^^8E-01"]
    post(admin, f"/admin/units/{number(Unit, '8E')}/beds", code="8E-01")
    assert listed(admin, "unknown") == []


def test_codes_of_another_hospital_are_neither_listed_nor_bound_nor_removed(house: House, admin: Visitor) -> None:
    headers = {"Authorization": f"Bearer {new_token(house, 'demo-b')}", "Content-Type": "x-application/hl7-v2+er7"}
    house.app.test_client().post("/api/v1/hl7", data=alarm(bed="THEIRS^^1"), headers=headers)
    theirs = number(Bed, "MED-07", "demo-b")

    def act(session: Any) -> int:
        session.add(row := BedCode(hospital_id=house.hospital("demo-b").id, bed_id=theirs, place="X / – / Y"))
        session.flush()
        return int(row.id)

    code_id = records.write(None, act)
    assert (listed(admin, "unknown"), listed(admin, "bound")) == ([], [])
    assert post(admin, "/admin/bed-codes", bed_code=CODE, bed=theirs).status_code == 404
    assert post(admin, f"/admin/bed-codes/{code_id}/removal").status_code == 404


def test_a_removed_code_means_nothing_from_then_on(house: House, admin: Visitor) -> None:
    bind(admin)
    before = house.raise_alarm(bed=CODE)
    (path,) = re.findall(r'formaction="(/admin/bed-codes/\d+/removal)"', admin.get("/admin/bed-codes").text)
    assert post(admin, path).status_code == 303
    assert house.alert(before).unit_id == number(Unit, "MED"), "what came before stays"
    assert house.alert(house.raise_alarm(bed=CODE, alert_id="next")).unit_id is None


def test_a_code_with_markup_in_it_is_text(house: House, admin: Visitor) -> None:
    house.raise_alarm(bed="<b>7W</b>^^1")
    assert "&lt;b&gt;7W&lt;/b&gt;^^1" in admin.get("/admin/bed-codes").text
    bind(admin, "<b>7W</b>^^1")
    assert listed(admin, "bound") == ["<b>7W</b>^^1"]


def test_everything_stands_in_the_audit_with_what_was_changed(admin: Visitor) -> None:
    post(admin, "/admin/units", code="8E", name="Eight East")
    unit, bed = f"unit:{number(Unit, '8E')}", f"bed:{number(Bed, 'MED-07')}"
    post(admin, f"/admin/{unit.replace('unit:', 'units/')}/beds", code="8E-01\n8E-02")
    post(admin, "/admin/zone", timezone="Asia/Tokyo")
    bind(admin)
    (path,) = re.findall(r"/admin/bed-codes/\d+/removal", admin.get("/admin/bed-codes").text)
    post(admin, path)
    gone = number(Bed, "8E-02")
    post(admin, f"/admin/beds/{gone}/removal")
    assert audited("units") == [(unit, "8E")]
    assert audited("beds") == [(unit, "8E-01, 8E-02")]
    assert audited("zone") == [("/admin/zone", "Asia/Tokyo")]
    assert audited("bed-codes") == [(bed, CODE)]
    assert audited("removal") == [(bed, CODE), (f"bed:{gone}", "8E-02")]
