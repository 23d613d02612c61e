"""The checker is content with the product as it is, and with no mistake that somebody could make in it."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker import told
from tests.faults.conftest import Floors, NewFloor, Seated
from tests.faults.floor import Floor
from tests.faults.ledger import Verdict
from tests.support.pieces import Card
from tests.support.screen import Screen

Scenario = Callable[[Floor], None]
Planted = dict[tuple[str, Scenario], "Future[list[Verdict]]"]


class WithoutVersions(Screen):
    def _is_newer(self, card: Card, old: Card) -> bool:
        return True


class WithoutFreshness(Screen):
    """It was LIVE once, and says so for ever."""

    def judge(self, now: float | None = None) -> None:
        if self.state == "delayed":
            super().judge(now)


class WithoutFetching(Screen):
    """A resync is heard, and nothing is fetched."""

    def resync(self) -> None:
        self.resyncs += 1


# ---- What people live through ----------------------------------------------------------------------------------------


def an_ordinary_day(floor: Floor, kind: type[Screen] = Screen) -> None:
    """Alarms of two hospitals, an acknowledgement, a resolution, a line that breaks and is resumed."""
    floor.open("nurse", "nurse-icu", "charge", "nurse-b", each=2, kind=kind)
    wire = floor.proxy()
    floor.open("nurse", "charge", port=wire.port, kind=kind)
    first, second = floor.alarm(), floor.alarm()
    floor.alarm("ICU")
    floor.alarm("MED", "demo-b")
    nurse = floor.presser("nurse")
    nurse.press(floor.alert_id(first))
    floor.settle(3)
    floor.fault("lines cut")
    wire.refuse()
    floor.alarm()
    nurse.press(floor.alert_id(second))
    nurse.press(floor.alert_id(second), "resolution")
    wire.accept()
    floor.settle(5)


def without_versions(floor: Floor) -> None:
    an_ordinary_day(floor, WithoutVersions)


def a_quiet_time(floor: Floor) -> None:
    floor.open("nurse", "charge")
    began = time.monotonic()
    floor.crowd.wait(lambda: time.monotonic() - began > floor.rules.stale_after + 1)


def an_alarm_that_is_taken_at_once(floor: Floor, kind: type[Screen] = WithoutVersions) -> None:
    floor.open("nurse", each=2, kind=kind)
    floor.presser("nurse").press(floor.alert_id(floor.alarm()))
    floor.settle(3)


def screens_that_come_while_alarms_come(floor: Floor) -> None:
    floor.open("nurse")
    nurse = floor.seat("nurse")
    for _ in range(6):
        floor.crowd.open(nurse, 2)
        floor.alarm()
    floor.settle(5)


def a_line_that_falls_silent(floor: Floor, kind: type[Screen] = WithoutFreshness) -> None:
    wire = floor.proxy()
    floor.open("nurse", port=wire.port, kind=kind)
    floor.open("nurse")
    floor.fault("a line held back")
    wire.hold()
    floor.alarm()
    began = time.monotonic()
    floor.crowd.wait(lambda: time.monotonic() - began > floor.rules.delayed_after + 2.5)
    wire.release()
    floor.settle(5)


def a_reader_that_stops_reading(floor: Floor) -> None:
    patient = replace(floor.rules, silent=30.0)  # it must not open a new line before the old one is full
    slow, _ = floor.open("nurse", each=2, rules=patient)
    floor.fault("a screen reads nothing")
    floor.crowd.pause(slow)
    for _ in range(40):
        floor.alarm()
    floor.crowd.go_on(slow)
    floor.settle(5)


def a_stranger_asks_for_other_units(floor: Floor) -> None:
    with closing(sqlite3.connect(floor.server.folder / "hospital.db")) as database:
        (icu,) = database.execute("SELECT id FROM unit WHERE code = 'ICU'").fetchone()
    floor.open("nurse", query=f"view=alerts&unit={icu}")
    floor.open("charge")
    floor.alarm("ICU")
    floor.alarm()
    floor.settle(3)


def a_session_that_ends(floor: Floor) -> None:
    seat = floor.sign_in("nurse")
    (screen,) = floor.crowd.open(seat)
    floor.open("nurse")
    floor.crowd.wait(lambda: screen.state == "live")
    floor.sign_out(seat)
    began = time.monotonic()
    floor.crowd.wait(lambda: screen.state == "signed-out" or time.monotonic() - began > floor.beat_s + 2.5)
    floor.alarm()
    floor.settle(3)


def a_gap_too_long_to_be_replayed(floor: Floor, kind: type[Screen] = Screen) -> None:
    """The ring holds two lines."""
    wire = floor.proxy()
    floor.open("nurse", port=wire.port, kind=kind)
    floor.fault("a line cut")
    wire.refuse()
    for _ in range(4):
        floor.alarm()
    wire.accept()
    floor.settle(4)


def a_resync_that_fetches_nothing(floor: Floor) -> None:
    a_gap_too_long_to_be_replayed(floor, WithoutFetching)


def a_backup_put_back(floor: Floor, epoch: str | None = "restored") -> None:
    floor.open("nurse", each=2)
    first = floor.alarm()
    put_back = floor.backup
    floor.presser("nurse").press(floor.alert_id(first))
    floor.alarm()
    floor.settle(3)
    floor.fault("kill -9")
    floor.server.kill()
    put_back(epoch)
    floor.server.start()
    floor.alarm()
    floor.settle(6)


def a_backup_put_back_under_the_old_epoch(floor: Floor) -> None:
    a_backup_put_back(floor, None)


def killed_right_after_the_answer(floor: Floor) -> None:
    floor.open("nurse")
    floor.alarm()
    floor.fault("kill -9")
    floor.server.kill()
    floor.server.start()
    floor.settle(5)


def a_gateway_that_repeats_after_the_end(floor: Floor) -> None:
    name = floor.new_name()
    message = floor.message(name)
    floor.hand_in(name, message)
    nurse = floor.presser("nurse")
    nurse.press(floor.alert_id(name))
    nurse.press(floor.alert_id(name), "resolution")
    floor.hand_in(name, message)


def an_answer_that_is_lost(floor: Floor) -> None:
    floor.open("nurse2")
    alert = floor.alert_id(floor.alarm())
    nurse = floor.presser("nurse")
    key = "the same key, twice"
    nurse.press(alert, key=key)
    nurse.press(alert, key=key)
    floor.settle(3)


def a_press_that_waits_for_the_network(floor: Floor) -> None:
    alert = floor.alert_id(floor.alarm())
    wire = floor.proxy()
    wire.refuse()
    assert floor.presser("nurse", wire.port, expires_after_s=floor.rules.sent_within + 1.5).press(alert) == 0


# ---- The product, and what would be wrong with it --------------------------------------------------------------------

A_WEEK: list[Scenario] = [
    an_ordinary_day,
    a_quiet_time,
    screens_that_come_while_alarms_come,
    a_reader_that_stops_reading,
    a_stranger_asks_for_other_units,
    a_session_that_ends,
    a_gateway_that_repeats_after_the_end,
    an_answer_that_is_lost,
    killed_right_after_the_answer,
    a_backup_put_back,
]

PLANTED: list[tuple[str, str, Scenario]] = [
    ("skip_the_replay", "lost", an_ordinary_day),
    ("number_by_id", "lost", an_ordinary_day),
    ("no_heartbeat", "dark", a_quiet_time),
    ("move_the_cursor_before_rendering", "lost", an_ordinary_day),
    ("forget_the_tombstone", "lost", an_ordinary_day),
    ("beat_with_the_databases_head", "out of order", an_ordinary_day),
    ("render_an_old_card", "undone", an_ordinary_day),
    ("send_the_older_frame_last", "out of order", an_ordinary_day),
    ("replay_before_watch", "lost", screens_that_come_while_alarms_come),
    ("drop_without_a_resync", "lost", a_reader_that_stops_reading),
    ("audience_from_the_address", "foreign", a_stranger_asks_for_other_units),
    ("ignore_the_revocation", "revoked", a_session_that_ends),
    ("commit_after_the_answer", "lost", killed_right_after_the_answer),
    ("take_every_repeat", "twice", a_gateway_that_repeats_after_the_end),
    ("apply_the_retry_again", "acknowledged", an_answer_that_is_lost),
    ("answer_before_the_act", "acknowledged", an_answer_that_is_lost),
    ("write_every_frame_twice", "twice", without_versions),
    ("send_the_older_frame_last", "undone", an_alarm_that_is_taken_at_once),
]

PLANTED_OUTSIDE: list[tuple[str, Scenario]] = [
    ("stale", a_line_that_falls_silent),
    ("lost", a_resync_that_fetches_nothing),
    ("stale", a_backup_put_back_under_the_old_epoch),
    ("late", a_press_that_waits_for_the_network),
]

SETTINGS: dict[Scenario, dict[str, str]] = {
    a_reader_that_stops_reading: {"HOSPITAL_SEND_BUFFER_BYTES": "4096"},
    a_gap_too_long_to_be_replayed: {"HOSPITAL_RING_LINES": "2"},
    a_resync_that_fetches_nothing: {"HOSPITAL_RING_LINES": "2"},
}
FEW_BYTES = 2_304  # the smallest receive buffer of Linux


def name_of(value: object) -> str:
    return getattr(value, "__name__", str(value)).replace(" ", "-")


@pytest.mark.slow
def test_with_nothing_wrong_the_checker_is_content(new_floor: NewFloor) -> None:
    floor = new_floor(receive_buffer_bytes=FEW_BYTES, HOSPITAL_SEND_BUFFER_BYTES="4096")
    for scenario in A_WEEK:
        scenario(floor)
    assert floor.verdicts() == [], told(floor.verdicts())


def test_a_gap_that_cannot_be_replayed_is_fetched(new_floor: NewFloor) -> None:
    floor = new_floor(**SETTINGS[a_gap_too_long_to_be_replayed])
    a_gap_too_long_to_be_replayed(floor)
    assert floor.crowd.screens[0].resyncs == 1
    assert floor.verdicts() == [], told(floor.verdicts())


@pytest.mark.slow
@pytest.mark.parametrize(("twist", "kind", "scenario"), PLANTED, ids=name_of)
def test_the_checker_catches_what_is_planted_in_the_server(
    planted: Planted, twist: str, kind: str, scenario: Scenario
) -> None:
    _is_told(planted[twist, scenario].result(), kind)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "scenario"), PLANTED_OUTSIDE, ids=name_of)
def test_the_checker_catches_what_is_planted_outside_the_server(
    planted: Planted, kind: str, scenario: Scenario
) -> None:
    _is_told(planted["", scenario].result(), kind)


@pytest.fixture(scope="module")
def planted(
    seated: Seated, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Planted]:
    """What the checker says of each mistake that is asked for: three floors at once, since most of it is waiting."""
    here: list[Any] = [item for item in request.session.items if getattr(item, "module", None) is request.module]
    items = [item for item in here if "planted" in item.fixturenames]
    asked = [(item.callspec.params.get("twist", ""), item.callspec.params["scenario"]) for item in items]
    with ThreadPoolExecutor(3) as pool:
        yield {
            (twist, scenario): pool.submit(_live_through, seated, tmp_path_factory.mktemp("planted"), twist, scenario)
            for twist, scenario in asked
        }


def _live_through(seated: Seated, folder: Path, twist: str, scenario: Scenario) -> list[Verdict]:
    how: dict[str, Any] = dict(SETTINGS.get(scenario, {}))
    how["receive_buffer_bytes"] = FEW_BYTES if scenario is a_reader_that_stops_reading else 0
    floors = Floors(seated, folder)
    try:
        floor = floors.make(*([twist] if twist else []), **how)
        scenario(floor)
        return floor.verdicts()
    finally:
        floors.close()


def _is_told(verdicts: list[Verdict], kind: str) -> None:
    print(told(verdicts, most=3))
    assert kind in {verdict.kind for verdict in verdicts}, told(verdicts)
