"""How the vital sign of an alert went until then: points that lie with the alert, so that no list asks for them."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session

from hospital.records import Alert, Observation
from hospital.triage.conditions import UNITS
from hospital.triage.observation import Vital

LASTS = timedelta(minutes=30)

Point = tuple[float, float]  # seconds since 1970, value in the vital sign's unit

_MINUTE = len("2026-11-23 07:30")  # of a time as both databases write it


def remember_course(session: Session, alert: Alert, at: datetime, value: str | None = None) -> None:
    """Part of other acts: what was measured in the half hour until `at`, the worst of each minute.

    `value`: what a monitor's alarm said itself. Where that is all there is, its values are the course. An alert of no
    single vital sign has none, nor has one in another unit than readings are kept in.
    """
    vital, _, side = (alert.condition_key or "").partition("-")
    if side not in ("low", "high") or alert.value_unit not in (None, UNITS[Vital(vital)]):
        alert.course = []
        return
    worst = min if side == "low" else max
    since = at - LASTS
    measured = _measured(session, alert.patient_id, Vital(vital), side, since, at) if alert.patient_id else []
    known = measured or [(then, value) for then, value in alert.course or () if then > since.timestamp()]
    told = [(at.timestamp(), float(value))] if value is not None else []
    by_minute: dict[int, Point] = {}
    for point in [*known, *told]:
        minute = int(point[0] // 60)
        before = by_minute.get(minute, point)
        by_minute[minute] = point[0], worst(before[1], point[1])
    alert.course = [[round(then), value] for then, value in by_minute.values()]


def _measured(
    session: Session, patient_id: int, vital: Vital, side: str, since: datetime, until: datetime
) -> Iterable[Point]:
    """One row a minute, grouped by the database: a monitor that speaks every second has 1,800."""
    value = getattr(Observation, vital.value)
    worst = func.min(value) if side == "low" else func.max(value)
    query = (
        select(func.max(Observation.observed_at), worst)
        .where(Observation.patient_id == patient_id, value.is_not(None))
        .where(Observation.observed_at > since, Observation.observed_at <= until)
        .group_by(func.substr(cast(Observation.observed_at, String), 1, _MINUTE))
    )
    return sorted((at.timestamp(), worst) for at, worst in session.execute(query))
