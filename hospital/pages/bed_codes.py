"""What senders call the beds: the codes that came in lately and mean none, and those that are bound to one."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from flask import Blueprint, Response, make_response, redirect
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from hospital import clock, records
from hospital.access import traces
from hospital.access.guard import for_people, me
from hospital.alerts import placing
from hospital.fragments.moment import Moment, moment
from hospital.pages.forms import chosen, filled_in, typed
from hospital.pages.layout import Now, now_of, page
from hospital.pages.units import bed_of
from hospital.records import Alert, Bed, BedCode, Monitoring, find_bed
from hospital.records.places import WrongEntry, bind_code
from hospital.roles import Right
from hospital.triage.alarm import Place
from hospital.vocabulary import N_

blueprint = Blueprint("bed_codes", __name__)

_LATELY = timedelta(days=7)
_MOST = 50  # unknown codes on the page


@blueprint.get("/admin/bed-codes")
@for_people(Right.MANAGE_UNITS)
def bed_codes() -> str:
    return _page()


@blueprint.post("/admin/bed-codes")
@for_people(Right.MANAGE_UNITS)
def bind() -> Response:
    """What comes from this code is of this bed from now on, and so is what is open there."""
    actor, (code,), now = me().actor, typed("bed_code"), clock.now()
    place, bed_id = Place.read(code), next(iter(chosen("bed")), None)

    def act(session: Session) -> int:
        if bed_id is None:
            raise WrongEntry(bed=N_("Choose the bed."))
        bed = bed_of(session, actor.hospital_id, bed_id)
        bind_code(session, bed, place.label, place.unit, place.bed)
        placing.place(session, bed, place.label, now, actor.person_id)
        return bed.id

    try:
        bound_to = records.write(actor.hospital_id, act)
    except WrongEntry as wrong:
        return make_response(_page(wrong.fields), 422)
    traces.did(f"bed:{bound_to}", place.code)
    return make_response(redirect("/admin/bed-codes", 303))


@blueprint.post("/admin/bed-codes/<int:code_id>/removal")
@for_people(Right.MANAGE_UNITS)
def unbind(code_id: int) -> Response:
    """From now on it means no bed; what came from it before stays where it is."""
    hospital_id = me().actor.hospital_id

    def act(session: Session) -> BedCode:
        bound = session.get(BedCode, code_id)
        if bound is None or bound.hospital_id != hospital_id:
            raise NotFound("There is no such code in your hospital.")
        session.delete(bound)
        return bound

    removed = records.write(hospital_id, act)
    traces.did(f"bed:{removed.bed_id}", _as_sent(removed.place))
    return make_response(redirect("/admin/bed-codes", 303))


def _page(errors: dict[str, str] | None = None) -> str:
    hospital_id = me().actor.hospital_id
    with records.read() as session:
        now = now_of(session, me())
        beds = select(Bed.id, Bed.code).where(Bed.hospital_id == hospital_id).order_by(Bed.code)
        rows = session.execute(select(BedCode, Bed.code).join(Bed).where(BedCode.hospital_id == hospital_id)).all()
        return page(
            "pages/admin_bed_codes.html",
            now,
            unknown=list(islice(_unknown(session, now), _MOST)),
            bound=sorted((_as_sent(row.place), bed, row.id) for row, bed in rows),
            beds=[tuple(row) for row in session.execute(beds)],
            **filled_in({}, errors),
        )


def _unknown(session: Session, now: Now) -> Iterator[tuple[str, Moment]]:
    """Codes and when each last came, the newest first: codes only, nobody's name and nothing of what came."""
    hospital_id, since = me().actor.hospital_id, clock.now() - _LATELY
    alerts = select(Alert.place, func.max(Alert.last_at)).group_by(Alert.place)
    readings = select(Monitoring.place, func.max(Monitoring.received_at)).group_by(Monitoring.place)
    queries: tuple[Select[str, datetime], ...] = (
        alerts.where(Alert.hospital_id == hospital_id, Alert.unit_id.is_(None), Alert.last_at > since),
        readings.where(
            Monitoring.hospital_id == hospital_id, Monitoring.unit_id.is_(None), Monitoring.received_at > since
        ),
    )
    last: dict[str, datetime] = {}
    for label, at in (row for query in queries for row in session.execute(query)):
        last[label] = max(at, last.get(label, at))
    for label, at in sorted(last.items(), key=lambda one: one[1], reverse=True):
        place = Place.of_label(label)
        if place and place.known and find_bed(session, hospital_id, place.unit, place.bed, label) is None:
            yield place.code, moment(at, now.zone, old=True)


def _as_sent(label: str) -> str:
    place = Place.of_label(label)
    return place.code if place else label
