"""The alerts of a range as a table for a spreadsheet: a line for each bed and priority."""

from flask import Blueprint, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from hospital import records
from hospital.access import traces
from hospital.access.guard import for_people, me
from hospital.fragments.counting import in_scope, over_unseen, raised_in
from hospital.fragments.ranges import Range
from hospital.pages.asked import NotARange, asked
from hospital.pages.layout import now_of
from hospital.records import Alert, Bed, Unit
from hospital.records.spreadsheet import csv_line
from hospital.roles import Actor, Right

blueprint = Blueprint("metrics_export", __name__)

_COLUMNS = ("unit", "bed", "priority", "alerts", "told_charge", "told_physician", "ended_unseen", "repeats")


@blueprint.get("/metrics/export")
@for_people(Right.SEE_IDENTITY)
def export() -> Response:
    """The range is asked for as the page's. That it was taken away is written down first."""
    with records.read() as session:
        zone = now_of(session, me()).zone
    try:
        range_ = asked(zone)
    except NotARange as problem:
        raise BadRequest(str(problem)) from None
    traces.leave("export", "/metrics")
    with records.read() as session:
        rows = _counted(session, me().actor, range_)
    lines = [csv_line(_COLUMNS), *(csv_line([_cell(value) for value in row]) for row in rows)]
    response = Response("".join(lines), content_type="text/csv; charset=utf-8")
    name = "-to-".join(at.astimezone(zone).strftime("%Y-%m-%d-%H%M") for at in (range_.since, range_.until))
    response.headers["Content-Disposition"] = f'attachment; filename="alerts-{name}.csv"'
    return response


def _counted(session: Session, actor: Actor, range_: Range) -> list[tuple[object, ...]]:
    """Counted by the database, however many there are. `ended_unseen`: over before anybody had it."""
    place = func.coalesce(Bed.code, Alert.place).label("place")
    query = (
        select(
            Unit.code,
            place,
            Alert.priority,
            func.count(),
            func.count().filter(Alert.step >= 1),
            func.count().filter(Alert.step >= 2),
            func.count().filter(over_unseen()),
            func.sum(Alert.repeats),
        )
        .outerjoin(Unit, Unit.id == Alert.unit_id)
        .outerjoin(Bed, Bed.id == Alert.bed_id)
        .where(in_scope(actor.hospital_id, actor.scope), raised_in(range_))
        .group_by(Unit.code, place, Alert.priority)
        .order_by(Unit.code, place, Alert.priority)
    )
    return [tuple(row) for row in session.execute(query)]


def _cell(value: object) -> str:
    return "" if value is None else str(value)
