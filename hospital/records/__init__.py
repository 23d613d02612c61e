"""What is remembered. Read with `records.read()`, write with `records.write()`; there is no third way."""

from hospital.records.alert import Acknowledgement, Alert, Note
from hospital.records.audit import AuditHead, AuditLine
from hospital.records.board import Board, Pairing
from hospital.records.database import Base, NotStored, bell, connect, disconnect, generation, read, read_aside, write
from hospital.records.emergency import EmergencyAccess
from hospital.records.hospital import Bed, BedCode, Hospital, Unit, find_bed
from hospital.records.idempotency import Idempotency
from hospital.records.journal import JournalLine
from hospital.records.key_register import SealKey
from hospital.records.message import Message, Verdict
from hospital.records.notice import Notice, NoticeReading
from hospital.records.observation import Monitoring, Observation, UnitLimit
from hospital.records.patient import Patient, PatientReference, Stay, meet_patient, meet_unidentified, settle
from hospital.records.person import Ended, Person, PersonSession, RecoveryCode, SignInDelay
from hospital.records.sender import Kind, Sender, SenderToken

__all__ = [
    "Acknowledgement",
    "Alert",
    "AuditHead",
    "AuditLine",
    "Base",
    "Bed",
    "BedCode",
    "Board",
    "EmergencyAccess",
    "Ended",
    "Hospital",
    "Idempotency",
    "JournalLine",
    "Kind",
    "Message",
    "Monitoring",
    "NotStored",
    "Note",
    "Notice",
    "NoticeReading",
    "Observation",
    "Pairing",
    "Patient",
    "PatientReference",
    "Person",
    "PersonSession",
    "RecoveryCode",
    "SealKey",
    "Sender",
    "SenderToken",
    "SignInDelay",
    "Stay",
    "Unit",
    "UnitLimit",
    "Verdict",
    "bell",
    "connect",
    "disconnect",
    "find_bed",
    "generation",
    "meet_patient",
    "meet_unidentified",
    "read",
    "read_aside",
    "settle",
    "write",
]
