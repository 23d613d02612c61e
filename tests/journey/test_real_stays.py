"""Six real stays in intensive care, two days each, come in by the front door; every alert is reckoned a second time.

Each reading comes at its own time by the turned clock: two days pass in seconds. The files lie beside the checkout at
some desks only; a small stay of our own covers the rules everywhere.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from hospital import clock, records
from hospital.fragments.tile import OpenAlerts, tile
from hospital.records import Alert, Monitoring
from hospital.triage.limits import DEFAULTS
from tests.journey.stays import COLUMNS, LIMITS, Expected, Line, Rows, expected, read_stay
from tests.support.house import House
from tests.support.readings import reading

FILES = Path(__file__).parents[3] / "shared" / "data" / "vitals"
STAYS = ["134276", "135885", "137053", "137896", "139397", "141200"]
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
SENT_AS = {"cuff": "sbp", "artery": "abp"}

# Each line stands for a rule: delay, hysteresis, a higher priority, recurrence, cuff and artery, parts that age. From
# 15:00 on, the score alone: it must stand where readings stream, and falls only by what is measured.
OUR_STAY = """Time,Parameter,Value
00:00,Weight,80
00:10:00,HR,80
00:10:00,RespRate,16
00:10:00,SaO2,89
00:10:09,SaO2,89
00:10:10,SaO2,88.4
00:10:15,SaO2,84
00:10:20,SaO2,83
00:10:25,SaO2,82
00:10:30,SaO2,90
00:10:35,SaO2,91
00:10:40,SaO2,90.5
00:10:45,SaO2,91
00:10:54,SaO2,97
00:10:59,SaO2,97
00:11:00,SaO2,97
00:11:05,SaO2,89
00:11:15,SaO2,89
00:11:20,SaO2,89
00:12:00,SaO2,-1
00:20:00,NISysABP,74
00:20:00,RespRate,29
00:25:00,SysABP,92
00:25:00,NISysABP,88
00:25:00,RespRate,29
00:40:00,NISysABP,70
00:40:01,NISysABP,89
00:40:01,SaO2,97
00:50:00,SysABP,95
01:10:00,SysABP,95
01:10:00,RespRate,26
01:11:00,RespRate,26
01:20:00,Temp,39.5
01:21:00,Temp,39.6
01:22:00,Temp,39.1
01:23:00,Temp,39
01:24:00,HR,131
01:24:10,HR,131
01:24:20,HR,152
01:24:30,HR,152
01:25:00,RespRate,24.5
02:00:00,HR,72
02:02:00,HR,72
03:00:00,HR,110.5
03:00:00,RespRate,20.5
03:00:00,SaO2,95.4
03:30:00,HR,44
03:30:30,HR,37
03:31:00,HR,37
03:31:30,HR,48
03:31:45,HR,48
09:00:00,RespRate,7
09:00:20,RespRate,7
13:10:00,SaO2,96
13:23:00,SaO2,96
13:23:01,SaO2,96
14:00:00,NISysABP,230
14:20:00,NISysABP,195
15:00:00,HR,80
15:00:00,RespRate,16
15:00:00,SaO2,97
15:01:00,SaO2,90
15:01:10,SaO2,97
15:02:00,SaO2,90
15:02:00,RespRate,25
15:02:10,SaO2,97
15:06:00,SaO2,90
15:06:14,SaO2,97
15:11:13,SaO2,97
15:11:14,SaO2,97
15:11:15,HR,80
15:17:30,HR,80
15:23:00,HR,80
15:30:00,RespRate,16
15:34:59,RespRate,16
15:35:00,RespRate,16
15:40:00,RespRate,26
15:40:00,HR,80
15:40:05,HR,135
15:40:12,HR,135
15:40:14,HR,80
15:40:20,HR,135
15:40:22,HR,135
15:40:23,HR,135
16:00:00,HR,135
16:10:00,HR,135
16:10:00,RespRate,26
"""


@pytest.fixture(autouse=True)
def still(house: House) -> Iterator[None]:
    clock.stop(BEGAN)
    yield
    clock.reset()


def play(house: House, rows: Rows) -> Expected:
    """Send each row at its time; what the application made of all of them, in the words of the second reckoning."""
    told = Expected([], {}, {})
    for at_s, row in rows.items():
        clock.stop(BEGAN + timedelta(seconds=at_s))
        values: dict[str, Any] = {SENT_AS.get(name, name): value for name, value in row.items()}
        received = house.take(reading(**values))
        assert received.verdict == "accepted", received
        told.bounds[at_s], told.beyond[at_s] = standing()
    told.lines = sorted(journal(house))
    return told


def standing() -> tuple[int, set[str]]:
    """The score that the card shows now, and the limits that it shows as crossed."""
    with records.read() as session:
        monitoring = session.scalars(select(Monitoring)).one()
        shown = tile(monitoring, ZoneInfo("UTC"), OpenAlerts(), identity=False).news2
        assert not shown.complete
        assert shown.total is not None
        return shown.total, {f"{vital}-{side}" for vital, (side, _) in monitoring.watches["crossed"].items()}


def journal(house: House) -> Iterator[Line]:
    with records.read() as session:
        alerts = {alert.id: alert for alert in session.scalars(select(Alert))}
    for line in house.journal():
        alert, at_s = alerts[line.alert_id], int((line.at - BEGAN).total_seconds())
        if line.happening == "raised":
            assert (alert.observed_at, alert.raised_at, alert.sender_id) == (line.at, line.at, None)
        key, facts = alert.condition_key, line.facts
        yield Line(at_s, str(key), str(line.happening), str(facts["priority"]), str(facts["value"]))


def test_the_second_reckoning_knows_the_limits_that_are_documented() -> None:
    ours = {
        (limit.vital.value, "high" if limit.low is None else "low", limit.high if limit.low is None else limit.low)
        + (limit.priority.value, limit.delay_s, limit.hysteresis)
        for limit in DEFAULTS
    }
    assert ours == {tuple(limit) for limit in LIMITS}


@pytest.mark.slow
@pytest.mark.skipif(not FILES.is_dir(), reason="the shared stays are not beside this checkout")
@pytest.mark.parametrize("name", STAYS)
def test_a_real_stay_leads_to_the_alerts_that_a_second_reckoning_finds(house: House, name: str) -> None:
    rows = read_stay((FILES / f"{name}.txt").read_text())
    told, meant = play(house, rows), expected(rows)
    print(f"\n{name}: {len(rows)} rows, {dict(Counter((line.condition, line.happening) for line in told.lines))}")
    assert {column for row in rows.values() for column in row} <= set(COLUMNS.values())
    assert told.lines == meant.lines != []
    assert told.bounds == meant.bounds
    assert told.beyond == meant.beyond


def test_a_stay_of_our_own_leads_to_the_alerts_that_a_second_reckoning_finds(house: House) -> None:
    rows = read_stay(OUR_STAY)
    told, meant = play(house, rows), expected(rows)
    assert told.lines == meant.lines
    assert told.bounds == meant.bounds
    assert told.beyond == meant.beyond
    assert {line.condition for line in told.lines} == {
        *("spo2-low", "hr-high", "hr-low", "rr-high", "rr-low", "sbp-low", "sbp-high", "temp-high", "news2")
    }
    assert {line.happening for line in told.lines} == {"raised", "updated", "priority-raised", "cleared", "recurred"}


def test_the_second_reckoning_is_right_where_a_person_did_it_by_hand() -> None:
    rows = read_stay(OUR_STAY)
    by_hand = expected(rows)
    assert [tuple(line) for line in by_hand.lines if line.condition in ("spo2-low", "sbp-low")] == [
        (at(0, 10, 15), "spo2-low", "raised", "medium", "84"),  # 15 s below 90
        (at(0, 10, 20), "spo2-low", "updated", "medium", "83"),
        (at(0, 10, 25), "spo2-low", "priority-raised", "high", "82"),  # 10 s below 85
        (at(0, 11), "spo2-low", "cleared", "high", "82"),  # 15 s at 91 or more; 90.5 began it anew
        (at(0, 11, 20), "spo2-low", "recurred", "high", "89"),
        (at(0, 20), "sbp-low", "raised", "high", "74"),  # a cuff waits for nothing
        (at(1, 10), "sbp-low", "cleared", "high", "74"),  # the artery's second 95: the cuff's 70 did not count
        (at(3), "spo2-low", "cleared", "high", "89"),
    ]
    scored = {
        at(0, 20): 9,  # breathing 3, SpO2 3, pressure 3
        at(0, 40): 5,  # breathing 3, exactly 15 min old; the artery's 92: 2, not the cuff's 70
        at(0, 40, 1): 3,  # the cuff's 89; breathing is too old
        at(3): 8,  # 21 breaths 2, 95 % 1, 111 beats 2, pressure 2, temperature 1
        at(13, 10): 3,  # pressure 2, exactly 12 h old; temperature 1
        at(13, 23): 1,  # temperature, exactly 12 h old
        at(13, 23, 1): 0,
    }
    assert {at_s: by_hand.bounds[at_s] for at_s in scored} == scored


def at(hours: int, minutes: int = 0, seconds: int = 0) -> int:
    return hours * 3600 + minutes * 60 + seconds
