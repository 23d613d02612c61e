"""The second factor: set up, asked for, never taken twice, and demanded by a hospital."""

import re
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from hospital import clock, records
from hospital.records import Person, PersonSession
from tests.support.house import House, Visitor


@pytest.fixture
def nurse(house: House) -> Visitor:
    clock.stop()
    return house.visitor("nurse")


def test_setting_it_up_shows_a_picture_and_asks_for_a_code(nurse: Visitor) -> None:
    page = nurse.get("/account/second-factor").text
    assert '<svg class="qr"' in page and "style=" not in page
    assert secret_in(page) == secret_in(nurse.get("/account/second-factor").text)
    assert post(nurse, "/account/second-factor", code="000000").status_code == 422
    assert len(set_up(nurse)) == 10


def test_once_set_up_its_secret_is_never_shown_again(nurse: Visitor) -> None:
    set_up(nurse)
    page = nurse.get("/account/second-factor").text
    assert "It is set up" in page and 'class="qr"' not in page and not secret_in(page)


def test_the_secret_lies_sealed_and_the_codes_as_hashes(house: House, nurse: Visitor) -> None:
    secret = secret_in(nurse.get("/account/second-factor").text)
    codes = set_up(nurse)
    with records.read() as session:
        kept = str(session.execute(text("SELECT totp_secret FROM person")).all())
        kept += str(session.execute(text("SELECT * FROM recovery_code")).all())
    assert not any(word in kept for word in (secret, *codes, *(code.replace("-", "") for code in codes)))


def test_the_password_alone_opens_nothing_any_more(house: House, nurse: Visitor) -> None:
    set_up(nurse)
    visitor = house.visitor()
    answer = visitor.sign_in("nurse")
    assert answer.headers["Location"] == "/sign-in/code?next=/alerts"
    assert visitor.get("/alerts").headers["Location"] == "/sign-in/code?next=/alerts"
    assert visitor.get("/live/stream?view=alerts").status_code == 401
    assert visitor.get("/account").status_code == 302


def test_the_code_opens_with_a_new_token(house: House, nurse: Visitor) -> None:
    set_up(nurse)
    clock.turn(timedelta(seconds=30))
    visitor, before = half_in(house)
    answer = post(visitor, "/sign-in/code?next=/patients", code=code_of("nurse"))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/patients")
    assert visitor.get("/alerts").status_code == 200
    old = house.app.test_client()
    old.set_cookie("session", before)
    assert old.get("/alerts").headers["Location"] == "/sign-in?next=/alerts"


def test_a_code_is_taken_once(house: House, nurse: Visitor) -> None:
    set_up(nurse)
    clock.turn(timedelta(seconds=30))
    code = code_of("nurse")
    (first, _), (second, _) = half_in(house), half_in(house)
    assert post(first, "/sign-in/code", code=code).status_code == 303
    assert post(second, "/sign-in/code", code=code).status_code == 401


def test_a_code_of_another_time_is_wrong(house: House, nurse: Visitor) -> None:
    set_up(nurse)
    clock.turn(timedelta(minutes=5))
    for off in (-90, -60, 60, 90):
        visitor, _ = half_in(house)
        assert (off, post(visitor, "/sign-in/code", code=code_of("nurse", off)).status_code) == (off, 401)
    assert post(visitor, "/sign-in/code", code=code_of("nurse", -30)).status_code == 303


def test_guessing_codes_is_slow(house: House, nurse: Visitor) -> None:
    set_up(nurse)
    visitor, _ = half_in(house)
    answers = [post(visitor, "/sign-in/code", code="000000") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [401] * 6 + [429]
    assert answers[-1].headers["Retry-After"] == "1"


def test_a_recovery_code_opens_once(house: House, nurse: Visitor) -> None:
    code = set_up(nurse)[3]
    (first, _), (second, _) = half_in(house), half_in(house)
    assert post(first, "/sign-in/code", code=code.lower()).status_code == 303
    assert post(second, "/sign-in/code", code=code).status_code == 401
    assert "9 recovery codes left" in first.get("/account").text


def test_who_gives_no_code_in_time_begins_again(house: House, nurse: Visitor) -> None:
    set_up(nurse)
    visitor, _ = half_in(house)
    clock.turn(timedelta(minutes=10))
    assert post(visitor, "/sign-in/code", code=code_of("nurse")).status_code == 401
    assert visitor.get("/alerts").headers["Location"] == "/sign-in?next=/alerts"


def test_removing_it_takes_a_code_of_it(house: House, nurse: Visitor) -> None:
    set_up(nurse)
    assert post(nurse, "/account/second-factor-removal", code="000000").status_code == 422
    clock.turn(timedelta(seconds=30))
    assert post(nurse, "/account/second-factor-removal", code=code_of("nurse")).status_code == 303
    assert house.visitor().sign_in("nurse").headers["Location"] == "/alerts"


def test_a_hospital_that_demands_it_lets_nobody_of_that_role_on_without(house: House, nurse: Visitor) -> None:
    admin, charge = house.visitor("admin"), house.visitor("charge")
    assert post(admin, "/admin/second-factor-roles", role="nurse").status_code == 303
    assert nurse.get("/alerts").headers["Location"] == "/account/second-factor?next=/alerts"
    assert nurse.acknowledge(house.raise_alarm()).status_code == 401
    assert charge.get("/alerts").status_code == 200
    assert house.visitor("nurse-b").get("/alerts").status_code == 200
    set_up(nurse)
    assert nurse.get("/alerts").status_code == 200


def test_an_administrator_removes_that_of_a_lost_telephone(house: House, nurse: Visitor) -> None:
    set_up(nurse)
    admin, person_id = house.visitor("admin"), house.actor("nurse").person_id
    assert post(admin, f"/admin/people/{person_id}/second-factor-removal").status_code == 303
    assert nurse.get("/alerts").headers["Location"] == "/sign-in?next=/alerts"
    assert house.visitor().sign_in("nurse").headers["Location"] == "/alerts"


def set_up(visitor: Visitor) -> list[str]:
    """The recovery codes."""
    secret = secret_in(visitor.get("/account/second-factor").text)
    answer = post(visitor, "/account/second-factor", code=pyotp.TOTP(secret).at(int(clock.now().timestamp())))
    assert answer.status_code == 200
    return re.findall(r"<li><code>([A-Z2-7-]+)</code>", answer.text)


def secret_in(page: str) -> str:
    found = re.findall(r'<p class="secret"><code>([A-Z2-7 ]+)</code>', page)
    return found[0].replace(" ", "") if found else ""


def half_in(house: House) -> tuple[Visitor, str]:
    """A browser where the password has been given, and its token."""
    visitor = house.visitor()
    visitor.sign_in("nurse")
    form = visitor.get("/sign-in/code").text
    visitor.csrf_token = re.findall(r'name="csrf_token" value="([^"]+)"', form)[0]
    cookie = visitor.client.get_cookie("session")
    assert cookie is not None
    with records.read() as session:
        newest = session.scalars(select(PersonSession).order_by(PersonSession.id.desc())).first()
        assert newest is not None and not newest.complete
    return visitor, cookie.value


def code_of(name: str, off_s: int = 0) -> str:
    with records.read() as session:
        secret = session.scalars(select(Person.totp_secret).where(Person.name == name)).one()
    return pyotp.TOTP(secret or "").at(int(clock.now().timestamp()) + off_s)


def post(visitor: Visitor, path: str, **fields: str) -> TestResponse:
    return visitor.client.post(path, data={"csrf_token": visitor.csrf_token, **fields})
