"""An alarm as JSON, for programs that speak no HL7: POST /api/v1/alerts."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from sqlalchemy.orm import Session

from hospital import clock, meters, records
from hospital.alerts.raising import Report, clear_reported, raise_alert
from hospital.intake import senders
from hospital.intake.keeping import kept
from hospital.intake.senders import KnownSender, NotBound
from hospital.records import Alert, Kind, Sender, Verdict
from hospital.triage.alarm import Alarm, Place, Subject
from hospital.triage.assess import Outcome, assess
from hospital.vocabulary import AlertKind, Priority

_ENUM = re.compile(r"Invalid enum value .*(?= - at `)", re.DOTALL)  # it would tell what was sent
_FIELD = re.compile(r"Object contains unknown field `.*`(?= - at `|\Z)", re.DOTALL)
# PostgreSQL takes no NUL, no card shows the others, and the last would turn what stands beside them round.
_PLAIN = r"\A[^\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]*\Z"
_Name = Annotated[str, Meta(min_length=1, max_length=60, pattern=_PLAIN)]
_Text = Annotated[str, Meta(min_length=1, max_length=200, pattern=_PLAIN)]
_Number = Annotated[float, Meta(ge=-1e6, le=1e6)]


class JsonPatient(Struct, frozen=True, forbid_unknown_fields=True):
    identifier: _Text
    authority: Annotated[str, Meta(max_length=200, pattern=_PLAIN)] | None = None
    name: Annotated[str, Meta(max_length=200, pattern=_PLAIN)] = ""


class JsonAlarm(Struct, frozen=True, forbid_unknown_fields=True):
    """`id`: the sender's own, the same for each phase of one alarm."""

    id: _Name
    unit: _Name
    bed: _Name
    text: _Text
    phase: Literal["start", "update", "continue", "end"] = "start"
    priority: Priority | None = None
    kind: AlertKind = AlertKind.PHYSIOLOGICAL
    value: _Number | None = None
    value_unit: Annotated[str, Meta(max_length=40, pattern=_PLAIN)] | None = None
    low: _Number | None = None
    high: _Number | None = None
    observed_at: Annotated[datetime, Meta(tz=True)] | None = None
    patient: JsonPatient | None = None


class NotTaken(Exception):
    """`status`: 400 (no JSON), 422 (JSON, but not this) or 403 (not for this sender); the text names the element."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def take_alarm(body: bytes, known: KnownSender) -> int | None:
    """Raise, repeat or clear; the alert's id. What is not taken is kept with its reason. Raises NotTaken, NotStored."""
    try:
        told = read(body)
        return records.write(known.hospital_id, lambda session: _carry_out(session, body, told, known))
    except NotBound as barred:
        meters.count("senders_refused_total", why=barred.why)
        refusal = NotTaken(403, str(barred))
    except NotTaken as not_taken:
        refusal = not_taken
    reason = _FIELD.sub("There is a field that is not known", str(refusal))  # its name may be a patient's
    row = _kept(body, known, verdict=Verdict.REFUSED, code=str(refusal.status), reason=reason)
    records.write(None, lambda session: session.add(row))
    raise refusal


def read(body: bytes) -> JsonAlarm:
    """Raises NotTaken, nothing else."""
    try:
        told = msgspec.json.decode(body, type=JsonAlarm)
        if told.observed_at is not None:
            told.observed_at.astimezone(UTC)
    except msgspec.ValidationError as error:
        raise NotTaken(422, _ENUM.sub("This is none of the words that are known", str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NotTaken(400, "The body is no JSON.") from None
    except OverflowError:
        raise NotTaken(422, "There is no such moment in UTC - at `$.observed_at`") from None
    return told


def _carry_out(session: Session, body: bytes, told: JsonAlarm, known: KnownSender) -> int | None:
    sender = session.get_one(Sender, known.id)
    senders.check_living(sender)
    report = report_of(session, sender, known, told)
    senders.heard(sender)
    ends = report.assessment.outcome is Outcome.CLEAR
    alert: Alert | None = clear_reported(session, sender, report) if ends else raise_alert(session, sender, report)
    alert_id = alert.id if alert else None
    session.add(_kept(body, known, verdict=Verdict.ACCEPTED, code="202", alert_ids=[alert_id] if alert_id else []))
    return alert_id


def report_of(session: Session, sender: Sender, known: KnownSender, told: JsonAlarm) -> Report:
    """Raises NotBound."""
    alarm, who, place = _alarm(told), told.patient, Place(told.unit, "", told.bed)
    senders.check_place(session, known, place)
    subject = Subject(who.identifier, who.authority, who.name, None, "") if who else None
    return Report(alarm, assess(alarm, "P", sender.training), subject, place, clock.now())


def _kept(body: bytes, known: KnownSender, **fate: Any) -> records.Message:
    return kept(body, Kind.ALERTS, known, of_alarm=True, **fate)


def _alarm(told: JsonAlarm) -> Alarm:
    return Alarm(
        alert_id=told.id,
        event_code=None,
        source_code=None,
        text=told.text,
        kind=told.kind,
        priority=told.priority,
        phase=told.phase,
        state=None,
        value=f"{told.value:g}" if told.value is not None else None,
        unit=told.value_unit,
        low=told.low,
        high=told.high,
        observed_at=told.observed_at,
    )
