"""News of the second kind: tiles, beds and numbers. The latest wins, at most one frame an audience and second."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import clock, records
from hospital.live import vitals
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
    return made


@pytest.fixture
def turn(house: House, seconds: Seconds) -> Callable[..., None]:
    """So many seconds pass, and the relay takes a turn."""

    def act(after: float = 1.0) -> None:
        seconds.pass_by(after)
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
        known.unit_id, known.bed_id = bed.unit_id, bed.id
        known.version, known.changed_at = known.version + 1, clock.now()

    records.write(None, act)


def test_however_many_readings_there_is_one_frame_a_second(
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


def test_the_numbers_come_every_few_seconds(house: House, turn: Callable[..., None]) -> None:
    line = watching(house, "nurse", "metrics")
    for _ in range(11):
        turn()
    assert len(frames(line)) == 3  # at once, and after five and ten seconds
    assert all('id="metrics-panel"' in html for html in frames(line))
    assert [event.id for event in line.named("frame")] == [None] * 3


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
