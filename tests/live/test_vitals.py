"""News of the second kind: tiles, beds and numbers. The latest wins, at most one frame an audience and second."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import gevent
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import clock, meters, records
from hospital.fragments import Fragments
from hospital.live import panels, vitals
from hospital.live.relay import Relay
from hospital.records import Bed, Monitoring
from tests.live.lines import FakeLine, joined, visitor_of
from tests.support.house import House
from tests.support.readings import reading

PATIENTS = frozenset({"patients"})
FAR_AWAY = "9^^^Ward^PI||Fremd^Franz^^^^^L||19500101|M"
ICU = {"bed": "ICU^^ICU-02", "patient": FAR_AWAY}


class Seconds:
    """Both clocks together: the monotonic one that `vitals` asks, and ours."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def pass_by(self, seconds: float = 1.0) -> None:
        self.now += seconds
        clock.turn(timedelta(seconds=seconds))


@pytest.fixture(autouse=True)
def seconds(house: House, monkeypatch: pytest.MonkeyPatch) -> Seconds:
    clock.stop()
    made = Seconds()
    monkeypatch.setattr(vitals, "time", made)
    monkeypatch.setattr(panels, "time", made)
    return made


@pytest.fixture
def turn(house: House, seconds: Seconds) -> Callable[..., None]:
    """So many seconds pass, and the relay takes a turn."""

    def act(after: float = 1.0) -> None:
        seconds.pass_by(after)
        house.relay.turn()

    return act


@pytest.fixture
def numbers_turn(house: House, seconds: Seconds) -> Callable[[], None]:
    """Two seconds: what is counted beside the first turn is sent by the second."""

    def act() -> None:
        seconds.pass_by()
        house.relay.turn()
        while any(not counting.dead for counting in house.relay._vitals._panels._counting.values()):
            gevent.sleep(0.001)
        seconds.pass_by()
        house.relay.turn()

    return act


def watching(house: House, name: str, *views: str) -> FakeLine:
    return joined(house, name, views=frozenset(views) or PATIENTS)


def frames(line: FakeLine) -> list[str]:
    return [event.data for event in line.named("frame")]


def versions(html: str) -> list[tuple[int, int]]:
    return [(int(a), int(b)) for a, b in re.findall(r'<article id="patient-(\d+)".*? data-version="(\d+)"', html)]


def move(patient_id: int, bed_code: str) -> None:
    def act(session: Session) -> None:
        bed = session.scalars(select(Bed).where(Bed.code == bed_code, Bed.hospital_id == 1)).one()
        known = session.get_one(Monitoring, patient_id)
        known.move_to(bed.unit_id, clock.now())
        known.bed_id = bed.id
        known.version, known.changed_at = known.version + 1, clock.now()

    records.write(None, act)


def _to_no_unit(patient_id: int) -> None:
    def act(session: Session) -> None:
        known = session.get_one(Monitoring, patient_id)
        known.move_to(None, clock.now())
        known.bed_id, known.version, known.changed_at = None, known.version + 1, clock.now()

    records.write(None, act)


def test_however_many_readings_there_is_one_frame_a_turn(
    house: House, turn: Callable[..., None], seconds: Seconds
) -> None:
    line = watching(house, "nurse")
    turn()
    line.forget()
    for n in range(10):
        house.take(reading(hr=70 + n))
        house.take(reading(bed="MED^^MED-01", patient=f"{n}^^^W^PI"))
        seconds.pass_by(0.05)
        house.relay.turn()
    assert frames(line) == []
    turn(0.6)
    house.relay.turn()
    (only,) = frames(line)
    assert dict(versions(only))[1] == 10
    assert len(versions(only)) == 11


def test_a_tile_has_no_cursor_and_nothing_is_sent_twice(house: House, turn: Callable[..., None]) -> None:
    line = watching(house, "nurse")
    house.take(reading())
    turn()
    assert [event.id for event in line.named("frame")] == [None]
    turn()
    turn()
    assert len(frames(line)) == 1


def test_a_patient_of_another_unit_or_hospital_is_in_no_byte(house: House, turn: Callable[..., None]) -> None:
    nurse, far, icu = (watching(house, name) for name in ("nurse", "nurse-b", "nurse-icu"))
    house.take(reading(**ICU, hr=80))
    turn()
    assert frames(nurse) == frames(far) == []
    assert b"Fremd" in b"".join(icu.sent)
    late = [FakeLine(house.relay.hub, line.watch) for line in (nurse, far)]
    for line in late:
        house.relay.join(line, None)
    told = b"".join(data for line in (nurse, far, *late) for data in line.sent)
    assert not [word for word in (b"patient-", b"ICU-02", b"Fremd") if word in told]


def test_a_newer_reading_has_a_higher_version(house: House, turn: Callable[..., None]) -> None:
    line = watching(house, "nurse")
    for value in (80, 90):
        house.take(reading(hr=value))
        turn()
    first, second = frames(line)
    assert versions(first) == [(1, 1)]
    assert versions(second) == [(1, 2)]
    assert ">90<" in second and ">80<" not in second


def test_who_joins_gets_what_has_changed_in_the_last_minute(house: House, turn: Callable[..., None]) -> None:
    watching(house, "nurse2")
    house.take(reading())
    turn()
    turn(30)
    line = FakeLine(house.relay.hub, watching(house, "nurse").watch)
    house.relay.join(line, None)
    assert [event.name for event in line.events] == ["hello", "frame"]
    assert versions(line.events[1].data) == [(1, 1)]
    turn(40)
    late = FakeLine(house.relay.hub, line.watch)
    house.relay.join(late, None)
    assert [event.name for event in late.events] == ["hello"]


def test_a_patients_page_gets_only_this_patients_tile_and_alerts(house: House, turn: Callable[..., None]) -> None:
    line = watching(house, "nurse", "patient:1")
    house.take(reading())
    house.take(reading(bed="MED^^MED-01", patient=FAR_AWAY))
    mine = house.raise_alarm()
    house.raise_alarm(alert_id="B", bed="MED^^MED-01", patient=FAR_AWAY)
    turn()
    everything = b"".join(line.sent).decode()
    assert set(re.findall(r'<article id="((?:patient|alert|board)-\d+)"', everything)) == {"patient-1", f"alert-{mine}"}
    assert "Fremd" not in everything


def test_who_watches_alerts_alone_gets_no_tile(house: House, turn: Callable[..., None]) -> None:
    line = watching(house, "nurse", "alerts")
    house.take(reading())
    turn()
    assert frames(line) == []


def test_a_patient_who_moves_leaves_a_tombstone_that_says_nothing(house: House, turn: Callable[..., None]) -> None:
    nurse, icu = watching(house, "nurse"), watching(house, "nurse-icu")
    house.take(reading())
    turn()
    nurse.forget()
    move(1, "ICU-02")
    turn()
    (gone,), (come,) = frames(nurse), frames(icu)
    assert gone == '<article id="patient-1" data-version="2" data-state="left" hidden></article>'
    assert "Testmann" in come and "ICU-02" in come
    nurse.forget()
    house.take(reading(bed="ICU^^ICU-02"))
    turn()
    assert frames(nurse) == []


_TOMBSTONE = '<article id="patient-1" data-version="2" data-state="left" hidden></article>'


@pytest.mark.parametrize("restarted", [False, True], ids=["the same process", "another process"])
def test_who_joins_after_a_patient_moved_is_told_of_it(
    house: House, turn: Callable[..., None], restarted: bool
) -> None:
    """The page is from before, and shows the patient as if they were still there."""
    house.take(reading())
    turn()
    move(1, "ICU-02")
    if restarted:
        house.relay.outlet.close()
        house.app.extensions["relay"] = Relay(house.app.extensions["fragments"])
        house.relay.look()
    turn()
    turn(20)
    nurse, icu, far = (
        FakeLine(house.relay.hub, watching(house, name).watch) for name in ("nurse", "nurse-icu", "nurse-b")
    )
    for line in (nurse, icu, far):
        house.relay.join(line, None)
    assert frames(nurse) == [_TOMBSTONE]
    assert "Testmann" in frames(icu)[0]
    assert frames(far) == []
    turn(60)
    late = FakeLine(house.relay.hub, nurse.watch)
    house.relay.join(late, None)
    assert frames(late) == []


def test_who_moves_twice_in_a_second_has_left_both_units(house: House, turn: Callable[..., None]) -> None:
    house.take(reading())
    nurse, icu, charge = (watching(house, name) for name in ("nurse", "nurse-icu", "charge"))
    turn()
    for line in (nurse, icu, charge):
        line.forget()
    move(1, "ICU-02")
    _to_no_unit(1)
    turn()
    gone = _TOMBSTONE.replace('"2"', '"3"')
    assert frames(nurse) == frames(icu) == [gone]
    assert "Testmann" in frames(charge)[0]


def test_a_tile_that_cannot_be_rendered_is_told_to_those_who_should_see_it_and_to_nobody_else(
    house: House, turn: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    nurse, icu = watching(house, "nurse"), watching(house, "nurse-icu")
    original = Fragments.tile

    def sometimes(self: Fragments, one: Monitoring, *args: Any, **how: Any) -> Any:
        return 1 / 0 if one.patient_id == 1 else original(self, one, *args, **how)

    monkeypatch.setattr(Fragments, "tile", sometimes)
    house.take(reading())
    house.take(reading(**ICU))
    turn(6)
    assert [event.name for event in nurse.events] == ["resync", "beat"]
    assert [event.name for event in icu.events] == ["frame", "beat"]
    late = FakeLine(house.relay.hub, nurse.watch)
    house.relay.join(late, None)
    assert [event.name for event in late.events] == ["hello", "resync"]
    assert meters.counted("unrenderable_total", kind="vitals") == 2


def test_many_who_join_get_the_very_same_tiles(house: House, turn: Callable[..., None]) -> None:
    house.take(reading())
    turn()
    lines = [joined(house, name, after="x-0", views=PATIENTS) for name in ("nurse", "nurse2")]
    first, second = (line.sent[0]._parts[1] for line in lines)
    assert first is second


def test_who_opens_the_wall_after_a_bed_has_changed_gets_the_beds(house: House, turn: Callable[..., None]) -> None:
    """The page is from before, and the others have been told."""
    watching(house, "nurse", "board")
    turn()
    house.take(reading())
    turn()
    late = joined(house, "nurse2", after="x-0", views=frozenset({"board"}))
    assert ['data-bed="MED-07" data-bed-state="quiet"' in html for html in frames(late)] == [True]


def test_beds_of_long_ago_are_not_given_to_who_opens_the_wall_now(house: House, turn: Callable[..., None]) -> None:
    first = watching(house, "nurse", "board")
    turn()
    first.close()
    turn()
    house.take(reading())
    late = joined(house, "nurse2", after="x-0", views=frozenset({"board"}))
    assert frames(late) == []
    turn()
    assert ['data-bed="MED-07" data-bed-state="quiet"' in html for html in frames(late)] == [True]


def test_the_beds_are_asked_of_the_database_once_for_all_who_have_the_same_units(
    house: House, turn: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    original = panels.board_beds
    monkeypatch.setattr(panels, "board_beds", lambda *given: asked.append(given) or original(*given))
    for views in ({"board"}, {"board", "alerts"}, {"board", "patients"}):
        for name, language in (("nurse", "en"), ("nurse2", "es"), ("nurse-icu", "en")):
            joined(house, name, views=frozenset(views), language=language)
    turn()
    assert len(asked) == 2, "those of MED and those of ICU"


def test_the_numbers_come_every_few_seconds(house: House, numbers_turn: Callable[[], None]) -> None:
    line = watching(house, "nurse", "metrics")
    for _ in range(6):
        numbers_turn()
    sent = frames(line)  # at once, and after five and ten seconds
    assert [re.findall(r'<section id="(metrics-\d+|metrics-now)"', html) for html in sent] == [
        ["metrics-now"],
        ["metrics-24"],
    ] * 3
    assert [event.id for event in line.named("frame")] == [None] * 6


def test_a_long_range_is_counted_rarely_and_what_is_open_as_often_as_ever(
    house: House, numbers_turn: Callable[[], None]
) -> None:
    line = watching(house, "nurse", "metrics:168")
    for _ in range(21):
        numbers_turn()
    sent = [re.findall(r'<section id="(metrics-\d+|metrics-now)"', html)[0] for html in frames(line)]
    assert (sent.count("metrics-now"), sent.count("metrics-168")) == (9, 2)  # a week every 35 s


def test_the_numbers_are_counted_once_for_all_who_have_the_same_units(
    house: House, numbers_turn: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[object] = []
    original = panels.count
    monkeypatch.setattr(panels, "count", lambda *given: counted.append(given) or original(*given))
    for name, language in (("nurse", "en"), ("nurse2", "es"), ("nurse2", "en"), ("nurse-icu", "en")):
        joined(house, name, views=frozenset({"metrics:24", "alerts"}), language=language)
    numbers_turn()
    assert len(counted) == 2, "those of MED and those of ICU"


def test_a_range_of_one_s_own_hears_of_what_is_open_and_of_no_other_range(
    house: House, numbers_turn: Callable[[], None]
) -> None:
    line = watching(house, "nurse", "metrics:0")
    numbers_turn()
    assert ['id="metrics-now"' in html for html in frames(line)] == [True]


def test_the_beds_come_only_when_one_has_changed(house: House, turn: Callable[..., None]) -> None:
    line = watching(house, "nurse", "board")
    turn()
    turn()
    assert len(frames(line)) == 1
    house.take(reading())
    turn()
    house.take(reading())
    turn()
    first, second = frames(line)
    assert 'data-bed="MED-07" data-bed-state="empty"' in first
    assert 'data-bed="MED-07" data-bed-state="quiet"' in second
    older, newer = (int(re.findall(r'data-version="(\d+)"', html)[0]) for html in (first, second))
    assert older < newer
    assert "Testmann" not in first + second


@pytest.mark.parametrize(("who", "number"), [("nurse", 2), ("nurse-b", 1), ("nurse", 99)])
def test_a_view_of_a_foreign_patient_does_not_exist(house: House, who: str, number: int) -> None:
    house.take(reading())
    house.take(reading(**ICU))
    assert visitor_of(house, who).get(f"/live/stream?view=patient:{number}").status_code == 404


@pytest.mark.parametrize("view", ["patient:", "patient:x", "patient:-1", "beds", "patients,board"])
def test_a_view_that_is_none_is_refused(house: House, view: str) -> None:
    assert visitor_of(house, "nurse").get(f"/live/stream?view={view}").status_code == 400
