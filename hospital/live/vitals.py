"""News of the second kind: vital signs, the wall's beds and the numbers. Latest wins, at most one frame each second.

There is no replay: each thing carries its own version, and what a screen has missed is overtaken by what comes. Who
joins gets what has changed in the last minute; who was away for longer fetches its page anew (static/js/stream.js).
"""

import time
from collections import OrderedDict
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from hospital import clock, meters, records, settings
from hospital.fragments import Fragments
from hospital.fragments.panel import board_beds, metrics
from hospital.fragments.tile import OpenAlerts, open_alerts
from hospital.live import frame
from hospital.live.frame import Frame
from hospital.live.hub import Audience, Hub
from hospital.live.outlet import Outlet
from hospital.live.resume import Tail
from hospital.records import Monitoring

_OVERLAP = timedelta(seconds=3)  # a change that was committed a little after its time is still seen
_KEPT = timedelta(seconds=60)


class Vitals:
    """What the relay sends besides the journal."""

    def __init__(self, hub: Hub, outlet: Outlet, fragments: Fragments) -> None:
        self._hub = hub
        self._outlet = outlet
        self._fragments = fragments
        self._patients: OrderedDict[int, Monitoring] = OrderedDict()  # changed within the last minute
        self._alerts: dict[int, OpenAlerts] = {}
        self._sent: dict[int, int] = {}  # patient → version
        self._left: dict[int, int | None] = {}  # patient → the unit that it was last shown in
        self._looked_at = clock.now() - _KEPT
        self._last_turn = 0.0
        self._last_panel = 0.0
        self._last_beds: dict[Audience, str] = {}

    def turn(self, tails: dict[int, Tail]) -> None:
        """Once a second: send what has changed since the last turn to those who watch it."""
        if time.monotonic() - self._last_turn < settings.current.vitals_every_s:
            return
        self._last_turn = time.monotonic()
        changed = self._look()
        for hospital_id in self._hub.hospitals() & tails.keys():
            tail = tails[hospital_id]
            for audience in self._hub.audiences(hospital_id):
                self._send_tiles(audience, tail, [one for one in changed if one.hospital_id == hospital_id])
                self._send_beds(audience)
                self._send_panel(audience, tail)
        if time.monotonic() - self._last_panel >= settings.current.metrics_every_s:
            self._last_panel = time.monotonic()
        for one in changed:
            self._sent[one.patient_id], self._left[one.patient_id] = one.version, one.unit_id

    def recent(self, audience: Audience, tail: Tail) -> list[Frame]:
        """For one who joins: what may have changed between the page and the stream."""
        if not audience.wants_vitals:
            return []
        html = self._tiles(audience, tail, list(self._patients.values()))
        return [frame.vitals(html)] if html else []

    def _look(self) -> list[Monitoring]:
        """The patients that have changed since the last look."""
        now = clock.now()
        with records.read() as session:
            query = select(Monitoring).where(Monitoring.changed_at > self._looked_at - _OVERLAP)
            to_one = (Monitoring.patient, Monitoring.unit, Monitoring.bed)
            seen = session.scalars(query.options(*(joinedload(what) for what in to_one))).all()
            changed = [one for one in seen if self._sent.get(one.patient_id) != one.version]
            self._alerts |= open_alerts(session, [one.patient_id for one in changed])
        self._looked_at = now
        for one in changed:
            self._patients[one.patient_id] = one
            self._patients.move_to_end(one.patient_id)
        while self._patients and next(iter(self._patients.values())).changed_at < now - _KEPT:
            patient_id, _ = self._patients.popitem(last=False)
            self._alerts.pop(patient_id, None)
        return changed

    def _send_tiles(self, audience: Audience, tail: Tail, changed: list[Monitoring]) -> None:
        if audience.wants_vitals and (html := self._tiles(audience, tail, changed)):
            self._write(audience, html)

    def _tiles(self, audience: Audience, tail: Tail, changed: list[Monitoring]) -> str:
        with self._fragments.speaking(audience.language):
            return "\n".join(
                self._tile(audience, tail, one)
                for one in changed
                if audience.wants_tile(one.patient_id)
                and one.hospital_id == audience.hospital_id
                and (audience.sees(one.unit_id) or audience.sees(self._left.get(one.patient_id, -1)))
            )

    def _tile(self, audience: Audience, tail: Tail, one: Monitoring) -> str:
        if not audience.sees(one.unit_id):
            return self._fragments.patient_left(one.patient_id, one.version)
        alerts = self._alerts.get(one.patient_id, OpenAlerts())
        return self._fragments.tile(one, tail.zone, alerts, identity=audience.identity)

    def _send_beds(self, audience: Audience) -> None:
        if "board" not in audience.views:
            return
        with records.read() as session:
            beds = board_beds(session, audience.hospital_id, audience.units)
        shown = repr(beds)
        if self._last_beds.get(audience) != shown:
            self._last_beds[audience] = shown
            with self._fragments.speaking(audience.language):
                html = self._fragments.beds(beds=beds, version=_version())
            self._write(audience, html)

    def _send_panel(self, audience: Audience, tail: Tail) -> None:
        due = time.monotonic() - self._last_panel >= settings.current.metrics_every_s
        if "metrics" not in audience.views or not due:
            return
        with records.read() as session, self._fragments.speaking(audience.language):
            numbers = metrics(session, audience.hospital_id, audience.units, tail.zone)
            html = self._fragments.panel(m=numbers)
        self._write(audience, html)

    def _write(self, audience: Audience, html: str) -> None:
        lines = self._hub.lines(audience)
        meters.count("vitals_frames_total")
        self._outlet.write_all(lines, frame.vitals(html))


def _version() -> int:
    return int(clock.now().timestamp() * 1000)
