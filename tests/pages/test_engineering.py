"""Engineers see who sends and what was refused, and what a message says only under broken glass."""

import re
from datetime import timedelta

import pytest

from hospital import clock
from hospital.intake import senders
from hospital.intake.receiving import receive
from hospital.roles import Role
from tests.access.strangers import hire, new_token
from tests.access.test_traces import left
from tests.live.lines import visitor_of
from tests.support.alarms import alarm
from tests.support.house import House, Visitor
from tests.support.standing import standing

BAD = b"MSH|^~\\&|TEST_GATEWAY|BENCH|||20261123||ORU^R40|7|P|2.6\rPID|||4711^^^Ward^PI||Testmann^<b>Tilda</b>\rPV1|"


@pytest.fixture
def refused(house: House) -> int:
    """A sender that speaks, and a message of it that was refused."""
    clock.stop()
    house.raise_alarm()
    message_id = house.take(BAD).message_id
    assert message_id is not None
    return message_id


def items(visitor: Visitor, name: str) -> list[str]:
    """What each item of this list says."""
    page = visitor.get("/engineering").text
    shown = re.findall(rf'<ul class="admin-list" data-testid="{name}">(.*?)</ul>', page, re.S)[0]
    return [
        re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", item)).strip() for item in re.findall("<li.*?</li>", shown, re.S)
    ]


@pytest.mark.parametrize("name", ["engineer", "admin"])
def test_a_sender_is_told_with_its_last_message_its_clock_and_its_refusals(
    house: House, refused: int, name: str
) -> None:
    at = clock.now().strftime("%H:%M")
    assert items(visitor_of(house, name), "senders") == [
        f"TEST_GATEWAY / BENCH last message at {at} 1 refused in 7 days"
    ]


def test_a_sender_of_which_nothing_was_taken_yet_has_sent_all_the_same(house: House) -> None:
    house.take(BAD)
    assert "last message at" in items(visitor_of(house, "engineer"), "senders")[0]


def test_a_clock_that_is_off_is_told_in_seconds(house: House, refused: int) -> None:
    clock.turn(timedelta(minutes=5))
    house.raise_alarm(alert_id="late", at=clock.now() - timedelta(minutes=3))
    assert re.search(r"its clock is off by -18[01] s", items(visitor_of(house, "engineer"), "senders")[0])


def test_refusals_are_counted_by_their_reason(house: House, refused: int) -> None:
    house.take(BAD.replace(b"|7|", b"|8|"))
    (reason,) = items(visitor_of(house, "engineer"), "reasons")
    assert "There is no OBR segment. 2 times AE" in reason


def test_without_emergency_access_nobody_reads_what_a_message_says(house: House, refused: int) -> None:
    for name in ("engineer", "admin"):
        visitor = visitor_of(house, name)
        page = visitor.get("/engineering").text
        assert not standing(page, ("Tilda", "4711")) and "/engineering/messages/" not in page
        assert visitor.get(f"/engineering/messages/{refused}").status_code == 403


def test_with_it_an_engineer_reads_one_message_as_text_and_leaves_a_line(house: House, refused: int) -> None:
    engineer = visitor_of(house, "engineer")
    engineer.act("/emergency", reason="Why is it refused?")
    assert f'href="/engineering/messages/{refused}"' in engineer.get("/engineering").text
    page = engineer.get(f"/engineering/messages/{refused}")
    assert "&lt;b&gt;Tilda&lt;/b&gt;" in page.text and "\nPID|||4711" in page.text
    assert 'http-equiv="refresh"' in page.text and page.headers["Cache-Control"] == "no-store"
    assert (left()[-1].act, left()[-1].object) == ("emergency look", f"message:{refused}")


@pytest.mark.parametrize("name", ["admin", "nurse"])
def test_in_an_emergency_nobody_else_reads_messages(house: House, refused: int, name: str) -> None:
    visitor = visitor_of(house, name)
    visitor.act("/emergency", reason="Curious")
    assert visitor.get(f"/engineering/messages/{refused}").status_code == 403


def test_what_was_accepted_or_is_of_another_hospital_is_not_there(house: House, refused: int) -> None:
    theirs = receive(BAD, senders.by_token(new_token(house, "demo-b")))
    accepted = house.take(alarm(alert_id="fine"))
    engineer = visitor_of(house, "engineer")
    engineer.act("/emergency", reason="Why is it refused?")
    assert theirs is not None
    for message_id in (theirs.message_id, accepted.message_id, 4711):
        assert engineer.get(f"/engineering/messages/{message_id}").status_code == 404


def test_another_hospital_s_senders_and_refusals_are_nowhere(house: House, refused: int) -> None:
    hire(house, "engineer-b", Role.ENGINEER, "MED", hospital="demo-b")
    page = visitor_of(house, "engineer-b").get("/engineering").text
    assert "TEST_GATEWAY" not in page and "Nothing was refused." in page


def test_a_week_later_a_refusal_is_not_counted(house: House, refused: int) -> None:
    clock.turn(timedelta(days=7))
    assert "Nothing was refused." in visitor_of(house, "engineer").get("/engineering").text
