"""Guessing is slow and nobody is locked out."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from app import create_app
from hospital import background, clock, meters, records, settings
from hospital.access import passwords
from hospital.records import SignInDelay
from tests.support.house import House, Visitor

FREE = 5


@pytest.fixture(autouse=True)
def _stopped(house: House) -> None:
    clock.stop()


def test_after_five_wrong_tries_the_next_is_delayed(house: House) -> None:
    assert [wrong(house).status_code for _ in range(FREE + 1)] == [401] * (FREE + 1)
    answer = wrong(house)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert "Too many wrong tries. Wait 1 seconds" in answer.text
    assert meters.counted("sign_ins_total", result="delayed") == 1


def test_the_delay_doubles_up_to_a_limit_and_ends(house: House) -> None:
    waited = []
    for _ in range(FREE):
        wrong(house)
    for _ in range(11):
        assert wrong(house).status_code == 401
        waited.append(int(wrong(house).headers["Retry-After"]))
        clock.turn(timedelta(seconds=waited[-1]))
    assert waited == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert house.visitor().sign_in("nurse").status_code == 303


def test_even_the_right_password_is_not_looked_at_before_its_time(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(FREE + 1):
        wrong(house)
    monkeypatch.setattr(passwords, "_verify", lambda *_: pytest.fail("looked at"))
    assert house.visitor().sign_in("nurse").status_code == 429


def test_a_try_that_came_too_soon_makes_nothing_longer(house: House) -> None:
    for _ in range(FREE + 1):
        wrong(house)
    for _ in range(50):
        wrong(house)
    clock.turn(timedelta(seconds=1))
    assert house.visitor().sign_in("nurse").status_code == 303


def test_a_name_that_nobody_has_is_delayed_alike(house: House) -> None:
    known, unknown = (
        [(answer.status_code, answer.headers.get("Retry-After")) for answer in (wrong(house, name) for _ in range(9))]
        for name in ("nurse", "nobody")
    )
    assert known == unknown


def test_a_right_password_wipes_the_slate(house: House) -> None:
    for _ in range(FREE):
        wrong(house)
    assert house.visitor().sign_in("nurse").status_code == 303
    assert [wrong(house).status_code for _ in range(FREE)] == [401] * FREE


def test_a_stranger_who_guesses_keeps_nobody_out_of_their_own_browser(house: House) -> None:
    """Else a delay would be a weapon: anyone could keep a nurse from her alarms."""
    mine = house.visitor("nurse")
    mine.client.post("/sign-out", data={"csrf_token": mine.csrf_token})
    for _ in range(FREE + 1):
        wrong(house)
    assert wrong(house).status_code == 429
    assert mine.sign_in("nurse").status_code == 303


def test_a_browser_is_known_to_those_alone_who_have_signed_in_there(house: House) -> None:
    other = house.visitor("nurse2")
    other.client.post("/sign-out", data={"csrf_token": other.csrf_token})
    for _ in range(FREE + 1):
        wrong(house)
    assert other.sign_in("nurse").status_code == 429


def test_guesses_in_a_known_browser_are_slowed_down_as_well(house: House) -> None:
    mine = house.visitor("nurse")
    mine.client.post("/sign-out", data={"csrf_token": mine.csrf_token})
    assert [mine.sign_in("nurse", "wrong").status_code for _ in range(FREE + 2)] == [401] * (FREE + 1) + [429]


def test_a_device_cookie_that_we_never_gave_is_worth_nothing(house: House) -> None:
    for _ in range(FREE + 1):
        wrong(house)
    for forged in ("x", "0" * 32 + ".0123456789abcdef", "0" * 32 + ".0123456789abcdef.sig"):
        visitor = house.visitor()
        visitor.client.set_cookie("device", forged)
        assert visitor.sign_in("nurse").status_code == 429


def test_one_address_that_tries_many_accounts_is_delayed(house: House) -> None:
    settings.use(house.settings.but(sign_in_tries_per_address=10))
    answers = [wrong(house, f"guess{n}").status_code for n in range(12)]
    assert answers == [401] * 11 + [429]
    assert wrong(house, "guess99", address="192.0.2.8").status_code == 401


def test_all_addresses_of_one_ipv6_network_are_one(house: House) -> None:
    settings.use(house.settings.but(sign_in_tries_per_address=2))
    answers = [wrong(house, f"guess{n}", address=f"2001:db8:1:2::{n:x}").status_code for n in range(5)]
    assert answers == [401] * 3 + [429] * 2
    assert wrong(house, "guess9", address="2001:db8:1:3::1").status_code == 401


def test_a_restart_forgives_nothing(house: House) -> None:
    for _ in range(FREE + 1):
        wrong(house)
    app = create_app(house.settings)
    assert Visitor(app.test_client()).sign_in("nurse").status_code == 429


def test_wrong_tries_are_forgotten_after_a_day(house: House) -> None:
    wrong(house)
    clock.turn(timedelta(hours=24, seconds=1))
    background.forget()
    with records.read() as session:
        assert session.scalars(select(SignInDelay)).all() == []


def test_what_is_kept_names_nobody(house: House) -> None:
    wrong(house)
    with records.read() as session:
        keys = [row.key for row in session.scalars(select(SignInDelay))]
    assert len(keys) == 2 and all(len(key) == 64 and "nurse" not in key for key in keys)


def wrong(house: House, name: str = "nurse", address: str = "192.0.2.7") -> TestResponse:
    visitor = house.visitor()
    visitor.client.environ_base["REMOTE_ADDR"] = address
    return visitor.sign_in(name, "a wrong guess")
