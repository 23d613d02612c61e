"""Readings come in: they are kept, and what they mean becomes alerts. One row for each observation set, no journal line
but those of the alerts that they raise or clear."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import settings
from hospital.alerts.conditions import apply
from hospital.alerts.monitoring import changed
from hospital.alerts.silence import end_silence
from hospital.records import Monitoring, Observation, UnitLimit
from hospital.triage.conditions import Course, follow, rescore
from hospital.triage.latest import Latest, current, take
from hospital.triage.limits import DEFAULTS, Limit, Watch
from hospital.triage.news2 import Ages, Score, parts, score
from hospital.triage.observation import Measured, ObservationSet, Vital
from hospital.triage.rounds import Round, rounds_after
from hospital.triage.standing import Standing, is_above
from hospital.vocabulary import Priority

_AHEAD = timedelta(minutes=1)  # a clock may be so far ahead; beyond, the reading counts as of now


@dataclass(frozen=True)
class Readings:
    """Observation sets of one patient, and who says so. `clock_off_s`: the sender's clock minus ours.

    `continuous`: from a monitor that goes on sending, so that its silence means something.
    """

    sets: Sequence[ObservationSet]
    at: datetime
    sender_id: int | None = None
    person_id: int | None = None
    clock_off_s: float = 0.0
    continuous: bool = False


def observe(session: Session, monitoring: Monitoring, readings: Readings) -> None:
    """Keep each set, and let those that are not history raise and clear alerts.

    History is what is older than a setting when it comes (15 min): kept, shown with its age, raising nothing.
    """
    limits, ages = limits_of(session, monitoring.unit_id), Ages.chosen()
    course, by_hand = _course(monitoring), readings.person_id is not None
    for observations in sorted(readings.sets, key=lambda one: one.at):
        timely = _not_from_the_future(observations, readings.at)
        session.add(_row(monitoring, timely, readings))
        if readings.at - timely.at > timedelta(seconds=settings.current.history_after_s):
            course = Course(take(course.latest, timely), course.watches, course.news2)
            continue
        course, conditions = follow(course, timely, limits, scale=monitoring.spo2_scale, ages=ages, by_hand=by_hand)
        for condition in conditions:
            apply(session, monitoring, condition, readings.at)
    _remember(session, monitoring, course, readings, limits)


def score_again(session: Session, monitoring: Monitoring, at: datetime) -> None:
    """Part of other acts: something other than a reading has changed the score."""
    course, conditions = rescore(_course(monitoring), at, monitoring.spo2_scale, Ages.chosen())
    for condition in conditions:
        apply(session, monitoring, condition, at)
    monitoring.watches = monitoring.watches | {"score": course.news2.to_json(), "rounds": []}  # on another scale


def limits_of(session: Session, unit_id: int | None) -> Sequence[Limit]:
    """The unit's own limits, else the defaults."""
    rows = session.scalars(select(UnitLimit).where(UnitLimit.unit_id == unit_id)).all() if unit_id else ()
    own = [Limit(Vital(r.vital), r.low, r.high, Priority(r.priority), r.delay_s, r.hysteresis) for r in rows]
    return own or DEFAULTS


def _course(monitoring: Monitoring) -> Course:
    stored = monitoring.watches
    limits = {name: Watch.from_json(watch) for name, watch in stored.get("limits", {}).items()}
    return Course(Latest.from_json(monitoring.latest), limits, Standing.from_json(stored.get("score", {})))


def _not_from_the_future(observations: ObservationSet, at: datetime) -> ObservationSet:
    """A clock that runs ahead must not make every later reading look older than this one."""
    if observations.at <= at + _AHEAD:
        return observations
    return replace(observations, at=at, measured=tuple(replace(one, at=at) for one in observations.measured))


def _row(monitoring: Monitoring, observations: ObservationSet, readings: Readings) -> Observation:
    alone = take(Latest(), observations)
    best = {vital: current(alone, vital, observations.at, timedelta(days=1)) for vital in Vital}
    return Observation(
        hospital_id=monitoring.hospital_id,
        patient_id=monitoring.patient_id,
        sender_id=readings.sender_id,
        person_id=readings.person_id,
        observed_at=observations.at,
        received_at=readings.at,
        consciousness=observations.consciousness,
        on_oxygen=observations.on_oxygen,
        measured=[_told(measured) for measured in observations.measured],
        **{vital.value: measured.value if measured else None for vital, measured in best.items()},
    )


def _told(measured: Measured) -> list[Any]:
    return [measured.vital.value, measured.source.value, measured.value, measured.verified]


def _is_history(readings: Readings) -> bool:
    """Nothing in it is of now: a file played back, a result from long ago."""
    limit = timedelta(seconds=settings.current.history_after_s)
    return all(readings.at - observations.at > limit for observations in readings.sets)


def _crossed(course: Course, limits: Sequence[Limit]) -> dict[str, list[str]]:
    """For the card: which side of which vital sign is beyond its most urgent limit, {'spo2': ['low', '< 90']}."""
    by_urgency = sorted(limits, key=lambda limit: limit.priority.rank, reverse=True)
    return {
        limit.vital.value: ["low", f"< {limit.low:g}"] if limit.low is not None else ["high", f"> {limit.high:g}"]
        for limit in by_urgency
        if limit.name in course.watches and course.watches[limit.name].crossed
    }


def _remember(
    session: Session, monitoring: Monitoring, course: Course, readings: Readings, limits: Sequence[Limit]
) -> None:
    scored = score(parts(course.latest, readings.at, Ages.chosen()), monitoring.spo2_scale)
    monitoring.latest = course.latest.to_json()
    monitoring.watches = {
        "score": course.news2.to_json(),
        "rounds": _rounds(monitoring, scored, readings),
        "crossed": _crossed(course, limits),
        "limits": {name: watch.to_json() for name, watch in course.watches.items()},
    }
    newest = max((observations.at for observations in readings.sets), default=None)
    if newest is not None and (monitoring.observed_at is None or newest > monitoring.observed_at):
        monitoring.observed_at = min(newest, readings.at)
    if readings.sender_id is not None:
        monitoring.received_at = readings.at
        monitoring.monitored = monitoring.monitored or (readings.continuous and not _is_history(readings))
        monitoring.clock_off_s = readings.clock_off_s
        end_silence(session, monitoring, readings.at)
    if readings.person_id is not None or monitoring.observe_by is None:
        monitoring.observe_by = readings.at + scored.observe_within
    elif not is_above(scored.priority, course.news2.held):  # it may become more urgent; only a look puts it off
        monitoring.observe_by = min(monitoring.observe_by, readings.at + scored.observe_within)
    changed(monitoring, readings.at)
    session.flush()


def _rounds(monitoring: Monitoring, scored: Score, readings: Readings) -> list[dict[str, Any]]:
    before = [Round.from_json(stored) for stored in monitoring.watches.get("rounds", ())]
    after = rounds_after(before, Round(readings.at, scored.points), by_hand=readings.person_id is not None)
    return [one.to_json() for one in after]
