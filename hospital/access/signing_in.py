"""From a name and a password to a session; and how sessions end."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import request
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from hospital import clock, records, settings
from hospital.access import delays, passwords
from hospital.access.devices import Device
from hospital.access.tokens import new_token, token_hash
from hospital.records import Ended, Person, PersonSession
from hospital.roles import Role, absolute_limit


@dataclass(frozen=True)
class Entry:
    """A session that has begun. `complete`: False if the code of the second factor must follow."""

    token: str
    role: Role
    expires_at: datetime
    complete: bool
    session_id: int


def sign_in(name: str, password: str, device: Device) -> Entry | None:
    """A new session if name and password belong together and the person is active, else None.

    Says, counts and takes the same whether or not there is anybody of that name. Raises TooSoon, NotStored.
    """
    guarded = _guarded(name, device)
    delays.count_try(*guarded)
    with records.read() as session:
        in_time = or_(Person.one_time_until.is_(None), Person.one_time_until > clock.now())
        person = session.scalar(select(Person).where(Person.name == name, Person.active, in_time))
    if not passwords.is_right(password, person.password_hash if person else None) or person is None:
        return None
    better = passwords.hash_password(password) if passwords.is_outdated(person.password_hash) else person.password_hash
    where = where_from()

    def enter(session: Session) -> Entry:
        delays.forgive(session, *guarded)
        entered = session.get_one(Person, person.id)
        if entered.password_hash == person.password_hash:
            entered.password_hash = better
        return open_session(session, entered, where, complete=entered.totp_step is None)

    return records.write(None, enter)


def open_session(
    session: Session, person: Person, where: tuple[str, str] = ("", ""), *, complete: bool = True
) -> Entry:
    """A session of its own for each sign-in. `where`: address and browser. An incomplete one must soon be completed."""
    now, token = clock.now(), new_token()
    limit = absolute_limit(person.role) if complete else timedelta(seconds=settings.current.second_factor_within_s)
    row = PersonSession(
        person_id=person.id,
        token_hash=token_hash(token),
        rotated_at=now,
        csrf_token=new_token(),
        complete=complete,
        created_at=now,
        seen_at=now,
        expires_at=now + limit,
    )
    row.address, row.browser = where
    session.add(row)
    session.flush()
    return Entry(token, person.role, row.expires_at, complete, row.id)


def sign_out(session_id: int) -> None:
    """End the session; its streams end within one beat."""
    records.write(None, lambda session: end(session, PersonSession.id == session_id, Ended.SIGNED_OUT))


def end(session: Session, which: ColumnElement[bool], why: Ended) -> int:
    """End these sessions, and with them their streams; how many there were."""
    query = update(PersonSession).where(which, PersonSession.ended_at.is_(None)).returning(PersonSession.id)
    return len(session.execute(query.values(ended_at=clock.now(), ended_why=why)).all())


def _guarded(name: str, device: Device) -> tuple[delays.Guarded, ...]:
    if device.is_known_to(name):
        return (delays.device(name, device.id),)
    return delays.account(name), delays.address(request.remote_addr or "")


def where_from() -> tuple[str, str]:
    return (request.remote_addr or "")[:45], _browser(request.headers.get("User-Agent", ""))


_BROWSERS = (("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrom", "Chromium"), ("Safari", "Safari"))
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def _browser(agent: str) -> str:
    """'Firefox on Windows': enough to know one's own again, and nothing that a browser could forge a page with."""
    browser = next((word for part, word in _BROWSERS if part in agent), "Another program")
    system = next((f" on {word}" for part, word in _SYSTEMS if part in agent), "")
    return browser + system
