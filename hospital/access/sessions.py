"""Signed-in sessions: revocable rows, one opaque cookie, Flask-Login in front."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from flask import Flask, Request, Response, g, request
from flask_login import LoginManager, UserMixin, current_user
from sqlalchemy import String, bindparam, or_, select, update
from sqlalchemy.orm import Session, joinedload

from hospital import clock, records
from hospital.access import rotation
from hospital.access.lately import LINES, Lately
from hospital.access.tokens import token_hash
from hospital.records import Ended, Hospital, Person, PersonSession, Unit
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
# Asked at every request: put together once, and a single query. To a storm of screens it is most of what opening costs.
_FIND = (
    select(PersonSession, Hospital.second_factor_roles)
    .join(PersonSession.person)
    .join(Hospital, Hospital.id == Person.hospital_id)
    .where(_HAS_TOKEN)
    .options(joinedload(PersonSession.person).joinedload(Person.units))
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


def prepare(app: Flask) -> None:
    """Let Flask-Login find the person by our own cookie, and give each answer the new token that is due."""
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
        found = session.execute(_FIND, {"presented": presented}).unique().one_or_none()
        units = _units(session, found[0], now) if found is not None else ()
    if found is None or not _lives(found[0], now):
        return None
    row, demanding_roles = found
    if rotation.is_stale(row, presented, now):
        rotation.end_reused(row, now)
        return None
    if presented == row.next_hash:
        rotation.take_up(row, now)
    if by_a_person and now - row.seen_at > _SEEN_EVERY:
        _mark_seen(row.id, now)
        row.seen_at = now
    return _signed_in(row, units, demanding_roles, now, due=presented == row.token_hash and rotation.is_due(row, now))


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


def _lives(row: PersonSession, now: datetime) -> bool:
    idle_at = _idle_at(row)
    in_time = now < row.expires_at and (idle_at is None or now < idle_at)
    return row.ended_at is None and row.person.active and in_time


def _idle_at(row: PersonSession) -> datetime | None:
    limit = idle_limit(row.person.role)
    return row.seen_at + limit if limit is not None else None


def _mark_seen(session_id: int, now: datetime) -> None:
    query = update(PersonSession).where(PersonSession.id == session_id).values(seen_at=now)
    with suppress(records.NotStored):  # whoever may look may go on looking while nothing can be written
        records.write(None, lambda session: session.execute(query))


def _in_emergency(row: PersonSession, now: datetime) -> bool:
    return row.emergency_until is not None and now < row.emergency_until


def _units(session: Session, row: PersonSession, now: datetime) -> Sequence[Unit]:
    """Their own; while the glass is broken, all of the hospital, and never of another."""
    if not _in_emergency(row, now):
        return row.person.units
    return session.scalars(select(Unit).where(Unit.hospital_id == row.person.hospital_id).order_by(Unit.code)).all()


def _signed_in(
    row: PersonSession, units: Sequence[Unit], demanding_roles: str, now: datetime, *, due: bool
) -> SignedIn:
    person, emergency = row.person, _in_emergency(row, now)
    unit_ids = frozenset(unit.id for unit in units)
    return SignedIn(
        Actor(person.id, person.hospital_id, person.display_name, person.role, unit_ids, emergency),
        row.id,
        row.csrf_token,
        row.expires_at,
        person.changed_at,
        _idle_at(row),
        tuple(unit.code for unit in units),
        row.emergency_until if emergency else None,
        _missing(row, demanding_roles),
        due,
    )


def _missing(row: PersonSession, demanding_roles: str) -> Step | None:
    person = row.person
    if not row.complete:
        return Step.CODE
    if person.must_change_password:
        return Step.PASSWORD
    if person.totp_step is None and person.role.value in demanding_roles.split():
        return Step.ENROLMENT
    return None
