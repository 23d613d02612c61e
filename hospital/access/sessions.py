"""Signed-in sessions: revocable rows, one opaque cookie, Flask-Login in front."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Flask, Request, Response
from flask_login import LoginManager, UserMixin
from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from hospital import clock, records, settings
from hospital.access.passwords import is_right
from hospital.access.tokens import new_token, token_hash
from hospital.records import Person, PersonSession
from hospital.records.sealed import blind
from hospital.roles import Actor, Right, Role

COOKIE = "session"
_SEEN_EVERY = timedelta(minutes=1)  # how exactly `seen_at` is kept: no write for each request


@dataclass(frozen=True)
class SignedIn(UserMixin):
    """The person behind a request, as Flask-Login's current_user."""

    actor: Actor
    session_id: int
    csrf_token: str
    expires_at: datetime
    changed_at: datetime
    unit_codes: tuple[str, ...]

    @property
    def public_id(self) -> str:
        """Tells the sessions of one browser apart, and nothing else: what a page may say of its session."""
        return blind("session", str(self.session_id))[:16]

    def get_id(self) -> str:
        return str(self.session_id)

    @property
    def rights_word(self) -> str:
        """For data-may: which buttons a page shows. The act still decides."""
        return " ".join(right.value for right in Right if self.actor.may(right))


def prepare(app: Flask) -> None:
    """Let Flask-Login find the person by our own cookie."""
    manager = LoginManager(app, add_context_processor=False)  # a page must not need the database to be rendered
    manager.session_protection = None
    manager.request_loader(_load)


def sign_in(name: str, password: str) -> str | None:
    """A new session's token if the name and password belong together and the person is active, else None."""
    with records.read() as session:
        person = session.scalar(select(Person).where(Person.name == name, Person.active))
    if not is_right(password, person.password_hash if person else None) or person is None:
        return None
    token, person_id = new_token(), person.id
    records.write(None, lambda session: _open(session, person_id, token))
    return token


@dataclass(frozen=True)
class Entry:
    """A session that has begun."""

    token: str
    expires_at: datetime


def open_session(session: Session, person: Person) -> Entry:
    """Of a display it lasts for a year: nobody is there to sign in again."""
    now, token = clock.now(), new_token()
    lasts = timedelta(days=365) if person.role is Role.DISPLAY else timedelta(hours=settings.current.session_absolute_h)
    session.add(
        PersonSession(
            person_id=person.id,
            token_hash=token_hash(token),
            csrf_token=new_token(),
            created_at=now,
            seen_at=now,
            expires_at=now + lasts,
        )
    )
    return Entry(token, now + lasts)


def sign_out(session_id: int) -> None:
    """End the session; its streams end within one beat."""
    now = clock.now()
    query = update(PersonSession).where(PersonSession.id == session_id, PersonSession.ended_at.is_(None))
    records.write(None, lambda session: session.execute(query.values(ended_at=now)))


def give_cookie(response: Response, token: str, *, secure: bool, expires_at: datetime | None = None) -> None:
    """`expires_at` None: it ends with the browser."""
    response.set_cookie(COOKIE, token, httponly=True, samesite="Lax", secure=secure, path="/", expires=expires_at)


def _open(session: Session, person_id: int, token: str) -> None:
    now = clock.now()
    session.add(
        PersonSession(
            person_id=person_id,
            token_hash=token_hash(token),
            csrf_token=new_token(),
            created_at=now,
            seen_at=now,
            expires_at=now + timedelta(hours=settings.current.session_absolute_h),
        )
    )


def _load(request: Request) -> SignedIn | None:
    token = request.cookies.get(COOKIE)
    return find(token) if token else None


def find(token: str) -> SignedIn | None:
    """The living session of this token; None if it never was, has ended, is too old or was left alone too long."""
    now = clock.now()
    with records.read() as session:
        row = session.scalar(
            select(PersonSession)
            .where(PersonSession.token_hash == token_hash(token))
            .options(joinedload(PersonSession.person).options(selectinload(Person.units)))
        )
    if row is None or not _lives(row, now):
        return None
    if now - row.seen_at > _SEEN_EVERY:
        _mark_seen(row.id, now)
    return _signed_in(row)


def _lives(row: PersonSession, now: datetime) -> bool:
    idle = timedelta(hours=settings.current.session_idle_h)
    return row.ended_at is None and row.person.active and now < row.expires_at and now - row.seen_at < idle


def _mark_seen(session_id: int, now: datetime) -> None:
    query = update(PersonSession).where(PersonSession.id == session_id).values(seen_at=now)
    with suppress(records.NotStored):  # whoever may look may go on looking while nothing can be written
        records.write(None, lambda session: session.execute(query))


def _signed_in(row: PersonSession) -> SignedIn:
    person = row.person
    actor = Actor(
        person.id, person.hospital_id, person.display_name, person.role, frozenset(u.id for u in person.units)
    )
    codes = tuple(unit.code for unit in person.units)
    return SignedIn(actor, row.id, row.csrf_token, row.expires_at, person.changed_at, codes)
