"""An administrator adds people, says what they may do and where, and lets them go."""

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from werkzeug.test import TestResponse

from hospital import clock, records
from hospital.records import AuditLine, Hospital, Person, Unit
from hospital.roles import Role
from tests.access.strangers import hire
from tests.live.lines import joined
from tests.pages.markup import read
from tests.support.boards import paired
from tests.support.house import House, Visitor

NEW = {"name": "Noor B.", "sign_in_name": "noor", "role": "nurse"}


@pytest.fixture
def admin(house: House) -> Visitor:
    return house.visitor("admin")


def post(visitor: Visitor, path: str, *units: str, hospital: str = "demo", **fields: str) -> TestResponse:
    with records.read() as session:
        query = select(Unit.id).join(Hospital, Hospital.id == Unit.hospital_id).where(Hospital.code == hospital)
        ids = [str(id) for id in session.scalars(query.where(Unit.code.in_(units)))]
    return visitor.client.post(path, data={"csrf_token": visitor.csrf_token, "unit": ids, **fields})


def change(admin: Visitor, house: House, who: str, *units: str, **fields: str) -> TestResponse:
    person = one(who)
    given = {"name": person.display_name, "role": person.role.value, "active": "1"} | fields
    given = {name: value for name, value in given.items() if value}
    return post(admin, f"/admin/people/{person.id}", *units, **given)


def one(name: str) -> Person:
    with records.read() as session:
        return session.scalars(select(Person).where(Person.name == name).options(selectinload(Person.units))).one()


def wrong(answer: TestResponse) -> dict[str, str]:
    """Each field that could not be taken, and why."""
    assert answer.status_code == 422
    return dict(re.findall(r'<p id="wrong-([^"]+)" class="field-wrong">([^<]+)</p>', answer.text))


def audited() -> list[tuple[str, str, str]]:
    with records.read() as session:
        lines = session.scalars(
            select(AuditLine).where(AuditLine.object != "/alerts", AuditLine.act.in_(("people", "refused")))
        )
        return [(line.act, line.object, json.loads(line.detail or "{}").get("change", "")) for line in lines]


# ---- Adding


def test_somebody_new_signs_in_once_chooses_a_password_and_sees_their_unit(house: House, admin: Visitor) -> None:
    page = post(admin, "/admin/people", "MED", **NEW)
    assert page.status_code == 200
    (given,) = re.findall(r'<p class="secret"><code>([^<]+)</code>', page.text)
    noor = house.visitor()
    noor.sign_in("noor", given)
    assert noor.get("/alerts").headers["Location"] == "/account/password?next=/alerts"
    token = re.findall(r'name="csrf_token" value="([^"]+)"', noor.get("/account/password").text)[0]
    own = "a horse in the lift"
    noor.client.post("/account/password", data={"csrf_token": token, "old": given, "new": own, "again": own})
    alert_id = house.raise_alarm()
    assert noor.get(f"/alerts/{alert_id}").status_code == 200
    assert noor.get(f"/alerts/{house.raise_alarm(bed='ICU^^ICU-01')}").status_code == 404
    assert (one("noor").hospital_id, one("noor").role) == (house.hospital().id, Role.NURSE)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"sign_in_name": "nurse"}, "sign_in_name"),
        ({"sign_in_name": "nurse-b"}, "sign_in_name"),
        ({"sign_in_name": "Noor B"}, "sign_in_name"),
        ({"sign_in_name": "n" * 41}, "sign_in_name"),
        ({"sign_in_name": ""}, "sign_in_name"),
        ({"name": " "}, "name"),
        ({"name": "N" * 101}, "name"),
        ({"name": "N\u202eoor"}, "name"),
        ({"role": "display"}, "role"),
        ({"role": "owner"}, "role"),
        ({"role": ""}, "role"),
    ],
)
def test_what_cannot_be_taken_is_told_beside_its_field_and_the_rest_stays_typed(
    admin: Visitor, changed: dict[str, str], field: str
) -> None:
    answer = post(admin, "/admin/people", "MED", **(NEW | changed))
    assert list(wrong(answer)) == [field]
    form = read(answer.text).one("form", data_testid="add-person")
    told = form.one(id=field).attributes
    assert told["aria-invalid"] == "true" and f"wrong-{field}" in told["aria-describedby"]
    assert form.one(id="sign_in_name").attributes["value"] == (NEW | changed)["sign_in_name"]
    assert len([box for box in form.all("input", type="checkbox") if "checked" in box.attributes]) == 1
    with records.read() as session:
        assert session.scalar(select(Person.id).where(Person.display_name == "Noor B.")) is None


def test_a_role_that_sees_alerts_needs_a_unit_and_one_of_the_own_hospital(house: House, admin: Visitor) -> None:
    assert list(wrong(post(admin, "/admin/people", **NEW))) == ["unit"]
    assert list(wrong(post(admin, "/admin/people", "MED", hospital="demo-b", **NEW))) == ["unit"]
    assert post(admin, "/admin/people", **(NEW | {"role": "engineer"})).status_code == 200


# ---- Changing


def test_another_role_and_other_units_count_from_the_next_request_on(house: House, admin: Visitor) -> None:
    nurse, alert_id = house.visitor("nurse"), house.raise_alarm()
    assert change(admin, house, "nurse", "ICU", role="physician").status_code == 303
    assert nurse.get(f"/alerts/{alert_id}").status_code == 404
    assert nurse.get(f"/alerts/{house.raise_alarm(bed='ICU^^ICU-01')}").status_code == 200
    assert one("nurse").role is Role.PHYSICIAN


@pytest.mark.parametrize(
    ("units", "fields"),
    [
        (["ICU"], {}),
        (["MED", "ICU"], {}),
        (["MED"], {"role": "charge"}),
        (["MED"], {"active": ""}),
    ],
    ids=["other units", "more units", "another role", "disabled"],
)
def test_a_change_of_rights_closes_open_streams_at_the_next_beat(
    house: House, admin: Visitor, units: list[str], fields: dict[str, str]
) -> None:
    changed, other = joined(house, "nurse"), joined(house, "nurse2")
    change(admin, house, "nurse", *units, **fields)
    house.relay.end_sessions()
    house.raise_alarm()
    house.relay.look()
    assert ([event.name for event in changed.events], changed.ended) == (["auth"], True)
    assert other.named("frame") and not other.ended


def test_another_name_alone_ends_nothing(house: House, admin: Visitor) -> None:
    before = one("nurse").changed_at
    change(admin, house, "nurse", "MED", name="Amara Neumann")
    assert (one("nurse").display_name, one("nurse").changed_at) == ("Amara Neumann", before)


def test_more_rights_bring_a_new_token_with_the_next_answer(house: House, admin: Visitor) -> None:
    clock.stop()
    nurse = house.visitor("nurse")
    cookie = nurse.client.get_cookie("session")
    clock.turn(timedelta(minutes=1))
    change(admin, house, "nurse", "MED", "ICU")
    nurse.get("/alerts")
    assert nurse.client.get_cookie("session") != cookie


def test_who_is_disabled_is_out_at_once_and_comes_in_again_when_enabled(house: House, admin: Visitor) -> None:
    nurse = house.visitor("nurse")
    change(admin, house, "nurse", "MED", active="")
    assert nurse.get("/alerts").status_code == 302
    assert house.visitor().sign_in("nurse").status_code == 401
    change(admin, house, "nurse", "MED")
    assert nurse.get("/alerts").status_code == 302, "the old sign-in has ended"
    assert house.visitor().sign_in("nurse").status_code == 303


@pytest.mark.parametrize(("fields", "field"), [({"active": ""}, "active"), ({"role": "nurse"}, "role")])
def test_the_last_administrator_can_neither_be_disabled_nor_become_something_else(
    house: House, admin: Visitor, fields: dict[str, str], field: str
) -> None:
    hire(house, "gone", Role.ADMIN, "MED", active=False)
    hire(house, "theirs", Role.ADMIN, "MED", hospital="demo-b")
    assert list(wrong(change(admin, house, "admin", "MED", **fields))) == [field]
    assert (one("admin").role, one("admin").active) == (Role.ADMIN, True)
    hire(house, "second", Role.ADMIN, "MED")
    assert change(admin, house, "admin", "MED", **fields).status_code == 303


def test_of_the_own_hospital_alone(house: House, admin: Visitor) -> None:
    path = f"/admin/people/{one('nurse-b').id}"
    assert admin.get(path).status_code == 404
    assert post(admin, path, "MED", name="X", role="nurse", active="1").status_code == 404
    assert "Bela V." not in admin.get("/admin/people").text


def test_a_wall_board_is_listed_while_it_hangs_and_is_nobody_to_be_changed(house: House, admin: Visitor) -> None:
    paired(house)
    page = admin.get("/admin/people").text
    with records.read() as session:
        board = session.scalars(select(Person).where(Person.role == Role.DISPLAY)).one()
    assert "North corridor" in page and f'href="/admin/people/{board.id}"' not in page
    assert admin.get(f"/admin/people/{board.id}").status_code == 404
    assert post(admin, f"/admin/people/{board.id}", "MED", name="X", role="nurse").status_code == 404


# ---- What stays of it


def test_everything_stands_in_the_audit_with_what_was_changed(house: House, admin: Visitor) -> None:
    post(admin, "/admin/people", "MED", **NEW)
    noor = one("noor").id
    change(admin, house, "noor", "MED", "ICU", role="charge")
    change(admin, house, "noor", "ICU", "MED", active="")
    post(admin, "/admin/people", **NEW)
    assert audited() == [
        ("people", f"person:{noor}", "nurse MED"),
        ("people", f"person:{noor}", "nurse MED → charge ICU, MED"),
        ("people", f"person:{noor}", "charge ICU, MED → charge ICU, MED (disabled)"),
        ("refused", "/admin/people", ""),  # without a unit
    ]
    page = admin.get("/admin/audit").text
    assert "nurse MED → charge ICU, MED" in page and "Person added or changed" in page


def test_a_name_with_markup_is_text(house: House, admin: Visitor) -> None:
    post(admin, "/admin/people", "MED", **(NEW | {"name": "<b>Noor</b>"}))
    for path in ("/admin/people", f"/admin/people/{one('noor').id}", f"/admin/people/{one('noor').id}/sessions"):
        assert "&lt;b&gt;Noor" in admin.get(path).text and "<b>Noor" not in admin.get(path).text
