"""How every act is carried out and answered: once for each key, and each refusal turned into an answer here."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Response, jsonify, make_response, redirect, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from hospital import clock, meters, records
from hospital.access.guard import is_ours, me
from hospital.alerts import refusals
from hospital.alerts.refusals import KeyUsed, Refusal
from hospital.alerts.rights import Seen
from hospital.fragments.card import with_everything
from hospital.fragments.moment import moment
from hospital.fragments.words import gettext
from hospital.pages.layout import fragments, now_of, page
from hospital.records import Alert, Hospital, Idempotency
from hospital.records.journal import cursor
from hospital.roles import Right
from hospital.vocabulary import Priority, State

_LONGEST_KEY = 100  # characters

Act = Callable[[Session], Alert]


@dataclass(frozen=True)
class Outcome:
    """What an act led to. `reason`: the name of the refusal, '' if it was done."""

    status: int
    alert_id: int
    version: int
    reason: str = ""


@dataclass(frozen=True)
class AsItIsNow:
    """The alert, its card and the cursor, after an act or a refusal; no alert where this person may not know of it."""

    alert: Alert | None
    html: str
    cursor: str
    zone: ZoneInfo


def carry_out(name: str, alert_id: int, act: Act) -> Response:
    """Do the act once for its key, then answer as the caller asked: htmx, JSON or a plain form. Raises NotStored."""
    person, key = me(), _key()
    outcome = records.write(
        person.actor.hospital_id, lambda session: _once(session, person.actor.person_id, key, name, alert_id, act)
    )
    meters.count("acts_total", act=name, status=str(outcome.status))
    return _answer(outcome)


def seen() -> Seen:
    """What the person saw, from the headers or fields seen_state and seen_priority. Raises BadRequest."""
    state, priority = _given("seen_state"), _given("seen_priority")
    try:
        return Seen(State(state) if state else None, Priority(priority) if priority else None)
    except ValueError:
        raise BadRequest("seen_state or seen_priority is not a known word.") from None


def _key() -> str:
    key = _given("Idempotency-Key") or request.values.get("idempotency_key", "")
    if len(key) > _LONGEST_KEY or not key.isprintable():
        raise BadRequest(f"An idempotency key has {_LONGEST_KEY} printable characters at most.")
    return key


def _given(name: str) -> str:
    return request.headers.get(name) or request.headers.get(name.replace("_", "-")) or request.values.get(name, "")


def _once(session: Session, person_id: int, key: str, name: str, alert_id: int, act: Act) -> Outcome:
    if key and (earlier := _earlier(session, person_id, key)) is not None:
        if (earlier.act, earlier.alert_id) != (name, alert_id):
            return Outcome(KeyUsed.status, alert_id, 0, KeyUsed().reason)
        return Outcome(earlier.status, alert_id, earlier.version, earlier.reason)
    outcome = _try(session, alert_id, act)
    if key:
        session.add(
            Idempotency(
                person_id=person_id,
                key=key,
                act=name,
                alert_id=alert_id,
                version=outcome.version,
                status=outcome.status,
                reason=outcome.reason,
                at=clock.now(),
            )
        )
    return outcome


def _earlier(session: Session, person_id: int, key: str) -> Idempotency | None:
    return session.scalar(select(Idempotency).where(Idempotency.person_id == person_id, Idempotency.key == key))


def _try(session: Session, alert_id: int, act: Act) -> Outcome:
    try:
        with session.begin_nested():
            return Outcome(200, alert_id, act(session).version)
    except Refusal as refusal:
        return Outcome(refusal.status, alert_id, 0, refusal.reason)


def _answer(outcome: Outcome) -> Response:
    now = _as_it_is_now(outcome)
    refusal = _refusal(outcome.reason)
    sentence = _sentence(refusal, now) if refusal is not None else ""
    if request.accept_mimetypes.best == "application/json":
        return _json(outcome, now, sentence)
    if request.headers.get("HX-Request"):
        return _fragment(outcome, now, sentence)
    if refusal is None:
        return make_response(redirect(_back(), 303))
    return make_response(_sorry(outcome, now, sentence), outcome.status)


def _refusal(reason: str) -> Refusal | None:
    return getattr(refusals, reason)() if reason else None


def _as_it_is_now(outcome: Outcome) -> AsItIsNow:
    actor = me().actor
    with records.read() as session:
        now = now_of(session, me())
        alert = (
            session.scalars(with_everything(select(Alert).where(Alert.id == outcome.alert_id))).unique().one_or_none()
        )
        hospital = session.get_one(Hospital, actor.hospital_id)
    if alert is None or alert.hospital_id != actor.hospital_id or alert.unit_id not in actor.scope:
        return AsItIsNow(None, "", now.cursor, now.zone)
    html = fragments().card(alert, now.zone, identity=actor.may(Right.SEE_IDENTITY))
    return AsItIsNow(alert, html, cursor(hospital.epoch, alert.version), now.zone)


def _json(outcome: Outcome, now: AsItIsNow, sentence: str) -> Response:
    body: dict[str, object] = {"id": outcome.alert_id}
    if now.alert is not None:
        body |= {"state": now.alert.state.value, "version": outcome.version or now.alert.version, "cursor": now.cursor}
    if outcome.reason:
        body |= {"reason": outcome.reason, "sentence": sentence}
    response = make_response(jsonify(body), outcome.status)
    if outcome.reason:
        response.mimetype = "application/problem+json"
    return response


def _fragment(outcome: Outcome, now: AsItIsNow, sentence: str) -> Response:
    response = make_response(now.html, outcome.status)
    if outcome.reason:
        response.headers["HX-Trigger"] = json.dumps({"refused": {"sentence": sentence, "reason": outcome.reason}})
    return response


def _sorry(outcome: Outcome, now: AsItIsNow, sentence: str) -> str:
    return page(
        "pages/problem.html",
        status=outcome.status,
        title=gettext("This was not done"),
        sentence=sentence,
        next_url=f"/alerts/{now.alert.id}" if now.alert else "/alerts",
        next_word=gettext("Look at the alert") if now.alert else gettext("All alerts"),
    )


def _sentence(refusal: Refusal, now: AsItIsNow) -> str:
    """Who was first and when, where that is the reason."""
    alert = now.alert
    if refusal.reason == "AlreadyAcknowledged" and alert is not None and alert.owner is not None and alert.owned_at:
        since = moment(alert.owned_at, now.zone, seconds=True).text
        return gettext("%(person)s has it already, since %(time)s.", person=alert.owner.display_name, time=since)
    if refusal.reason == "AlreadyResolved" and alert is not None and alert.changed_by is not None:
        return gettext(
            "%(person)s was the last to change it, at %(time)s: it has been resolved.",
            person=alert.changed_by.display_name,
            time=moment(alert.changed_at, now.zone, seconds=True).text,
        )
    return gettext(refusal.sentence)


def _back() -> str:
    """The page that the form was on, if it is one of ours."""
    path = urlsplit(request.referrer).path if request.referrer and is_ours(request.referrer) else ""
    return path if path.startswith("/alerts") else "/alerts"
