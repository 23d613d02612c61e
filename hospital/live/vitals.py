"""News of the second kind: vital signs. The latest wins, at most one frame an audience and turn.

There is no replay: each thing carries its own version, and what a screen has missed is overtaken by what comes. Who
joins gets what has changed in the last minute; who was away for longer fetches its page anew (static/js/stream.js).
"""

import time
from collections import OrderedDict
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from hospital import clock, meters, records, settings
from hospital.fragments import Fragments
from hospital.fragments.tile import OpenAlerts, open_alerts
from hospital.live import frame
from hospital.live.frame import Frame
from hospital.live.hub import Audience, Hub
from hospital.live.outlet import Outlet
from hospital.live.panels import Panels
from hospital.live.rendering import Unrenderable, rendering
from hospital.live.resume import Tail
from hospital.records import Monitoring

_OVERLAP = timedelta(seconds=3)  # a change that was committed a little after its time is still seen
_KEPT = timedelta(seconds=60)
_NEVER = datetime.min.replace(tzinfo=UTC)

Change = tuple[Monitoring, frozenset[int | None]]  # and the units that it has left, whose screens do not know yet


class Vitals:
    """What the relay sends besides the journal."""

    def __init__(self, hub: Hub, outlet: Outlet, fragments: Fragments) -> None:
        self._hub = hub
        self._outlet = outlet
        self._fragments = fragments
        self._panels = Panels(hub, outlet, fragments)
        self._patients: OrderedDict[int, Monitoring] = OrderedDict()  # changed within the last minute
        self._alerts: dict[int, OpenAlerts] = {}
        self._sent: dict[int, tuple[int, datetime]] = {}  # patient → version, and the last move that has been told
        self._tiles: dict[tuple[int, bool, str], str] = {}  # of this turn: patient, with identity, language
        self._recent: dict[Audience, list[Frame]] = {}  # of this turn
        self._looked_at = clock.now() - _KEPT
        self._next_turn = 0.0

    @property
    def due_in_s(self) -> float:
        return max(0.0, self._next_turn - time.monotonic())

    def turn(self, tails: dict[int, Tail]) -> None:
        """When it is due: send what has changed since the last turn to those who watch it."""
        if self.due_in_s > 0:
            return
        self._next_turn = _next(self._next_turn, settings.current.vitals_every_s)
        changed = self._look()
        self._tiles.clear()
        self._recent.clear()
        for hospital_id in self._hub.hospitals() & tails.keys():
            mine = [self._change(one) for one in changed if one.hospital_id == hospital_id]
            for audience in self._hub.audiences(hospital_id):
                self._send(audience, tails[hospital_id], mine)
        self._panels.turn(tails)
        for one in changed:
            self._sent[one.patient_id] = one.version, one.moved_at or _NEVER

    def recent(self, audience: Audience, tail: Tail) -> list[Frame]:
        """For one who joins: what may have changed between the page and the stream."""
        if audience.wants_vitals and audience not in self._recent:
            since = clock.now() - _KEPT
            changes = [(one, one.left_since(since)) for one in self._patients.values()]
            self._recent[audience] = self._frames(audience, tail, changes)
        return [*self._recent.get(audience, []), *self._panels.recent(audience)]

    def _look(self) -> list[Monitoring]:
        """The patients that have changed since the last look."""
        now = clock.now()
        with records.read() as session:
            query = select(Monitoring).where(Monitoring.changed_at > self._looked_at - _OVERLAP)
            to_one = (Monitoring.patient, Monitoring.unit, Monitoring.bed)
            seen = session.scalars(query.options(*(joinedload(what) for what in to_one))).all()
            changed = [one for one in seen if self._sent.get(one.patient_id, (0,))[0] != one.version]
            self._alerts |= open_alerts(session, [one.patient_id for one in changed])
        self._looked_at = now
        for one in changed:
            self._patients[one.patient_id] = one
            self._patients.move_to_end(one.patient_id)
        while self._patients and next(iter(self._patients.values())).changed_at < now - _KEPT:
            patient_id, _ = self._patients.popitem(last=False)
            self._alerts.pop(patient_id, None)
        return changed

    def _change(self, one: Monitoring) -> Change:
        _, told = self._sent.get(one.patient_id, (0, clock.now() - _KEPT))
        return one, one.left_since(told)

    def _send(self, audience: Audience, tail: Tail, changes: list[Change]) -> None:
        if audience.wants_vitals:
            for each in self._frames(audience, tail, changes):
                meters.count("vitals_frames_total")
                self._outlet.write_all(self._hub.lines(audience), each)

    def _frames(self, audience: Audience, tail: Tail, changes: list[Change]) -> list[Frame]:
        """One, or none if it would be empty."""
        if not changes:
            return []
        try:
            with rendering("vitals", audience.hospital_id), self._fragments.speaking(audience.language):
                html = "\n".join(self._html(audience, tail, one, left) for one, left in changes).strip()
        except Unrenderable:
            meters.count("resyncs_total", reason="unrenderable")
            return [frame.resync(tail.cursor, "unrenderable")]
        return [frame.vitals(html)] if html else []

    def _html(self, audience: Audience, tail: Tail, one: Monitoring, left: frozenset[int | None]) -> str:
        if one.hospital_id != audience.hospital_id or not audience.wants_tile(one.patient_id):
            return ""
        if audience.sees(one.unit_id):
            return self._tile(audience, tail, one)
        if left & audience.units:
            return self._fragments.patient_left(one.patient_id, one.version)
        return ""

    def _tile(self, audience: Audience, tail: Tail, one: Monitoring) -> str:
        key = (one.patient_id, audience.identity, audience.language)
        if key not in self._tiles:
            alerts = self._alerts.get(one.patient_id, OpenAlerts())
            self._tiles[key] = self._fragments.tile(one, tail.zone, alerts, identity=audience.identity)
        return self._tiles[key]


def _next(due: float, every_s: float) -> float:
    """A turn that came a little late does not put off the one after it; a long pause is not made up for."""
    now = time.monotonic()
    return due + every_s if now - due < every_s / 2 else now + every_s
