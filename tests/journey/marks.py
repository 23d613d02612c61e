"""Two hospitals whose every word is marked: whatever comes out of a door tells whose it is."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from hospital import clock, records
from hospital.records import Hospital, Person, PersonSession, Unit
from hospital.roles import Role
from tests.access.strangers import hire, new_token
from tests.support.alarms import alarm
from tests.support.house import House
from tests.support.readings import reading

AT_A_DESK = {Role.ENGINEER, Role.ADMIN}  # no clinical data, but in an emergency
PEOPLE = {
    **dict.fromkeys(("nurse", "nurse2", "nurse-icu", "charge", "physician", "engineer", "admin", "display"), "demo"),
    **dict.fromkeys(("nurse-b", "charge-b", "physician-b", "admin-b", "display-b"), "demo-b"),
}
PLACES = [("demo", "MED"), ("demo", "ICU"), ("demo", None), ("demo-b", "MED"), ("demo-b", None)]
_MARK = re.compile(rb"qx\d{4}z", re.IGNORECASE)


@dataclass(frozen=True)
class Rights:
    """What the database says of a person: of their hospital, role and units the design says who may know what."""

    hospital: str
    role: Role
    units: frozenset[str | None]

    def may_know(self, mark: "Mark", *, identity: bool = True) -> bool:
        if mark.hospital != self.hospital:
            return False
        if mark.kind == "staff" or (mark.kind == "place" and self.role is Role.ADMIN):
            return True
        if mark.kind == "identity" and (self.role is Role.DISPLAY or not identity):
            return False
        return bool(mark.units & self.units)


@dataclass
class Mark:
    """A word that stands for itself. `kind`: identity, clinical, place (of no unit: an administrator may see to that)
    or staff. `units`: where it has been written.
    """

    word: str
    kind: str
    hospital: str
    units: set[str | None]


@dataclass
class Patient:
    """`number`: the first of each hospital have the same one."""

    number: str
    name: Mark
    marks: list[Mark]

    @property
    def told(self) -> str:
        """PID from field 3 on."""
        return f"{self.number}^^^Ward^PI||{self.name.word}^Tilda^^^^^L||19610301|F"


class Hospitals:
    def __init__(self, house: House, met: Counter[str]) -> None:
        self.marks: dict[bytes, Mark] = {}
        self._met = met
        for name, role in (("display", Role.DISPLAY), ("display-b", Role.DISPLAY), ("admin-b", Role.ADMIN)):
            hire(house, name, role, "MED", hospital=PEOPLE[name])
        for name, role in (("charge-b", Role.CHARGE), ("physician-b", Role.PHYSICIAN)):
            hire(house, name, role, "MED", hospital="demo-b")
        records.write(None, self._rename)
        self.tokens = {code: new_token(house, code, "Gateway") for code in ("demo", "demo-b")}
        self.patients = {code: [self._patient(code, n) for n in range(3)] for code in self.tokens}

    def mark(self, kind: str, hospital: str, *units: str | None) -> Mark:
        made = Mark(f"Qx{len(self.marks):04d}z", kind, hospital, set(units))
        self.marks[made.word.lower().encode()] = made
        return made

    def rights_of(self, name: str, session_id: int | None) -> Rights:
        """In this session: one of them may be an emergency, in which all units are open."""
        with records.read() as session:
            query = select(Person).where(Person.name == name).options(selectinload(Person.units))
            person = session.scalars(query).one()
            assert {unit.hospital_id for unit in person.units} <= {person.hospital_id}, name
            here = select(PersonSession.emergency_until).where(PersonSession.id == session_id)
            until = session.scalar(here.where(PersonSession.person_id == person.id))
            units: set[str | None] = set() if person.role in AT_A_DESK else {unit.code for unit in person.units}
            if until is not None and until > clock.now():
                every = select(Unit.code).where(Unit.hospital_id == person.hospital_id)
                units = set(session.scalars(every))
            units |= {None} if person.role is Role.CHARGE else set()
            return Rights(PEOPLE[name], person.role, frozenset(units))

    def foreign(
        self, data: bytes, knowing: Iterable[Rights], *, identity: bool = True, sent: Iterable[str] = ()
    ) -> list[Mark]:
        """Which marks stand there that none of these may know. `sent`: what the asker said, and may hear again."""
        rights, said = list(knowing), {word.lower().encode() for word in sent}
        found = [self.marks[word] for word in {word.lower() for word in _MARK.findall(data)} - said]
        leaked = [mark for mark in found if not any(one.may_know(mark, identity=identity) for one in rights)]
        self._met.update(mark.kind for mark in found)
        return leaked

    def alarm(
        self, hospital: str, unit: str | None, patient: int | None, *, alert_id: str, priority: str
    ) -> tuple[bytes, list[Mark]]:
        """The message, and what stands in it that only the unit may know to which it comes."""
        who = self.patients[hospital][patient] if patient is not None else None
        bed, marks = self._bed(hospital, unit)
        text = self.mark("clinical", hospital)
        how = {"alert_id": alert_id, "priority": priority, "text": f"SpO2 low {text.word}"}
        return alarm(bed=bed, patient=who.told if who else None, **how), [*marks, text, *(who.marks if who else [])]

    def reading(self, hospital: str, unit: str | None, patient: int, spo2: int) -> tuple[bytes, list[Mark]]:
        who = self.patients[hospital][patient]
        bed, marks = self._bed(hospital, unit)
        return reading(bed=bed, patient=who.told, spo2=spo2, hr=72, rr=16), [*marks, *who.marks]

    def _bed(self, hospital: str, unit: str | None) -> tuple[str, list[Mark]]:
        if unit is not None:
            return f"{unit}^^{unit}-03", []
        place = self.mark("place", hospital)
        return f"ATTIC^^{place.word}", [place]

    def _patient(self, hospital: str, number: int) -> Patient:
        name, own_number = self.mark("identity", hospital), self.mark("identity", hospital)
        return Patient(own_number.word if number else "4711", name, [name, own_number])

    def _rename(self, session: Session) -> None:
        for hospital in session.scalars(select(Hospital)):
            hospital.name, hospital.epoch = (self.mark("staff", hospital.code).word for _ in "ne")
            for person in session.scalars(select(Person).where(Person.hospital_id == hospital.id)):
                person.display_name = self.mark("staff", hospital.code).word
