"""Signed-in sessions: one opaque cookie, a row that can be ended, and an end of their own."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from werkzeug.test import TestResponse

from hospital import background, clock, records, settings
from hospital.access import passwords, sessions, signing_in
from hospital.access.tokens import token_hash
from hospital.records import AuditLine, Person, PersonSession
from hospital.roles import Role
from tests.access.strangers import hire
from tests.support.house import House, Visitor

WRONG = "Name and password do not belong together."
OTHER_SITES = (
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "",
    "///evil.example",
    "\\\\evil.example",
    "http://evil.example",
    "https:evil.example",
    "http:/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "@evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "\x00//evil.example",
    "/\x00/evil.example",
    " //evil.example",
    "//[",
    "http://[",
    "//a\u2100b",
    "/alerts\r\nSet-Cookie: session=planted",
)


# ---- Signing in ------------------------------------------------------------------------------------------------------


def test_the_right_name_and_password_lead_to_the_alerts(house: House) -> None:
    answer = house.visitor().sign_in("nurse")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/alerts")


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("nurse", "wrong"),
        ("nurse", "demo-nurse2"),
        ("nobody", "demo-nobody"),
        ("NURSE", "demo-nurse"),
        ("", "nobody has this password"),
        ("nurse\0x", "demo-nurse"),
        ("nurse' OR 1=1 --", "x"),
        ("n" * 100_000, "p" * 100_000),
    ],
    ids=["wrong", "of another", "no such person", "case", "nobody's", "nul", "injection", "long"],
)
def test_a_wrong_name_or_password_opens_nothing(house: House, name: str, password: str) -> None:
    visitor = house.visitor()
    answer = visitor.sign_in(name, password)
    assert answer.status_code == 401
    assert WRONG in answer.text
    assert "Set-Cookie" not in answer.headers
    assert visitor.get("/alerts").status_code == 302
    assert _rows() == []


def test_spaces_around_a_name_are_a_slip_of_the_hand(house: House) -> None:
    assert house.visitor().sign_in(" nurse ", "demo-nurse").status_code == 303


def test_who_has_left_cannot_sign_in_with_the_right_password(house: House) -> None:
    hire(house, "left", Role.NURSE, "MED", active=False)
    assert house.visitor().sign_in("left").status_code == 401


@pytest.mark.parametrize("name", ["nurse", "nobody", "left"])
def test_every_wrong_sign_in_costs_one_check_of_a_password(
    house: House, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    hire(house, "left", Role.NURSE, "MED", active=False)
    checked: list[str | None] = []
    verify = passwords._verify

    def count(password: str, password_hash: str | None) -> bool:
        checked.append(password_hash)
        return verify(password, password_hash)

    monkeypatch.setattr(passwords, "_verify", count)
    house.visitor().sign_in(name, "wrong")
    assert len(checked) == 1  # of the same cost also where there is nobody: test_passwords.py


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(house: House) -> None:
    attributes = _attributes(house.visitor().sign_in("nurse"))
    assert attributes.pop("session")
    assert attributes == {"HttpOnly": "", "Path": "/", "SameSite": "Lax"}


def test_over_tls_the_cookie_never_leaves_tls(house: House) -> None:
    client = house.app.test_client()
    form = client.get("/sign-in", base_url="https://localhost").text
    fields = {
        "name": "nurse",
        "password": "demo-nurse",
        "csrf_token": form.split('name="csrf_token" value="')[1].split('"')[0],
    }
    answer = client.post("/sign-in", base_url="https://localhost", data=fields)
    attributes = _attributes(answer, "__Host-session")
    assert attributes.pop("__Host-session")
    assert attributes == {"HttpOnly": "", "Path": "/", "SameSite": "Lax", "Secure": ""}


def test_the_database_holds_no_cookie_that_could_be_used(house: House) -> None:
    visitor = house.visitor("nurse")
    token = _token(visitor)
    (row,) = _rows()
    assert row.token_hash == token_hash(token)
    with records.read() as session:
        stored = session.execute(text("SELECT * FROM person_session")).all()
    assert token not in str(stored)


def test_each_sign_in_has_a_cookie_and_a_token_of_its_own(house: House) -> None:
    first, second = house.visitor("nurse"), house.visitor("nurse")
    assert _token(first) != _token(second)
    assert first.csrf_token != second.csrf_token
    assert first.csrf_token not in (_token(first), "")


def test_a_cookie_that_was_there_before_is_not_taken_over(house: House) -> None:
    visitor = house.visitor()
    visitor.client.set_cookie("session", "planted by someone else")
    visitor.sign_in("nurse")
    assert _token(visitor) != "planted by someone else"
    assert house.app.test_client().get("/alerts", headers={"Cookie": "session=planted"}).status_code == 302


# ---- Staying and going -----------------------------------------------------------------------------------------------


def test_signing_out_ends_the_row_and_not_only_the_cookie(house: House) -> None:
    clock.stop()
    visitor = house.visitor("nurse")
    token = _token(visitor)

    answer = visitor.client.post("/sign-out", data={"csrf_token": visitor.csrf_token})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert visitor.client.get_cookie("session") is None
    assert _rows()[0].ended_at == clock.now()
    assert sessions.find(token) is None
    assert _open_with(house, token).status_code == 302


def test_signing_out_ends_no_other_session(house: House) -> None:
    visitor, elsewhere, other = house.visitor("nurse"), house.visitor("nurse"), house.visitor("nurse2")
    visitor.client.post("/sign-out", data={"csrf_token": visitor.csrf_token})
    assert elsewhere.get("/alerts").status_code == other.get("/alerts").status_code == 200


def test_a_session_that_has_ended_does_not_end_again(house: House) -> None:
    clock.stop()
    house.visitor("nurse")
    (row,) = _rows()
    signing_in.sign_out(row.id)
    clock.turn(timedelta(minutes=5))
    signing_in.sign_out(row.id)
    assert _rows()[0].ended_at == clock.now() - timedelta(minutes=5)


def test_a_revoked_session_is_refused_at_its_next_request(house: House) -> None:
    visitor = house.visitor("nurse")
    _change(update(PersonSession).values(ended_at=clock.now()))
    assert visitor.get("/alerts").status_code == 302
    assert visitor.acknowledge(1).status_code == 401
    assert visitor.get("/live/stream?view=alerts").status_code == 401


def test_a_disabled_person_is_refused_at_once(house: House) -> None:
    visitor = house.visitor("nurse")
    _change(update(Person).where(Person.name == "nurse").values(active=False))
    assert visitor.get("/alerts").status_code == 302


def test_a_new_role_counts_from_the_next_request_on(house: House) -> None:
    alert_id, visitor = house.raise_alarm(), house.visitor("nurse")
    _change(update(Person).where(Person.name == "nurse").values(role=Role.ENGINEER))
    assert visitor.acknowledge(alert_id).status_code == 403


def test_a_session_that_is_used_lives_until_its_absolute_end(house: House) -> None:
    clock.stop()
    visitor = house.visitor("nurse")
    for _ in range(7):
        clock.turn(timedelta(hours=3))
        assert visitor.get("/alerts").status_code == 200
    clock.turn(timedelta(hours=3) - timedelta(seconds=1))
    assert visitor.get("/alerts").status_code == 200
    clock.turn(timedelta(seconds=1))
    assert visitor.get("/alerts").status_code == 302


def test_a_session_that_was_left_alone_for_too_long_is_refused(house: House) -> None:
    clock.stop()
    left, used = house.visitor("nurse"), house.visitor("nurse")
    clock.turn(timedelta(hours=4) - timedelta(seconds=1))
    assert used.get("/alerts").status_code == 200
    clock.turn(timedelta(seconds=1))
    assert left.get("/alerts").status_code == 302
    assert used.get("/alerts").status_code == 200


def test_how_long_a_session_lives_is_a_setting(house: House) -> None:
    clock.stop()
    settings.use(house.settings.but(session_absolute_h=2.0, session_idle_h=1.0))
    visitor = house.visitor("nurse")
    assert _rows()[0].expires_at == clock.now() + timedelta(hours=2)
    clock.turn(timedelta(hours=1))
    assert visitor.get("/alerts").status_code == 302


def test_looking_writes_at_most_once_a_minute(house: House) -> None:
    clock.stop()
    visitor, began = house.visitor("nurse"), clock.now()
    clock.turn(timedelta(seconds=60))
    visitor.get("/alerts")
    assert _rows()[0].seen_at == began
    clock.turn(timedelta(seconds=1))
    visitor.get("/alerts")
    assert _rows()[0].seen_at == clock.now()


def test_who_is_signed_in_may_go_on_looking_while_nothing_can_be_written(house: House) -> None:
    clock.stop()
    visitor = house.visitor("nurse")
    clock.turn(timedelta(minutes=5))
    records.write(None, lambda session: session.execute(text("PRAGMA query_only = ON")))
    assert visitor.get("/alerts").status_code == 200


def test_who_cannot_be_signed_in_now_is_told_to_try_again(house: House) -> None:
    records.write(None, lambda session: session.execute(text("PRAGMA query_only = ON")))
    answer = house.visitor().sign_in("nurse")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_a_cookie_that_we_never_gave_is_nobody(house: House) -> None:
    token = _token(house.visitor("nurse"))
    for cookie in ("", "x", "ü", "None", "a" * 3_000, token[:-1], f"{token}x"):
        assert (cookie, _open_with(house, cookie).status_code) == (cookie, 302)


def test_the_hash_from_the_database_is_no_cookie(house: House) -> None:
    house.visitor("nurse")
    assert _open_with(house, _rows()[0].token_hash).status_code == 302


def test_a_session_knows_its_person_and_units(house: House) -> None:
    found = sessions.find(_token(house.visitor("charge")))
    assert found is not None
    assert found.actor == house.actor("charge")
    assert found.unit_codes == ("ICU", "MED")
    assert set(found.rights_word.split()) == {
        "see-alerts", "see-identity", "see-unassigned", "acknowledge", "note", "escalate", "observe",
        "resolve-unassigned", "pair-boards", "send-notices", "break-glass", "own-account",
    }  # fmt: skip


# ---- Where to go after signing in ------------------------------------------------------------------------------------


def test_signing_in_leads_to_where_one_wanted_to_go(house: House) -> None:
    visitor = house.visitor("nurse")
    for goal in ("/alerts/7", "/alerts?unit=MED&x=1", "/", "/alerts#7", "/alerts/%2F%2Fevil.example"):
        assert _goal(visitor, goal) == goal
    assert _sign_in(house, next="/alerts/7").headers["Location"] == "/alerts/7"


def test_nobody_is_led_to_another_site_after_signing_in(house: House) -> None:
    visitor = house.visitor("nurse")
    for goal in OTHER_SITES:
        assert (goal, _goal(visitor, goal)) == (goal, "/alerts")
    for goal in OTHER_SITES[:3]:
        assert _sign_in(house, next=goal).headers["Location"] == "/alerts"


def test_the_form_remembers_where_one_wanted_to_go(house: House) -> None:
    visitor = house.visitor()
    answer = visitor.get('/alerts/7?from="mail"')
    assert answer.status_code == 302
    form = visitor.get(answer.headers["Location"]).text
    assert 'name="next" value="/alerts/7?from=&#34;mail&#34;"' in form


def test_a_wrong_password_does_not_forget_where_one_wanted_to_go(house: House) -> None:
    answer = _sign_in(house, next="/alerts/7", password="wrong")
    assert 'name="next" value="/alerts/7"' in answer.text


def _goal(visitor: Visitor, goal: str) -> str:
    """Where one is led who opens the sign-in page, signed in already: the same decision as after the password."""
    answer = visitor.get("/sign-in", query_string={"next": goal})
    assert answer.status_code == 302
    return answer.headers["Location"]


def _sign_in(house: House, **fields: str) -> TestResponse:
    client = house.app.test_client()
    token = client.get("/sign-in").text.split('name="csrf_token" value="')[1].split('"')[0]
    return client.post("/sign-in", data={"name": "nurse", "password": "demo-nurse", "csrf_token": token, **fields})


def _open_with(house: House, cookie: str) -> TestResponse:
    client = house.app.test_client()
    client.set_cookie("session", cookie)
    return client.get("/alerts")


def _token(visitor: Visitor) -> str:
    cookie = visitor.client.get_cookie("session")
    assert cookie is not None
    return cookie.value


def _attributes(answer: TestResponse, name: str = "session") -> dict[str, str]:
    (cookie,) = [given for given in answer.headers.getlist("Set-Cookie") if given.startswith(f"{name}=")]
    return dict((part.strip().split("=", 1) + [""])[:2] for part in cookie.split(";"))


def _rows() -> list[PersonSession]:
    with records.read() as session:
        return list(session.scalars(select(PersonSession).order_by(PersonSession.id)))


def _change(query: Any) -> None:
    records.write(None, lambda session: session.execute(query))


def test_ended_sessions_are_forgotten_after_their_days_and_the_audit_keeps_their_trace(house: House) -> None:
    clock.stop()
    first, second = house.visitor("nurse"), house.visitor("nurse2")
    for visitor in (first, second):
        visitor.act("/sign-out")
    kept = house.visitor("nurse-icu")
    (gone, also_gone, living) = (row.id for row in _rows())
    clock.turn(timedelta(days=29))
    background.forget()
    assert [row.id for row in _rows()] == [gone, also_gone, living]
    clock.turn(timedelta(days=2))
    background.end_sessions()
    background.forget()
    assert [row.id for row in _rows()] == [living]
    with records.read() as session:
        traced = set(session.scalars(select(AuditLine.session_id)))
    assert {gone, also_gone} <= traced
    assert kept.get("/alerts").status_code == 302


def test_the_number_of_a_forgotten_session_is_never_given_again(house: House) -> None:
    clock.stop()
    house.visitor("nurse").act("/sign-out")
    (gone,) = (row.id for row in _rows())
    clock.turn(timedelta(days=31))
    background.forget()
    house.visitor("nurse")
    assert max(row.id for row in _rows()) > gone
