"""One's own sign-ins and password, and what an administrator may do about those of others."""

import re
from datetime import timedelta

import pytest
from argon2 import PasswordHasher, extract_parameters
from sqlalchemy import select
from werkzeug.test import TestResponse

from hospital import clock, records
from hospital.access import passwords
from hospital.access.passwords import Unfit, check
from hospital.records import Ended, Person, PersonSession
from tests.support.house import House, Visitor

NEW = "a horse in the lift"


@pytest.fixture
def nurse(house: House) -> Visitor:
    return house.visitor("nurse")


def test_one_sees_where_one_is_signed_in_and_nobody_else(house: House, nurse: Visitor) -> None:
    house.visitor("nurse"), house.visitor("nurse2")
    page = nurse.get("/account", headers={"User-Agent": "x"}).text
    assert page.count("This one") == 1
    assert len(ends_in(page)) == 1


def test_one_is_told_which_browser_and_where(house: House) -> None:
    visitor = house.visitor()
    visitor.client.environ_base |= {
        "HTTP_USER_AGENT": "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0",
        "REMOTE_ADDR": "192.0.2.7",
    }
    visitor.sign_in("nurse")
    page = visitor.get("/account").text
    assert "Firefox on Windows" in page and "192.0.2.7" in page


def test_ending_one_ends_its_requests_at_once(house: House, nurse: Visitor) -> None:
    left = house.visitor("nurse")
    (path,) = ends_in(nurse.get("/account").text)
    assert post(nurse, path).status_code == 303
    assert left.get("/alerts").status_code == 302
    assert "ended from another place" in left.get("/sign-in").text
    assert nurse.get("/alerts").status_code == 200


def test_a_changed_password_ends_the_others_and_renews_this_one(house: House, nurse: Visitor) -> None:
    other, before = house.visitor("nurse"), token_of(nurse)
    assert change(nurse).status_code == 303
    assert other.get("/alerts").status_code == 302
    assert nurse.get("/alerts").status_code == 200
    assert token_of(nurse) != before
    assert house.visitor().sign_in("nurse").status_code == 401
    assert house.visitor().sign_in("nurse", NEW).status_code == 303


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"old": "wrong"}, "old password is wrong"),
        ({"again": "another horse"}, "differ"),
        ({"new": "short", "again": "short"}, "12 characters at least"),
        ({"new": "n" * 201, "again": "n" * 201}, "200 characters at most"),
        ({"new": "my-name-is-nurse", "again": "my-name-is-nurse"}, "own name"),
        ({"new": "AMARA amara 1234", "again": "AMARA amara 1234"}, "own name"),
        ({"new": "aaaaaaaaaaaaaaaa", "again": "aaaaaaaaaaaaaaaa"}, "again and again"),
    ],
)
def test_an_unfit_password_is_refused_with_the_reason(
    house: House, nurse: Visitor, fields: dict[str, str], why: str
) -> None:
    answer = change(nurse, **fields)
    assert (answer.status_code, why in answer.text) == (422, True)
    assert house.visitor().sign_in("nurse").status_code == 303


def test_no_signs_or_digits_are_demanded() -> None:
    check("correct horse battery", "nurse")
    with pytest.raises(Unfit):
        check("correcthors", "nurse")


def test_guessing_the_old_password_is_slow(nurse: Visitor) -> None:
    assert [change(nurse, old="wrong").status_code for _ in range(7)] == [422] * 6 + [429]


def test_a_reset_password_works_once_and_must_be_changed(house: House, nurse: Visitor) -> None:
    admin, person_id = house.visitor("admin"), house.actor("nurse").person_id
    page = post(admin, f"/admin/people/{person_id}/password-reset").text
    (given,) = re.findall(r'<p class="secret"><code>([^<]+)</code>', page)
    assert nurse.get("/alerts").status_code == 302
    assert house.visitor().sign_in("nurse").status_code == 401
    visitor = house.visitor()
    visitor.sign_in("nurse", given)
    assert visitor.get("/alerts").headers["Location"] == "/account/password?next=/alerts"
    assert visitor.get("/live/stream?view=alerts").status_code == 401
    assert visitor.acknowledge(house.raise_alarm()).status_code == 401
    token = re.findall(r'name="csrf_token" value="([^"]+)"', visitor.get("/account/password").text)[0]
    fields = {"csrf_token": token, "old": given, "new": NEW, "again": NEW}
    assert visitor.client.post("/account/password", data=fields).headers["Location"] == "/alerts"
    assert visitor.get("/alerts").status_code == 200


def test_an_administrator_ends_anybodys_sign_in_of_the_hospital(house: House, nurse: Visitor) -> None:
    admin = house.visitor("admin")
    (path,) = ends_in(admin.get(f"/admin/people/{house.actor('nurse').person_id}/sessions").text)
    assert post(admin, path).status_code == 303
    assert nurse.get("/alerts").status_code == 302
    assert rows()[0].ended_why is Ended.BY_HAND


def test_the_administration_lists_what_one_may_do_there(house: House) -> None:
    assert "/admin/people" in house.visitor("admin").get("/admin").text
    engineer = house.visitor("engineer").get("/", follow_redirects=True)
    assert (engineer.status_code, engineer.request.path) == (200, "/admin")
    assert "/admin/people" not in engineer.text


def test_a_rehash_is_made_when_more_is_asked_of_a_hash(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=4))
    house.visitor("nurse")
    with records.read() as session:
        kept = session.scalars(select(Person.password_hash).where(Person.name == "nurse")).one()
    assert extract_parameters(kept).time_cost == 4
    clock.turn(timedelta(seconds=1))
    assert house.visitor().sign_in("nurse").status_code == 303


def change(visitor: Visitor, **fields: str) -> TestResponse:
    return post(visitor, "/account/password", **{"old": "demo-nurse", "new": NEW, "again": NEW} | fields)


def ends_in(page: str) -> list[str]:
    return re.findall(r'formaction="([^"]*/sessions/\d+/end)"', page)


def post(visitor: Visitor, path: str, **fields: str) -> TestResponse:
    return visitor.client.post(path, data={"csrf_token": visitor.csrf_token, **fields})


def token_of(visitor: Visitor) -> str:
    cookie = visitor.client.get_cookie("session")
    assert cookie is not None
    return cookie.value


def rows() -> list[PersonSession]:
    with records.read() as session:
        return list(session.scalars(select(PersonSession).order_by(PersonSession.id)))
