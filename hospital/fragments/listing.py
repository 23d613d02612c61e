"""Every open alert of some units, most urgent first. Only what has changed is read as a whole."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital.fragments import Fragments
from hospital.fragments.card import sort_of, unresolved_in, with_everything
from hospital.records import Alert, Unit
from hospital.vocabulary import Priority, State

_LIGHT = select(
    Alert.id,
    Alert.version,
    Alert.changed_at,
    Alert.priority,
    Alert.state,
    Alert.step,
    Alert.cleared_at,
    Alert.raised_at,
    Alert.owner_id,
    Unit.code.label("unit"),
).outerjoin(Unit, Unit.id == Alert.unit_id)


@dataclass(frozen=True)
class Listed:
    """One alert of a list: what may decide whether it is shown, and its card. `unit` None: unassigned."""

    card: Markup
    priority: Priority
    state: State
    raised_at: datetime
    owner_id: int | None
    unit: str | None


def listing(
    session: Session,
    fragments: Fragments,
    hospital_id: int,
    scope: frozenset[int | None],
    zone: ZoneInfo,
    *,
    identity: bool,
) -> list[Listed]:
    """None in `scope` stands for the unassigned."""
    rows = session.execute(_LIGHT.where(unresolved_in(hospital_id, scope))).all()
    versions = {row.id: (row.version, row.changed_at) for row in rows}
    cards = fragments.kept_cards(versions, identity=identity)
    cards |= _rendered(session, fragments, versions.keys() - cards.keys(), zone, identity=identity)
    return [
        Listed(cards[row.id], row.priority, row.state, row.raised_at, row.owner_id, row.unit)
        for row in sorted(rows, key=sort_of)
    ]


def _rendered(
    session: Session, fragments: Fragments, alert_ids: set[int], zone: ZoneInfo, *, identity: bool
) -> dict[int, Markup]:
    if not alert_ids:
        return {}
    alerts = session.scalars(with_everything(select(Alert).where(Alert.id.in_(alert_ids)))).unique()
    return {alert.id: fragments.card(alert, zone, identity=identity) for alert in alerts}
