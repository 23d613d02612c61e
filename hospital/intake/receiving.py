"""What happens to a message, whichever door it came through: kept, acted upon and answered, in one transaction.

The answer exists only after the commit. What would fail again is refused, with its reason, and kept to be played again.
What cannot be stored now raises NotStored: it must not be answered, so that its sender repeats it.
"""

import hashlib
import logging
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import clock, meters, records, settings
from hospital.alerts.observing import Readings, observe
from hospital.alerts.raising import Report, clear_reported, raise_alert, where_monitored
from hospital.intake import senders
from hospital.intake.answering import acceptance, answer
from hospital.intake.hl7 import Message, Refused, check, parse
from hospital.intake.pcd01 import read_observations
from hospital.intake.pcd04 import orders, read_alarm, read_place, read_subject
from hospital.intake.senders import KnownSender
from hospital.records import Alert, NotStored, Sender, Verdict
from hospital.triage.alarm import Place, Subject
from hospital.triage.assess import Outcome, assess, is_for_production

log = logging.getLogger(__name__)

_LONGEST_NAME = 200  # characters of a sender's name, a control id, an alert id or a place


@dataclass(frozen=True)
class Received:
    """What became of a message. `answer` None: none is due. `alert_ids`: what it raised, repeated or cleared."""

    verdict: Verdict
    code: str
    reason: str = ""
    answer: bytes | None = None
    message_id: int | None = None
    alert_ids: tuple[int, ...] = ()


def receive(raw: bytes, sender: KnownSender | None = None) -> Received | None:
    """Take one unframed HL7 v2 message. None: it was an acknowledgement, which is counted and never answered.

    `sender`: known by its token; else the message says who it is. Raises NotStored.
    """
    meters.count("messages_total")
    try:
        message = parse(raw)
    except Refused as refused:
        return _refuse(raw, refused, sender)
    if message.is_acknowledgement:
        meters.count("acknowledgements_received_total")
        return None
    try:
        _check_lengths(message)
        known = sender or _who(message)
        received = records.write(known.hospital_id, lambda session: _take(session, raw, message, known))
    except Refused as refused:
        return _refuse(raw, refused, sender, message)
    except NotStored:
        raise
    except Exception as error:  # ours, and it would fail again: say so, keep the message, go on with the next
        _report(error)
        broken = Refused("AE", "207", "", "This server failed on the message; it is kept and will be played again.")
        return _refuse(raw, broken, sender, message)
    meters.count("messages_answered_total", verdict=received.verdict)
    return received


def _who(message: Message) -> KnownSender:
    known = senders.by_header(message.application, message.facility)
    if known is None:
        raise Refused("AR", "204", "MSH^1^3", "This sender is not known here (MSH-3, MSH-4).")
    return known


def _check_lengths(message: Message) -> None:
    for n, what in ((3, message.application), (4, message.facility), (10, message.control_id)):
        if len(what) > _LONGEST_NAME:
            raise Refused("AE", "102", f"MSH^1^{n}", f"MSH-{n} is longer than {_LONGEST_NAME} characters.")


def _take(session: Session, raw: bytes, message: Message, known: KnownSender) -> Received:
    now = clock.now()
    row = records.Message(
        hospital_id=known.hospital_id,
        sender_id=known.id,
        control_id=message.control_id,
        digest=hashlib.sha256(raw).hexdigest(),
        received_at=now,
        number_reused=False,
        of_alarm=message.event == "R40",
        alert_ids=[],
        raw=raw.decode("latin-1"),
    )
    if (first := _earlier(session, row)) is not None:
        meters.count("messages_repeated_total")
        return _as_answered(first)
    if row.number_reused:
        meters.count("message_numbers_reused_total")
    try:
        check(message)
        with session.begin_nested():
            row.alert_ids = _act(session, message, known)
        row.verdict, row.code = Verdict.ACCEPTED, acceptance(message) or ""
        _answer(row, answer(message, row.code, at=now) if row.code else None)
    except Refused as refused:
        row.verdict, row.code, row.reason = Verdict.REFUSED, refused.code, refused.reason
        _answer(row, answer(message, refused.code, at=now, refused=refused))
    session.add(row)
    session.flush()
    return _as_answered(row)


def _earlier(session: Session, row: records.Message) -> records.Message | None:
    """The first message of this sender with the same number and bytes within the window: then this one is a repeat.

    The same number with other bytes is another message: real gateways restart their numbers at 1. It is marked so.
    """
    if not row.control_id:
        return None
    window = timedelta(hours=settings.current.repeat_window_h)
    same_number = session.execute(
        select(records.Message.id, records.Message.digest)
        .where(
            records.Message.sender_id == row.sender_id,
            records.Message.control_id == row.control_id,
            records.Message.received_at > row.received_at - window,
        )
        .order_by(records.Message.id)
    ).all()
    for message_id, digest in same_number:
        if digest == row.digest:
            return session.get(records.Message, message_id)
    row.number_reused = bool(same_number)
    return None


def _act(session: Session, message: Message, known: KnownSender) -> list[int]:
    """Do what the message asks for; the alerts that it was about."""
    sender = session.get_one(Sender, known.id)
    if message.event == "R01":
        _observe(session, message, sender, known)
        return []
    alerts = [_carry_out(session, sender, _report_of(order, sender, known)) for order in orders(message)]
    return [alert.id for alert in alerts if alert is not None]


def _observe(session: Session, message: Message, sender: Sender, known: KnownSender) -> None:
    """Take the readings of an ORU^R01. What is no vital sign is kept with the message and skipped."""
    told = read_observations(message, known.zone)
    meters.count("results_skipped_total", told.skipped)
    if not told.sets:
        meters.count("messages_skipped_total")
        return
    if not is_for_production(message.processing_id) and not sender.training:
        meters.count("messages_skipped_total")
        return
    now, place, subject = clock.now(), read_place(message), read_subject(message)
    _check_whose(place, subject)
    monitoring = where_monitored(session, sender, subject, place, now)
    sent_at = message.sent_at(known.zone)
    off_s = (sent_at - now).total_seconds() if sent_at else 0.0
    observe(session, monitoring, Readings(told.sets, now, sender.id, clock_off_s=off_s, continuous=True))
    meters.count("observations_total", len(told.sets))


def _report_of(order: Message, sender: Sender, known: KnownSender) -> Report:
    alarm, place, subject = read_alarm(order, known.zone), read_place(order), read_subject(order)
    if len(alarm.alert_id) > _LONGEST_NAME:
        raise Refused("AE", "102", "OBR^1^3", f"The alert's id is longer than {_LONGEST_NAME} characters.")
    _check_whose(place, subject)
    assessment = assess(alarm, order.processing_id, sender.training)
    return Report(alarm, assessment, subject, place, clock.now())


def _carry_out(session: Session, sender: Sender, report: Report) -> Alert | None:
    meters.count("alarms_total", outcome=report.assessment.outcome)
    if report.assessment.outcome is Outcome.RAISE:
        return raise_alert(session, sender, report)
    if report.assessment.outcome is Outcome.CLEAR:
        return clear_reported(session, sender, report)
    return None


def _check_whose(place: Place, subject: Subject | None) -> None:
    """What says whose alarm or reading it is must be kept whole: cut off, two would be one."""
    if len(place.label) > _LONGEST_NAME:
        raise Refused("AE", "102", "PV1^1^3", f"The place is longer than {_LONGEST_NAME} characters.")
    if subject and max(len(subject.identifier), len(subject.authority or "")) > _LONGEST_NAME:
        raise Refused("AE", "102", "PID^1^3", f"The patient's identifier is longer than {_LONGEST_NAME} characters.")


def _refuse(raw: bytes, refused: Refused, sender: KnownSender | None, message: Message | None = None) -> Received:
    """Keep what cannot be taken, with its reason. Raises NotStored."""
    meters.count("messages_answered_total", verdict=Verdict.REFUSED)
    now = clock.now()
    row = records.Message(
        hospital_id=sender.hospital_id if sender else None,
        sender_id=sender.id if sender else None,
        control_id=message.control_id[:_LONGEST_NAME] if message else "",
        digest=hashlib.sha256(raw).hexdigest(),
        received_at=now,
        verdict=Verdict.REFUSED,
        code=refused.code,
        reason=refused.reason,
        alert_ids=[],
        raw=raw.decode("latin-1"),
    )
    _answer(row, answer(message, refused.code, at=now, refused=refused))
    records.write(None, lambda session: session.add(row))
    return _as_answered(row)


def _answer(row: records.Message, data: bytes | None) -> None:
    row.answer = data.decode("latin-1") if data is not None else None


def _as_answered(row: records.Message) -> Received:
    data = row.answer.encode("latin-1") if row.answer is not None else None
    return Received(row.verdict, row.code, row.reason, data, row.id, tuple(row.alert_ids))


def _report(error: Exception) -> None:
    """Where it broke, never what the message held: an exception's own text may quote it."""
    trace = sys.exc_info()[2]
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "unknown"
    meters.count("intake_failures_total")
    log.error("intake: %s at %s; the message is kept as refused", type(error).__name__, where)
