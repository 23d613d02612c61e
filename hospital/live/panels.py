"""The wall's row of beds and the page of numbers: asked of the database once for all who have the same units."""

import time
from collections import defaultdict

from hospital import clock, meters, records, settings
from hospital.fragments import Fragments
from hospital.fragments.panel import BoardBed, board_beds, metrics
from hospital.live import frame
from hospital.live.frame import Frame
from hospital.live.hub import Audience, Hub
from hospital.live.outlet import Outlet
from hospital.live.rendering import Unrenderable, rendering
from hospital.live.resume import Tail

Units = tuple[int, frozenset[int | None]]  # of which hospital, and which
Key = tuple[Units, str]  # and in which language


class Panels:
    """Turned once a second. Latest wins here, too."""

    def __init__(self, hub: Hub, outlet: Outlet, fragments: Fragments) -> None:
        self._hub = hub
        self._outlet = outlet
        self._fragments = fragments
        self._beds: dict[Key, tuple[list[BoardBed], Frame]] = {}  # as last sent; only of who is being watched
        self._last_panel = 0.0

    def turn(self, tails: dict[int, Tail]) -> None:
        self._send_beds(tails)
        if time.monotonic() - self._last_panel >= settings.current.metrics_every_s:
            self._last_panel = time.monotonic()
            self._send_numbers(tails)

    def recent(self, audience: Audience) -> list[Frame]:
        """For one who joins: a bed may have changed between the page and the stream. Whose kind nobody watches yet
        gets the beds at the next turn."""
        last = self._beds.get(_key(audience)) if "board" in audience.views else None
        return [last[1]] if last else []

    def _send_beds(self, tails: dict[int, Tail]) -> None:
        watched = self._watched("board", tails)
        self._beds = {key: last for key, last in self._beds.items() if key in watched}
        now: dict[Units, list[BoardBed]] = {}
        for key, audiences in watched.items():
            units, _ = key
            if units not in now:
                with records.read() as session:
                    now[units] = board_beds(session, *units)
            if key not in self._beds or self._beds[key][0] != now[units]:
                self._beds[key] = now[units], self._beds_frame(key, now[units], tails[units[0]])
                self._write(audiences, self._beds[key][1])

    def _beds_frame(self, key: Key, beds: list[BoardBed], tail: Tail) -> Frame:
        (hospital_id, _), language = key
        try:
            with rendering("beds", hospital_id), self._fragments.speaking(language):
                return frame.vitals(self._fragments.beds(beds=beds, version=_version()))
        except Unrenderable:
            return frame.resync(tail.cursor, "unrenderable")

    def _send_numbers(self, tails: dict[int, Tail]) -> None:
        for (units, language), audiences in self._watched("metrics", tails).items():
            self._write(audiences, self._numbers_frame(units, language, tails[units[0]]))

    def _numbers_frame(self, units: Units, language: str, tail: Tail) -> Frame:
        try:
            with rendering("numbers", units[0]), records.read() as session, self._fragments.speaking(language):
                return frame.vitals(self._fragments.panel(m=metrics(session, *units, tail.zone)))
        except Unrenderable:
            return frame.resync(tail.cursor, "unrenderable")

    def _watched(self, view: str, tails: dict[int, Tail]) -> dict[Key, list[Audience]]:
        watched: dict[Key, list[Audience]] = defaultdict(list)
        for hospital_id in self._hub.hospitals() & tails.keys():
            for audience in self._hub.audiences(hospital_id):
                if view in audience.views:
                    watched[_key(audience)].append(audience)
        return watched

    def _write(self, audiences: list[Audience], what: Frame) -> None:
        meters.count("vitals_frames_total")
        for audience in audiences:
            self._outlet.write_all(self._hub.lines(audience), what)


def _key(audience: Audience) -> Key:
    return (audience.hospital_id, audience.units), audience.language


def _version() -> int:
    return int(clock.now().timestamp() * 1000)
