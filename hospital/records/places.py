"""A hospital, its units, its beds and what senders call them, as somebody sets them up. Acts of one transaction."""

import re
import secrets
from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital.records.hospital import Bed, BedCode, Hospital, Unit, find_bed
from hospital.vocabulary import N_

MOST_BEDS = 100  # added at once
LONGEST_NAME = 100  # characters
LONGEST_PLACE = 200
_HOSPITAL_CODE = re.compile("[a-z0-9][a-z0-9-]{0,39}")
_CODE = re.compile(r"\w([\w .-]{0,18}\w)?")


class WrongEntry(Exception):
    """What somebody has typed cannot be taken. `fields`: for each field of the form that is wrong, why."""

    def __init__(self, **fields: str) -> None:
        super().__init__(" ".join(fields.values()))
        self.fields = fields


def open_hospital(session: Session, code: str, name: str, timezone: str) -> Hospital:
    """A hospital without anybody or anything in it. Raises WrongEntry."""
    if not _HOSPITAL_CODE.fullmatch(code):
        raise WrongEntry(code="A hospital's code is made of small letters, digits and hyphens, 40 at most.")
    if session.scalar(select(Hospital.id).where(Hospital.code == code)) is not None:
        raise WrongEntry(code=f"There is a hospital {code!r} already.")
    hospital = Hospital(code=code, name=checked_name(name), epoch=secrets.token_hex(4), head=0, last_hash="")
    set_zone(hospital, timezone)
    session.add(hospital)
    session.flush()
    return hospital


def set_zone(hospital: Hospital, timezone: str) -> None:
    """Times are shown in it, and read in it where a sender names none. Raises WrongEntry."""
    try:
        hospital.timezone = ZoneInfo(timezone).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise WrongEntry(timezone=N_("There is no such time zone. One is written as Europe/Madrid.")) from None


def add_unit(session: Session, hospital_id: int, code: str, name: str) -> Unit:
    """Raises WrongEntry."""
    _check_code(code)
    if session.scalar(select(Unit.id).where(Unit.hospital_id == hospital_id, Unit.code == code)) is not None:
        raise WrongEntry(code=N_("There is a unit with this code already."))
    unit = Unit(hospital_id=hospital_id, code=code, name=checked_name(name))
    session.add(unit)
    session.flush()
    return unit


def add_beds(session: Session, unit: Unit, codes: Sequence[str]) -> None:
    """No two of a hospital have the same code, for beds of several units stand on one screen. Raises WrongEntry."""
    if not 0 < len(codes) <= MOST_BEDS:
        raise WrongEntry(code=N_("Write the code of each bed on a line of its own, 100 at most."))
    known = set(session.scalars(select(Bed.code).where(Bed.hospital_id == unit.hospital_id)))
    for code in codes:
        _check_code(code)
        if known & {code, f"{unit.code}-{code}", code.removeprefix(f"{unit.code}-")}:
            raise WrongEntry(code=N_("One of these codes is a bed's already, perhaps in another unit."))
        known.add(code)
        session.add(Bed(hospital_id=unit.hospital_id, unit_id=unit.id, code=code))
    session.flush()


def bind_code(session: Session, bed: Bed, place: str, unit_code: str, bed_code: str) -> None:
    """From now on what comes from `place` (Place.label; two of its parts are given) is this bed. Raises WrongEntry."""
    if not unit_code + bed_code or len(place) > LONGEST_PLACE or not place.isprintable():
        raise WrongEntry(bed_code=N_("Write the code as its sender does, with ^ between its parts: unit^room^bed."))
    if session.scalar(select(BedCode.id).where(BedCode.hospital_id == bed.hospital_id, BedCode.place == place)):
        raise WrongEntry(bed_code=N_("This code is bound to a bed already."))
    if find_bed(session, bed.hospital_id, unit_code, bed_code, place) is not None:
        raise WrongEntry(bed_code=N_("This code is understood already, without being bound."))
    session.add(BedCode(hospital_id=bed.hospital_id, bed_id=bed.id, place=place))
    session.flush()


def checked_name(name: str) -> str:
    """Raises WrongEntry."""
    name = " ".join(name.split())
    if not name.isprintable() or not 0 < len(name) <= LONGEST_NAME:
        raise WrongEntry(name=N_("A name has 100 characters at most, and one at least."))
    return name


def _check_code(code: str) -> None:
    if not _CODE.fullmatch(code):
        raise WrongEntry(code=N_("A code is made of letters, digits, spaces, dots and hyphens, 20 at most."))
