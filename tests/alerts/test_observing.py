"""Readings come in: what is kept, what they raise, and what a late or silent monitor does not."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from hospital import background, clock, records
from hospital.fragments.tile import OpenAlerts, Tile, tile
from hospital.records import Alert, Monitoring, Observation, Patient
from tests.support.alarms import alarm
from tests.support.house import House
from tests.support.readings import reading


@pytest.fixture(autouse=True)
def still(house: House) -> Iterator[None]:
    clock.stop()
    yield
    clock.reset()


def alerts() -> list[Alert]:
    with records.read() as session:
        return list(session.scalars(select(Alert).order_by(Alert.id)))


def observations() -> list[Observation]:
    with records.read() as session:
        return list(session.scalars(select(Observation).order_by(Observation.id)))


def card(number: int = 1) -> Tile:
    from zoneinfo import ZoneInfo

    with records.read() as session:
        monitoring = session.get_one(Monitoring, number)
        return tile(monitoring, ZoneInfo("UTC"), OpenAlerts(), identity=True)


def shown(vital: str) -> str | None:
    return next(cell.value for cell in card().cells if cell.vital == vital)


def each_second(house: House, seconds: int, **values: float) -> None:
    for _ in range(seconds):
        clock.turn(timedelta(seconds=1))
        house.take(reading(**values))


def test_a_set_is_one_row_and_no_journal_line(house: House) -> None:
    house.take(reading(hr=80, spo2=97, rr=16, sbp=120, dbp=70, temp=36.6))
    (row,) = observations()
    assert (row.hr, row.spo2, row.rr, row.sbp, row.dbp, row.temp) == (80, 97, 16, 120, 70, 36.6)
    assert (row.observed_at, row.consciousness, row.on_oxygen) == (row.received_at, None, None)
    assert house.journal() == []


def test_values_of_two_moments_are_two_rows(house: House) -> None:
    first, second = reading(sbp=117, at=clock.now() - timedelta(minutes=5)), reading(hr=80)
    obx = next(row for row in first.split(b"\r") if row.startswith(b"OBX"))
    house.take(second + obx + b"\r")
    assert [(row.sbp, row.hr) for row in observations()] == [(117, None), (None, 80)]


def test_an_ecg_is_shown_before_a_pulse_and_an_artery_before_a_cuff(house: House) -> None:
    house.take(reading(pulse=90, hr=80, sbp=110, abp=104))
    assert (shown("hr"), shown("sbp")) == ("80", "104")


def test_a_limit_must_be_crossed_for_its_delay(house: House) -> None:
    each_second(house, 15, spo2=88, hr=80, rr=16)
    assert [alert for alert in alerts() if alert.condition_key == "spo2-low"] == []
    each_second(house, 1, spo2=88, hr=80, rr=16)
    (low,) = [alert for alert in alerts() if alert.condition_key == "spo2-low"]
    assert (low.priority, low.value, low.low, low.text, low.sender_id) == ("medium", "88", 90, "SpO₂ low", None)
    assert low.unit_id is not None


def test_a_value_that_dances_on_its_limit_makes_one_alert(house: House) -> None:
    each_second(house, 17, spo2=89)
    for _ in range(30):
        each_second(house, 1, spo2=90)
        each_second(house, 1, spo2=89)
    assert [line.happening for line in house.journal() if house.alert(line.alert_id).condition_key == "spo2-low"] == [
        "raised"
    ]


def test_a_worse_value_and_a_higher_priority_are_told_and_a_better_one_is_not(house: House) -> None:
    each_second(house, 16, spo2=88)
    each_second(house, 2, spo2=89)
    each_second(house, 2, spo2=87)
    each_second(house, 11, spo2=83)
    low = next(alert for alert in alerts() if alert.condition_key == "spo2-low")
    lines = [(line.happening, line.facts["value"]) for line in house.journal() if line.alert_id == low.id]
    assert lines == [("raised", "88"), ("updated", "87"), ("updated", "83"), ("priority-raised", "83")]
    assert low.priority == "high"


def test_it_clears_when_the_value_has_come_back(house: House) -> None:
    each_second(house, 16, spo2=88)
    each_second(house, 16, spo2=95)
    low = next(alert for alert in alerts() if alert.condition_key == "spo2-low")
    assert (low.condition, low.state) == ("cleared", "open")


def test_an_incomplete_score_raises_by_its_bound_and_says_so(house: House) -> None:
    house.take(reading(rr=25, spo2=95, hr=95))
    score = next(alert for alert in alerts() if alert.condition_key == "news2")
    assert (score.value, score.priority) == ("≥ 5", "medium")
    assert score.text == "NEWS2: breathing 3, SpO₂ 1, pulse 1"
    assert "urgent" in score.advice.lower()
    assert card().news2.missing == ["O₂", "BP", "ACVPU", "T"]


def test_a_hand_that_moves_raises_nothing(house: House) -> None:
    each_second(house, 20, hr=80, spo2=97, rr=16)
    each_second(house, 9, hr=152, spo2=84, rr=16)
    each_second(house, 20, hr=80, spo2=97, rr=16)
    assert alerts() == []
    assert card().observe_by is not None and not card().observe_by.due


def test_a_score_that_dances_on_its_band_is_one_alert(house: House) -> None:
    for _ in range(100):
        each_second(house, 3, hr=80, spo2=97, rr=25)
        each_second(house, 1, hr=80, spo2=97, rr=24)
    assert [line.happening for line in house.journal()] == ["raised"]


def test_a_score_that_is_lower_because_a_lead_is_off_does_not_end(house: House) -> None:
    house.take(reading(hr=80, spo2=97, rr=25))
    for _ in range(60):
        clock.turn(timedelta(minutes=1))
        house.take(reading(spo2=97))
    (score,) = alerts()
    assert (score.condition_key, score.condition) == ("news2", "active")
    for _ in range(6):
        clock.turn(timedelta(minutes=1))
        house.take(reading(hr=80, spo2=97, rr=16))
    assert alerts()[0].condition == "cleared"


def test_a_score_below_its_bands_raises_nothing(house: House) -> None:
    house.take(reading())
    assert alerts() == []


def test_a_late_reading_replaces_nothing_and_raises_nothing(house: House) -> None:
    house.take(reading(hr=80))
    before = card().version
    house.take(reading(hr=180, at=clock.now() - timedelta(minutes=10)))
    assert shown("hr") == "80"
    assert card().version > before
    assert len(observations()) == 2
    assert alerts() == []


def test_a_correction_takes_the_place_of_what_it_corrects(house: House) -> None:
    house.take(reading(hr=80, sbp=70))
    (low,) = [alert for alert in alerts() if alert.condition_key == "sbp-low"]
    house.take(reading(hr=81, sbp=71))
    assert (shown("hr"), shown("sbp")) == ("80", "70")  # equally old, and no correction
    house.take(reading(hr=90, sbp=120, status="C"))
    assert (shown("hr"), shown("sbp")) == ("90", "120")
    assert house.alert(low.id).condition == "latched"


def test_a_correction_for_the_worse_raises(house: House) -> None:
    house.take(reading(hr=80, spo2=97, rr=16))
    house.take(reading(hr=135, spo2=91, rr=26, status="C"))
    (score,) = alerts()
    assert (score.condition_key, score.value) == ("news2", "≥ 9")


def test_a_correction_of_what_was_before_changes_nothing(house: House) -> None:
    before = clock.now() - timedelta(seconds=5)
    house.take(reading(hr=80))
    house.take(reading(hr=180, at=before, status="C"))
    assert shown("hr") == "80"


@pytest.mark.parametrize(("age_s", "raises"), [(900, True), (901, False)])
def test_what_is_older_than_a_quarter_of_an_hour_is_history(house: House, age_s: int, raises: bool) -> None:
    house.take(reading(rr=30, spo2=80, hr=140, at=clock.now() - timedelta(seconds=age_s)))
    assert bool(alerts()) is raises
    assert len(observations()) == 1


def test_a_clock_that_is_an_hour_off_is_flagged_and_does_not_hide_what_comes(house: House) -> None:
    ahead = clock.now() + timedelta(hours=1)
    house.take(reading(hr=80, at=ahead, sent_at=ahead))
    assert card().clock_off
    clock.turn(timedelta(seconds=5))
    house.take(reading(hr=90))
    assert shown("hr") == "90"
    assert not card().clock_off


def test_a_bed_that_goes_silent_raises_an_alert_and_shows_no_value(house: House) -> None:
    house.take(reading(hr=80))
    clock.turn(timedelta(seconds=119))
    background.look_for_silence()
    assert alerts() == []
    clock.turn(timedelta(seconds=1))
    background.look_for_silence()
    background.look_for_silence()
    (silent,) = alerts()
    assert (silent.condition_key, silent.kind, silent.text) == ("link", "technical", "No data from the monitor")
    assert card().no_data is not None
    assert all(cell.value is None for cell in card().cells)
    clock.turn(timedelta(seconds=1))
    house.take(reading(hr=82))
    assert alerts()[0].condition == "cleared"
    assert card().no_data is None
    assert shown("hr") == "82"


def test_readings_without_a_patient_are_of_nobody_we_know(house: House) -> None:
    house.take(reading(hr=80))
    house.take(reading(hr=140, patient=None))
    assert shown("hr") == "80"
    with records.read() as session:
        unknown = session.scalars(select(Patient).where(Patient.id != 1)).one()
    assert unknown.name == ""
    assert card(unknown.id).name is None


def test_readings_from_an_unknown_bed_are_for_the_charge_nurse(house: House) -> None:
    house.take(reading(bed="HO Surgery^OR^1"))
    assert card().unassigned
    assert card().place == "HO Surgery / OR / 1"
    assert "patient-card" in house.visitor("charge").get("/patients").get_data(as_text=True)
    assert "patient-card" not in house.visitor("nurse").get("/patients").get_data(as_text=True)


def test_a_monitor_and_a_rule_that_say_the_same_are_one_alert(house: House) -> None:
    each_second(house, 16, spo2=88)
    (by_rule,) = [alert for alert in alerts() if alert.condition_key == "spo2-low"]
    received = house.take(alarm(value="88"))
    assert received.alert_ids == (by_rule.id,)
    house.take(alarm(value="95", phase="end"))
    assert house.alert(by_rule.id).condition == "cleared"


def test_a_monitor_that_was_first_is_joined_by_the_rule(house: House) -> None:
    (first,) = house.take(alarm(value="88")).alert_ids
    each_second(house, 16, spo2=84)
    (only,) = [alert for alert in alerts() if alert.condition_key == "spo2-low"]
    assert only.id == first
    assert only.priority == "high"


def test_an_unverified_value_is_taken(house: House) -> None:
    house.take(reading(hr=80, status="X"))
    (row,) = observations()
    assert row.measured == [["hr", "ecg", 80.0, False]]


def test_history_that_is_played_back_does_not_make_a_silent_monitor(house: House) -> None:
    house.take(reading(hr=80, at=clock.now() - timedelta(days=400)))
    clock.turn(timedelta(seconds=600))
    background.look_for_silence()
    assert alerts() == []
