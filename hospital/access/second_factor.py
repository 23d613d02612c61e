"""The second factor: a code that changes every 30 seconds (TOTP, RFC 6238), or one of ten recovery codes, each once."""

import base64
import hmac
import secrets
from datetime import datetime

import pyotp
import segno
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from hospital.access import rotation
from hospital.access.tokens import token_hash
from hospital.records import Person, PersonSession, RecoveryCode
from hospital.roles import absolute_limit

_STEP_S = 30
_CLOCKS_APART = 1  # steps by which a telephone's clock may be off
_RECOVERY_CODES = 10
_RECOVERY_BYTES = 10  # 80 bits: nothing to guess, even with the hashes in hand


def begin(person: Person) -> str:
    """The secret to be set up: the same until it is confirmed, so that a page loaded again shows the same picture.

    '' if it has been confirmed: it is never shown again.
    """
    if person.totp_step is not None:
        return ""
    person.totp_secret = person.totp_secret or pyotp.random_base32()
    return person.totp_secret


def confirm(session: Session, person: Person, code: str, now: datetime) -> list[str]:
    """Set it up if the code is right: recovery codes, to be shown once. Empty: wrong code, or it was set up already."""
    if person.totp_step is not None or not takes_code(session, person, code, now):
        return []
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))
    codes = [_new_recovery_code() for _ in range(_RECOVERY_CODES)]
    session.add_all(RecoveryCode(person_id=person.id, code_hash=_recovery_hash(person.id, code)) for code in codes)
    return codes


def takes_code(session: Session, person: Person, code: str, now: datetime) -> bool:
    """Whether this is the code of now, or a recovery code. Either is taken once: of two at the same time, one."""
    given = "".join(code.split()).replace("-", "").upper()
    step = _step_of(person.totp_secret, given, now)
    if step is not None:
        unused = or_(Person.totp_step.is_(None), Person.totp_step < step)
        query = update(Person).where(Person.id == person.id, unused).values(totp_step=step)
        return session.execute(query.returning(Person.id)).one_or_none() is not None
    if person.totp_step is None:
        return False
    query_code = update(RecoveryCode).where(
        RecoveryCode.code_hash == _recovery_hash(person.id, given), RecoveryCode.used_at.is_(None)
    )
    return session.execute(query_code.values(used_at=now).returning(RecoveryCode.id)).one_or_none() is not None


def complete(session: Session, session_id: int, person: Person, now: datetime) -> str:
    """The session is a full one from now on, with a new token."""
    whole = {"complete": True, "expires_at": now + absolute_limit(person.role), "seen_at": now}
    session.execute(update(PersonSession).where(PersonSession.id == session_id).values(whole))
    return rotation.renew_at_once(session, session_id, now)


def remove(session: Session, person: Person) -> None:
    """For a lost telephone: the next sign-in asks for the password alone, or for setting it up anew."""
    person.totp_secret = person.totp_step = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))


def recovery_codes_left(session: Session, person_id: int) -> int:
    left = select(func.count()).where(RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None))
    return session.scalars(left).one()


def picture(secret: str, name: str, issuer: str) -> tuple[str, int]:
    """A QR code for a telephone's camera, as the path of an SVG, and how many squares it is wide."""
    squares = segno.make(pyotp.TOTP(secret, name=name, issuer=issuer).provisioning_uri(), error="m", micro=False)
    rows = list(squares.matrix_iter(border=4))
    dark = (f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, square in enumerate(row) if square)
    return "".join(dark), len(rows)


def _step_of(secret: str | None, code: str, now: datetime) -> int | None:
    """The 30-second step whose code this is, if its time is now."""
    if secret is None or not code.isascii():
        return None
    current = int(now.timestamp()) // _STEP_S
    steps = range(current - _CLOCKS_APART, current + _CLOCKS_APART + 1)
    right = [step for step in steps if hmac.compare_digest(pyotp.TOTP(secret).at(step * _STEP_S), code)]
    return right[-1] if right else None


def _new_recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _recovery_hash(person_id: int, code: str) -> str:
    return token_hash(f"{person_id} {code.replace('-', '')}")
