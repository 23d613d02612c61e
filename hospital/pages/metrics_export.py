"""The alerts of a day, a week or a month as a table for a spreadsheet: a line for each bed and priority."""

from datetime import datetime, timedelta

from flask import Blueprint, Response, request
from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from hospital import clock, records
from hospital.access import traces
from hospital.access.guard import for_people, me
from hospital.fragments.panel import in_scope
from hospital.records import Acknowledgement, Alert, Bed, Unit
from hospital.records.spreadsheet import csv_line
from hospital.roles import Actor, Right

blueprint = Blueprint("metrics_export", __name__)

DAYS = ("1", "7", "30")
_COLUMNS = ("unit", "bed", "priority", "alerts", "told_charge", "told_physician", "ended_unseen", "repeats")


@blueprint.get("/metrics/export")
@for_people(Right.SEE_IDENTITY)
def export() -> Response:
    """`days`: how far back. That it was taken away is written down first."""
    days = request.args.get("days", "1")
    if days not in DAYS:
        raise BadRequest(f"days must be one of: {', '.join(DAYS)}.")
    traces.leave("export", "/metrics")
    with records.read() as session:
        rows = _counted(session, me().actor, clock.now() - timedelta(days=int(days)))
    lines = [csv_line(_COLUMNS), *(csv_line([_cell(value) for value in row]) for row in rows)]
    response = Response("".join(lines), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="alerts-{days}-days.csv"'
    return response


def _counted(session: Session, actor: Actor, since: datetime) -> list[tuple[object, ...]]:
    """Counted by the database, however many there are. `ended_unseen`: over before anybody had it."""
    place = func.coalesce(Bed.code, Alert.place).label("place")
    unseen = Alert.cleared_at.is_not(None) & ~exists().where(Acknowledgement.alert_id == Alert.id)
    query = (
        select(
            Unit.code,
            place,
            Alert.priority,
            func.count(),
            func.count().filter(Alert.step >= 1),
            func.count().filter(Alert.step >= 2),
            func.count().filter(unseen),
            func.sum(Alert.repeats),
        )
        .outerjoin(Unit, Unit.id == Alert.unit_id)
        .outerjoin(Bed, Bed.id == Alert.bed_id)
        .where(in_scope(actor.hospital_id, actor.scope), Alert.raised_at > since)
        .group_by(Unit.code, place, Alert.priority)
        .order_by(Unit.code, place, Alert.priority)
    )
    return [tuple(row) for row in session.execute(query)]


def _cell(value: object) -> str:
    return "" if value is None else str(value)
