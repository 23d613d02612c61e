"""The people of a hospital: an administrator adds them, says what they may do and where, and lets them go."""

from typing import Any

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload
from werkzeug.exceptions import NotFound

from hospital import clock, records
from hospital.access import passwords, staff, traces
from hospital.access.guard import for_people, me
from hospital.fragments.words import gettext
from hospital.pages.forms import chosen, filled_in, typed
from hospital.pages.layout import ROLE_WORDS, now_of, page
from hospital.pages.sign_ins import person_of, sign_ins_page
from hospital.records import Hospital, Person, Unit
from hospital.records.places import WrongEntry
from hospital.roles import Right, Role

blueprint = Blueprint("people", __name__)


@blueprint.get("/admin/people")
@for_people(Right.MANAGE_PEOPLE)
def people() -> str:
    return _list()


@blueprint.post("/admin/people")
@for_people(Right.MANAGE_PEOPLE)
def add() -> Response:
    """Somebody more, with a one-time password that is shown this once."""
    hospital_id, entry, (given, password_hash) = me().actor.hospital_id, _entry(active=True), passwords.one_time()
    (name,), now = typed("sign_in_name"), clock.now()

    def act(session: Session) -> tuple[int, str]:
        person = staff.add_person(session, hospital_id, name, entry, password_hash, now)
        return person.id, _rights(person)

    try:
        person_id, rights = records.write(hospital_id, act)
    except WrongEntry as wrong:
        return make_response(_list(wrong.fields), 422)
    traces.did(f"person:{person_id}", rights)
    return make_response(sign_ins_page(person_id, given))


@blueprint.get("/admin/people/<int:person_id>")
@for_people(Right.MANAGE_PEOPLE)
def person(person_id: int) -> str:
    return _one(person_id)


@blueprint.post("/admin/people/<int:person_id>")
@for_people(Right.MANAGE_PEOPLE)
def change(person_id: int) -> Response:
    """Open streams of somebody with other rights end within one beat."""
    hospital_id, entry, now = me().actor.hospital_id, _entry(active="active" in request.form), clock.now()

    def act(session: Session) -> str:
        person = _not_a_display(person_of(session, hospital_id, person_id))
        before = _rights(person)
        staff.change_person(session, person, entry, now)
        return f"{before} → {_rights(person)}"

    try:
        changed = records.write(hospital_id, act)
    except WrongEntry as wrong:
        return make_response(_one(person_id, wrong.fields), 422)
    traces.did(f"person:{person_id}", changed)
    return make_response(redirect("/admin/people", 303))


@blueprint.post("/admin/second-factor-roles")
@for_people(Right.MANAGE_PEOPLE)
def demand_second_factor() -> Response:
    """The roles that must have a second factor: who has none sets it up at the next page."""
    demanded, hospital_id = request.form.getlist("role"), me().actor.hospital_id
    words = " ".join(sorted(role.value for role in staff.ROLES if role.value in demanded))

    def keep(session: Session) -> None:
        session.get_one(Hospital, hospital_id).second_factor_roles = words

    records.write(None, keep)
    traces.did("", words)
    return make_response(redirect("/admin/people", 303))


def _list(errors: dict[str, str] | None = None) -> str:
    """Wall boards that were revoked are no people any more."""
    with records.read() as session:
        now, home = now_of(session, me()), session.get_one(Hospital, me().actor.hospital_id)
        shown = select(Person).where(Person.hospital_id == home.id, or_(Person.role != Role.DISPLAY, Person.active))
        query = shown.options(selectinload(Person.units)).order_by(Person.display_name, Person.id)
        return page(
            "pages/people.html",
            now,
            people=[(one, gettext(ROLE_WORDS[one.role]), one.totp_step is not None) for one in session.scalars(query)],
            demanded=home.second_factor_roles.split(),
            chosen_units=chosen("unit"),
            **_choices(session),
            **filled_in({}, errors),
        )


def _one(person_id: int, errors: dict[str, str] | None = None) -> str:
    with records.read() as session:
        now, person = now_of(session, me()), _not_a_display(person_of(session, me().actor.hospital_id, person_id))
        return page(
            "pages/admin_person.html",
            now,
            of=person,
            active="active" in request.form if errors else person.active,
            chosen_units=chosen("unit") if errors else {unit.id for unit in person.units},
            **_choices(session),
            **filled_in({"name": person.display_name, "role": person.role.value}, errors),
        )


def _choices(session: Session) -> dict[str, Any]:
    units = select(Unit).where(Unit.hospital_id == me().actor.hospital_id).order_by(Unit.code)
    roles = [(role.value, gettext(ROLE_WORDS[role])) for role in staff.ROLES]
    return {"roles": roles, "units": session.scalars(units).all()}


def _entry(*, active: bool) -> staff.Entry:
    name, role = typed("name", "role")
    return staff.Entry(name, role, chosen("unit"), active)


def _not_a_display(person: Person) -> Person:
    """A wall board is paired and revoked, and nothing else. Raises NotFound."""
    if person.role is Role.DISPLAY:
        raise NotFound("There is no such person in your hospital.")
    return person


def _rights(person: Person) -> str:
    """For the audit: 'charge MED, ICU'."""
    words = f"{person.role.value} {', '.join(unit.code for unit in person.units)}".strip()
    return words if person.active else f"{words} (disabled)"
