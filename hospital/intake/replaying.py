"""`flask --app app messages replay`: refused alarms are tried again, after what was wrong has been mended.

Each is asked what it was asked when it came: who sent it, from where, whether it may. It is one transaction, so a
replay that was stopped is run again. What its sender has told of the same alarm since is newer than it: then nothing
happens, so nothing is raised twice, and no old end clears an alarm that has come back. Readings are not played again: a
value of hours ago raises nothing, and would put its patient's card back to the bed that it came from. Nor is FHIR: a
program is told at once what was wrong and sends again, and an old encounter would put patients back, too.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum

import click
from flask.cli import AppGroup
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from hospital import clock, records, settings
from hospital.alerts.raising import Report
from hospital.intake import receiving, reports, senders
from hospital.intake.hl7 import Refused, parse
from hospital.intake.reports import NotTaken
from hospital.intake.senders import KnownSender, NotBound
from hospital.records import Alert, Kind, Message, NotStored, Sender, Verdict, audit
from hospital.records.audit import Trace

messages = AppGroup("messages", help="Messages as they came.")

_TELL_EVERY = 100  # messages


class Fate(StrEnum):
    TAKEN = "taken"
    KNOWN = "known already"
    REFUSED = "refused again"
    NO_ALARM = "no alarms"


class _OnlyTried(Exception):
    """Nothing of a dry run stays."""

    def __init__(self, fate: Fate) -> None:
        super().__init__(fate)
        self.fate = fate


@messages.command("replay")
@click.option("--dry-run", is_flag=True, help="Say what would become of each, and change nothing.")
def replay(dry_run: bool) -> None:
    """Try again what was refused within the repeat window. Runs beside the server; may be run again."""
    refused = _refused()
    fates: Counter[Fate] = Counter()
    for done, message_id in enumerate(refused, 1):
        try:
            fates[play_again(message_id, dry_run=dry_run)] += 1
        except NotStored as error:
            raise click.ClickException(f"{error} What was played stays: run it again.") from None
        if done % _TELL_EVERY == 0:
            click.echo(f"{done} of {len(refused)}")
    told = ", ".join(f"{fates[fate]} {fate.value}" for fate in Fate)
    click.echo(f"Refused messages{' tried and left as they are' if dry_run else ''}: {len(refused)}. {told}.")


def play_again(message_id: int, *, dry_run: bool = False) -> Fate:
    """What became of one refused message; its row says so. Raises NotStored."""
    with records.read() as session:
        row = session.get_one(Message, message_id)
    try:
        known = _sender_of(row)
        read = _reader(row, known)
    except (Refused, NotTaken, NotBound):
        return Fate.REFUSED
    if read is None:
        return Fate.NO_ALARM
    try:
        return records.write(known.hospital_id, lambda session: _try(session, message_id, known, read, dry_run))
    except _OnlyTried as tried:
        return tried.fate
    except NotStored:
        raise
    except Exception as error:  # ours: it stays refused, and the others are played
        receiving.tell_fault(error)
        return Fate.REFUSED


_Reader = Callable[[Session, Sender], list[Report]]


def _refused() -> list[int]:
    """The oldest first. What is older than the window is about something that is long over."""
    since = clock.now() - timedelta(hours=settings.current.repeat_window_h)
    kinds = or_(Message.kind == Kind.HL7, Message.kind == Kind.ALERTS)
    query = select(Message.id).where(Message.verdict == Verdict.REFUSED, Message.received_at > since, kinds)
    with records.read() as session:
        return list(session.scalars(query.order_by(Message.id)))


def _sender_of(row: Message) -> KnownSender:
    """By its token, as it was when the message came; else by what it calls itself, from where. Raises NotBound."""
    if row.address is not None:
        message = parse(row.raw.encode("latin-1"))
        return senders.check_address(senders.by_header(message.application, message.facility), row.address)
    known = senders.by_id(row.sender_id) if row.sender_id is not None else None
    if known is None:
        raise NotBound("unknown", "Nobody knows who sent this.")
    return known


def _reader(row: Message, known: KnownSender) -> _Reader | None:
    """What reads its alarms; None: it is about something else. Raises Refused, NotTaken."""
    body = row.raw.encode("latin-1")
    if row.kind is Kind.ALERTS:
        told = reports.read(body)
        return lambda session, sender: [reports.report_of(session, sender, known, told)]
    message = parse(body)
    if message.event != "R40":
        return None
    return lambda session, _sender: list(receiving.reports_of(session, message, known))


def _try(session: Session, message_id: int, known: KnownSender, read: _Reader, dry_run: bool) -> Fate:
    row, sender = session.get_one(Message, message_id, with_for_update=True), session.get_one(Sender, known.id)
    if row.verdict is Verdict.ACCEPTED:  # somebody else is playing, too
        return Fate.KNOWN
    try:
        with session.begin_nested():
            senders.check_living(sender)
            fate = _act(session, row, sender, read(session, sender))
    except (Refused, NotTaken, NotBound):
        fate = Fate.REFUSED
    if dry_run:
        raise _OnlyTried(fate)
    return fate


def _act(session: Session, row: Message, sender: Sender, alarms: list[Report]) -> Fate:
    new = [report for report in alarms if not _is_told_since(session, sender, report, row)]
    alerts = [receiving.carry_out(session, sender, report) for report in new]
    row.alert_ids = [alert.id for alert in alerts if alert is not None]
    row.hospital_id, row.sender_id, row.of_alarm = sender.hospital_id, sender.id, True
    _accept(row)
    audit.append(session, Trace(sender.hospital_id, "messages replay", f"message:{row.id}", sender_id=sender.id))
    return Fate.TAKEN if new else Fate.KNOWN


def _accept(row: Message) -> None:
    if row.kind is Kind.HL7:
        receiving.accept(row, parse(row.raw.encode("latin-1")))
    else:
        row.verdict, row.code, row.reason = Verdict.ACCEPTED, "202", ""


def _is_told_since(session: Session, sender: Sender, report: Report, row: Message) -> bool:
    """Whether its sender has said something newer of this very alarm."""
    query = select(Alert.id).where(
        Alert.sender_id == sender.id,
        Alert.sender_alert_id == report.alarm.alert_id,
        Alert.place == report.place.label,
        Alert.last_at >= row.received_at,
    )
    return session.scalar(query.limit(1)) is not None
