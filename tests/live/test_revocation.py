"""Who may look no longer: whatever the reason, both kinds of line carry nothing more after one beat."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from hospital import background, clock, records
from hospital.access import sessions
from hospital.access.sessions import COOKIE
from hospital.live.hub import SIGNED_OUT
from hospital.records import Board, Person, PersonSession
from hospital.roles import Role
from tests.live.lines import visitor_of
from tests.support.boards import paired
from tests.support.house import House, Visitor
from tests.support.sse import Ear, Stream, until
from tests.support.websocket import Socket

ICU, MED = "ICU^^ICU-02", "MED^^MED-07"
ENDED, CHANGED, EXPIRED = ("session ended", "rights changed", "session expired")


def _change(house: House, **changed: object) -> None:
    row = update(Person).where(Person.name == "nurse").values(changed_at=clock.now(), **changed)
    records.write(None, lambda session: session.execute(row))


def _by_an_administrator(house: House, nurse: Visitor) -> None:
    """Their newest sign-in, from the page that lists them."""
    person_id = house.actor("nurse").person_id
    with records.read() as session:
        mine = select(PersonSession.id).where(PersonSession.person_id == person_id)
        session_id = session.scalars(mine.order_by(PersonSession.id.desc())).first()
    path = f"/admin/people/{person_id}/sessions/{session_id}/end"
    assert visitor_of(house, "admin").act(path).status_code == 303


def _new_password(house: House, nurse: Visitor) -> None:
    path = f"/admin/people/{house.actor('nurse').person_id}/password-reset"
    assert visitor_of(house, "admin").act(path).status_code == 200


def _stolen(house: House, nurse: Visitor) -> None:
    """Somebody comes with a token that was replaced long ago."""
    first = cookie_of(nurse)
    clock.turn(timedelta(minutes=15))
    nurse.get("/alerts")
    nurse.get("/alerts")
    assert cookie_of(nurse) != first
    clock.turn(timedelta(minutes=2))
    thief = house.visitor()
    thief.client.set_cookie(COOKIE, first)
    assert thief.get("/alerts").status_code == 302


def _left_alone(house: House, nurse: Visitor) -> None:
    clock.turn(timedelta(hours=4))
    background.end_sessions()


def _revoked(house: House, wall: Visitor) -> None:
    with records.read() as session:
        board_id = session.scalars(select(Board.id)).one()
    assert visitor_of(house, "charge").act(f"/boards/{board_id}/revocation").status_code == 303


def _end_of_emergency(house: House, nurse: Visitor) -> None:
    clock.turn(timedelta(seconds=1))
    assert nurse.act("/emergency/end").status_code == 303


def _ward(house: House) -> Visitor:
    return visitor_of(house, "nurse")


def _wall(house: House) -> Visitor:
    return paired(house)[0].screen


def _emergency(house: House) -> Visitor:
    nurse = visitor_of(house, "nurse")
    assert nurse.act("/emergency", reason="Fire").status_code == 303
    return nurse


# who looks on, why they may no longer, what their lines say at last, where something happens then
CAUSES: dict[str, tuple[Callable[[House], Visitor], Callable[[House, Visitor], object], str, str]] = {
    "signed out": (_ward, lambda house, nurse: nurse.act("/sign-out"), ENDED, MED),
    "ended by an administrator": (_ward, _by_an_administrator, ENDED, MED),
    "a new password": (_ward, _new_password, ENDED, MED),
    "another role": (_ward, lambda house, nurse: _change(house, role=Role.ENGINEER), CHANGED, MED),
    "disabled": (_ward, lambda house, nurse: _change(house, active=False), CHANGED, MED),
    "a stolen token": (_ward, _stolen, ENDED, MED),
    "left alone": (_ward, _left_alone, ENDED, MED),
    "too old": (_ward, lambda house, nurse: clock.turn(timedelta(hours=1)), EXPIRED, MED),
    "a board that was revoked": (_wall, _revoked, ENDED, MED),
    "an emergency that was ended": (_emergency, _end_of_emergency, CHANGED, ICU),
    "an emergency that is over": (_emergency, lambda house, nurse: clock.turn(timedelta(minutes=30)), CHANGED, ICU),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_after_one_beat_no_line_carries_anything_more(house: House, port: int, cause: str) -> None:
    clock.stop()
    come, end, why, bed = CAUSES[cause]
    visitor = come(house)
    lines = _listen(house, port, visitor)
    house.raise_alarm(bed=bed, alert_id="before")
    house.relay.look()
    until(lambda: all(line.named("frame") for line in lines), *lines)

    end(house, visitor)
    house.relay.end_sessions()
    house.raise_alarm(bed=bed, alert_id="after")
    house.relay.look()
    house.relay.beat()

    until(lambda: all(line.over for line in lines), *lines)
    for line in lines:
        assert [event.name for event in line.events].count("frame") == 1
        assert (line.events[-1].name, line.events[-1].data) == ("auth", f'{{"why": "{why}"}}')
    assert [line.code for line in lines if isinstance(line, Socket)] == [SIGNED_OUT]


@pytest.mark.parametrize("cause", CAUSES)
def test_a_line_that_is_opened_after_it_shows_no_more_either(house: House, port: int, cause: str) -> None:
    """Also where who opens lines is remembered for a few seconds."""
    clock.stop()
    come, end, _, bed = CAUSES[cause]
    visitor = come(house)
    assert sessions.lately.find(cookie_of(visitor)) is not None
    end(house, visitor)
    house.relay.end_sessions()

    house.raise_alarm(bed=bed)
    answer = visitor.get(f"/live/stream?view=alerts&after={house.hospital().epoch}-0", buffered=False)
    first = next(iter(answer.response)) if answer.status_code == 200 else b""
    answer.close()
    assert b"<article" not in first or b"ICU-02" not in first
    assert answer.status_code == (200 if "emergency" in cause else 403 if cause == "another role" else 401)


def test_who_stays_hears_everything(house: House, port: int) -> None:
    """Else the tests above would be content with a server that says nothing to anybody."""
    nurse = visitor_of(house, "nurse")
    stays = _listen(house, port, visitor_of(house, "nurse2"))
    nurse.act("/sign-out")
    house.relay.end_sessions()
    house.raise_alarm()
    house.relay.look()
    until(lambda: all(line.named("frame") for line in stays), *stays)


def _listen(house: House, port: int, visitor: Visitor) -> list[Ear]:
    """An event stream and a WebSocket of this person, that have said hello."""
    house.relay.look()
    lines: list[Ear] = [Stream(port, cookie_of(visitor)), Socket(port, cookie_of(visitor))]
    until(lambda: all(line.named("hello") for line in lines), *lines)
    return lines


def cookie_of(visitor: Visitor) -> str:
    cookie = visitor.client.get_cookie(COOKIE)
    assert cookie is not None
    return cookie.value
