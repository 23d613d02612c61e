"""The alerts of one's units, and one alert with its history."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, jsonify, redirect
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from hospital import clock, records
from hospital.access.guard import for_people, me
from hospital.alerts.refusals import NoSuchPatient
from hospital.alerts.rights import alert_for, allowed, patient_for
from hospital.fragments.card import card, with_everything
from hospital.fragments.listing import Listed, listing
from hospital.fragments.moment import Moment, moment
from hospital.fragments.words import PRIORITIES, gettext, told
from hospital.pages import filters
from hospital.pages.layout import fragments, home_of, now_of, page, urgent_in
from hospital.pages.trends import HEADERS, bands, columns, points, table_row
from hospital.records import Alert, JournalLine, Monitoring, Note, Person
from hospital.roles import Actor, Right
from hospital.vocabulary import N_, Happening, Priority, State

blueprint = Blueprint("alerts", __name__)

_WORDS = {
    Happening.RAISED: N_("Raised"),
    Happening.UPDATED: N_("New value"),
    Happening.PRIORITY_RAISED: N_("Priority raised"),
    Happening.RECURRED: N_("Came back"),
    Happening.CLEARED: N_("Condition gone"),
    Happening.ACKNOWLEDGED: N_("Acknowledged"),
    Happening.ESCALATED: N_("Escalated"),
    Happening.NOTED: N_("Note"),
    Happening.RESOLVED: N_("Resolved"),
    Happening.EXPIRED: N_("Left the list by itself"),
}
_MARKS = {
    Happening.RAISED: "",  # the shape of its priority
    Happening.PRIORITY_RAISED: "",
    Happening.RECURRED: "",
    Happening.ACKNOWLEDGED: "icon-user",
    Happening.ESCALATED: "icon-next",
    Happening.CLEARED: "icon-check",
    Happening.RESOLVED: "icon-check",
}
_AROUND = timedelta(minutes=30)  # of an alert: what is drawn before and after
_CHART_POINTS, _TABLE_ROWS = 4_000, 60
_MANY_LINES = 500  # of a history; an alarm that dances longer shows its last ones


@dataclass(frozen=True)
class HistoryLine:
    at: Moment
    word: str
    by: str
    detail: str
    note: str | None


@blueprint.get("/")
@for_people()
def home() -> Response:
    return redirect(home_of(me().actor.role))


@blueprint.get("/alerts")
@for_people(Right.SEE_ALERTS)
def alert_list() -> str:
    actor, wanted = me().actor, filters.asked(me().unit_codes, me().preferences)
    identity = actor.may(Right.SEE_IDENTITY)
    with records.read() as session:
        now = now_of(session, me())
        alerts = listing(session, fragments(), actor.hospital_id, actor.scope, now.zone, identity=identity)
    shown = [one for one in alerts if wanted.shows(one, actor.person_id)]
    rest = [one for one in alerts if not wanted.shows(one, actor.person_id)]
    return page(
        "pages/alerts.html",
        now,
        view="alerts",
        cards=[one.card for one in shown],
        rest=[one.card for one in rest],
        rest_high=sum(one.priority is Priority.HIGH for one in rest),
        filters=wanted,
        kept=filters.kept(me().unit_codes, me().preferences).query,
        units=me().unit_codes,
        summary=_summary(alerts, now.zone),
    )


@blueprint.get("/alerts/<int:alert_id>")
@for_people(Right.SEE_ALERTS)
def one_alert(alert_id: int) -> str:
    actor = me().actor
    with records.read() as session:
        now = now_of(session, me())
        alert_for(session, actor, alert_id, Right.SEE_ALERTS)
        alert = session.scalars(
            with_everything(select(Alert).where(Alert.id == alert_id)).execution_options(populate_existing=True)
        ).one()
        shown = card(alert, now.zone, identity=actor.may(Right.SEE_IDENTITY))
        monitored = _monitored(session, actor, alert)
        around = points(session, monitored.patient_id, *_around(alert), most=_TABLE_ROWS) if monitored else []
        return page(
            "pages/alert.html",
            now,
            view="alerts",
            urgent=urgent_in(session, me(), now, Alert.id != alert_id),
            urgent_but=f"#urgent-{alert_id}",
            card=shown,
            facts=_facts(alert, now.zone, identity=shown.identity),
            history=_history(session, alert, now.zone, identity=shown.identity),
            can=_can(actor, alert),
            patient_url=f"/patients/{monitored.patient_id}" if monitored else "",
            around=[clock.iso(at) for at in _around(alert)],
            headers=[gettext(header) for header in HEADERS],
            rows=[table_row(row, now.zone) for row in around],
        )


@blueprint.get("/alerts/<int:alert_id>/trend")
@for_people(Right.SEE_ALERTS)
def trend(alert_id: int) -> Response:
    """The vital signs around an alert for its chart, as /patients/<id>/trend has them, and what happened to it."""
    actor = me().actor
    with records.read() as session:
        now = now_of(session, me())
        alert = alert_for(session, actor, alert_id, Right.SEE_ALERTS)
        monitored = _monitored(session, actor, alert)
        readings = points(session, monitored.patient_id, *_around(alert), most=_CHART_POINTS) if monitored else []
        return jsonify(
            **columns(readings), limits=bands(session, alert.unit_id), alerts=_marks(session, alert), zone=now.zone.key
        )


def _summary(alerts: list[Listed], zone: ZoneInfo) -> dict[str, Any]:
    waiting = [alert.raised_at for alert in alerts if alert.state is State.OPEN]
    return {"open": len(waiting), "oldest": moment(min(waiting), zone) if waiting else None}


def _around(alert: Alert) -> tuple[datetime, datetime]:
    return alert.raised_at - _AROUND, alert.raised_at + _AROUND


def _monitored(session: Session, actor: Actor, alert: Alert) -> Monitoring | None:
    """The patient, if this person may look at them where they are now."""
    try:
        return patient_for(session, actor, alert.patient_id, Right.SEE_ALERTS) if alert.patient_id else None
    except NoSuchPatient:
        return None


def _marks(session: Session, alert: Alert) -> list[dict[str, Any]]:
    lines = session.scalars(
        select(JournalLine)
        .where(JournalLine.alert_id == alert.id, JournalLine.happening.in_(_MARKS))
        .order_by(JournalLine.number)
        .limit(_MANY_LINES)
    )
    return [
        {
            "at": line.at.timestamp(),
            "text": gettext(_WORDS[line.happening]),
            "priority": line.facts["priority"],
            "mark": _MARKS[line.happening],
        }
        for line in lines
    ]


def _facts(alert: Alert, zone: ZoneInfo, *, identity: bool) -> dict[str, Any]:
    patient = alert.patient if identity else None
    return {
        "identifier": patient.identifier if patient else "",
        "birth_date": patient.birth_date if patient else "",
        "sex": patient.sex if patient else "",
        "first": moment(alert.raised_at, zone, seconds=True),
        "last": moment(alert.last_at, zone, seconds=True),
        "times": alert.repeats + 1,
        "sender_name": alert.sender.name if alert.sender else gettext("Our own rules"),
        "advice": gettext(alert.advice) if alert.advice else "",
        "event_code": alert.event_code,
    }


def _can(actor: Actor, alert: Alert) -> dict[str, bool]:
    lives = alert.state is not State.RESOLVED
    return {
        "escalate": lives and alert.step < alert.last_step and allowed(actor, alert, Right.ESCALATE),
        "resolve": lives and allowed(actor, alert, Right.RESOLVE),
        "note": allowed(actor, alert, Right.NOTE),
    }


def _history(session: Session, alert: Alert, zone: ZoneInfo, *, identity: bool) -> list[HistoryLine]:
    """Newest first, as people look for what happened last. What a note says may name the patient."""
    lines = session.execute(
        select(JournalLine, Person.display_name, Note)
        .outerjoin(Person, Person.id == JournalLine.person_id)
        .outerjoin(Note, (Note.alert_id == JournalLine.alert_id) & (Note.number == JournalLine.number))
        .where(JournalLine.alert_id == alert.id)
        .order_by(JournalLine.number.desc())
        .limit(_MANY_LINES)
    ).all()
    return [
        HistoryLine(
            at=moment(line.at, zone, seconds=True),
            word=gettext(_WORDS[line.happening]),
            by=name or (alert.sender.name if alert.sender else gettext("Our own rules"))
            if line.happening not in (Happening.ESCALATED, Happening.EXPIRED)
            else name or gettext("System"),
            detail=_detail(line, alert),
            note=note.text if note and identity else None,
        )
        for line, name, note in lines
    ]


def _detail(line: JournalLine, alert: Alert) -> str:
    if line.happening is Happening.ESCALATED:
        return gettext("to the %(who)s", who=told(line.facts["step"]))
    if line.happening in (Happening.RAISED, Happening.PRIORITY_RAISED):
        return f"{gettext(PRIORITIES[line.facts['priority']])}{_value(line, alert, ', ')}"
    if line.happening in (Happening.UPDATED, Happening.RECURRED, Happening.CLEARED):
        return _value(line, alert, "")
    return ""


def _value(line: JournalLine, alert: Alert, before: str) -> str:
    value = line.facts["value"]
    return f"{before}{value} {alert.value_unit or ''}".rstrip() if value is not None else ""
