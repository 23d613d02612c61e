"""Tails the journal: each new line becomes, once for each audience, a frame with the current state of what it touched.

The bell only says "look now"; a look every second finds everything that a bell did not ring for. Frames and beats go
out from this one greenlet, so a beat's number never runs ahead of what was written.
"""

import logging
import random
import time
from collections import Counter
from datetime import timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import gevent
from gevent.lock import BoundedSemaphore
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from hospital import clock, meters, records, settings
from hospital.access import sessions
from hospital.fragments import Fragments
from hospital.live import frame
from hospital.live.cards import Cards
from hospital.live.frame import Frame
from hospital.live.hub import SIGNED_OUT, Audience, Hub, Line, Watch
from hospital.live.outlet import Outlet
from hospital.live.rendering import Unrenderable
from hospital.live.resume import Gap, Tail, Touch
from hospital.live.vitals import Vitals
from hospital.records import Hospital, JournalLine, Person, PersonSession

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_LINES_AT_ONCE = 2_000
_REPLAYS_KEPT = 1_000
_CHANGED = "rights changed"  # static/js/stream.js loads the page anew
_OVERLAP = timedelta(seconds=10)  # an end that was committed a little after its time is still seen


class Relay:
    """One in each server process."""

    def __init__(self, fragments: Fragments, build: str = "") -> None:
        self.hub = Hub()
        self.outlet = Outlet(self.hub, self.resync)
        self._build = build
        self._cards = Cards(fragments)
        meters.gauge("streams_open", self.open_streams)
        self._vitals = Vitals(self.hub, self.outlet, fragments)
        self._tails: dict[int, Tail] = {}
        self._notices = lru_cache(64)(lambda number: frame.vitals(fragments.notices_number(number)))
        self._replays: dict[tuple[Audience, str, str], Frame] = {}  # whom, after which cursor, up to which
        self._last_beat = 0.0
        self._ends_seen = clock.now()
        self.draining = False
        self._stopped = False
        self._sending = BoundedSemaphore(1)  # a joining line may look as well: never two at once, nor a beat meanwhile

    def run(self) -> None:
        """Until stop(). Survives a database that is away for a while: then no beat says that all is well."""
        while not self._stopped:
            records.bell.wait(timeout=self._until_next())
            records.bell.clear()
            began, sent = time.monotonic(), True
            try:
                sent = self.turn()
            except Exception:  # the loop must live; screens turn STALE by themselves while it fails
                meters.count("relay_failures_total")
                log.exception("relay: a look at the journal failed")
                gevent.sleep(_LOOK_EVERY_S)
            if sent:  # what comes within this time goes out together
                gevent.sleep(max(0.0, settings.current.coalesce_ms / 1000 - (time.monotonic() - began)))

    def drain(self, window_s: float) -> None:
        """This process goes: no new line, and the open ones end one after the other, news coming until then."""
        self.draining = True
        began, lines = time.monotonic(), self.hub.everyone()
        random.shuffle(lines)
        self.outlet.write_all(lines, frame.drain(window_s))
        for done, line in enumerate(lines, 1):
            if not len(self.hub):  # they have all gone by themselves
                break
            gevent.sleep(max(1e-5, began + window_s * done / len(lines) - time.monotonic()))
            line.close()
        for late in self.hub.everyone():
            late.close(frame.drain(0))

    def stop(self) -> None:
        """Let run() return after the look that it is at."""
        self._stopped = True
        records.bell.set()

    def turn(self) -> bool:
        """One look at the journal, and a beat if it is time for one. Whether the journal had news."""
        news = self.look()
        self._vitals.turn(self._tails)
        self.outlet.drop_stuck()
        if time.monotonic() - self._last_beat >= settings.current.beat_s:
            self._last_beat = time.monotonic()
            self.end_sessions()
            self.beat()
        return news

    def look(self) -> bool:
        """Send everything that the journal has and the screens have not. Whether there was anything."""
        with self._sending:
            news = self._news()
            for hospital_id, touches in news:
                self._send(hospital_id, touches)
        if any(len(touches) == _LINES_AT_ONCE for _, touches in news):
            records.bell.set()  # there is more: go on at once
        return bool(news)

    def beat(self) -> None:
        """Tell every line up to where it has everything."""
        now = clock.now()
        with self._sending:
            for hospital_id in self.hub.hospitals():
                tail = self._tails[hospital_id]
                data = frame.beat(tail.cursor, tail.sent, now)
                for audience in self.hub.audiences(hospital_id):
                    lines = self.hub.lines(audience)
                    self.outlet.write_all(lines, data)
                    for line in lines:
                        if not line.waiting_bytes:
                            line.beat_at = now
        self.outlet.probe()

    def end_sessions(self) -> None:
        """One query: whose session has ended, or whose rights have changed, since the last look."""
        now = clock.now()
        since = self._ends_seen - _OVERLAP
        with records.read() as session:
            rows = session.execute(
                select(PersonSession.id, PersonSession.person_id, PersonSession.ended_at, Person.changed_at)
                .join(Person)
                .where(or_(PersonSession.ended_at > since, Person.changed_at > since))
            ).all()
        sessions.lately.forget({session_id for session_id, *_ in rows})
        self._ends_seen = now  # only now: what ended while the database was away is still to be seen
        for session_id, person_id, ended_at, changed_at in rows:
            for line in self.hub.of_person(person_id):
                if line.watch.session_id == session_id and (ended_at or changed_at != line.watch.changed_at):
                    line.close(frame.auth("session ended" if ended_at else _CHANGED), SIGNED_OUT)
        for line in self.hub.everyone():
            if line.watch.expires_at <= now:
                line.close(frame.auth("session expired"), SIGNED_OUT)
            elif line.watch.narrows_at is not None and line.watch.narrows_at <= now:
                line.close(frame.auth(_CHANGED), SIGNED_OUT)

    def join(self, line: Line, after: str | None) -> None:
        """Say hello, bring the line up to date, and let it have everything from then on: no frame falls in between."""
        hospital_id = line.watch.audience.hospital_id
        if hospital_id not in self._tails or (after and self._tails[hospital_id].is_behind(after)):
            self.look()
        while True:
            tail = self._tails[hospital_id]
            sent_before = tail.sent
            first = self._first_words(line.watch, after)  # may read the database, and so let a frame pass
            if tail is self._tails[hospital_id] and tail.sent == sent_before:
                break
        if not line.ended:  # the peer may have gone meanwhile: what has ended and joins would never leave
            self.hub.join(line)
            line.send(first)

    def _until_next(self) -> float:
        beat_in_s = max(0.0, self._last_beat + settings.current.beat_s - time.monotonic())
        return min(_LOOK_EVERY_S, beat_in_s, self._vitals.due_in_s)

    def _news(self) -> list[tuple[int, list[Touch]]]:
        with records.read() as session:
            news = []
            for hospital_id, code, epoch, head, zone, notices in session.execute(
                select(
                    *(Hospital.id, Hospital.code, Hospital.epoch, Hospital.head, Hospital.timezone, Hospital.notices)
                )
            ).all():
                tail = self._tail(session, hospital_id, epoch, head, zone)
                tail.code = code
                self._tell_notices(hospital_id, tail, notices)
                if head > tail.sent:
                    news.append((hospital_id, _lines_after(session, hospital_id, tail.sent)))
            self._renew(session, news)
        return news

    def _tell_notices(self, hospital_id: int, tail: Tail, number: int) -> None:
        """A number alone goes to the screens: what is for whom, their pages ask."""
        if tail.notices == number:
            return
        tail.notices = number
        for audience in self.hub.audiences(hospital_id):
            self.outlet.write_all(self.hub.lines(audience), self._notices(number))

    def _tail(self, session: Session, hospital_id: int, epoch: str, head: int, zone: str) -> Tail:
        tail = self._tails.get(hospital_id)
        if tail is not None and tail.epoch == epoch and head >= tail.sent:
            return tail
        fresh = Tail(epoch, head, ZoneInfo(zone))
        first = max(0, head - settings.current.ring_lines)
        fresh.ring.extend(_lines_after(session, hospital_id, first, limit=settings.current.ring_lines))
        self._tails[hospital_id] = fresh
        if tail is not None:  # a backup was put back under our feet
            self._cards.forget()
            self._replays.clear()
            for audience in self.hub.audiences(hospital_id):
                self.outlet.write_all(self.hub.lines(audience), frame.resync(fresh.cursor, "another epoch"))
        return fresh

    def _renew(self, session: Session, news: list[tuple[int, list[Touch]]]) -> None:
        """Load what the new lines touched where somebody watches; forget it where nobody does."""
        touched = {hospital_id: {touch.alert_id for touch in touches} for hospital_id, touches in news}
        watched = [touched[hospital_id] for hospital_id in self.hub.hospitals() & touched.keys()]
        self._cards.renew(session, set().union(*touched.values()), set().union(*watched))

    def _send(self, hospital_id: int, touches: list[Touch]) -> None:
        tail = self._tails[hospital_id]
        html: dict[Audience, str | None] = {}
        while new := [audience for audience in self.hub.audiences(hospital_id) if audience not in html]:
            # May read the database, and so let somebody join. If it fails, these lines count as not sent.
            html |= {audience: self._html(audience, tail, touches) for audience in new}
        tail.take(touches)  # before the first write: who joins from here on has these lines in the replay
        self._replays.clear()
        frames = [
            (self.hub.lines(audience), _frame(tail.cursor, text)) for audience, text in html.items() if text != ""
        ]
        for lines, data in frames:
            meters.count("frames_total")
            meters.count("deliveries_total", len(lines))
            self.outlet.write_all(lines, data)

    def _html(self, audience: Audience, tail: Tail, touches: list[Touch]) -> str | None:
        """None: it cannot be rendered. Those who should see it are told that they do not; all others go on."""
        try:
            return self._cards.html(audience, tail, touches)
        except Unrenderable:
            return None

    def _first_words(self, watch: Watch, after: str | None) -> Frame:
        audience, tail = watch.audience, self._tails[watch.audience.hospital_id]
        replay = self._replay(audience, tail, after)
        hello = frame.hello(
            tail.cursor,
            tail.sent,
            settings.current.beat_s,
            clock.now(),
            replay=bool(replay),
            person=watch.person_id,
            rights=watch.changed_at,
            build=self._build,
        )
        reload = [frame.reload(self._build)] if watch.build not in ("", self._build) else []
        notices = [self._notices(tail.notices)] if tail.notices else []
        return Frame.together(hello, *reload, *notices, *self._vitals.recent(audience, tail), *replay)

    def _replay(self, audience: Audience, tail: Tail, after: str | None) -> list[Frame]:
        """What has changed since `after`, or the word that this cannot be told. Many come back from the same place."""
        if after is None:
            return []
        key = (audience, after, tail.cursor)
        if key in self._replays:
            return [self._replays[key]]
        try:
            html = self._html(audience, tail, tail.since(after))
        except Gap as gap:
            meters.count("resyncs_total", reason=gap.why.replace(" ", "-"))
            return [frame.resync(tail.cursor, gap.why)]
        if html == "":
            return []
        if len(self._replays) >= _REPLAYS_KEPT:
            self._replays.clear()
        self._replays[key] = _frame(key[2], html)
        return [self._replays[key]]

    def open_streams(self) -> list[tuple[dict[str, str], float]]:
        """How many lines of each hospital, role and transport there are now."""
        counts = Counter(
            (self._tails[line.watch.audience.hospital_id].code, line.watch.role.value, line.transport)
            for line in self.hub.everyone()
        )
        return [(dict(zip(("hospital", "role", "transport"), of, strict=True)), n) for of, n in sorted(counts.items())]

    def resync(self, hospital_id: int) -> Frame:
        """For a line that has lost frames."""
        return frame.resync(self._tails[hospital_id].cursor, "slow")


def _frame(cursor: str, html: str | None) -> Frame:
    if html is None:
        meters.count("resyncs_total", reason="unrenderable")
        return frame.resync(cursor, "unrenderable")
    return frame.frame(html, cursor)


def _lines_after(session: Session, hospital_id: int, number: int, limit: int = _LINES_AT_ONCE) -> list[Touch]:
    lines = session.execute(
        select(JournalLine.number, JournalLine.alert_id, JournalLine.unit_before, JournalLine.unit_after)
        .where(JournalLine.hospital_id == hospital_id, JournalLine.number > number)
        .order_by(JournalLine.number)
        .limit(limit)
    )
    return [Touch(*line) for line in lines]
