"""A hospital's time zone, its units and their beds, as an administrator sets them up."""

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.exceptions import Conflict, NotFound

from hospital import records
from hospital.access import traces
from hospital.access.guard import for_people, me
from hospital.pages.forms import filled_in, typed
from hospital.pages.layout import now_of, page
from hospital.records import Bed, Hospital, Unit
from hospital.records.places import WrongEntry, add_beds, add_unit, checked_name, set_zone
from hospital.roles import Right
from hospital.vocabulary import N_

blueprint = Blueprint("units", __name__)


@blueprint.get("/admin/units")
@for_people(Right.MANAGE_UNITS)
def units() -> str:
    return _list()


@blueprint.post("/admin/units")
@for_people(Right.MANAGE_UNITS)
def add() -> Response:
    hospital_id, (code, name) = me().actor.hospital_id, typed("code", "name")
    try:
        unit_id = records.write(hospital_id, lambda session: add_unit(session, hospital_id, code, name).id)
    except WrongEntry as wrong:
        return make_response(_list(wrong.fields), 422)
    traces.did(f"unit:{unit_id}", code)
    return _back(unit_id)


@blueprint.post("/admin/zone")
@for_people(Right.MANAGE_UNITS)
def change_zone() -> Response:
    """In which times are shown, and read where a sender names none."""
    hospital_id, (timezone,) = me().actor.hospital_id, typed("timezone")
    try:
        records.write(hospital_id, lambda session: set_zone(session.get_one(Hospital, hospital_id), timezone))
    except WrongEntry as wrong:
        return make_response(_list(wrong.fields), 422)
    traces.did("", timezone)
    return make_response(redirect("/admin/units", 303))


@blueprint.get("/admin/units/<int:unit_id>")
@for_people(Right.MANAGE_UNITS)
def unit(unit_id: int) -> str:
    return _one(unit_id)


@blueprint.post("/admin/units/<int:unit_id>")
@for_people(Right.MANAGE_UNITS)
def rename(unit_id: int) -> Response:
    """Its name alone: its code is what senders say."""
    hospital_id, (name,) = me().actor.hospital_id, typed("name")

    def act(session: Session) -> None:
        _unit(session, hospital_id, unit_id).name = checked_name(name)

    try:
        records.write(hospital_id, act)
    except WrongEntry as wrong:
        return make_response(_one(unit_id, wrong.fields), 422)
    return _back(unit_id)


@blueprint.post("/admin/units/<int:unit_id>/beds")
@for_people(Right.MANAGE_UNITS)
def add_to(unit_id: int) -> Response:
    """Beds: a code on each line."""
    hospital_id, lines = me().actor.hospital_id, request.form.get("code", "").splitlines()
    codes = [line.strip() for line in lines if line.strip()]
    try:
        records.write(hospital_id, lambda session: add_beds(session, _unit(session, hospital_id, unit_id), codes))
    except WrongEntry as wrong:
        return make_response(_one(unit_id, wrong.fields), 422)
    traces.did(f"unit:{unit_id}", ", ".join(codes))
    return _back(unit_id)


@blueprint.post("/admin/beds/<int:bed_id>/removal")
@for_people(Right.MANAGE_UNITS)
def remove(bed_id: int) -> Response:
    """Of a bed that was added by mistake: one of which anything is known stays."""
    hospital_id = me().actor.hospital_id

    def act(session: Session) -> tuple[int, str]:
        bed = bed_of(session, hospital_id, bed_id)
        session.delete(bed)
        session.flush()
        return bed.unit_id, bed.code

    try:
        unit_id, code = records.write(hospital_id, act)
    except IntegrityError:
        raise Conflict(N_("This bed has been used, or a code is bound to it: it stays.")) from None
    traces.did(f"bed:{bed_id}", code)
    return _back(unit_id)


def bed_of(session: Session, hospital_id: int, bed_id: int) -> Bed:
    """Raises NotFound: there is none of this number in this hospital."""
    bed = session.get(Bed, bed_id)
    if bed is None or bed.hospital_id != hospital_id:
        raise NotFound("There is no such bed in your hospital.")
    return bed


def _list(errors: dict[str, str] | None = None) -> str:
    with records.read() as session:
        now, home = now_of(session, me()), session.get_one(Hospital, me().actor.hospital_id)
        counted = select(Unit, func.count(Bed.id)).outerjoin(Bed, Bed.unit_id == Unit.id).group_by(Unit.id)
        units = session.execute(counted.where(Unit.hospital_id == home.id).order_by(Unit.code)).all()
        return page("pages/admin_units.html", now, units=units, **filled_in({"timezone": home.timezone}, errors))


def _one(unit_id: int, errors: dict[str, str] | None = None) -> str:
    with records.read() as session:
        now, unit = now_of(session, me()), _unit(session, me().actor.hospital_id, unit_id)
        beds = session.scalars(select(Bed).where(Bed.unit_id == unit.id).order_by(Bed.code)).all()
        return page("pages/admin_unit.html", now, unit=unit, beds=beds, **filled_in({"name": unit.name}, errors))


def _unit(session: Session, hospital_id: int, unit_id: int) -> Unit:
    """Raises NotFound: there is none of this number in this hospital."""
    unit = session.get(Unit, unit_id)
    if unit is None or unit.hospital_id != hospital_id:
        raise NotFound("There is no such unit in your hospital.")
    return unit


def _back(unit_id: int) -> Response:
    return make_response(redirect(f"/admin/units/{unit_id}", 303))
