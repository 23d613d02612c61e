"""A screen becomes a wall board by a code, and is dark again when it is revoked."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from hospital import clock, records
from hospital.access import pairing
from hospital.access.pace import PerMinute
from hospital.pages import boards
from hospital.records import Pairing, Person, PersonSession
from hospital.roles import Role
from tests.live.conftest import set_to  # noqa: F401
from tests.support.boards import Wall, board, enter, paired
from tests.support.house import House


@pytest.fixture(autouse=True)
def a_new_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "_pace", PerMinute())


def test_a_screen_that_shows_a_code_comes_in_when_a_charge_nurse_has_entered_it(house: House) -> None:
    wall = Wall.new(house)
    assert len(wall.code) == pairing.LENGTH and set(wall.code) <= set(pairing.LETTERS)
    assert wall.claim() == 204

    enter(house.visitor("charge"), f"{wall.code[:4].lower()} {wall.code[4:]}", "North corridor", "MED")
    assert wall.claim() == 200
    page = wall.look()

    assert page.request.path == "/board" and " data-paired " in page.text
    person = _person_of("North corridor")
    assert (person.role, [unit.code for unit in person.units]) == (Role.DISPLAY, ["MED"])


def test_a_code_is_good_once_and_the_screen_that_waits_for_it_comes_in_once(house: House) -> None:
    wall, charge = Wall.new(house), house.visitor("charge")
    assert enter(charge, wall.code, "First", "MED").status_code == 303
    assert enter(charge, wall.code, "Second", "MED").status_code == 422
    assert [wall.claim(), wall.claim()] == [200, 410]


def test_a_code_is_good_for_ten_minutes(house: House) -> None:
    wall = Wall.new(house)
    clock.turn(timedelta(minutes=10, seconds=1))
    assert wall.claim() == 410
    refused = enter(house.visitor("charge"), wall.code, "North corridor", "MED")
    assert refused.status_code == 422 and "No screen shows this code now" in refused.text
    assert wall.look().request.path == "/pair" and wall.claim() == 204, "another code stands there"


def test_who_knows_the_code_but_is_another_screen_does_not_come_in(house: House) -> None:
    wall, thief = Wall.new(house), Wall.new(house)
    enter(house.visitor("charge"), wall.code, "North corridor", "MED")
    assert thief.claim() == 204
    assert wall.claim() == 200


def test_a_code_that_the_screen_shows_no_more_is_good_no_more(house: House) -> None:
    wall = Wall.new(house)
    before = wall.code
    wall.look()
    assert wall.code != before
    assert enter(house.visitor("charge"), before, "North corridor", "MED").status_code == 422


def test_neither_code_nor_secret_lies_in_the_database(house: House) -> None:
    wall = Wall.new(house)
    cookie = wall.screen.client.get_cookie("pairing", path="/pair")
    assert cookie is not None
    with records.read() as session:
        kept = str(session.execute(text("SELECT * FROM pairing")).all())
    assert wall.code not in kept and cookie.value not in kept


def test_one_address_gets_only_so_many_codes(house: House, set_to: Callable[..., None]) -> None:  # noqa: F811
    set_to(pairing_codes_per_address=2)
    first = Wall.new(house)
    Wall.new(house)
    refused = house.visitor().get("/pair")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "600")
    assert first.look().status_code == 200, "a screen that is there already may look again"


def test_codes_cannot_be_guessed_one_after_the_other(house: House, set_to: Callable[..., None]) -> None:  # noqa: F811
    set_to(pairing_tries_per_minute=3)
    wall, charge = Wall.new(house), house.visitor("charge")
    tried = [enter(charge, "AAAAAAAA", "North corridor", "MED").status_code for _ in range(3)]
    right = enter(charge, wall.code, "North corridor", "MED")
    assert (tried, right.status_code) == ([422, 422, 422], 429)
    assert 1 <= int(right.headers["Retry-After"]) <= 60 and f"in {right.headers['Retry-After']} s." in right.text


@pytest.mark.parametrize("who", ["nurse", "physician", "admin"])
def test_only_a_charge_nurse_pairs(house: House, who: str) -> None:
    wall = Wall.new(house)
    visitor = house.visitor(who)
    assert enter(visitor, wall.code, "North corridor", "MED").status_code == 403
    assert wall.claim() == 204


def test_a_board_shows_no_unit_that_its_charge_nurse_is_not_in(house: House) -> None:
    theirs = house.hospital("demo-b").id
    with records.read() as session:
        foreign = session.execute(text("SELECT id FROM unit WHERE hospital_id = :id"), {"id": theirs}).scalar_one()
    wall, charge = Wall.new(house), house.visitor("charge")
    fields = {"code": wall.code, "name": "North", "unit": [str(foreign)], "csrf_token": charge.csrf_token}
    assert charge.client.post("/boards", data=fields).status_code == 422
    assert wall.claim() == 204


def test_a_board_without_a_name_or_a_unit_is_refused_with_a_sentence(house: House) -> None:
    wall, charge = Wall.new(house), house.visitor("charge")
    for name, units in (("  ", ("MED",)), ("N" * 61, ("MED",)), ("North", ())):
        refused = enter(charge, wall.code, name, *units)
        assert refused.status_code == 422 and "A board needs a name" in refused.text
    assert wall.claim() == 204


def test_a_board_has_no_password_and_nobody_signs_in_as_it(house: House) -> None:
    paired(house)
    person = _person_of("North corridor")
    for password in ("!", "", f"demo-{person.name}", "nobody has this password"):
        assert house.visitor().sign_in(person.name, password or " ").status_code == 401
    assert person.name not in house.visitor().get("/sign-in").text, "nor is it among the demo people"


def test_a_board_may_look_at_its_board_and_do_nothing(house: House) -> None:
    wall, _ = paired(house)
    alert_id = house.raise_alarm(patient="4711^^^Ward^PI||Testmann^Tilda^^^^^L||19610301|F")
    page = wall.look().text
    assert "MED-07" in page and "Testmann" not in page
    assert wall.screen.acknowledge(alert_id).status_code == 403
    assert wall.screen.get("/boards").status_code == 403


def test_a_board_stays_signed_in_for_months(house: House) -> None:
    wall, _ = paired(house)
    for _ in range(30):
        clock.turn(timedelta(hours=11))
        assert wall.look().request.path == "/board"


def test_the_token_of_a_board_is_replaced_by_its_pulse_alone(house: House) -> None:
    wall, its = paired(house)
    tokens = {_token(wall)}
    for _ in range(30):
        clock.turn(timedelta(minutes=5))
        assert wall.pulse(f"{house.hospital().epoch}-0") == 200
        tokens.add(_token(wall))
    assert len(tokens) >= 3
    with records.read() as session:
        assert len(session.scalars(select(PersonSession).filter_by(person_id=its.person_id)).all()) == 1


def test_a_revoked_board_is_signed_out_and_shows_a_code_again(house: House) -> None:
    wall, its = paired(house)
    assert _revoke(house, "charge", its.id) == 303
    assert wall.screen.get("/live/stream?view=board").status_code == 401
    assert wall.look().request.path == "/pair"
    with records.read() as session:
        assert all(row.ended_at for row in session.scalars(select(PersonSession).filter_by(person_id=its.person_id)))
    assert _revoke(house, "charge", its.id) == 303, "twice is as good as once"


def test_a_board_of_other_units_or_of_another_hospital_is_not_there(house: House) -> None:
    from tests.access.strangers import hire

    _, its = paired(house)
    hire(house, "charge-icu", Role.CHARGE, "ICU")
    hire(house, "charge-b", Role.CHARGE, "MED", hospital="demo-b")
    for stranger in ("charge-icu", "charge-b"):
        assert "North corridor" not in house.visitor(stranger).get("/boards").text
        assert _revoke(house, stranger, its.id) == 404
    assert board().revoked_at is None


def test_codes_that_nobody_entered_are_forgotten(house: House) -> None:
    from hospital import background

    Wall.new(house)
    clock.turn(timedelta(minutes=11))
    background.forget()
    with records.read() as session:
        assert session.scalars(select(Pairing)).all() == []


def _revoke(house: House, who: str, board_id: int) -> int:
    visitor = house.visitor(who)
    data = {"csrf_token": visitor.csrf_token}
    return visitor.client.post(f"/boards/{board_id}/revocation", data=data).status_code


def _token(wall: Wall) -> str:
    cookie = wall.screen.client.get_cookie("session")
    assert cookie is not None
    return cookie.value


def _person_of(name: str) -> Person:
    with records.read() as session:
        person = session.scalars(select(Person).where(Person.display_name == name)).one()
        assert person.units is not None
        return person


def test_the_screen_says_for_how_long_its_code_is_good_and_when_there_will_be_room_again(
    house: House,
    set_to: Callable[..., None],  # noqa: F811
) -> None:
    clock.stop()
    set_to(pairing_s=90, pairing_codes_per_address=1)
    assert "Another code stands here after 1:30." in Wall.new(house).look().text
    clock.turn(timedelta(seconds=60))
    refused = house.visitor().get("/pair")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "30")
    assert "Too many screens here show a code. Try again in 30 s." in refused.text
