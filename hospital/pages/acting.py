"""How every act is carried out and answered: once for each key, and each refusal turned into an answer here."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Response, jsonify, make_response, redirect, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from hospital import clock, meters, records
from hospital.access import traces
from hospital.access.guard import is_ours, me
from hospital.alerts import refusals
from hospital.alerts.refusals import KeyUsed, PressedTooLongAgo, Refusal
from hospital.alerts.rights import Seen
from hospital.fragments.card import with_everything
from hospital.fragments.moment import moment
from hospital.fragments.words import gettext
from hospital.pages.layout import fragments, now_of, page
from hospital.records import Alert, Hospital, Idempotency
from hospital.records.journal import cursor
from hospital.records.sealed import keyed_digest, keyed_digests
from hospital.roles import Right
from hospital.vocabulary import Priority, State

_LONGEST_KEY = 100  # characters
_PRESS_COUNTS_FOR = timedelta(
    seconds=35
)  # a screen gives up after 30 s (static/js/queue.js); its clock may be a little off

Act = Callable[[Session], Alert]


@dataclass(frozen=True)
class Outcome:
    """What an act led to. `reason`: the name of the refusal, '' if it was done."""

    status: int
    about_id: int
    version: int
    reason: str = ""


@dataclass(frozen=True)
class AsItIsNow:
    """The alert, its card and the cursor, after an act or a refusal; no alert where this person may not know of it."""

    alert: Alert | None
    html: str
    cursor: str
    zone: ZoneInfo


def carry_out(name: str, alert_id: int, act: Act, said: str = "") -> Response:
    """Do the act once for its key, then answer as the caller asked: htmx, JSON or a plain form. Raises NotStored.

    `said`: what the person wrote. With other words the same key is another act, and is refused: nothing gets lost.
    """
    actor, key, in_time, leave_trace = me().actor, key_given(), _in_time(act, _pressed_at()), traces.of_act()

    def traced(session: Session) -> Outcome:
        outcome = _once(session, Key(actor.person_id, key, name, said), alert_id, in_time)
        leave_trace(session, outcome.status)
        return outcome

    outcome = records.write(actor.hospital_id, traced)
    meters.count("acts_total", act=name, status=str(outcome.status))
    return _answer(outcome)


def seen() -> Seen:
    """What the person saw, from the headers or fields seen_state and seen_priority. Raises BadRequest."""
    state, priority = _given("seen_state"), _given("seen_priority")
    try:
        return Seen(State(state) if state else None, Priority(priority) if priority else None)
    except ValueError:
        raise BadRequest("seen_state or seen_priority is not a known word.") from None


def key_given() -> str:
    """What makes a repeat of an act a repeat; '' if it was not given. Raises BadRequest."""
    key = _given("Idempotency-Key") or request.values.get("idempotency_key", "")
    if len(key) > _LONGEST_KEY or not key.isprintable():
        raise BadRequest(f"An idempotency key has {_LONGEST_KEY} printable characters at most.")
    return key


@dataclass(frozen=True)
class Key:
    """What one person's idempotency key stands for: the act, and what they wrote, of which only a digest is kept."""

    person_id: int
    key: str
    name: str
    said: str = ""

    def earlier(self, session: Session, about_id: int) -> Idempotency | None:
        """What it has led to; None if it is new or was not given. Raises KeyUsed: it was for something else."""
        query = select(Idempotency).where(Idempotency.person_id == self.person_id, Idempotency.key == self.key)
        earlier = session.scalar(query) if self.key else None
        digests = keyed_digests(self.said) if self.said else [""]
        if earlier is not None and (earlier.act, earlier.about_id) not in [(self._act(of), about_id) for of in digests]:
            raise KeyUsed
        return earlier

    def remember(self, session: Session, outcome: Outcome) -> None:
        """For whoever comes again with this key."""
        if self.key:
            session.add(
                Idempotency(
                    person_id=self.person_id,
                    key=self.key,
                    act=self._act(keyed_digest(self.said) if self.said else ""),
                    about_id=outcome.about_id,
                    version=outcome.version,
                    status=outcome.status,
                    reason=outcome.reason,
                    at=clock.now(),
                )
            )

    def _act(self, digest: str) -> str:
        return f"{self.name} {digest[:16]}".strip()


def _pressed_at() -> datetime | None:
    """When the person pressed, by our clock as their screen knows it; None where it was not told. Raises BadRequest."""
    told = _given("Pressed-At")
    try:
        at = datetime.fromisoformat(told) if told else None
    except ValueError:
        at = datetime.min
    if at is not None and at.tzinfo is None:
        raise BadRequest("Pressed-At is a time with its zone, such as 2026-11-23T14:02:31Z.")
    return at


def _in_time(act: Act, pressed_at: datetime | None) -> Act:
    """A press may lie in a server that was stopped for a while: what nobody waits for any more is not done."""

    def act_in_time(session: Session) -> Alert:
        if pressed_at is not None and clock.now() - pressed_at > _PRESS_COUNTS_FOR:
            raise PressedTooLongAgo
        return act(session)

    return act_in_time


def _given(name: str) -> str:
    return request.headers.get(name) or request.headers.get(name.replace("_", "-")) or request.values.get(name, "")


def _once(session: Session, key: Key, alert_id: int, act: Act) -> Outcome:
    try:
        if (earlier := key.earlier(session, alert_id)) is not None:
            return Outcome(earlier.status, alert_id, earlier.version, earlier.reason)
    except KeyUsed as refusal:
        return Outcome(refusal.status, alert_id, 0, refusal.reason)
    outcome = _try(session, alert_id, act)
    key.remember(session, outcome)
    return outcome


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
            session.scalars(with_everything(select(Alert).where(Alert.id == outcome.about_id))).unique().one_or_none()
        )
        hospital = session.get_one(Hospital, actor.hospital_id)
    if alert is None or alert.hospital_id != actor.hospital_id or alert.unit_id not in actor.scope:
        return AsItIsNow(None, "", now.cursor, now.zone)
    html = fragments().card(alert, now.zone, identity=actor.may(Right.SEE_IDENTITY))
    return AsItIsNow(alert, html, cursor(hospital.epoch, alert.version), now.zone)


def _json(outcome: Outcome, now: AsItIsNow, sentence: str) -> Response:
    body: dict[str, object] = {"id": outcome.about_id}
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
