"""Tokens are replaced while they are used: nobody honest notices, and a thief gives himself away."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from werkzeug.test import TestResponse

from hospital import clock, meters, records, settings
from hospital.access import sessions
from hospital.records import Ended, Person, PersonSession
from hospital.roles import Role
from tests.access.strangers import hire
from tests.support.house import House, Visitor

ROTATE, OVERLAP = timedelta(minutes=15), timedelta(seconds=60)


@pytest.fixture
def nurse(house: House) -> Visitor:
    clock.stop()
    return house.visitor("nurse")


def test_a_token_is_replaced_after_a_quarter_of_an_hour_of_use(nurse: Visitor) -> None:
    first = token_of(nurse)
    clock.turn(ROTATE - timedelta(seconds=1))
    nurse.get("/alerts")
    assert token_of(nurse) == first
    clock.turn(timedelta(seconds=1))
    assert nurse.get("/alerts").status_code == 200
    assert token_of(nurse) != first
    assert nurse.get("/alerts").status_code == 200


def test_the_new_cookie_is_as_well_kept_as_the_first(nurse: Visitor) -> None:
    clock.turn(ROTATE)
    (given,) = nurse.get("/alerts").headers.getlist("Set-Cookie")
    assert given.split("; ")[1:] == ["HttpOnly", "Path=/", "SameSite=Lax"]


def test_the_token_of_acts_survives(house: House, nurse: Visitor) -> None:
    for alert_id in (house.raise_alarm(alert_id="A"), house.raise_alarm(alert_id="B", bed="MED^^MED-02")):
        clock.turn(ROTATE)
        nurse.get("/alerts")
        assert nurse.acknowledge(alert_id).status_code == 200


def test_an_act_renews_as_well_as_a_page(house: House, nurse: Visitor) -> None:
    first = token_of(nurse)
    clock.turn(ROTATE)
    nurse.acknowledge(house.raise_alarm())
    assert token_of(nurse) != first


def test_a_page_that_only_listens_renews_by_a_call_of_its_own(nurse: Visitor) -> None:
    first = token_of(nurse)
    clock.turn(ROTATE)
    assert nurse.act("/session/renewal").status_code == 200
    assert token_of(nurse) != first
    assert nurse.get("/alerts").status_code == 200


def test_a_new_token_that_is_lost_on_the_way_signs_nobody_out(house: House, nurse: Visitor) -> None:
    first = token_of(nurse)
    clock.turn(ROTATE)
    assert given_to(house, first)
    clock.turn(timedelta(hours=1))  # much later than any overlap
    again = given_to(house, first)
    assert again and open_with(house, again).status_code == 200


def test_many_requests_at_once_get_one_new_token(house: House, nurse: Visitor) -> None:
    """Else the last answer to arrive would decide which token the browser keeps, and it might be an old one."""
    first = token_of(nurse)
    clock.turn(ROTATE)
    given = [given_to(house, first) for _ in range(5)]
    assert [bool(one) for one in given] == [True, False, False, False, False]


def test_other_tabs_may_come_with_the_old_token_for_a_while(house: House, nurse: Visitor) -> None:
    old, _ = _replaced(house, nurse)
    clock.turn(OVERLAP)
    assert open_with(house, old).status_code == 200
    assert given_to(house, old) == ""
    assert sessions.find(old) is not None


def test_an_old_token_that_is_used_later_ends_the_session_for_both(house: House, nurse: Visitor) -> None:
    old, new = _replaced(house, nurse)
    clock.turn(OVERLAP + timedelta(seconds=1))
    assert open_with(house, new).status_code == 200
    answer = open_with(house, old)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in?next=/alerts")
    assert open_with(house, new).status_code == 302
    assert meters.counted("session_tokens_reused_total") == 1
    (row,) = rows()
    assert (row.ended_at, row.ended_why) == (clock.now(), Ended.REUSED)


def test_a_reused_token_is_told_in_the_log_without_a_name(
    house: House, nurse: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    old, _ = _replaced(house, nurse)
    clock.turn(OVERLAP + timedelta(seconds=1))
    open_with(house, old)
    assert f"session {rows()[0].id} has ended" in caplog.text
    for word in (old, "nurse", "Amara"):
        assert word not in caplog.text


def test_who_is_signed_out_so_is_told_why(house: House, nurse: Visitor) -> None:
    old, _ = _replaced(house, nurse)
    clock.turn(OVERLAP + timedelta(seconds=1))
    open_with(house, old)
    assert "used in two places at once" in nurse.get("/sign-in").text


def test_a_token_of_two_rotations_ago_opens_nothing(house: House, nurse: Visitor) -> None:
    old, _ = _replaced(house, nurse)
    _replaced(house, nurse)
    assert open_with(house, old).status_code == 302
    assert nurse.get("/alerts").status_code == 200


def test_a_session_that_has_ended_is_not_renewed(house: House, nurse: Visitor) -> None:
    first = token_of(nurse)
    clock.turn(ROTATE)
    records.write(None, lambda session: session.execute(update(PersonSession).values(ended_at=clock.now())))
    assert given_to(house, first) == ""


def test_signing_out_takes_the_cookie_and_gives_none(nurse: Visitor) -> None:
    clock.turn(ROTATE)
    answer = nurse.client.post("/sign-out", data={"csrf_token": nurse.csrf_token})
    (given,) = answer.headers.getlist("Set-Cookie")
    assert given.startswith("session=;")


def test_a_change_of_role_renews_at_the_next_request(nurse: Visitor) -> None:
    first = token_of(nurse)
    clock.turn(timedelta(seconds=1))
    changed: dict[str, Any] = {"role": Role.PHYSICIAN, "changed_at": clock.now()}
    records.write(None, lambda session: session.execute(update(Person).where(Person.name == "nurse").values(changed)))
    nurse.get("/alerts")
    assert token_of(nurse) != first


def test_a_stream_takes_a_token_up_but_gives_none(house: House, nurse: Visitor) -> None:
    """Its head has gone out before anything could be lost or found."""
    clock.turn(ROTATE)
    answer = nurse.get("/live/stream?view=alerts", buffered=False)
    assert "Set-Cookie" not in answer.headers
    answer.close()
    given = given_to(house, token_of(nurse))
    nurse.client.set_cookie("session", given)
    nurse.get("/live/stream?view=alerts", buffered=False).close()
    assert rows()[0].previous_hash is not None


def test_how_often_and_how_long_are_settings(house: House) -> None:
    clock.stop()
    settings.use(house.settings.but(session_rotate_s=10.0, session_overlap_s=5.0))
    nurse = house.visitor("nurse")
    clock.turn(timedelta(seconds=10))
    old, _ = token_of(nurse), nurse.get("/alerts")
    nurse.get("/alerts")
    clock.turn(timedelta(seconds=6))
    assert open_with(house, old).status_code == 302


def test_who_looks_while_nothing_can_be_written_goes_on_with_the_old_token(house: House, nurse: Visitor) -> None:
    clock.turn(ROTATE)
    records.write(None, lambda session: session.execute(text("PRAGMA query_only = ON")))
    for _ in range(2):
        assert nurse.get("/alerts").status_code == 200


def test_the_cookie_of_a_wall_outlives_its_browser(house: House) -> None:
    clock.stop()
    hire(house, "display", Role.DISPLAY, "MED")
    wall = house.visitor("display")
    cookie = wall.client.get_cookie("session")
    assert cookie is not None and cookie.expires is not None
    clock.turn(ROTATE)
    wall.get("/board")
    cookie = wall.client.get_cookie("session")
    assert cookie is not None and cookie.expires is not None
    assert cookie.expires - clock.now() > timedelta(days=360)


def _replaced(house: House, visitor: Visitor) -> tuple[str, str]:
    """The old token, and the new one, which has been used."""
    old = token_of(visitor)
    clock.turn(ROTATE)
    visitor.get("/alerts")
    assert visitor.get("/alerts").status_code == 200
    return old, token_of(visitor)


def given_to(house: House, token: str) -> str:
    """The new token that an answer brings; '' if none."""
    answer = open_with(house, token)
    given = [cookie for cookie in answer.headers.getlist("Set-Cookie") if cookie.startswith("session=")]
    return given[0].partition("=")[2].partition(";")[0] if given else ""


def open_with(house: House, token: str) -> TestResponse:
    client = house.app.test_client()
    client.set_cookie("session", token)
    return client.get("/alerts")


def token_of(visitor: Visitor) -> str:
    cookie = visitor.client.get_cookie("session")
    assert cookie is not None
    return cookie.value


def rows() -> list[PersonSession]:
    with records.read() as session:
        return list(session.scalars(select(PersonSession).order_by(PersonSession.id)))
