"""The patients of one's units, and one patient with trends."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload
from werkzeug.exceptions import BadRequest

from hospital import clock, records, settings
from hospital.access.guard import for_people, me
from hospital.access.tokens import new_token
from hospital.alerts.rights import patient_for
from hospital.fragments.card import alerts_in, sort_of
from hospital.fragments.moment import moment
from hospital.fragments.tile import Tile, open_alerts, tile
from hospital.fragments.words import gettext, rule
from hospital.pages.layout import fragments, now_of, page, urgent_in
from hospital.pages.trends import HEADERS, TableRow, bands, columns, points, table_row
from hospital.records import Alert, Monitoring, Observation
from hospital.roles import Actor, Right
from hospital.vocabulary import N_

blueprint = Blueprint("patients", __name__)

_RANGES_H = ("1", "8", "24", "72")
_ORDERS = ("due", "score", "bed")
_MANY_POINTS = 4_000  # of a trend
_MANY_ROWS = 120  # of the table beside the charts
_HEADERS = (*HEADERS, N_("ACVPU"), "O₂")


@blueprint.get("/patients")
@for_people(Right.SEE_ALERTS)
def patient_list() -> str:
    """The order is in the address. A word that is none of ours is the first of them."""
    actor, order = me().actor, request.args.get("order", "")
    order = order if order in _ORDERS else _ORDERS[0]
    with records.read() as session:
        now = now_of(session, me())
        patients = session.scalars(_in_scope(actor)).all()
        alerts = open_alerts(session, [one.patient_id for one in patients])
        urgent = urgent_in(session, me(), now)
    identity = actor.may(Right.SEE_IDENTITY)
    tiles = [tile(one, now.zone, alerts[one.patient_id], identity=identity) for one in patients]
    tiles.sort(key=lambda one: one.sort[order])
    return page(
        "pages/patients.html",
        now,
        view="patients",
        urgent=urgent,
        order=order,
        counts=_counts(tiles),
        cards=[fragments().patient_card(one) for one in tiles],
    )


@blueprint.get("/patients/<int:patient_id>")
@for_people(Right.SEE_ALERTS)
def one_patient(patient_id: int) -> str:
    return patient_page(patient_id)


@blueprint.get("/patients/<int:patient_id>/trend")
@for_people(Right.SEE_ALERTS)
def trend(patient_id: int) -> Response:
    """Columns for the charts: times in seconds since 1970, a value or null for each; limits and alerts beside them."""
    hours = request.args.get("hours", "8")
    if hours not in _RANGES_H:
        raise BadRequest(f"hours must be one of: {', '.join(_RANGES_H)}.")
    since = clock.now() - timedelta(hours=int(hours))
    with records.read() as session:
        now = now_of(session, me())
        monitoring = patient_for(session, me().actor, patient_id, Right.SEE_ALERTS)
        return jsonify(
            **columns(points(session, patient_id, since, most=_MANY_POINTS)),
            limits=bands(session, monitoring.unit_id),
            alerts=_marks(session, me().actor, patient_id, since),
            zone=now.zone.key,
        )


def patient_page(patient_id: int, *, errors: dict[str, str] | None = None, given: dict[str, str] | None = None) -> str:
    """One patient's page; `errors` and `given` bring back a form that could not be taken."""
    actor = me().actor
    with records.read() as session:
        now = now_of(session, me())
        patient_for(session, actor, patient_id, Right.SEE_ALERTS)
        monitoring = session.scalars(_with_everything().where(Monitoring.patient_id == patient_id)).one()
        alerts = (
            session.scalars(alerts_in(actor.hospital_id, actor.scope).where(Alert.patient_id == patient_id))
            .unique()
            .all()
        )
        rows = _newest(session, patient_id, clock.now() - timedelta(hours=24))
        identity = actor.may(Right.SEE_IDENTITY)
        shown = open_alerts(session, [patient_id])[patient_id]
        urgent = urgent_in(session, me(), now, Alert.patient_id.is_distinct_from(patient_id))
    return page(
        "pages/patient.html",
        now,
        view=f"patient:{patient_id}",
        urgent=urgent,
        urgent_but=f'[data-patient="{patient_id}"]',
        tile=tile(monitoring, now.zone, shown, identity=identity),
        facts=_facts(monitoring),
        trend_url=f"/patients/{patient_id}/trend",
        ranges=_RANGES_H,
        headers=[gettext(header) for header in _HEADERS],
        rows=[_row(row, now.zone) for row in rows],
        open_alerts=[fragments().card(alert, now.zone, identity=identity) for alert in sorted(alerts, key=sort_of)],
        can={"observe": actor.may(Right.OBSERVE), "scale": actor.may(Right.SET_SCALE)},
        scale_by=monitoring.scale_by.display_name if monitoring.scale_by else None,
        scale_at=moment(monitoring.scale_at, now.zone, old=True) if monitoring.scale_at else None,
        form_key=new_token(),
        errors=errors or {},
        given=given or {},
    )


def _with_everything() -> Select[Monitoring]:
    to_one = (Monitoring.patient, Monitoring.unit, Monitoring.bed, Monitoring.scale_by)
    return select(Monitoring).options(*(joinedload(what) for what in to_one))


def _in_scope(actor: Actor) -> Select[Monitoring]:
    units = [unit for unit in actor.scope if unit is not None]
    in_units = Monitoring.unit_id.in_(units)
    mine = in_units | Monitoring.unit_id.is_(None) if None in actor.scope else in_units
    heard = clock.now() - timedelta(hours=settings.current.patient_card_keep_h)
    return _with_everything().where(Monitoring.hospital_id == actor.hospital_id, mine, Monitoring.received_at > heard)


def _counts(tiles: Sequence[Tile]) -> dict[str, int]:
    """static/js/patients.js counts the same from then on."""
    return {
        "score": sum(one.scores_high for one in tiles),
        "overdue": sum(one.overdue for one in tiles),
        "no-data": sum(one.no_data is not None for one in tiles),
        "quiet": sum(one.quiet for one in tiles),
    }


def _newest(session: Session, patient_id: int, since: datetime) -> Sequence[Observation]:
    """For the table, newest first: a day of a monitor has 86,400 sets, and only these are read."""
    query = select(Observation).where(Observation.patient_id == patient_id, Observation.observed_at > since)
    return session.scalars(
        query.order_by(Observation.observed_at.desc(), Observation.id.desc()).limit(_MANY_ROWS)
    ).all()


def _marks(session: Session, actor: Actor, patient_id: int, since: datetime) -> list[dict[str, Any]]:
    """Of one's own units alone: the patient may have been elsewhere."""
    query = select(Alert).where(Alert.patient_id == patient_id, Alert.raised_at > since).order_by(Alert.raised_at)
    return [
        {
            "at": alert.raised_at.timestamp(),
            "text": rule(alert.text) if alert.sender_id is None else alert.text,
            "priority": alert.priority.value,
        }
        for alert in session.scalars(query)
        if alert.unit_id in actor.scope
    ]


def _facts(monitoring: Monitoring) -> dict[str, str]:
    patient = monitoring.patient
    return {"identifier": patient.identifier, "birth_date": patient.birth_date, "sex": patient.sex}


def _row(row: Observation, zone: ZoneInfo) -> TableRow:
    told = table_row(row, zone)
    oxygen = "" if row.on_oxygen is None else gettext("oxygen") if row.on_oxygen else gettext("air")
    return replace(told, cells=[*told.cells, row.consciousness or "", oxygen])
