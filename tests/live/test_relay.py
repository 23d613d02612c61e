"""From the journal to each audience: everything, once, as it is now, and nothing to anybody else."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import gevent
import gevent.event
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from hospital import clock, meters, records
from hospital.alerts.acknowledging import acknowledge
from hospital.alerts.resolving import resolve
from hospital.alerts.rights import Seen
from hospital.fragments import Fragments
from hospital.live import outlet, relay
from hospital.live.relay import Relay
from hospital.records import Alert, Person
from tests.live.conftest import SlowRead
from tests.live.lines import FakeLine, cursor_of, joined, line_of, move, put_back, shown
from tests.support.house import House

_AT_ONCE_S = 10.0  # for what takes a few milliseconds on a machine that has nothing else to do


@pytest.fixture
def demo(house: House) -> House:
    """The relay has looked once; nothing has happened yet."""
    house.relay.look()
    return house


def act(house: House, name: str, what: Callable[..., Any], alert_id: int) -> None:
    actor, now = house.actor(name), clock.now()
    records.write(actor.hospital_id, lambda session: what(session, actor, alert_id, Seen(), now))


def raise_in(house: House, bed: str, **how: Any) -> int:
    return house.raise_alarm(bed=f"{bed.partition('-')[0]}^^{bed}", alert_id=f"of {bed}", **how)


def cursor_at(house: House, number: int, hospital: str = "demo") -> str:
    return f"{house.hospital(hospital).epoch}-{number}"


# ---- A look ----------------------------------------------------------------------------------------------------------


def test_many_lines_make_one_frame_for_each_audience(demo: House) -> None:
    nurse, colleague, charge = (joined(demo, name) for name in ("nurse", "nurse2", "charge"))
    alerts = [raise_in(demo, f"MED-0{number}") for number in (1, 2, 3)]
    demo.relay.look()
    for line in (nurse, colleague, charge):
        (frame,) = line.events
        assert (frame.name, frame.id) == ("frame", cursor_at(demo, 3))
        assert [article.alert_id for article in shown(frame)] == alerts
    assert meters.counted("frames_total") == 2
    assert meters.counted("deliveries_total") == 3


def test_who_sees_the_same_gets_the_very_same_bytes(demo: House) -> None:
    nurse, colleague = joined(demo, "nurse"), joined(demo, "nurse2")
    raise_in(demo, "MED-01")
    demo.relay.look()
    assert nurse.sent[0] is colleague.sent[0]


def test_each_thing_is_sent_once_and_as_it_is_now(demo: House) -> None:
    nurse = joined(demo, "nurse")
    first, second = raise_in(demo, "MED-01"), raise_in(demo, "MED-02")
    act(demo, "nurse", acknowledge, first)
    demo.relay.look()
    (frame,) = nurse.events
    assert [(article.alert_id, article.version, article.state) for article in shown(frame)] == [
        (first, 3, "acknowledged"),
        (second, 2, "open"),
    ]
    assert "Amara N." in frame.data


def test_a_second_look_sends_nothing_again(demo: House) -> None:
    nurse = joined(demo, "nurse")
    raise_in(demo, "MED-01")
    demo.relay.look()
    nurse.forget()
    demo.relay.look()
    assert nurse.sent == []


def test_a_change_after_the_frame_is_in_the_next_frame(demo: House) -> None:
    nurse = joined(demo, "nurse")
    alert_id = raise_in(demo, "MED-01")
    demo.relay.look()
    act(demo, "nurse", acknowledge, alert_id)
    demo.relay.look()
    assert [(shown(frame)[0].version, shown(frame)[0].state) for frame in nurse.events] == [
        (1, "open"),
        (2, "acknowledged"),
    ]


def test_a_screen_that_must_not_know_gets_no_name(demo: House) -> None:
    board = joined(demo, "nurse", identity=False)
    nurse = joined(demo, "nurse")
    raise_in(demo, "MED-01", patient="Q4711Z^^^Ward^PI||Testmann^Tilda^^^^^L||19610301|F")
    demo.relay.look()
    late = joined(demo, "nurse", after=cursor_at(demo, 0), identity=False)
    for line in (board, late):
        data = b"".join(line.sent)
        assert b"MED-01" in data
        for secret in (b"Testmann", b"Tilda", b"Q4711Z", b"1961-03-01", b"19610301"):
            assert secret not in data
    assert b"Testmann" in nurse.sent[0]


def test_not_a_byte_for_another_unit_or_another_hospital(demo: House) -> None:
    strangers = [joined(demo, "nurse-icu"), joined(demo, "nurse-b"), joined(demo, "nurse", units=frozenset())]
    alert_id = raise_in(demo, "MED-01")
    demo.relay.look()
    act(demo, "nurse", acknowledge, alert_id)
    act(demo, "nurse", resolve, alert_id)
    demo.relay.look()
    assert [line.sent for line in strangers] == [[], [], []]


def test_not_a_byte_of_it_in_a_replay_either(demo: House) -> None:
    raise_in(demo, "MED-01")
    demo.relay.look()
    stranger = joined(demo, "nurse-icu", after=cursor_at(demo, 0))
    assert [event.name for event in stranger.events] == ["hello"]


def test_an_alert_without_a_bed_goes_to_the_charge_nurse_alone(demo: House) -> None:
    nurse, charge, physician = (joined(demo, name) for name in ("nurse", "charge", "physician"))
    alert_id = demo.raise_alarm(bed="ATTIC^^A-1", alert_id="lost")
    demo.relay.look()
    assert [article.alert_id for article in shown(charge.events[0])] == [alert_id]
    assert nurse.sent == physician.sent == []


def test_an_alert_that_leaves_the_unit_leaves_a_tombstone_that_says_nothing(demo: House) -> None:
    nurse, icu, charge = (joined(demo, name) for name in ("nurse", "nurse-icu", "charge"))
    alert_id = raise_in(demo, "MED-01")
    demo.relay.look()
    nurse.forget()
    charge.forget()
    version = move(demo, alert_id, "ICU")
    demo.relay.look()
    (tombstone,) = shown(nurse.events[0])
    assert (
        tombstone.html == f'<article id="alert-{alert_id}" data-version="{version}" data-state="left" hidden></article>'
    )
    for line in (icu, charge):
        (card,) = shown(line.events[0])
        assert (card.alert_id, card.version, card.state, card.is_hidden) == (alert_id, version, "open", False)


def test_the_leaving_is_told_to_who_comes_back_later(demo: House) -> None:
    alert_id = raise_in(demo, "MED-01")
    demo.relay.look()
    move(demo, alert_id, "ICU")
    act(demo, "nurse-icu", acknowledge, alert_id)
    demo.relay.look()
    nurse = joined(demo, "nurse", after=cursor_at(demo, 1))
    assert [(left.alert_id, left.version, left.state) for left in shown(nurse.events[1])] == [(alert_id, 3, "left")]
    assert b"SpO2" not in nurse.sent[0] and b"Ines" not in nurse.sent[0]


def test_after_it_left_what_happens_to_it_is_none_of_our_business(demo: House) -> None:
    nurse = joined(demo, "nurse")
    alert_id = raise_in(demo, "MED-01")
    move(demo, alert_id, "ICU")
    demo.relay.look()
    nurse.forget()
    act(demo, "nurse-icu", acknowledge, alert_id)
    demo.relay.look()
    assert nurse.sent == []


def test_a_resolved_alert_becomes_a_hidden_tombstone(demo: House) -> None:
    nurse = joined(demo, "nurse")
    alert_id = raise_in(demo, "MED-01")
    demo.relay.look()
    nurse.forget()
    act(demo, "nurse", resolve, alert_id)
    demo.relay.look()
    (gone,) = shown(nurse.events[0])
    assert (gone.alert_id, gone.version, gone.state, gone.is_hidden) == (alert_id, 2, "resolved", True)
    assert "Testmann" not in gone.html


def test_a_frame_carries_the_number_of_the_last_line_whoever_it_was_for(demo: House) -> None:
    nurse, icu = joined(demo, "nurse"), joined(demo, "nurse-icu")
    raise_in(demo, "MED-01")
    raise_in(demo, "ICU-01")
    raise_in(demo, "ICU-02")
    demo.relay.look()
    assert [line.events[0].id for line in (nurse, icu)] == [cursor_at(demo, 3)] * 2


def test_who_was_not_touched_learns_the_number_from_the_next_beat(demo: House) -> None:
    icu, elsewhere = joined(demo, "nurse-icu"), joined(demo, "nurse-b")
    raise_in(demo, "MED-01")
    raise_in(demo, "MED-02")
    demo.relay.look()
    assert icu.sent == []
    demo.relay.beat()
    (beat,) = icu.events
    assert (beat.name, beat.id, json.loads(beat.data)["head"]) == ("beat", cursor_at(demo, 2), 2)
    assert elsewhere.events[0].id == cursor_at(demo, 0, "demo-b")


def test_a_beat_never_runs_ahead_of_what_was_written(demo: House) -> None:
    nurse = joined(demo, "nurse")
    raise_in(demo, "MED-01")
    demo.relay.beat()
    assert nurse.events[0].id == cursor_at(demo, 0)
    assert json.loads(nurse.events[0].data)["head"] == 0


def test_a_long_tail_is_sent_in_portions_and_in_order(demo: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "_LINES_AT_ONCE", 2)
    monkeypatch.setattr(relay._lines_after, "__defaults__", (2,))
    nurse = joined(demo, "nurse")
    alerts = [raise_in(demo, f"MED-0{number}") for number in range(1, 6)]
    demo.relay.look()
    demo.relay.beat()
    assert nurse.events[-1].id == cursor_at(demo, 2)
    demo.relay.look()
    demo.relay.look()
    frames = nurse.named("frame")
    assert [frame.id for frame in frames] == [cursor_at(demo, number) for number in (2, 4, 5)]
    assert [article.alert_id for frame in frames for article in shown(frame)] == alerts


def test_a_long_tail_is_gone_on_with_at_once(
    demo: House, monkeypatch: pytest.MonkeyPatch, set_to: Callable[..., None]
) -> None:
    monkeypatch.setattr(relay, "_LINES_AT_ONCE", 2)
    monkeypatch.setattr(relay._lines_after, "__defaults__", (2,))
    monkeypatch.setattr(relay, "_LOOK_EVERY_S", 3_600)
    set_to(beat_s=3_600.0)
    nurse = joined(demo, "nurse")
    for number in range(1, 6):
        raise_in(demo, f"MED-0{number}")
    with _running(demo.relay):
        _wait(lambda: len(nurse.named("frame")) == 3)
    assert nurse.events[-1].id == cursor_at(demo, 5)


def test_more_things_than_are_kept_are_sent_all_the_same(house: House, set_to: Callable[..., None]) -> None:
    set_to(ring_lines=2)
    nurse = joined(house, "nurse")
    alerts = [raise_in(house, f"MED-0{number}") for number in range(1, 6)]
    house.relay.look()
    assert [article.alert_id for article in shown(nurse.events[0])] == alerts
    assert len(house.relay._cards._alerts) == 2


def test_what_nobody_watches_is_not_even_loaded(demo: House) -> None:
    elsewhere = joined(demo, "nurse-b")
    raise_in(demo, "MED-01")
    demo.relay.look()
    assert not demo.relay._cards._alerts
    assert elsewhere.sent == []


# ---- Joining ---------------------------------------------------------------------------------------------------------


def test_hello_comes_first_and_says_where_we_are(demo: House, set_to: Callable[..., None]) -> None:
    set_to(beat_s=2.5)
    raise_in(demo, "MED-01")
    demo.relay.look()
    nurse = line_of(demo, "nurse")
    demo.relay.join(nurse, None)
    (hello,) = nurse.events
    said = json.loads(hello.data)
    assert (hello.name, hello.id) == ("hello", None)
    assert (said["cursor"], said["head"], said["beat_s"]) == (cursor_at(demo, 1), 1, 2.5)
    assert demo.relay.hub.everyone() == [nurse]


def test_who_has_everything_gets_hello_and_nothing_else(demo: House) -> None:
    raise_in(demo, "MED-01")
    demo.relay.look()
    assert [event.name for event in joined(demo, "nurse", after=cursor_at(demo, 1)).events] == ["hello"]


def test_who_comes_back_gets_each_changed_thing_once_after_hello(demo: House) -> None:
    first, _, third = (raise_in(demo, f"MED-0{number}") for number in (1, 2, 3))
    act(demo, "nurse", acknowledge, first)
    demo.relay.look()
    hello, frame = joined(demo, "nurse", after=cursor_at(demo, 2)).events
    assert (hello.name, frame.name, frame.id) == ("hello", "frame", cursor_at(demo, 4))
    assert json.loads(hello.data)["head"] == 4, "what comes up to here makes no toast"
    assert [(article.alert_id, article.version) for article in shown(frame)] == [(third, 3), (first, 4)]


@pytest.mark.parametrize(
    ("after", "then", "replay"),
    [(None, [], False), (1, [], False), (0, ["frame"], True), (2, ["resync"], True)],
    ids=["no cursor", "up to date", "behind", "from the future"],
)
def test_hello_says_whose_stream_it_is_and_whether_a_replay_follows(
    demo: House, after: int | None, then: list[str], replay: bool
) -> None:
    raise_in(demo, "MED-01")
    demo.relay.look()
    nurse = line_of(demo, "nurse")
    demo.relay.join(nurse, None if after is None else cursor_at(demo, after))
    hello, *rest = nurse.events
    assert [event.name for event in rest] == then
    said = json.loads(hello.data)
    assert (said["replay"], said["person"]) == (replay, demo.actor("nurse").person_id)


def test_a_line_that_has_not_been_sent_is_not_in_the_replay_but_comes_next(demo: House) -> None:
    raise_in(demo, "MED-01")
    nurse = joined(demo, "nurse", after=cursor_at(demo, 0))
    assert [event.name for event in nurse.events] == ["hello"]
    demo.relay.look()
    assert [(event.name, event.id) for event in nurse.events[1:]] == [("frame", cursor_at(demo, 1))]


def test_who_has_a_page_newer_than_the_last_look_gets_no_resync(demo: House) -> None:
    """Another process has rendered it, or the bell has only just rung."""
    colleague = joined(demo, "nurse2")
    raise_in(demo, "MED-01")
    nurse = joined(demo, "nurse", after=cursor_at(demo, 1))
    assert [event.name for event in nurse.events] == ["hello"]
    assert [event.name for event in colleague.events] == ["frame"], "what has been found is sent to everybody"
    assert meters.counted("resyncs_total") == 0


def test_many_who_come_back_from_the_same_place_get_the_very_same_replay(demo: House) -> None:
    raise_in(demo, "MED-01")
    demo.relay.look()
    lines = [joined(demo, name, after=cursor_at(demo, 0)) for name in ("nurse", "nurse2")]
    first, second = (line.sent[0]._parts[-1] for line in lines)
    assert first is second
    raise_in(demo, "MED-02")
    demo.relay.look()
    later = joined(demo, "nurse", after=cursor_at(demo, 0))
    assert len(shown(later.events[1])) == 2


@pytest.mark.parametrize(
    ("after", "why"),
    [("{epoch}-1", "from the future"), ("x-0", "another epoch"), ("{other}-0", "another epoch"), ("?", "not a cursor")],
)
def test_who_cannot_be_continued_is_told_to_fetch_anew(demo: House, after: str, why: str) -> None:
    epochs = {"epoch": demo.hospital().epoch, "other": demo.hospital("demo-b").epoch}
    nurse = joined(demo, "nurse", after=after.format(**epochs))
    hello, resync = nurse.events
    assert (hello.name, resync.name, resync.id) == ("hello", "resync", cursor_at(demo, 0))
    assert json.loads(resync.data) == {"why": why}
    assert meters.counted("resyncs_total", reason=why.replace(" ", "-")) == 1
    raise_in(demo, "MED-01")
    demo.relay.look()
    assert nurse.events[-1].name == "frame", "after a resync it is as live as any other"


def test_the_ring_ends_where_the_settings_say(house: House, set_to: Callable[..., None]) -> None:
    set_to(ring_lines=3)
    house.relay.look()
    alerts = [raise_in(house, f"MED-0{number}") for number in range(1, 6)]
    house.relay.look()
    in_time, too_late = (joined(house, "nurse", after=cursor_at(house, number)) for number in (2, 1))
    assert [article.alert_id for article in shown(in_time.events[1])] == alerts[2:]
    assert [event.name for event in too_late.events] == ["hello", "resync"]
    assert json.loads(too_late.events[1].data) == {"why": "too old"}


@pytest.mark.parametrize(("ring_lines", "told"), [(2, "resync"), (3, "frame")])
def test_after_a_restart_the_ring_is_filled_from_the_journal(
    house: House, set_to: Callable[..., None], ring_lines: int, told: str
) -> None:
    for number in (1, 2, 3):
        raise_in(house, f"MED-0{number}")
    set_to(ring_lines=ring_lines)
    nurse = joined(house, "nurse", after=cursor_at(house, 0))  # the first of all looks
    assert [(event.name, event.id) for event in nurse.events] == [("hello", None), (told, cursor_at(house, 3))]


def test_a_hundred_who_come_back_ask_the_database_once(demo: House, statements: list[str]) -> None:
    for number in (1, 2, 3):
        raise_in(demo, f"MED-0{number}")
    demo.relay.look()
    first = line_of(demo, "nurse")
    lines = [first, *(FakeLine(demo.relay.hub, first.watch) for _ in range(99))]
    after = cursor_at(demo, 1)
    statements.clear()
    demo.relay.join(lines[0], after)
    assert len(statements) == 1
    for line in lines[1:]:
        demo.relay.join(line, after)
    assert len(statements) == 1
    assert {len(shown(line.events[1])) for line in lines} == {2}


def test_a_card_is_rendered_once_however_many_see_it(demo: House, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = _count_renderings(monkeypatch)
    lines = [joined(demo, name) for name in ("nurse", "nurse2", "charge", "physician")]
    raise_in(demo, "MED-01")
    demo.relay.look()
    assert all(line.sent for line in lines)
    for _ in range(20):
        joined(demo, "nurse", after=cursor_at(demo, 0))
    assert rendered == ["alert_card"]
    joined(demo, "nurse", after=cursor_at(demo, 0), identity=False)
    assert rendered == ["alert_card", "alert_card"]


def test_who_has_gone_before_hello_is_not_kept(demo: House) -> None:
    gone = line_of(demo, "nurse")
    gone.ended = True
    demo.relay.join(gone, None)
    assert len(demo.relay.hub) == 0


def test_who_goes_at_hello_is_not_kept(demo: House, monkeypatch: pytest.MonkeyPatch) -> None:
    going = line_of(demo, "nurse")
    monkeypatch.setattr(going, "send", lambda _data: demo.relay.hub.leave(going))
    demo.relay.join(going, None)
    assert len(demo.relay.hub) == 0


# ---- No hole between replay and live ---------------------------------------------------------------------------------


def test_a_frame_sent_while_the_replay_is_prepared_is_in_the_replay(demo: House, slow_read: SlowRead) -> None:
    first = raise_in(demo, "MED-01")
    demo.relay.look()
    nurse = line_of(demo, "nurse")
    joining = slow_read.during(demo.relay.join, nurse, cursor_at(demo, 0))
    second = raise_in(demo, "MED-02")
    demo.relay.look()
    assert nurse.sent == []
    slow_read.finish(joining)
    third = raise_in(demo, "MED-03")
    demo.relay.look()
    _assert_everything_once(nurse, [first, second, third])
    assert [event.id for event in nurse.named("frame")] == [cursor_at(demo, 2), cursor_at(demo, 3)]
    assert json.loads(nurse.events[0].data)["head"] == 2


def test_who_joins_while_a_frame_is_prepared_gets_that_frame(demo: House, slow_read: SlowRead) -> None:
    """The frame is being made for other audiences; this one has nobody yet."""
    joined(demo, "nurse")
    alert_id = raise_in(demo, "MED-01")
    looking = slow_read.during(demo.relay.look)
    charge, colleague = joined(demo, "charge"), joined(demo, "nurse2")
    slow_read.finish(looking)
    for line in (charge, colleague):
        (frame,) = line.events
        assert (frame.id, [article.alert_id for article in shown(frame)]) == (cursor_at(demo, 1), [alert_id])


def test_who_is_the_first_of_its_kind_while_a_frame_is_rendered_gets_it_too(
    house: House, slow_read: SlowRead, set_to: Callable[..., None]
) -> None:
    set_to(ring_lines=1)  # so little is kept that rendering for the nurse must read again
    nurse = joined(house, "nurse")
    alerts = [raise_in(house, "MED-01"), raise_in(house, "MED-02")]
    looking = slow_read.during(house.relay.look, reads=2)
    charge = joined(house, "charge")
    slow_read.finish(looking)
    for line in (nurse, charge):
        _assert_everything_once(line, alerts)


def test_who_joins_in_the_middle_of_a_broadcast_gets_its_frame_once(
    demo: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlet, "_SLICE", 1)
    early = [joined(demo, "nurse") for _ in range(5)]
    alert_id = raise_in(demo, "MED-01")
    broadcast = gevent.spawn(demo.relay.look)
    _wait(lambda: early[0].sent)
    assert not early[-1].sent, "the broadcast is not over yet"
    late = joined(demo, "nurse", after=cursor_at(demo, 0))
    broadcast.get(timeout=5)
    _assert_everything_once(late, [alert_id])
    for line in early:
        _assert_everything_once(line, [alert_id])


def test_a_slow_read_does_not_bring_back_what_an_alert_was_before(demo: House, slow_read: SlowRead) -> None:
    """The read began before the acknowledgement and ends after it: its rows are too old for this replay."""
    alert_id = raise_in(demo, "MED-01")
    demo.relay.look()
    nurse = line_of(demo, "nurse")
    joining = slow_read.during(demo.relay.join, nurse, cursor_at(demo, 0))
    act(demo, "nurse", acknowledge, alert_id)
    demo.relay.look()
    slow_read.finish(joining)
    later = joined(demo, "nurse2", after=cursor_at(demo, 0))
    for line in (nurse, later):
        assert [(article.version, article.state) for article in shown(line.events[1])] == [(2, "acknowledged")]


def test_two_who_look_at_once_send_everything_once(house: House, slow_read: SlowRead) -> None:
    """Before the first look of a hospital, whoever joins looks too."""
    house.relay.look()
    nurse = joined(house, "nurse")
    first = raise_in(house, "MED-01")
    looking = slow_read.during(house.relay.look)
    second = raise_in(house, "MED-02")
    another = gevent.spawn(house.relay.look)
    beating = gevent.spawn(house.relay.beat)
    gevent.idle()
    slow_read.finish(looking)
    gevent.joinall([another, beating], timeout=5, raise_error=True)
    _assert_everything_once(nurse, [first, second])
    assert [event.id for event in nurse.events] == sorted(event.id or "" for event in nurse.events)
    assert [touch.number for touch in house.relay._tails[house.hospital().id].ring] == [1, 2]


# ---- Another epoch ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changed", [{"epoch": "restored"}, {"epoch": "restored", "head": 1}, {"head": 1}])
def test_a_backup_put_back_is_told_to_everyone_of_that_hospital(demo: House, changed: dict[str, Any]) -> None:
    for number in (1, 2, 3):
        raise_in(demo, f"MED-0{number}")
    demo.relay.look()
    nurse, charge, elsewhere = (joined(demo, name) for name in ("nurse", "charge", "nurse-b"))
    put_back(demo, **changed)
    demo.relay.look()
    now = cursor_at(demo, changed.get("head", 3))
    for line in (nurse, charge):
        assert [(event.name, event.id, event.data) for event in line.events] == [
            ("resync", now, '{"why": "another epoch"}')
        ]
    assert elsewhere.sent == []
    assert cursor_of(demo.relay, demo.hospital().id) == now
    demo.relay.look()
    assert len(nurse.sent) == 1


def test_a_cursor_from_before_the_backup_is_not_continued(demo: House) -> None:
    raise_in(demo, "MED-01")
    demo.relay.look()
    before = cursor_at(demo, 0)
    put_back(demo, epoch="restored")
    demo.relay.look()
    assert [event.name for event in joined(demo, "nurse", after=before).events] == ["hello", "resync"]
    continued = joined(demo, "nurse", after="restored-0")
    assert [event.name for event in continued.events] == ["hello", "frame"], "the fresh tail has a ring of its own"


def test_nothing_rendered_before_the_backup_is_shown_after_it(demo: House) -> None:
    """The same id and version, but another alert: numbers are given out a second time."""
    alert_id = raise_in(demo, "MED-01")
    demo.relay.look()
    for view in ("alerts", "board"):
        assert b"SpO2 low" in joined(demo, "nurse", after=cursor_at(demo, 0), views=frozenset({view})).sent[0]
    put_back(demo, epoch="restored")
    _rewrite(demo, alert_id, text="Apnoea", changed_at=clock.now())
    demo.relay.look()
    for view in ("alerts", "board"):
        later = joined(demo, "nurse", after="restored-0", views=frozenset({view}))
        assert b"Apnoea" in later.sent[0] and b"SpO2 low" not in later.sent[0]


def test_a_backup_put_back_while_a_replay_is_prepared_begins_it_anew(demo: House, slow_read: SlowRead) -> None:
    raise_in(demo, "MED-01")
    demo.relay.look()
    nurse = line_of(demo, "nurse")
    joining = slow_read.during(demo.relay.join, nurse, cursor_at(demo, 0))
    put_back(demo, epoch="restored")
    demo.relay.look()
    slow_read.finish(joining)
    assert [(event.name, event.id) for event in nurse.events] == [("hello", None), ("resync", "restored-1")]


def test_an_epoch_that_could_not_be_read_to_its_end_is_told_at_the_next_look(
    demo: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    nurse = joined(demo, "nurse")
    put_back(demo, epoch="restored")
    with monkeypatch.context() as failing:
        failing.setattr(relay, "_lines_after", _away)
        with pytest.raises(OperationalError):
            demo.relay.look()
    demo.relay.look()
    assert [event.name for event in nurse.events] == ["resync"]


# ---- When it fails ---------------------------------------------------------------------------------------------------


def test_a_frame_that_could_not_be_made_is_made_at_the_next_look(demo: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the next beat would say that everything has been written, and an alert would be lost in silence."""
    nurse = joined(demo, "nurse")
    alert_id = raise_in(demo, "MED-01")
    with monkeypatch.context() as failing:
        failing.setattr(Fragments, "card", _away)
        with pytest.raises(OperationalError):
            demo.relay.look()
    demo.relay.beat()
    assert nurse.events[0].id == cursor_at(demo, 0)
    demo.relay.look()
    assert [(event.name, event.id) for event in nurse.events[1:]] == [("frame", cursor_at(demo, 1))]
    assert shown(nurse.events[1])[0].alert_id == alert_id


def test_while_the_journal_cannot_be_read_no_beat_says_that_all_is_well(
    demo: House, monkeypatch: pytest.MonkeyPatch, set_to: Callable[..., None]
) -> None:
    set_to(beat_s=0.02, coalesce_ms=1)
    monkeypatch.setattr(relay, "_LOOK_EVERY_S", 0.02)
    nurse = joined(demo, "nurse")
    with _running(demo.relay):
        _wait(lambda: nurse.named("beat"))
        with monkeypatch.context() as failing:
            failing.setattr(records, "read", _away)
            _wait(lambda: meters.counted("relay_failures_total") >= 2)
            nurse.forget()
            failures = meters.counted("relay_failures_total")
            _wait(lambda: meters.counted("relay_failures_total") >= failures + 3)
            assert nurse.sent == []
        raise_in(demo, "MED-01")
        _wait(lambda: nurse.named("frame") and nurse.events[-1].name == "beat")
    assert nurse.events[-1].id == cursor_at(demo, 1)


@pytest.mark.parametrize("at", ["rendering", "loading"])
def test_what_cannot_be_shown_is_told_to_those_who_should_see_it_and_holds_up_nobody_else(
    demo: House, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    nurse, board, icu, elsewhere = (
        joined(demo, "nurse"),
        joined(demo, "nurse", views=frozenset({"board"})),
        joined(demo, "nurse-icu"),
        joined(demo, "nurse-b"),
    )
    bad, fine = raise_in(demo, "MED-01"), raise_in(demo, "ICU-01")
    if at == "rendering":
        _fail_for(monkeypatch, Fragments, "card", lambda alert: alert.id == bad)
    else:
        _spoil(demo, bad)
    demo.relay.look()
    assert [(event.name, event.id, event.data) for event in nurse.events] == [
        ("resync", cursor_at(demo, 2), '{"why": "unrenderable"}')
    ]
    assert [event.name for event in board.events] == ["frame" if at == "rendering" else "resync"]
    assert [article.alert_id for article in shown(icu.events[0])] == [fine]
    late = joined(demo, "nurse", after=cursor_at(demo, 0))
    assert [event.name for event in late.events] == ["hello", "resync"]
    demo.relay.turn()
    assert [line.events[-1].name for line in (nurse, board, icu, elsewhere, late)] == ["beat"] * 5
    assert meters.counted("unrenderable_total", kind="alerts") >= 2


# ---- The loop --------------------------------------------------------------------------------------------------------


def test_the_bell_is_answered_at_once(
    demo: House, monkeypatch: pytest.MonkeyPatch, set_to: Callable[..., None]
) -> None:
    set_to(beat_s=3_600.0)
    monkeypatch.setattr(relay, "_LOOK_EVERY_S", 3_600)
    nurse = joined(demo, "nurse")
    with _running(demo.relay):
        _wait(lambda: nurse.named("beat"))
        raise_in(demo, "MED-01")
        _wait(lambda: nurse.named("frame"))


def test_what_no_bell_rang_for_is_found_by_looking(demo: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "_LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(records, "bell", gevent.event.Event())  # another process's commit rings another bell
    nurse = joined(demo, "nurse")
    with _running(demo.relay):
        _wait(lambda: nurse.named("beat"))
        raise_in(demo, "MED-01")
        assert not records.bell.is_set()
        _wait(lambda: nurse.named("frame"))


def test_the_first_line_goes_out_at_once_and_those_close_behind_it_in_one_frame(
    demo: House, set_to: Callable[..., None]
) -> None:
    set_to(coalesce_ms=3_000)
    nurse = joined(demo, "nurse")
    with _running(demo.relay):
        _wait(lambda: nurse.named("beat"))
        raise_in(demo, "MED-01")
        _wait(lambda: nurse.named("frame"))  # from here on the relay rests for three seconds
        for number in (2, 3, 4):
            raise_in(demo, f"MED-0{number}")
        _wait(lambda: len(nurse.named("frame")) == 2)
    first, second = nurse.named("frame")
    assert len(shown(first)) == 1
    assert len(shown(second)) == 3


def test_a_beat_comes_when_it_is_time_and_not_before(demo: House, set_to: Callable[..., None]) -> None:
    nurse = joined(demo, "nurse")
    demo.relay.turn()
    assert len(nurse.named("beat")) == 1, "a first one at once"
    demo.relay.turn()
    assert len(nurse.named("beat")) == 1
    set_to(beat_s=0.0)
    demo.relay.turn()
    assert len(nurse.named("beat")) == 2


def test_each_turn_looks_for_those_that_are_stuck(demo: House, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bool] = []
    monkeypatch.setattr(demo.relay.outlet, "drop_stuck", lambda: looked.append(True))
    demo.relay.turn()
    demo.relay.turn()
    assert looked == [True, True]


# ---- Who may no longer look ------------------------------------------------------------------------------------------


def test_a_session_that_ended_takes_its_streams_along_and_no_others(demo: House) -> None:
    desk, phone, colleague = joined(demo, "nurse"), joined(demo, "nurse"), joined(demo, "nurse2")
    _end_session(desk)
    demo.relay.end_sessions()
    assert [(event.name, event.data) for event in desk.events] == [("auth", '{"why": "session ended"}')]
    assert phone.sent == colleague.sent == []
    assert set(demo.relay.hub.everyone()) == {phone, colleague}
    raise_in(demo, "MED-01")
    demo.relay.look()
    demo.relay.beat()
    assert len(desk.sent) == 1


def test_a_person_whose_rights_changed_must_come_back(demo: House) -> None:
    before, colleague = joined(demo, "nurse"), joined(demo, "nurse2")
    _change_person(demo, "nurse")
    after = joined(demo, "nurse")
    demo.relay.end_sessions()
    assert [(event.name, event.data) for event in before.events] == [("auth", '{"why": "rights changed"}')]
    assert after.sent == colleague.sent == []
    assert set(demo.relay.hub.everyone()) == {after, colleague}


def test_a_session_that_is_too_old_ends(demo: House) -> None:
    nurse = joined(demo, "nurse")
    clock.stop(nurse.watch.expires_at - timedelta(microseconds=1))
    demo.relay.end_sessions()
    assert nurse.sent == []
    clock.stop(nurse.watch.expires_at)
    demo.relay.end_sessions()
    assert [(event.name, event.data) for event in nurse.events] == [("auth", '{"why": "session expired"}')]
    assert len(demo.relay.hub) == 0


def test_an_end_that_was_committed_late_is_still_seen(demo: House) -> None:
    nurse = joined(demo, "nurse")
    at = clock.now()
    clock.turn(timedelta(seconds=9))
    demo.relay.end_sessions()
    _end_session(nurse, at)
    demo.relay.end_sessions()
    assert nurse.ended


def test_an_end_is_not_missed_while_the_database_is_away(demo: House, monkeypatch: pytest.MonkeyPatch) -> None:
    nurse = joined(demo, "nurse")
    demo.relay.end_sessions()
    _end_session(nurse)
    with monkeypatch.context() as failing:
        failing.setattr(records, "read", _away)
        for _ in range(3):
            clock.turn(timedelta(seconds=15))
            with pytest.raises(OperationalError):
                demo.relay.end_sessions()
    demo.relay.end_sessions()
    assert nurse.ended


def test_sessions_are_looked_at_with_one_query_for_all(demo: House, statements: list[str]) -> None:
    for name in ("nurse", "nurse", "nurse2", "charge", "nurse-b"):
        joined(demo, name)
    statements.clear()
    demo.relay.end_sessions()
    assert len(statements) == 1


def test_sessions_are_looked_at_before_each_beat(demo: House) -> None:
    nurse = joined(demo, "nurse")
    _end_session(nurse)
    demo.relay.turn()
    assert [event.name for event in nurse.events] == ["auth"]


# ---- What these tests are made of ------------------------------------------------------------------------------------


def _assert_everything_once(line: FakeLine, alert_ids: list[int]) -> None:
    articles = [article.alert_id for frame in line.named("frame") for article in shown(frame)]
    assert articles == alert_ids
    assert line.named("resync") == []


def _fail_for(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, is_bad: Callable[[Any], bool]) -> None:
    original = getattr(owner, name)

    def sometimes(self: Any, thing: Any, *args: Any, **how: Any) -> Any:
        if is_bad(thing):
            raise ZeroDivisionError("planted: a template failed")
        return original(self, thing, *args, **how)

    monkeypatch.setattr(owner, name, sometimes)


def _spoil(house: House, alert_id: int) -> None:
    """What is sealed in it cannot be opened any more."""
    query = text("UPDATE alert SET text = x'0000' WHERE id = :id")
    records.write(None, lambda session: session.execute(query, {"id": alert_id}))


def _count_renderings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    rendered: list[str] = []
    render = Fragments._render

    def note(self: Fragments, name: str, **given: object) -> Any:
        rendered.append(name)
        return render(self, name, **given)

    monkeypatch.setattr(Fragments, "_render", note)
    return rendered


def _rewrite(house: House, alert_id: int, **changed: Any) -> None:
    def rewrite(session: Any) -> None:
        alert = session.get_one(Alert, alert_id)
        for name, value in changed.items():
            setattr(alert, name, value)

    records.write(None, rewrite)


def _end_session(line: FakeLine, at: Any = None) -> None:
    query = records.PersonSession.__table__.update().where(records.PersonSession.id == line.watch.session_id)
    records.write(None, lambda session: session.execute(query.values(ended_at=at or clock.now())))


def _change_person(house: House, name: str) -> None:
    query = Person.__table__.update().where(Person.name == name)
    records.write(None, lambda session: session.execute(query.values(changed_at=clock.now())))


def _away(*_: Any, **__: Any) -> Any:
    raise OperationalError("SELECT", {}, Exception("the database is away"))


@contextmanager
def _running(relay: Relay) -> Iterator[None]:
    greenlet = gevent.spawn(relay.run)
    try:
        yield
    finally:
        greenlet.kill()


def _wait(condition: Callable[[], Any]) -> None:
    give_up_at = time.monotonic() + _AT_ONCE_S
    while not condition():
        assert time.monotonic() < give_up_at, "it never came true"
        gevent.sleep(0.001)
