"""The wall's row of beds and the page of numbers: asked of the database once for all who have the same units."""

import math
import time
from collections import defaultdict

import gevent

from hospital import clock, meters, records, settings
from hospital.fragments import Fragments
from hospital.fragments.beds import BoardBed, board_beds
from hospital.fragments.counting import Counted, Waiting, count, waiting
from hospital.fragments.ranges import Range
from hospital.live import frame
from hospital.live.frame import Frame
from hospital.live.hub import METRICS, Audience, Hub
from hospital.live.outlet import Outlet
from hospital.live.rendering import Unrenderable, rendering
from hospital.live.resume import Tail

_STEPS = 17_280  # a range is counted anew when this part of it has gone by: a day every 5 s, a month every 150 s

Units = tuple[int, frozenset[int | None]]  # of which hospital, and which
Key = tuple[Units, str]  # and in which language


class Panels:
    """Turned once a second. Latest wins here, too."""

    def __init__(self, hub: Hub, outlet: Outlet, fragments: Fragments) -> None:
        self._hub = hub
        self._outlet = outlet
        self._fragments = fragments
        self._beds: dict[Key, tuple[list[BoardBed], Frame]] = {}  # as last sent; only of who is being watched
        self._counting: dict[tuple[int, Units], gevent.Greenlet] = {}
        self._counted_at: dict[int, float] = {}  # the last turn of what is open (0) and of each range, in hours

    def turn(self, tails: dict[int, Tail]) -> None:
        self._send_beds(tails)
        for hours in METRICS:
            every_s = max(settings.current.metrics_every_s, hours * 3_600 / _STEPS)
            if time.monotonic() - self._counted_at.get(hours, -math.inf) >= every_s:
                self._counted_at[hours] = time.monotonic()
                self._count_numbers(hours, tails)
        self._send_numbers(tails)

    def recent(self, audience: Audience) -> list[Frame]:
        """For one who joins: a bed may have changed between the page and the stream. Whose kind nobody watches yet
        gets the beds at the next turn."""
        last = self._beds.get(_key(audience)) if "board" in audience.views else None
        return [last[1]] if last else []

    def _send_beds(self, tails: dict[int, Tail]) -> None:
        watched = self._watched({"board"}, tails)
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

    def _count_numbers(self, hours: int, tails: dict[int, Tail]) -> None:
        """Beside this turn: what counts for long keeps no alarm waiting."""
        for units in {units for units, _ in self._watched(_views(hours), tails)}:
            if (hours, units) not in self._counting:
                self._counting[hours, units] = gevent.spawn(_count, units, hours, tails[units[0]])

    def _send_numbers(self, tails: dict[int, Tail]) -> None:
        """What is open goes to every page of numbers; the alerts of a range to those that show it."""
        for (hours, units), counting in [one for one in self._counting.items() if one[1].dead]:
            del self._counting[hours, units]
            for (whose, language), audiences in self._watched(_views(hours), tails).items():
                if whose == units:
                    self._write(audiences, self._numbers_frame(counting, units[0], language, tails[units[0]]))

    def _numbers_frame(self, counting: gevent.Greenlet, hospital_id: int, language: str, tail: Tail) -> Frame:
        try:
            with rendering("numbers", hospital_id), self._fragments.speaking(language):
                counted = counting.get()
                if isinstance(counted, Exception):
                    raise counted
                return frame.vitals(self._fragments.numbers(counted, tail.zone))
        except Unrenderable:
            return frame.resync(tail.cursor, "unrenderable")

    def _watched(self, views: set[str], tails: dict[int, Tail]) -> dict[Key, list[Audience]]:
        watched: dict[Key, list[Audience]] = defaultdict(list)
        for hospital_id in self._hub.hospitals() & tails.keys():
            for audience in self._hub.audiences(hospital_id):
                if views & audience.views:
                    watched[_key(audience)].append(audience)
        return watched

    def _write(self, audiences: list[Audience], what: Frame) -> None:
        meters.count("vitals_frames_total")
        for audience in audiences:
            self._outlet.write_all(self._hub.lines(audience), what)


def _key(audience: Audience) -> Key:
    return (audience.hospital_id, audience.units), audience.language


def _views(hours: int) -> set[str]:
    """`metrics` alone is the last day."""
    of_range = set(METRICS.values()) if hours == 0 else {METRICS[hours]}
    return of_range | ({"metrics"} if hours in (0, 24) else set())


def _count(units: Units, hours: int, tail: Tail) -> Waiting | Counted | Exception:
    """What went wrong is given back: whoever shows the numbers says so."""
    try:
        if not hours:
            return records.read_aside(lambda session: waiting(session, *units))
        return records.read_aside(lambda session: count(session, *units, tail.zone, Range.up_to_now(hours)))
    except Exception as error:  # raised again by rendering()
        return error


def _version() -> int:
    return int(clock.now().timestamp() * 1000)
