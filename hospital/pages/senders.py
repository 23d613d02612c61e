"""GET /admin/senders: who may send to this hospital, from where and for which units; and the tokens of one sender."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload
from werkzeug.exceptions import NotFound

from hospital import clock, records, settings
from hospital.access import enrolling, sender_tokens, traces
from hospital.access.enrolling import Binding, Unfit
from hospital.access.guard import for_people, me
from hospital.fragments.moment import Moment, moment, moment_or_none
from hospital.fragments.words import gettext
from hospital.pages.layout import now_of, page
from hospital.records import Kind, Sender, SenderToken, Unit
from hospital.roles import Right
from hospital.vocabulary import N_

blueprint = Blueprint("senders", __name__)

T = TypeVar("T")

_DOORS = {Kind.HL7: N_("HL7 messages"), Kind.FHIR: N_("FHIR resources"), Kind.ALERTS: N_("Alarms as JSON")}


@dataclass(frozen=True)
class TokenRow:
    """One token. `until`: when it ends or has ended."""

    id: int
    doors_word: str
    living: bool
    revoked: bool
    until: Moment
    used: Moment | None


@blueprint.get("/admin/senders")
@for_people(Right.MANAGE_SENDERS)
def senders() -> str:
    return _list()


@blueprint.post("/admin/senders")
@for_people(Right.MANAGE_SENDERS)
def create() -> Response:
    name, hospital_id = request.form.get("name", ""), me().actor.hospital_id
    header = (request.form.get("application", ""), request.form.get("facility", ""))
    try:
        asked = _asked()
        made = records.write(None, lambda session: enrolling.enrol(session, hospital_id, name, header, asked).id)
    except Unfit as unfit:
        return make_response(_list(unfit), 422)
    traces.did(f"sender:{made}", _change(asked))
    return _to(made)


@blueprint.get("/admin/senders/<int:sender_id>")
@for_people(Right.MANAGE_SENDERS)
def sender(sender_id: int) -> str:
    return _one(sender_id)


@blueprint.post("/admin/senders/<int:sender_id>/binding")
@for_people(Right.MANAGE_SENDERS)
def bind(sender_id: int) -> Response:
    try:
        asked = _asked()
        _write(sender_id, lambda session, sender: enrolling.bind(session, sender, asked))
    except Unfit as unfit:
        return make_response(_one(sender_id, unfit), 422)
    traces.did(f"sender:{sender_id}", _change(asked))
    return _to(sender_id)


@blueprint.post("/admin/senders/<int:sender_id>/revocation")
@for_people(Right.MANAGE_SENDERS)
def revoke(sender_id: int) -> Response:
    _write(sender_id, enrolling.revoke)
    return _to(sender_id)


@blueprint.post("/admin/senders/<int:sender_id>/restoration")
@for_people(Right.MANAGE_SENDERS)
def restore(sender_id: int) -> Response:
    _write(sender_id, lambda session, sender: enrolling.restore(sender))
    return _to(sender_id)


@blueprint.post("/admin/senders/<int:sender_id>/tokens")
@for_people(Right.GIVE_TOKENS)
def give_token(sender_id: int) -> Response:
    """A new token, shown this once; those before it go on for a while."""
    kinds = [kind for kind in Kind if kind in request.form.getlist("kind")]
    if not kinds:
        return make_response(_one(sender_id, Unfit("kind", N_("Choose what it may hand in."))), 422)

    def act(session: Session, sender: Sender) -> str:
        if sender.revoked_at is not None:
            raise Unfit("kind", N_("Nothing is taken from this sender. Let it send again first."))
        return sender_tokens.give(session, sender, kinds, overlap=True)

    try:
        token = _write(sender_id, act)
    except Unfit as unfit:
        return make_response(_one(sender_id, unfit), 422)
    return make_response(_one(sender_id, token=token))


@blueprint.post("/admin/senders/<int:sender_id>/tokens/<int:token_id>/revocation")
@for_people(Right.GIVE_TOKENS)
def revoke_token(sender_id: int, token_id: int) -> Response:
    def act(session: Session, sender: Sender) -> None:
        found = next((token for token in sender.tokens if token.id == token_id), None)
        if found is None:
            raise NotFound("This sender has no such token.")
        found.revoked_at = found.revoked_at or clock.now()

    _write(sender_id, act)
    return _to(sender_id)


def _asked() -> Binding:
    """Raises Unfit."""
    return Binding.of(request.form.get("addresses", ""), request.form.getlist("unit"))


def _change(binding: Binding) -> str:
    return f"addresses: {' '.join(binding.addresses)}; units: {' '.join(binding.units)}"


def _to(sender_id: int) -> Response:
    return make_response(redirect(f"/admin/senders/{sender_id}", 303))


def _write(sender_id: int, act: Callable[[Session, Sender], T]) -> T:
    """Do it to a sender of one's own hospital. Raises NotFound."""
    hospital_id = me().actor.hospital_id
    return records.write(None, lambda session: act(session, _of_ours(session, hospital_id, sender_id)))


def _of_ours(session: Session, hospital_id: int, sender_id: int) -> Sender:
    """Raises NotFound."""
    found = session.get(Sender, sender_id)
    if found is None or found.hospital_id != hospital_id:
        raise NotFound("There is no such sender in your hospital.")
    return found


def _list(unfit: Unfit | None = None) -> str:
    hospital_id = me().actor.hospital_id
    with records.read() as session:
        now = now_of(session, me())
        query = select(Sender).where(Sender.hospital_id == hospital_id).options(selectinload(Sender.units))
        shown = [
            (one, moment_or_none(one.heard_at, now.zone), ", ".join(unit.code for unit in one.units))
            for one in session.scalars(query.order_by(Sender.revoked_at.is_not(None), Sender.name))
        ]
        units = _units(session, hospital_id, request.form.getlist("unit"))
    given = request.form if unfit else {}
    return page("pages/senders.html", now, senders=shown, units=units, given=given, errors=_errors(unfit))


def _one(sender_id: int, unfit: Unfit | None = None, token: str = "") -> str:
    with records.read() as session:
        now, sender = now_of(session, me()), _of_ours(session, me().actor.hospital_id, sender_id)
        bound = [unit.code for unit in sender.units]
        asks_again = unfit is not None and unfit.field in ("addresses", "unit")
        chosen = request.form.getlist("unit") if asks_again else bound
        given = request.form if asks_again else {"addresses": sender.addresses}
        units = _units(session, sender.hospital_id, chosen)
        tokens = [_row(one, now.zone) for one in reversed(sender.tokens)]
        heard = moment_or_none(sender.heard_at, now.zone)
    return page(
        "pages/sender.html",
        now,
        sender=sender,
        given=given,
        units=units,
        tokens=tokens,
        heard=heard,
        doors=[(kind.value, gettext(word)) for kind, word in _DOORS.items()],
        overlap_h=f"{settings.current.token_overlap_h:g}",
        may_give_tokens=me().actor.may(Right.GIVE_TOKENS),
        token=token,
        errors=_errors(unfit),
    )


def _row(token: SenderToken, zone: ZoneInfo) -> TokenRow:
    return TokenRow(
        id=token.id,
        doors_word=", ".join(gettext(_DOORS[kind]) for kind in sender_tokens.kinds_of(token)),
        living=token.is_living(clock.now()),
        revoked=token.revoked_at is not None,
        until=moment(token.revoked_at or token.expires_at, zone, old=True),
        used=moment_or_none(token.used_at, zone),
    )


def _units(session: Session, hospital_id: int, chosen: list[str]) -> list[tuple[str, bool]]:
    codes = session.scalars(select(Unit.code).where(Unit.hospital_id == hospital_id).order_by(Unit.code))
    return [(code, code in chosen) for code in codes]


def _errors(unfit: Unfit | None) -> dict[str, str]:
    """What is wrong, by field."""
    return {unfit.field: gettext(str(unfit))} if unfit else {}
