"""How vital signs went: columns for charts, rows for the table beside them, and the limits they should keep to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from hospital.alerts.observing import limits_of
from hospital.fragments.moment import Moment, moment
from hospital.records import Observation
from hospital.vocabulary import N_

COLUMNS = ("hr", "spo2", "rr", "sbp", "dbp", "temp")
HEADERS = (N_("HR"), "SpO₂", N_("RR"), N_("BP"), N_("T"))


@dataclass(frozen=True)
class TableRow:
    at: Moment
    cells: list[str]


def columns(rows: Sequence[Row[Any]]) -> dict[str, list[float | None]]:
    """For the charts: times in seconds since 1970, a value or null for each."""
    return {"at": [row.observed_at.timestamp() for row in rows]} | {
        name: [getattr(row, name) for row in rows] for name in COLUMNS
    }


def points(
    session: Session, patient_id: int, since: datetime, until: datetime | None = None, *, most: int
) -> Sequence[Row[Any]]:
    """Oldest first. A chart of three days does not carry a value for each second: if there are more than `most`, every
    n-th is taken as it was measured, the last, and what is measured rarely (a cuff's pressure, a temperature)."""
    mine = (Observation.patient_id == patient_id) & (Observation.observed_at > since)
    if until is not None:
        mine &= Observation.observed_at < until
    rare = Observation.sbp.is_not(None) | Observation.temp.is_not(None)
    count, last, rare_count = session.execute(
        select(func.count(), func.max(Observation.id), func.count().filter(rare)).where(mine)
    ).one()
    every = -(-count // most) or 1
    taken = (Observation.id - (last or 0)) % every == 0
    if rare_count < most:
        taken = taken | rare
    query = select(Observation.observed_at, *(getattr(Observation, name) for name in COLUMNS)).where(mine, taken)
    return session.execute(query.order_by(Observation.observed_at, Observation.id)).all()


def bands(session: Session, unit_id: int | None) -> dict[str, dict[str, float | None]]:
    """The band of each vital sign: its innermost limits."""
    found: dict[str, dict[str, float | None]] = {}
    for limit in limits_of(session, unit_id):
        band = found.setdefault(limit.vital.value, {"low": None, "high": None})
        if limit.low is not None:
            band["low"] = max(limit.low, band["low"] if band["low"] is not None else limit.low)
        if limit.high is not None:
            band["high"] = min(limit.high, band["high"] if band["high"] is not None else limit.high)
    return found


def table_row(row: Any, zone: ZoneInfo) -> TableRow:
    """`row`: an Observation, or one of points()."""
    pressure = f"{_whole(row.sbp)}/{_whole(row.dbp)}" if row.sbp is not None or row.dbp is not None else ""
    cells = [_whole(row.hr), _whole(row.spo2), _whole(row.rr), pressure]
    return TableRow(
        moment(row.observed_at, zone, seconds=True), [*cells, "" if row.temp is None else f"{row.temp:.1f}"]
    )


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"
