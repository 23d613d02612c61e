"""Two invented hospitals and their people. No patients and no alerts: those come by messages."""

import secrets
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import clock, records
from hospital.access.passwords import hash_password
from hospital.records import Bed, Hospital, Person, Unit
from hospital.roles import Role
from hospital.vocabulary import SIMULATED

_UNITS = {"demo": {"MED": 12, "ICU": 8}, "demo-b": {"MED": 12}}  # unit → beds
_HOSPITALS = {"demo": "Demo Hospital", "demo-b": "Second Demo Hospital"}

_Who = tuple[str, str, str, Role, tuple[str, ...]]  # hospital, sign-in name, name on the cards, role, units

PEOPLE: tuple[_Who, ...] = (
    ("demo", "nurse", "Amara N.", Role.NURSE, ("MED",)),
    ("demo", "nurse2", "Jonas K.", Role.NURSE, ("MED",)),
    ("demo", "nurse-icu", "Ines R.", Role.NURSE, ("ICU",)),
    ("demo", "charge", "Carla M.", Role.CHARGE, ("MED", "ICU")),
    ("demo", "physician", "Dr. Okafor", Role.PHYSICIAN, ("MED", "ICU")),
    ("demo", "engineer", "Emil T.", Role.ENGINEER, ("MED", "ICU")),
    ("demo", "admin", "Ada S.", Role.ADMIN, ("MED", "ICU")),
    ("demo-b", "nurse-b", "Bela V.", Role.NURSE, ("MED",)),
)

# Nobody signs in as them but hospital/simulator/staff.py, which answers alerts in their names.
STAFF: tuple[_Who, ...] = (
    ("demo", "sim-nurse", f"Robin {SIMULATED}", Role.NURSE, ("MED",)),
    ("demo", "sim-nurse-icu", f"Kim {SIMULATED}", Role.NURSE, ("ICU",)),
    ("demo", "sim-physician", f"Dr. Sommer {SIMULATED}", Role.PHYSICIAN, ("MED", "ICU")),
)


def prepare_demo(*, staff: bool = False) -> None:
    """Make what is missing; what is there stays as it is. `staff`: the simulated colleagues too."""
    with records.read() as session:
        names = set(session.scalars(select(Person.name)))
        is_new = session.scalar(select(Hospital.id).limit(1)) is None
    people = [who for who in (*(PEOPLE if is_new else ()), *(STAFF if staff else ())) if who[1] not in names]
    if people:
        hashes = {name: hash_password(f"demo-{name}") for _, name, *_ in people}
        records.write(None, lambda session: _make(session, people, hashes, is_new=is_new))


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


def _make(session: Session, people: Sequence[_Who], hashes: dict[str, str], *, is_new: bool) -> None:
    if is_new:
        for code, name in _HOSPITALS.items():
            add_hospital(session, code, name, _UNITS[code])
    rows = session.execute(select(Hospital.code, Unit).join(Unit, Unit.hospital_id == Hospital.id)).all()
    units = {(hospital, unit.code): unit for hospital, unit in rows}
    for hospital, name, display_name, role, unit_codes in people:
        session.add(
            Person(
                hospital_id=units[hospital, unit_codes[0]].hospital_id,
                name=name,
                display_name=display_name,
                role=role,
                password_hash=hashes[name],
                active=True,
                changed_at=clock.now(),
                units=[units[hospital, code] for code in unit_codes],
            )
        )
