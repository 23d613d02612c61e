"""The patients of one's units, and one patient with trends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session, joinedload
from werkzeug.exceptions import BadRequest

from hospital import clock, records, settings
from hospital.access.guard import for_people, me
from hospital.access.tokens import new_token
from hospital.alerts.observing import limits_of
from hospital.alerts.rights import patient_for
from hospital.fragments.card import alerts_in
from hospital.fragments.moment import Moment, moment
from hospital.fragments.tile import open_alerts, tile
from hospital.fragments.words import gettext
from hospital.pages.layout import fragments, now_of, page, urgent_in
from hospital.records import Alert, Monitoring, Observation
from hospital.roles import Actor, Right
from hospital.vocabulary import N_

blueprint = Blueprint("patients", __name__)

_RANGES_H = ("1", "8", "24", "72")
_MANY_POINTS = 4_000  # of a trend; more are thinned out, each kept as it was measured
_MANY_ROWS = 120  # of the table beside the charts
_COLUMNS = ("hr", "spo2", "rr", "sbp", "dbp", "temp")
_HEADERS = (N_("HR"), "SpO₂", N_("RR"), N_("BP"), N_("T"), N_("ACVPU"), "O₂")


@dataclass(frozen=True)
class TableRow:
    at: Moment
    cells: list[str]


@blueprint.get("/patients")
@for_people(Right.SEE_ALERTS)
def patient_list() -> str:
    actor = me().actor
    with records.read() as session:
        now = now_of(session, me())
        patients = session.scalars(_in_scope(actor)).all()
        alerts = open_alerts(session, [one.patient_id for one in patients])
        urgent = urgent_in(session, me(), now)
    identity = actor.may(Right.SEE_IDENTITY)
    cards = [fragments().tile(one, now.zone, alerts[one.patient_id], identity=identity) for one in patients]
    return page("pages/patients.html", now, view="patients", urgent=urgent, cards=cards)


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
        rows = _points(session, patient_id, since)
        columns = {name: [getattr(row, name) for row in rows] for name in _COLUMNS}
        return jsonify(
            at=[row.observed_at.timestamp() for row in rows],
            **columns,
            limits=_limits(session, monitoring),
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
        open_alerts=[fragments().card(alert, now.zone, identity=identity) for alert in alerts],
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
    query = _with_everything().where(Monitoring.hospital_id == actor.hospital_id, mine, Monitoring.received_at > heard)
    return query.order_by(Monitoring.unit_id.is_(None), Monitoring.place)


def _points(session: Session, patient_id: int, since: datetime) -> Sequence[Row[Any]]:
    """Oldest first. A chart of three days does not carry a value for each second: then every n-th is taken, the last,
    and what is measured rarely (a cuff's pressure, a temperature)."""
    mine = (Observation.patient_id == patient_id) & (Observation.observed_at > since)
    rare = Observation.sbp.is_not(None) | Observation.temp.is_not(None)
    count, last, rare_count = session.execute(
        select(func.count(), func.max(Observation.id), func.count().filter(rare)).where(mine)
    ).one()
    every = -(-count // _MANY_POINTS) or 1
    taken = (Observation.id - (last or 0)) % every == 0
    if rare_count < _MANY_POINTS:
        taken = taken | rare
    query = select(Observation.observed_at, *(getattr(Observation, name) for name in _COLUMNS)).where(mine, taken)
    return session.execute(query.order_by(Observation.observed_at, Observation.id)).all()


def _newest(session: Session, patient_id: int, since: datetime) -> Sequence[Observation]:
    """For the table, newest first: a day of a monitor has 86,400 sets, and only these are read."""
    query = select(Observation).where(Observation.patient_id == patient_id, Observation.observed_at > since)
    return session.scalars(
        query.order_by(Observation.observed_at.desc(), Observation.id.desc()).limit(_MANY_ROWS)
    ).all()


def _limits(session: Session, monitoring: Monitoring) -> dict[str, dict[str, float | None]]:
    """The band of each vital sign: its innermost limits."""
    bands: dict[str, dict[str, float | None]] = {}
    for limit in limits_of(session, monitoring.unit_id):
        band = bands.setdefault(limit.vital.value, {"low": None, "high": None})
        if limit.low is not None:
            band["low"] = max(limit.low, band["low"] if band["low"] is not None else limit.low)
        if limit.high is not None:
            band["high"] = min(limit.high, band["high"] if band["high"] is not None else limit.high)
    return bands


def _marks(session: Session, actor: Actor, patient_id: int, since: datetime) -> list[dict[str, Any]]:
    """Of one's own units alone: the patient may have been elsewhere."""
    query = select(Alert).where(Alert.patient_id == patient_id, Alert.raised_at > since).order_by(Alert.raised_at)
    return [
        {"at": alert.raised_at.timestamp(), "text": alert.text, "priority": alert.priority.value}
        for alert in session.scalars(query)
        if alert.unit_id in actor.scope
    ]


def _facts(monitoring: Monitoring) -> dict[str, str]:
    patient = monitoring.patient
    return {"identifier": patient.identifier, "birth_date": patient.birth_date, "sex": patient.sex}


def _row(row: Observation, zone: ZoneInfo) -> TableRow:
    pressure = f"{_whole(row.sbp)}/{_whole(row.dbp)}" if row.sbp is not None or row.dbp is not None else ""
    oxygen = "" if row.on_oxygen is None else gettext("oxygen") if row.on_oxygen else gettext("air")
    cells = [_whole(row.hr), _whole(row.spo2), _whole(row.rr), pressure]
    cells += ["" if row.temp is None else f"{row.temp:.1f}", row.consciousness or "", oxygen]
    return TableRow(moment(row.observed_at, zone, seconds=True), cells)


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"
