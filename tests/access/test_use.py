"""Who sits there? A sign-in that nobody uses ends, and only what a person does is use."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from hospital import background, clock, records, settings
from hospital.records import Ended, PersonSession
from hospital.roles import Role
from tests.access.strangers import hire
from tests.support.house import House, Visitor

BY_A_SCRIPT = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
OPENED = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1"}


@pytest.fixture
def nurse(house: House) -> Visitor:
    clock.stop()
    return house.visitor("nurse")


@pytest.mark.parametrize("headers", [OPENED, {}], ids=["a browser", "one that does not say"])
def test_a_page_that_somebody_opens_is_use(nurse: Visitor, headers: dict[str, str]) -> None:
    clock.turn(timedelta(minutes=2))
    nurse.get("/alerts", headers=headers)
    assert seen_at() == clock.now()


def test_an_act_is_use(house: House, nurse: Visitor) -> None:
    alert_id = house.raise_alarm()
    clock.turn(timedelta(minutes=2))
    nurse.acknowledge(alert_id, headers=BY_A_SCRIPT)  # as htmx sends it
    assert seen_at() == clock.now()


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/live/stream?view=alerts", {}),
        ("/live/stream?view=alerts", OPENED),
        ("/alerts", {"X-By-Itself": "1"}),
        ("/alerts", OPENED | {"X-By-Itself": "1"}),
        ("/alerts", BY_A_SCRIPT),
        ("/alerts", {"Sec-Fetch-Mode": "navigate"}),  # a page that loads itself anew
        ("/patients/1/trend", BY_A_SCRIPT),
    ],
)
def test_what_a_page_asks_for_by_itself_is_no_use(nurse: Visitor, path: str, headers: dict[str, str]) -> None:
    began = clock.now()
    clock.turn(timedelta(minutes=2))
    nurse.get(path, headers=headers, buffered=False).close()
    assert seen_at() == began


@pytest.mark.parametrize(("active", "is_use"), [("1", True), ("0", False), ("", False), ("true", False)])
def test_a_page_tells_whether_somebody_is_at_work_there(nurse: Visitor, active: str, is_use: bool) -> None:
    began = clock.now()
    clock.turn(timedelta(minutes=2))
    nurse.act("/session/renewal", active=active, headers=BY_A_SCRIPT)
    assert (seen_at() == clock.now()) is is_use
    assert (seen_at() == began) is not is_use


def test_streams_and_polls_alone_do_not_keep_a_sign_in(house: House, nurse: Visitor) -> None:
    for _ in range(16):
        clock.turn(timedelta(minutes=14, seconds=59))
        assert nurse.act("/session/renewal").status_code == 200
        nurse.get("/alerts", headers=BY_A_SCRIPT)
    clock.turn(timedelta(minutes=1))
    assert nurse.act("/session/renewal").status_code == 401


def test_a_page_knows_when_its_sign_in_ends(nurse: Visitor) -> None:
    ends, last = clock.iso(clock.now() + timedelta(hours=4)), clock.iso(clock.now() + timedelta(hours=24))
    page = nurse.get("/alerts").text
    assert f'data-idle-at="{ends}"' in page and f'data-expires-at="{last}"' in page
    clock.turn(timedelta(minutes=2))
    told = nurse.act("/session/renewal").json
    assert (told["idle_at"], told["expires_at"]) == (ends, last)
    told = nurse.act("/session/renewal", active="1").json
    assert told["idle_at"] == clock.iso(clock.now() + timedelta(hours=4))


@pytest.mark.parametrize(
    ("role", "idle", "absolute"),
    [
        (Role.NURSE, timedelta(hours=4), timedelta(hours=24)),
        (Role.CHARGE, timedelta(hours=4), timedelta(hours=24)),
        (Role.PHYSICIAN, timedelta(hours=4), timedelta(hours=24)),
        (Role.ENGINEER, timedelta(minutes=30), timedelta(hours=12)),
        (Role.ADMIN, timedelta(minutes=30), timedelta(hours=12)),
        (Role.DISPLAY, None, timedelta(days=365)),
    ],
)
def test_how_long_depends_on_the_role(house: House, role: Role, idle: timedelta | None, absolute: timedelta) -> None:
    clock.stop()
    hire(house, "someone", role, "MED")
    visitor = house.visitor("someone")
    with records.read() as session:
        assert session.scalars(select(PersonSession.expires_at)).one() == clock.now() + absolute
    clock.turn((idle or absolute) - timedelta(seconds=1))
    background.end_sessions()
    assert visitor.act("/session/renewal").status_code == 200
    clock.turn(timedelta(seconds=1))
    background.end_sessions()
    assert ended() == (clock.now(), Ended.IDLE if idle else Ended.EXPIRED)
    assert visitor.act("/session/renewal").status_code == 401


@pytest.mark.parametrize(("name", "setting"), [("nurse", "session_idle_h"), ("admin", "session_office_idle_h")])
def test_how_long_is_a_setting(house: House, name: str, setting: str) -> None:
    clock.stop()
    settings.use(house.settings.but(**{setting: 1.0}))
    visitor = house.visitor(name)
    clock.turn(timedelta(minutes=59, seconds=59))
    assert visitor.act("/session/renewal").status_code == 200
    clock.turn(timedelta(seconds=1))
    assert visitor.act("/session/renewal").status_code == 401


@pytest.mark.parametrize(
    ("after", "words"),
    [(timedelta(hours=5), "Nobody had used this sign-in"), (timedelta(hours=25), "This sign-in has reached its end")],
)
def test_who_comes_back_is_told_why_the_sign_in_has_ended(nurse: Visitor, after: timedelta, words: str) -> None:
    clock.turn(after)
    background.end_sessions()
    answer = nurse.get("/alerts")
    assert answer.headers["Location"] == "/sign-in?next=/alerts"
    assert words in nurse.get("/sign-in").text


def seen_at() -> Any:
    with records.read() as session:
        return session.scalars(select(PersonSession.seen_at)).one()


def ended() -> Any:
    with records.read() as session:
        return tuple(session.execute(select(PersonSession.ended_at, PersonSession.ended_why)).one())
