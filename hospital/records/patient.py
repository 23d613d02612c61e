"""Patients and where they lie. A patient is (hospital, who gave the number, the number): never the number alone."""

import unicodedata
from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from hospital.records.database import Base, UtcDateTime
from hospital.records.hospital import Bed
from hospital.records.sealed import Sealed, blind, blinds

_LETTERS = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})  # have no accent


def plain(words: str) -> str:
    """As it is searched: no case, no accents, and nothing but letters and digits ('O’Brien', 'De la Cruz')."""
    bare = unicodedata.normalize("NFKD", words).casefold().translate(_LETTERS)
    return "".join(character for character in bare if character.isalnum())


class Patient(Base):
    """`…_index`: blind, for exact search; '': there is nothing to find, None: an earlier version did not make it."""

    __tablename__ = "patient"
    __table_args__ = (
        UniqueConstraint("hospital_id", "identifier_index"),
        Index("ix_patient_number", "hospital_id", "number_index"),
        Index("ix_patient_surname", "hospital_id", "surname_index"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    hospital_id: Mapped[int] = mapped_column(ForeignKey("hospital.id"))
    identifier: Mapped[str] = mapped_column(Sealed("patient.identifier"))
    authority: Mapped[str] = mapped_column(Sealed("patient.authority"))
    identifier_index: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(Sealed("patient.name"))
    birth_date: Mapped[str] = mapped_column(Sealed("patient.birth_date"))
    sex: Mapped[str] = mapped_column(Sealed("patient.sex"))
    number_index: Mapped[str | None] = mapped_column(String(64))
    surname_index: Mapped[str | None] = mapped_column(String(64))

    def make_indexes(self) -> None:
        """Under the current key, from what is sealed."""
        hospital, number, surname = str(self.hospital_id), plain(self.identifier), plain(self.name.partition(",")[0])
        self.identifier_index = blind(hospital, self.authority, self.identifier)
        self.number_index = blind(hospital, "number", number) if number else ""
        self.surname_index = blind(hospital, "surname", surname) if surname else ""


class Stay(Base):
    """A patient in a bed; `until` None: still there. A bed holds one patient at a time."""

    __tablename__ = "stay"
    __table_args__ = (
        Index(
            "uq_stay_bed_now",
            "bed_id",
            unique=True,
            sqlite_where=text("until IS NULL"),
            postgresql_where=text("until IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    hospital_id: Mapped[int] = mapped_column(ForeignKey("hospital.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    bed_id: Mapped[int] = mapped_column(ForeignKey("bed.id"))
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    patient: Mapped[Patient] = relationship()


def meet_patient(
    session: Session, hospital_id: int, *, identifier: str, authority: str, name: str, birth_date: date | None, sex: str
) -> Patient:
    """The patient with this number from this authority, or a new one. Blanks are filled, never changed."""
    indexes = blinds(str(hospital_id), authority, identifier)
    patient = session.scalar(
        select(Patient).where(Patient.hospital_id == hospital_id, Patient.identifier_index.in_(indexes))
    )
    if patient is None:
        patient = Patient(hospital_id=hospital_id, identifier=identifier, authority=authority)
        patient.name = patient.birth_date = patient.sex = ""
        session.add(patient)
    patient.name = patient.name or name
    patient.birth_date = patient.birth_date or (birth_date.isoformat() if birth_date else "")
    patient.sex = patient.sex or sex
    patient.make_indexes()
    session.flush()
    return patient


def meet_unidentified(session: Session, hospital_id: int, place: str) -> Patient:
    """Whoever is at this place when its sender names nobody: one unidentified patient a place, never a known one."""
    return meet_patient(
        session, hospital_id, identifier="", authority=_unidentified(place), name="", birth_date=None, sex=""
    )


def move_unidentified(session: Session, patient: Patient, place: str) -> bool:
    """From now on this unidentified patient is whoever is at `place`. False: somebody has been met there already."""
    authority = _unidentified(place)
    known = Patient.identifier_index.in_(blinds(str(patient.hospital_id), authority, ""))
    if session.scalar(select(Patient.id).where(Patient.hospital_id == patient.hospital_id, known)) is not None:
        return False
    patient.authority = authority
    patient.make_indexes()
    return True


def settle(session: Session, patient: Patient, bed: Bed, at: datetime) -> bool:
    """Open a stay if the bed is empty and the patient lies nowhere else. True: the register has them in this bed.

    An alarm never moves anyone: False means that the bed register says otherwise.
    """
    now = session.scalars(select(Stay).where(Stay.until.is_(None), Stay.bed_id == bed.id)).one_or_none()
    if now is not None:
        return now.patient_id == patient.id
    if session.scalar(select(Stay.id).where(Stay.until.is_(None), Stay.patient_id == patient.id).limit(1)) is not None:
        return False
    session.add(Stay(hospital_id=patient.hospital_id, patient_id=patient.id, bed_id=bed.id, since=at))
    session.flush()
    return True


class PatientReference(Base):
    """What a sender calls a patient in other messages ('Patient/example'). `reference` None: only its index is here."""

    __tablename__ = "patient_reference"
    __table_args__ = (UniqueConstraint("sender_id", "reference_index"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sender_id: Mapped[int] = mapped_column(ForeignKey("sender.id"))
    reference_index: Mapped[str] = mapped_column(String(64))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    reference: Mapped[str | None] = mapped_column(Sealed("patient_reference.reference"))
    patient: Mapped[Patient] = relationship()

    def make_indexes(self) -> None:
        if self.reference is not None:
            self.reference_index = blind(str(self.sender_id), self.reference)


def name_patient(session: Session, sender_id: int, references: Iterable[str], patient: Patient) -> None:
    """From now on the sender may call the patient so; a name that was another's is this one's now."""
    for reference in references:
        known = _reference(session, sender_id, reference)
        if known is None:
            known = PatientReference(sender_id=sender_id)
            session.add(known)
        known.reference, known.patient_id = reference, patient.id
        known.make_indexes()
    session.flush()


def named_patient(session: Session, sender_id: int, reference: str) -> Patient | None:
    """Whom the sender calls so; None: it has never told."""
    known = _reference(session, sender_id, reference)
    return session.get_one(Patient, known.patient_id) if known else None


def move(session: Session, patient: Patient, bed: Bed | None, at: datetime) -> list[int]:
    """The register itself says where the patient is now (`bed` None: nowhere here); the ids of those who lay there and
    are there no more."""
    lies = Stay.patient_id == patient.id
    there = lies | (Stay.bed_id == bed.id) if bed else lies
    displaced: list[int] = []
    for stay in session.scalars(select(Stay).where(Stay.until.is_(None), there)):
        if bed is not None and stay.bed_id == bed.id and stay.patient_id == patient.id:
            return []
        stay.until = at
        displaced += [stay.patient_id] if stay.patient_id != patient.id else []
    session.flush()
    if bed is not None:
        session.add(Stay(hospital_id=patient.hospital_id, patient_id=patient.id, bed_id=bed.id, since=at))
        session.flush()
    return displaced


def _unidentified(place: str) -> str:
    return f"unidentified at {place}"


def _reference(session: Session, sender_id: int, reference: str) -> PatientReference | None:
    return session.scalar(
        select(PatientReference).where(
            PatientReference.sender_id == sender_id,
            PatientReference.reference_index.in_(blinds(str(sender_id), reference)),
        )
    )
