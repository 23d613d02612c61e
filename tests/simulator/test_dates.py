from datetime import UTC, datetime, timedelta

import pytest

from hospital.simulator.dates import field, moved, of_message

DAY = timedelta(days=1)
MESSAGE = (
    b"MSH|^~\\&|A|B|||20150131235900+0100||ORU^R01|1|P|2.6\rPID|||1||X^Y||19610101|M\r"
    b"OBR|1||2015|4|||201501312350||\rOBX|1|NM|150021|1|120|u|||||R|||20150131\r"
)


def test_every_time_but_a_birth_date_is_moved_in_its_own_precision_and_zone() -> None:
    assert moved(MESSAGE, DAY) == (
        MESSAGE.replace(b"20150131235900+0100", b"20150201235900+0100")
        .replace(b"|201501312350|", b"|201502012350|")
        .replace(b"|20150131\r", b"|20150201\r")
    )


def test_nothing_changes_when_nothing_is_moved() -> None:
    assert moved(MESSAGE, timedelta(0)) == MESSAGE


@pytest.mark.parametrize(
    ("written", "later"),
    [
        (b"20150131235959.5-0600", b"20150201000000.0-0600"),
        (b"20150131235959.1234", b"20150131235959.6234"),
        (b"2015013123", b"2015013123"),
        (b"20159931", b"20159931"),
        (b"2015", b"2015"),
        (b"soon", b"soon"),
        (b"", b""),
    ],
)
def test_half_a_second_later(written: bytes, later: bytes) -> None:
    message = MESSAGE.replace(b"20150131235900+0100", written)
    assert field(moved(message, timedelta(seconds=0.5)), "MSH", 7) == later


def test_a_message_is_of_when_it_was_sent_or_else_observed() -> None:
    assert of_message(MESSAGE) == datetime(2015, 1, 31, 22, 59, tzinfo=UTC)
    assert of_message(MESSAGE.replace(b"20150131235900+0100", b"")) == datetime(2015, 1, 31, 23, 50, tzinfo=UTC)
    assert of_message(b"MSH|^~\\&\r") is None


def test_other_separators_are_no_hindrance() -> None:
    assert field(moved(MESSAGE.replace(b"|", b"#"), DAY), "MSH", 7) == b"20150201235900+0100"
