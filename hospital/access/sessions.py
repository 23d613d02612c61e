"""Signed-in sessions: revocable rows, one opaque cookie, Flask-Login in front."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from flask import Flask, Request, Response, g, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_login import LoginManager, UserMixin, current_user
from sqlalchemy import String, bindparam, or_, select, update
from sqlalchemy.orm import Session

from hospital import clock, records
from hospital.access import rotation
from hospital.access.lately import LINES, Lately
from hospital.access.tokens import token_hash
from hospital.records import Ended, Hospital, Person, PersonSession, Unit
from hospital.records.person import person_unit
from hospital.records.preferences import Preferences
from hospital.records.sealed import blind
from hospital.roles import Actor, Right, Role, idle_limit

COOKIE = "session"
_SEEN_EVERY = timedelta(minutes=1)  # how exactly `seen_at` is kept: no write for each request
RENEWAL = "/session/renewal"

_PRESENTED = bindparam("presented", type_=String)
_HAS_TOKEN = or_(
    PersonSession.token_hash == _PRESENTED,
    PersonSession.next_hash == _PRESENTED,
    PersonSession.previous_hash == _PRESENTED,
)
_PERSON, _UNIT = Person.__table__.c, Unit.__table__.c
# Asked at every request: one query, and of columns, since a row's object costs more than the row. A row for each unit.
_FIND = (
    select(
        PersonSession.__table__,
        *(_PERSON[name] for name in ("hospital_id", "display_name", "role", "active", "changed_at")),
        *(_PERSON[name] for name in ("must_change_password", "totp_step", "preferences")),
        Hospital.__table__.c.second_factor_roles,
        _UNIT.id.label("unit_id"),
        _UNIT.code.label("unit_code"),
    )
    .join_from(PersonSession.__table__, Person.__table__)
    .join(Hospital.__table__)
    .outerjoin(person_unit, person_unit.c.person_id == _PERSON.id)
    .outerjoin(Unit.__table__, _UNIT.id == person_unit.c.unit_id)
    .where(_HAS_TOKEN)
    .order_by(_UNIT.code)
)


class Step(StrEnum):
    """What somebody must do yet who has given the right password, before anything else is open to them."""

    CODE = "code"  # of the second factor
    PASSWORD = "password"  # noqa: S105 (choose one of their own)
    ENROLMENT = "enrolment"  # set up the second factor that the hospital demands


@dataclass(frozen=True)
class SignedIn(UserMixin):
    """The person behind a request, as Flask-Login's current_user. `idle_at` None: left alone, it does not end.

    `emergency_until`: until then the glass is broken; None: it is whole.
    """

    actor: Actor
    session_id: int
    csrf_token: str
    expires_at: datetime
    changed_at: datetime
    idle_at: datetime | None
    unit_codes: tuple[str, ...]
    emergency_until: datetime | None = None
    missing: Step | None = None
    token_is_due: bool = False
    preferences: Preferences = Preferences()

    @property
    def public_id(self) -> str:
        """Tells the sessions of one browser apart, and nothing else: what a page may say of its session."""
        return blind("session", str(self.session_id))[:16]

    def get_id(self) -> str:
        return str(self.session_id)

    @property
    def holds_until(self) -> datetime:
        """After that this person may do less, or nothing."""
        return min(self.expires_at, self.emergency_until or self.expires_at)

    @property
    def rights_word(self) -> str:
        """For data-may: which buttons a page shows. The act still decides."""
        return " ".join(right.value for right in Right if self.actor.may(right))


class NoCookie(SecureCookieSessionInterface):
    """Flask-Login looks into Flask's own session with each answer, which then says that it depends on cookies: no
    browser would keep a file across a new token. Ours are rows, and nothing of Flask's goes out."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Neither a cookie nor a Vary header."""


def prepare(app: Flask) -> None:
    """Let Flask-Login find the person by our own cookie, and give each answer the new token that is due."""
    app.session_interface = NoCookie()
    manager = LoginManager(app, add_context_processor=False)  # a page must not need the database to be rendered
    manager.session_protection = None
    manager.request_loader(_load)
    app.after_request(_renew)


def find(token: str, *, by_a_person: bool = False) -> SignedIn | None:
    """The living session of this token; None if it never was, has ended, is too old or was left alone too long.

    `by_a_person`: somebody is at work there, so that it is not left alone.
    """
    now, presented = clock.now(), token_hash(token)
    with records.read() as session:
        rows = session.execute(_FIND, {"presented": presented}).all()
        units = _units(session, rows, now) if rows else {}
    if not rows or not _lives(rows[0], now):
        return None
    row, seen_at = rows[0], rows[0].seen_at
    if rotation.is_stale(row, presented, now):
        rotation.end_reused(row, now)
        return None
    if presented == row.next_hash:
        rotation.take_up(row, now)
    if by_a_person and now - seen_at > _SEEN_EVERY:
        _mark_seen(row.id, now)
        seen_at = now
    return _signed_in(row, units, seen_at, now, due=presented == row.token_hash and rotation.is_due(row, now))


def why_ended() -> Ended | None:
    """Why the session is over whose cookie the browser still has; None: it is not, or there was none."""
    presented = token_hash(request.cookies.get(cookie_name(), ""))
    with records.read() as session:
        return session.scalar(select(PersonSession.ended_why).where(_HAS_TOKEN), {"presented": presented})


def cookie_name() -> str:
    """Over TLS a name that a browser takes from this very host alone, and only over TLS."""
    return f"__Host-{COOKIE}" if request.is_secure else COOKIE


def give_cookie(response: Response, token: str, role: Role, expires_at: datetime) -> None:
    """A wall's cookie outlives its browser: nobody is there to sign in again after a power cut."""
    response.set_cookie(
        cookie_name(),
        token,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
        path="/",
        expires=expires_at if role is Role.DISPLAY else None,
    )


def take_cookie(response: Response) -> None:
    response.delete_cookie(cookie_name(), path="/", secure=request.is_secure, httponly=True, samesite="Lax")


def is_by_a_person(request: Request) -> bool:
    """Whether somebody did this: opened a page, pressed a button, or moved while a page was open.

    What streams, timers and scripts ask for by themselves says nothing of who sits there.
    """
    if request.path.startswith("/live/") or "X-By-Itself" in request.headers:
        return False
    if request.path == RENEWAL:
        return request.form.get("active") == "1"
    if request.method in ("GET", "HEAD") and "Sec-Fetch-Mode" in request.headers:
        return request.headers.get("Sec-Fetch-User") == "?1"  # neither a script nor a page that reloads itself
    return True


def _load(request: Request) -> SignedIn | None:
    token = request.cookies.get(cookie_name())
    if not token:
        return None
    return lately.find(token) if request.path in LINES else find(token, by_a_person=is_by_a_person(request))


def _renew(response: Response) -> Response:
    """Only where the person has been asked for anyway, and nobody has just given or taken the cookie."""
    if "_login_user" not in g or not current_user.is_authenticated or "Set-Cookie" in response.headers:
        return response
    if current_user.token_is_due and response.mimetype != "text/event-stream":
        given = rotation.give_next(current_user.session_id, request.cookies[cookie_name()], clock.now())
        if given is not None:
            give_cookie(response, given, current_user.actor.role, current_user.expires_at)
    return response


lately = Lately(find)
"""For the doors of lines."""


def _lives(row: Any, now: datetime) -> bool:
    idle_at = _idle_at(row.role, row.seen_at)
    in_time = now < row.expires_at and (idle_at is None or now < idle_at)
    return row.ended_at is None and row.active and in_time


def _idle_at(role: Role, seen_at: datetime) -> datetime | None:
    limit = idle_limit(role)
    return seen_at + limit if limit is not None else None


def _mark_seen(session_id: int, now: datetime) -> None:
    query = update(PersonSession).where(PersonSession.id == session_id).values(seen_at=now)
    with suppress(records.NotStored):  # whoever may look may go on looking while nothing can be written
        records.write(None, lambda session: session.execute(query))


def _in_emergency(row: Any, now: datetime) -> bool:
    return row.emergency_until is not None and now < row.emergency_until


def _units(session: Session, rows: Sequence[Any], now: datetime) -> dict[int, str]:
    """Ids and codes: their own; while the glass is broken, all of the hospital, and never of another."""
    if not _in_emergency(rows[0], now):
        return {row.unit_id: row.unit_code for row in rows if row.unit_id is not None}
    all_of_it = select(Unit.id, Unit.code).where(Unit.hospital_id == rows[0].hospital_id).order_by(Unit.code)
    return {unit.id: unit.code for unit in session.execute(all_of_it)}


def _signed_in(row: Any, units: dict[int, str], seen_at: datetime, now: datetime, *, due: bool) -> SignedIn:
    emergency = _in_emergency(row, now)
    return SignedIn(
        Actor(row.person_id, row.hospital_id, row.display_name, row.role, frozenset(units), emergency),
        row.id,
        row.csrf_token,
        row.expires_at,
        row.changed_at,
        _idle_at(row.role, seen_at),
        tuple(units.values()),
        row.emergency_until if emergency else None,
        _missing(row),
        due,
        row.preferences,
    )


def _missing(row: Any) -> Step | None:
    if not row.complete:
        return Step.CODE
    if row.must_change_password:
        return Step.PASSWORD
    if row.totp_step is None and row.role.value in row.second_factor_roles.split():
        return Step.ENROLMENT
    return None
