"""The wall's row of beds: every bed, always, with what is going on there."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital.fragments import words
from hospital.fragments.counting import in_scope
from hospital.fragments.words import gettext
from hospital.records import Alert, Bed, Monitoring
from hospital.vocabulary import State


@dataclass(frozen=True)
class BoardBed:
    """`state`: quiet, alarm-high, alarm-medium, alarm-low, acknowledged, no-data or empty."""

    code: str
    state: str

    @property
    def state_word(self) -> str:
        return gettext(words.BED_STATES[self.state])


def board_beds(session: Session, hospital_id: int, scope: frozenset[int | None]) -> list[BoardBed]:
    """Every bed of these units, always."""
    units = [unit for unit in scope if unit is not None]
    alerts = session.execute(
        select(Alert.bed_id, Alert.priority, Alert.state).where(
            in_scope(hospital_id, scope), Alert.state != State.RESOLVED, Alert.bed_id.is_not(None)
        )
    ).all()
    monitored = {row.bed_id: row for row in session.scalars(select(Monitoring).where(Monitoring.unit_id.in_(units)))}
    return [
        BoardBed(bed.code, _bed_state(bed.id, alerts, monitored.get(bed.id)))
        for bed in session.scalars(select(Bed).where(Bed.unit_id.in_(units)).order_by(Bed.code))
    ]


def _bed_state(bed_id: int, alerts: Sequence[object], monitoring: Monitoring | None) -> str:
    mine = [alert for alert in alerts if alert.bed_id == bed_id]  # type: ignore[attr-defined]
    waiting = [alert.priority for alert in mine if alert.state is State.OPEN]  # type: ignore[attr-defined]
    if waiting:
        return f"alarm-{min(waiting, key=lambda priority: priority.rank)}"
    if mine:
        return "acknowledged"
    if monitoring is None:
        return "empty"
    return "no-data" if monitoring.silent_since else "quiet"
