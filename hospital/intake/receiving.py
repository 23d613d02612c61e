"""What happens to a message, whichever door it came through: kept, acted upon and answered, in one transaction.

The answer exists only after the commit. What would fail again is refused, with its reason, and kept to be played again.
What cannot be stored now raises NotStored: it must not be answered, so that its sender repeats it.
"""

import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
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
from hospital.intake.keeping import kept
from hospital.intake.pcd01 import read_observations
from hospital.intake.pcd04 import orders, read_alarm, read_facility, read_place, read_subject
from hospital.intake.senders import KnownSender, NotBound
from hospital.records import Alert, Kind, NotStored, Sender, Verdict
from hospital.records.sealed import keyed_digests
from hospital.triage.alarm import Place, Subject
from hospital.triage.assess import Outcome, assess, is_for_production

log = logging.getLogger(__name__)

_LONGEST_NAME = 200  # characters of a sender's name, a control id, an alert id or a place


@dataclass(frozen=True)
class Received:
    """What became of a message. `answer` None: none is due. `alert_ids`: what it raised, repeated or cleared.

    `sender_id`: whose it is; None: of nobody who may send it.
    """

    verdict: Verdict
    code: str
    reason: str = ""
    answer: bytes | None = None
    message_id: int | None = None
    alert_ids: tuple[int, ...] = ()
    sender_id: int | None = None


def receive(raw: bytes, sender: KnownSender | None = None, address: str = "127.0.0.1") -> Received | None:
    """Take one unframed HL7 v2 message. None: it was an acknowledgement, which is counted and never answered.

    `sender`: known by its token; else the message says who it is, and `address` whether it may. Raises NotStored.
    """
    meters.count("messages_total")
    try:
        message = parse(raw)
    except Refused as refused:
        return _refuse(raw, refused, sender, at=_door(sender, address))
    if message.is_acknowledgement:
        meters.count("acknowledgements_received_total")
        return None
    known, door = sender, _door(sender, address)
    try:
        _check_lengths(message)
        known = known or senders.by_header(message.application, message.facility)
        admitted = sender or senders.check_address(known, address)
        received = records.write(admitted.hospital_id, lambda session: _take(session, raw, message, admitted, door))
    except NotBound as barred:
        return _bar(raw, barred, known, message, door)
    except Refused as refused:
        return _refuse(raw, refused, sender, message, at=door)
    except NotStored:
        raise
    except Exception as error:  # ours, and it would fail again: say so, keep the message, go on with the next
        tell_fault(error)
        broken = Refused("AE", "207", "", "This server failed on the message; it is kept and will be played again.")
        return _refuse(raw, broken, known, message, at=door)
    meters.count("messages_answered_total", verdict=received.verdict)
    return replace(received, sender_id=admitted.id)


def _check_lengths(message: Message) -> None:
    for n, what in ((3, message.application), (4, message.facility), (10, message.control_id)):
        if len(what) > _LONGEST_NAME:
            raise Refused("AE", "102", f"MSH^1^{n}", f"MSH-{n} is longer than {_LONGEST_NAME} characters.")


def _take(session: Session, raw: bytes, message: Message, known: KnownSender, door: str | None) -> Received:
    senders.check_living(session.get_one(Sender, known.id))
    now = clock.now()
    row = kept(raw, Kind.HL7, known, control_id=message.control_id, of_alarm=message.event == "R40", address=door)
    if (first := _earlier(session, row)) is not None:
        meters.count("messages_repeated_total")
        return _as_answered(first)
    if row.number_reused:
        meters.count("message_numbers_reused_total")
    try:
        check(message)
        with session.begin_nested():
            row.alert_ids = _act(session, message, known)
        accept(row, message)
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
    same_number = (
        records.Message.sender_id == row.sender_id,
        records.Message.control_id == row.control_id,
        records.Message.received_at > row.received_at - window,
    )
    perhaps = select(records.Message).where(*same_number, records.Message.digest.in_([*keyed_digests(row.raw), ""]))
    for message in session.scalars(perhaps.order_by(records.Message.id)):
        if message.digest or message.raw == row.raw:
            return message
    row.number_reused = session.scalar(select(records.Message.id).where(*same_number).limit(1)) is not None
    return None


def _act(session: Session, message: Message, known: KnownSender) -> list[int]:
    """Do what the message asks for; the alerts that it was about."""
    sender = session.get_one(Sender, known.id)
    sent_at = message.sent_at(known.zone)
    clock_off_s = (sent_at - clock.now()).total_seconds() if sent_at else None
    senders.heard(sender, clock_off_s)
    if message.event == "R01":
        _observe(session, message, known, clock_off_s or 0.0)
        return []
    alerts = [carry_out(session, sender, report) for report in reports_of(session, message, known)]
    return [alert.id for alert in alerts if alert is not None]


def _observe(session: Session, message: Message, known: KnownSender, clock_off_s: float) -> None:
    """Take the readings of an ORU^R01. What is no vital sign is kept with the message and skipped."""
    sender = session.get_one(Sender, known.id)
    told = read_observations(message, known.zone)
    meters.count("results_skipped_total", told.skipped)
    if not told.sets:
        meters.count("messages_skipped_total")
        return
    if not is_for_production(message.processing_id) and not sender.training:
        meters.count("messages_skipped_total")
        return
    now, place, subject = clock.now(), _place_of(session, message, known), read_subject(message)
    _check_whose(place, subject)
    monitoring = where_monitored(session, sender, subject, place, now)
    observe(session, monitoring, Readings(told.sets, now, sender.id, clock_off_s=clock_off_s, continuous=True))
    meters.count("observations_total", len(told.sets))


def reports_of(session: Session, message: Message, known: KnownSender) -> Iterator[Report]:
    """Its alarms, one after the other. Raises Refused, NotBound."""
    for order in orders(message):
        yield _report_of(session, order, known)


def _report_of(session: Session, order: Message, known: KnownSender) -> Report:
    alarm, place, subject = read_alarm(order, known.zone), _place_of(session, order, known), read_subject(order)
    if len(alarm.alert_id) > _LONGEST_NAME:
        raise Refused("AE", "102", "OBR^1^3", f"The alert's id is longer than {_LONGEST_NAME} characters.")
    _check_whose(place, subject)
    assessment = assess(alarm, order.processing_id, session.get_one(Sender, known.id).training)
    return Report(alarm, assessment, subject, place, clock.now())


def carry_out(session: Session, sender: Sender, report: Report) -> Alert | None:
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


def _place_of(session: Session, message: Message, known: KnownSender) -> Place:
    place = read_place(message)
    senders.check_place(session, known, place, read_facility(message))
    return place


def _bar(raw: bytes, barred: NotBound, known: KnownSender | None, message: Message, door: str | None) -> Received:
    """Kept without its number: once its sender is bound to it, the same message is no repeat of this refusal."""
    meters.count("senders_refused_total", why=barred.why)
    return _refuse(raw, Refused("AR", "204", barred.location, str(barred), header=message), known, at=door)


def _refuse(
    raw: bytes, refused: Refused, sender: KnownSender | None, message: Message | None = None, *, at: str | None
) -> Received:
    """Keep what cannot be taken, with its reason. Raises NotStored."""
    meters.count("messages_answered_total", verdict=Verdict.REFUSED)
    row = kept(
        raw,
        Kind.HL7,
        sender,
        control_id=message.control_id[:_LONGEST_NAME] if message else "",
        verdict=Verdict.REFUSED,
        code=refused.code,
        reason=refused.reason,
        address=at,
    )
    _answer(row, answer(message, refused.code, at=row.received_at, refused=refused))
    records.write(None, lambda session: session.add(row))
    return _as_answered(row)


def _door(sender: KnownSender | None, address: str) -> str | None:
    """Where a message came from that no token vouches for."""
    return None if sender else address


def accept(row: records.Message, message: Message) -> None:
    """Part of taking it: it has been acted upon, and this is its answer from now on."""
    row.verdict, row.code, row.reason = Verdict.ACCEPTED, acceptance(message) or "", ""
    _answer(row, answer(message, row.code, at=clock.now()) if row.code else None)


def _answer(row: records.Message, data: bytes | None) -> None:
    row.answer = data.decode("latin-1") if data is not None else None


def _as_answered(row: records.Message) -> Received:
    data = row.answer.encode("latin-1") if row.answer is not None else None
    return Received(row.verdict, row.code, row.reason, data, row.id, tuple(row.alert_ids))


def tell_fault(error: Exception) -> None:
    """Where it broke, never what the message held: an exception's own text may quote it."""
    trace = sys.exc_info()[2]
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "unknown"
    meters.count("intake_failures_total")
    log.error("intake: %s at %s; the message is kept as refused", type(error).__name__, where)
