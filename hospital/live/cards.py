"""Alerts as they are now, and as each audience sees them. No more of them are kept than the rings have lines."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import records, settings
from hospital.fragments import Fragments
from hospital.fragments.card import with_everything
from hospital.live.hub import Audience
from hospital.live.rendering import Unrenderable, rendering
from hospital.live.resume import Tail, Touch
from hospital.records import Alert


class Cards:
    def __init__(self, fragments: Fragments) -> None:
        self._fragments = fragments
        self._alerts: OrderedDict[int, Alert] = OrderedDict()

    def renew(self, session: Session, touched: set[int], watched: set[int]) -> None:
        """These have changed: load those that somebody watches, forget the others."""
        for alert_id in touched:
            self._alerts.pop(alert_id, None)
        with suppress(Unrenderable), rendering("alerts", 0):  # html() tells those who should have seen it
            self._load(session, watched)

    def forget(self) -> None:
        """A backup was put back: numbers are given out a second time."""
        self._alerts.clear()

    def html(self, audience: Audience, tail: Tail, touches: list[Touch]) -> str:
        """Each touched thing once, as it is now; what has left the audience's units as a tombstone.

        Raises Unrenderable, and what the database raises while it is away.
        """
        if not audience.wants_alerts:
            return ""
        versions = {touch.alert_id: touch.number for touch in touches if touch.seen_by(audience)}
        if not versions:
            return ""
        with rendering("alerts", audience.hospital_id), self._fragments.speaking(audience.language):
            alerts = self._at_least(versions)
            return "\n".join(html for id in versions for html in self._fragments_of(audience, tail, alerts[id]))

    def _at_least(self, versions: dict[int, int]) -> dict[int, Alert]:
        """These alerts, each at this version or newer: two reads may end in the other order than they began."""
        known = {id: self._alerts[id] for id in versions if id in self._alerts}
        missing = {id for id, version in versions.items() if id not in known or known[id].version < version}
        if missing:
            with records.read() as session:
                known |= self._load(session, missing)
        return known

    def _load(self, session: Session, alert_ids: set[int]) -> dict[int, Alert]:
        if not alert_ids:
            return {}
        query = with_everything(select(Alert).where(Alert.id.in_(alert_ids)))
        loaded = {alert.id: alert for alert in session.scalars(query).unique()}
        self._alerts.update(loaded)
        while len(self._alerts) > settings.current.ring_lines:
            self._alerts.popitem(last=False)
        return loaded

    def _fragments_of(self, audience: Audience, tail: Tail, alert: Alert) -> Iterator[str]:
        """One for each view that shows it."""
        sees = audience.sees(alert.unit_id)
        if audience.wants_alert(alert.patient_id):
            card = self._fragments.card(alert, tail.zone, identity=audience.identity) if sees else None
            yield card or self._fragments.left(alert.id, alert.version)
        if "board" in audience.views:
            row = self._fragments.board_row(alert, tail.zone) if sees else None
            yield row or self._fragments.board_left(alert.id, alert.version)
