"""What runs by itself, and how often. Timers are rows: a turn looks which are due, so they survive a restart."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from gevent.event import Event
from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update

from hospital import clock, meters, records, settings
from hospital.alerts import boards, emergency, overruns
from hospital.alerts.clearing import expire_unseen
from hospital.alerts.escalating import escalate_overdue
from hospital.alerts.silence import is_silent, raise_silent
from hospital.records import (
    Alert,
    Board,
    EmergencyAccess,
    Ended,
    Idempotency,
    Message,
    Monitoring,
    Pairing,
    Person,
    PersonSession,
    Sender,
    SignInDelay,
    Verdict,
    anchoring,
)
from hospital.roles import Role, idle_limit
from hospital.vocabulary import State

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    every_s: float
    run: Callable[[], None]


def escalate() -> None:
    now = clock.now()
    for hospital_id in _with_due(Alert.state == State.OPEN, Alert.escalate_at <= now):
        records.write(hospital_id, partial(escalate_overdue, hospital_id=hospital_id, now=now))


def expire() -> None:
    now = clock.now()
    for hospital_id in _with_due(Alert.state != State.RESOLVED, Alert.expires_at <= now):
        records.write(hospital_id, partial(expire_unseen, hospital_id=hospital_id, now=now))


def look_for_silence() -> None:
    now = clock.now()
    with records.read() as session:
        hospitals = list(session.scalars(select(Monitoring.hospital_id).where(is_silent(now)).distinct()))
    for hospital_id in hospitals:
        records.write(hospital_id, partial(raise_silent, hospital_id=hospital_id, now=now))


def watch_boards() -> None:
    """Not before this process could have been reached for long enough: after a restart no board is to blame."""
    now = clock.now()
    if now - _reachable_since < timedelta(seconds=settings.current.board_silent_s):
        return
    with records.read() as session:
        found = or_(boards.has_trouble(now), boards.is_well_again(now))
        hospitals = list(session.scalars(select(Board.hospital_id).where(found).distinct()))
    for hospital_id in hospitals:
        records.write(hospital_id, partial(boards.watch_boards, hospital_id=hospital_id, now=now))


def end_emergencies() -> None:
    """The rights have ended by themselves; this ends what the units were told."""
    now = clock.now()
    with records.read() as session:
        hospitals = list(session.scalars(select(EmergencyAccess.hospital_id).where(emergency.is_over(now)).distinct()))
    for hospital_id in hospitals:
        records.write(hospital_id, partial(emergency.end_overdue, hospital_id=hospital_id, now=now))


def watch_senders() -> None:
    now = clock.now()
    with records.read() as session:
        found = or_(overruns.is_over(now), overruns.is_below_again(now))
        hospitals = list(session.scalars(select(Sender.hospital_id).where(found).distinct()))
    for hospital_id in hospitals:
        records.write(hospital_id, partial(overruns.watch_senders, hospital_id=hospital_id, now=now))


def end_sessions() -> None:
    """Sessions that are too old, or that nobody used, end like those that people end: their streams with them."""
    now = clock.now()
    living = update(PersonSession).where(PersonSession.ended_at.is_(None))
    old = living.where(PersonSession.expires_at <= now).values(ended_at=now, ended_why=Ended.EXPIRED)
    left = living.where(or_(*_left_alone(now))).values(ended_at=now, ended_why=Ended.IDLE)
    records.write(None, lambda session: [session.execute(what) for what in (old, left)])


def _left_alone(now: datetime) -> Iterator[ColumnElement[bool]]:
    """Of each role whose sign-ins end when nobody uses them: those that nobody has used for too long."""
    for role in Role:
        limit = idle_limit(role)
        if limit is not None:
            theirs = PersonSession.person_id.in_(select(Person.id).where(Person.role == role))
            yield and_(theirs, PersonSession.seen_at <= now - limit)


def forget() -> None:
    """Keys, messages, wrong tries and ended sessions are kept for a while, not for ever. The audit stays."""
    now = clock.now()
    keys = delete(Idempotency).where(Idempotency.at < now - timedelta(hours=settings.current.idempotency_keep_h))
    old = delete(Message).where(Message.received_at < now - timedelta(days=settings.current.message_keep_days))
    readings = delete(Message).where(
        Message.received_at < now - timedelta(hours=settings.current.observation_message_keep_h),
        Message.verdict == Verdict.ACCEPTED,
        Message.of_alarm.is_(False),
    )
    codes = delete(Pairing).where(Pairing.expires_at < clock.now())
    tries = delete(SignInDelay).where(SignInDelay.last_at < now - timedelta(hours=settings.current.sign_in_forget_h))
    ended = delete(PersonSession).where(
        PersonSession.ended_at < now - timedelta(days=settings.current.ended_session_keep_days),
        PersonSession.id < select(func.max(PersonSession.id)).scalar_subquery(),  # no number is ever given twice
    )
    done = (keys, old, readings, codes, tries, ended)
    records.write(None, lambda session: [session.execute(what) for what in done])


TASKS = (
    Task(1, escalate),
    Task(1, expire),
    Task(2, look_for_silence),
    Task(2, watch_boards),
    Task(1, end_emergencies),
    Task(2, watch_senders),
    Task(60, end_sessions),
    Task(600, forget),
    Task(3600, anchoring.anchor),
)
_reachable_since = clock.now()


def run(stop: Event) -> None:
    """Until `stop` is set. A task that fails is counted and tried again at its next turn; the others go on."""
    global _reachable_since
    _reachable_since, due = clock.now(), dict.fromkeys(TASKS, 0.0)
    while not stop.is_set():
        for task in TASKS:
            if time.monotonic() >= due[task]:
                due[task] = time.monotonic() + task.every_s
                _attempt(task)
        stop.wait(min(task.every_s for task in TASKS))


def _attempt(task: Task) -> None:
    try:
        task.run()
    except Exception as error:  # one failure must not stop the clock of every alert
        meters.count("background_failures_total", task=task.run.__name__)
        log.error("background: %s failed with %s", task.run.__name__, type(error).__name__)


def _with_due(*conditions: ColumnElement[bool]) -> list[int]:
    """The hospitals that have something due: most seconds none, and then nothing is written."""
    with records.read() as session:
        return list(session.scalars(select(Alert.hospital_id).where(*conditions).distinct()))
