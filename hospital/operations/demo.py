"""Two invented hospitals and their people. No patients and no alerts: those come by messages."""

import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import clock, records
from hospital.access.passwords import hash_password
from hospital.records import Bed, Hospital, Person, Unit
from hospital.roles import Role

_UNITS = {"demo": {"MED": 12, "ICU": 8}, "demo-b": {"MED": 12}}  # unit → beds
_HOSPITALS = {"demo": "Demo Hospital", "demo-b": "Second Demo Hospital"}

PEOPLE = (
    ("demo", "nurse", "Amara N.", Role.NURSE, ("MED",)),
    ("demo", "nurse2", "Jonas K.", Role.NURSE, ("MED",)),
    ("demo", "nurse-icu", "Ines R.", Role.NURSE, ("ICU",)),
    ("demo", "charge", "Carla M.", Role.CHARGE, ("MED", "ICU")),
    ("demo", "physician", "Dr. Okafor", Role.PHYSICIAN, ("MED", "ICU")),
    ("demo", "engineer", "Emil T.", Role.ENGINEER, ("MED", "ICU")),
    ("demo", "admin", "Ada S.", Role.ADMIN, ("MED", "ICU")),
    ("demo-b", "nurse-b", "Bela V.", Role.NURSE, ("MED",)),
)


def prepare_demo() -> None:
    """Make what is missing; what is there stays as it is."""
    with records.read() as session:
        if session.scalar(select(Hospital.id).limit(1)) is not None:
            return
    hashes = {name: hash_password(f"demo-{name}") for _, name, *_ in PEOPLE}
    records.write(None, lambda session: _make(session, hashes))


def add_hospital(session: Session, code: str, name: str, units: dict[str, int]) -> dict[str, Unit]:
    """A hospital with its units and beds (`MED-01` …); the units by their codes."""
    hospital = Hospital(code=code, name=name, timezone="UTC", epoch=secrets.token_hex(4), head=0, last_hash="")
    session.add(hospital)
    session.flush()
    made = {}
    for unit_code, beds in units.items():
        made[unit_code] = unit = Unit(hospital_id=hospital.id, code=unit_code, name=unit_code)
        session.add(unit)
        session.flush()
        codes = (f"{unit_code}-{number:02d}" for number in range(1, beds + 1))
        session.add_all(Bed(hospital_id=hospital.id, unit_id=unit.id, code=code) for code in codes)
    return made


def _make(session: Session, hashes: dict[str, str]) -> None:
    units = {code: add_hospital(session, code, name, _UNITS[code]) for code, name in _HOSPITALS.items()}
    for hospital, name, display_name, role, unit_codes in PEOPLE:
        session.add(
            Person(
                hospital_id=units[hospital][unit_codes[0]].hospital_id,
                name=name,
                display_name=display_name,
                role=role,
                password_hash=hashes[name],
                active=True,
                changed_at=clock.now(),
                units=[units[hospital][code] for code in unit_codes],
            )
        )
