"""A wall board that is silent or shows old data raises one alert, which ends when the board is well again."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from hospital import background, clock, records
from hospital.records import Alert
from hospital.vocabulary import AlertKind, Condition, Priority, State
from tests.support.boards import Wall, board, paired
from tests.support.house import House

SECONDS = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def running_for_an_hour(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    clock.stop()
    monkeypatch.setattr(background, "_reachable_since", clock.now() - timedelta(hours=1))


def test_a_board_that_pulses_raises_nothing(house: House) -> None:
    wall, _ = paired(house)
    _pulse_for(house, wall, 120)
    assert _alerts() == []


def test_a_board_that_is_silent_for_half_a_minute_raises_one_technical_alert(house: House) -> None:
    wall, _ = paired(house)
    _pulse_for(house, wall, 60)
    last = clock.now()
    _wait(29)
    assert _alerts() == []

    _wait(1)
    (alert,) = _alerts()
    assert (alert.text, alert.place) == ("Wall board is silent", "North corridor")
    assert (alert.kind, alert.priority, alert.state) == (AlertKind.TECHNICAL, Priority.MEDIUM, State.OPEN)
    assert (alert.observed_at, alert.unit_id) == (last, house.alert(alert.id).unit_id)
    _wait(600)
    assert len(_alerts()) == 1
    assert [line.happening.value for line in house.journal()][0] == "raised"


def test_a_board_that_was_paired_and_never_came_is_silent_too(house: House) -> None:
    from tests.support.boards import enter

    wall = Wall.new(house)
    enter(house.visitor("charge"), wall.code, "North corridor", "MED")
    _wait(31)
    assert [alert.text for alert in _alerts()] == ["Wall board is silent"]


def test_a_board_that_pulses_but_has_not_painted_what_is_old_raises_the_same_alert(house: House) -> None:
    wall, _ = paired(house)
    house.raise_alarm()
    stuck = f"{house.hospital().epoch}-0"
    for _ in range(6):
        _wait(10)
        assert wall.pulse(stuck) == 200
    assert [alert.text for alert in _alerts() if alert.sender_id is None] == ["Wall board shows old data"]


def test_a_board_of_another_epoch_shows_old_data(house: House) -> None:
    wall, _ = paired(house)
    for _ in range(4):
        _wait(10)
        assert wall.pulse("elsewhen-0") == 200
    assert [alert.text for alert in _alerts()] == ["Wall board shows old data"]


def test_what_happened_within_the_last_beats_is_not_missing_yet(house: House) -> None:
    wall, _ = paired(house)
    for number in range(6):
        before = _cursor(house)
        house.raise_alarm(alert_id=f"A{number}")
        clock.turn(10 * SECONDS)
        assert wall.pulse(before) == 200
        background.watch_boards()
    assert [alert for alert in _alerts() if alert.sender_id is None] == []


def test_the_alert_ends_when_the_pulse_comes_back_and_the_next_silence_opens_it_again(house: House) -> None:
    wall, _ = paired(house)
    _wait(31)
    _pulse_for(house, wall, 10)
    (alert,) = _alerts()
    assert (alert.condition, alert.state) == (Condition.CLEARED, State.OPEN)
    _wait(31)
    (again,) = _alerts()
    assert (again.id, again.condition, again.state) == (alert.id, Condition.ACTIVE, State.OPEN)


def test_what_somebody_has_resolved_is_not_raised_anew_while_the_board_stays_silent(house: House) -> None:
    paired(house)
    _wait(31)
    (alert,) = _alerts()
    nurse = house.visitor("nurse")
    assert nurse.acknowledge(alert.id).status_code == 200
    assert nurse.act(f"/alerts/{alert.id}/resolution").status_code == 200
    _wait(120)
    assert _alerts() == []


def test_a_board_that_is_revoked_raises_none_and_ends_the_one_that_is_open(house: House) -> None:
    _, its = paired(house)
    _, late = paired(house, "South corridor")
    _revoke(house, its.id)
    _wait(31)
    (alert,) = _alerts()
    assert alert.place == "South corridor"
    _revoke(house, late.id)
    _wait(1)
    assert [alert.condition for alert in _alerts()] == [Condition.CLEARED]
    assert board("South corridor").silent_since is None


def test_after_a_restart_no_board_is_to_blame(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    paired(house)
    clock.turn(600 * SECONDS)
    monkeypatch.setattr(background, "_reachable_since", clock.now())
    _wait(29)
    assert _alerts() == []
    _wait(1)
    assert len(_alerts()) == 1


def test_the_alert_stands_in_the_list_of_its_unit_alone_and_speaks_of_no_patient(house: House) -> None:
    paired(house)
    _wait(31)
    page = house.visitor("nurse").get("/alerts").text
    assert "Wall board is silent" in page and "North corridor" in page
    assert "Patient not identified" not in page
    assert "Wall board is silent" not in house.visitor("nurse-icu").get("/alerts").text
    assert "Wall board is silent" not in house.visitor("nurse-b").get("/alerts").text


def _pulse_for(house: House, wall: Wall, seconds: int) -> None:
    for _ in range(seconds // 10):
        clock.turn(10 * SECONDS)
        assert wall.pulse(_cursor(house)) == 200
        background.watch_boards()


def _wait(seconds: int) -> None:
    clock.turn(seconds * SECONDS)
    background.watch_boards()


def _cursor(house: House) -> str:
    return f"{house.hospital().epoch}-{house.hospital().head}"


def _alerts() -> list[Alert]:
    with records.read() as session:
        return list(session.scalars(select(Alert).where(Alert.state != State.RESOLVED).order_by(Alert.id)))


def _revoke(house: House, board_id: int) -> None:
    charge = house.visitor("charge")
    charge.client.post(f"/boards/{board_id}/revocation", data={"csrf_token": charge.csrf_token})
