"""The door of the stream: who comes in, what the head says, what comes first, and how it ends."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise

import gevent
import pytest
from werkzeug.test import TestResponse

from hospital import clock, meters, settings
from hospital.live.frame import auth
from hospital.live.stream import QueueLine
from tests.live.lines import audience_of, cursor_of, seat, shown, visitor_of, watch_of
from tests.support.alarms import alarm
from tests.support.house import House
from tests.support.server import Server
from tests.support.sse import Event, Reader, Stream, greeted, opened, sign_in, until

_BEAT_S = 0.3
_STREAM = "/live/stream?view=alerts"


class Answer:
    """A stream of Flask's test client: no socket, so its frames come from a queue."""

    def __init__(self, response: TestResponse) -> None:
        assert response.status_code == 200, response.status
        self.response = response
        self._parts = iter(response.response)

    def next(self) -> list[Event]:
        """The events of the next piece; it must have been sent already."""
        with gevent.Timeout(5):
            return Reader(next(self._parts)).events

    @property
    def is_over(self) -> bool:
        with gevent.Timeout(5):
            return next(self._parts, None) is None

    def close(self) -> None:
        self.response.close()


@pytest.fixture
def listen(house: House) -> Iterator[Callable[[str, str], Answer]]:
    """Opens a stream through the test client: listen(name, query)."""
    house.relay.look()
    answers: list[Answer] = []

    def open_stream(name: str = "nurse", query: str = "view=alerts", **headers: str) -> Answer:
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        answers.append(Answer(visitor_of(house, name).get(f"/live/stream?{query}", headers=sent, buffered=False)))
        return answers[-1]

    yield open_stream
    for answer in answers:
        answer.close()


# ---- Who comes in ----------------------------------------------------------------------------------------------------


def test_a_stranger_is_not_let_in(house: House) -> None:
    response = house.visitor().get(_STREAM)
    assert response.status_code == 401
    assert response.mimetype == "application/problem+json", "no redirect: a stream cannot sign in"
    assert len(house.relay.hub) == 0


@pytest.mark.parametrize("name", ["admin", "engineer"])
def test_who_may_not_see_alerts_is_not_let_in(house: House, name: str) -> None:
    assert visitor_of(house, name).get(_STREAM).status_code == 403
    assert len(house.relay.hub) == 0


@pytest.mark.parametrize("query", ["", "?view=", "?view=nothing", "?view=alerts&view=nothing", "?after=e-1"])
def test_a_stream_without_a_view_that_there_is_is_refused(house: House, query: str) -> None:
    response = visitor_of(house, "nurse").get(f"/live/stream{query}")
    assert response.status_code == 400
    assert "alerts" in response.get_data(as_text=True), "says what there is"


def test_a_session_that_has_ended_is_not_let_in(house: House) -> None:
    nurse = visitor_of(house, "nurse")
    nurse.act("/sign-out")
    assert nurse.get(_STREAM).status_code == 401


def test_too_many_streams_of_one_person_are_refused_and_those_of_others_are_not(
    house: House, listen: Callable[..., Answer], set_to: Callable[..., None]
) -> None:
    set_to(streams_per_person=2)
    for _ in range(2):
        listen("nurse").next()
    refused = visitor_of(house, "nurse").get(_STREAM)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
    listen("nurse2").next()
    assert len(house.relay.hub) == 3


def test_the_audience_comes_from_the_person_and_not_from_the_address(
    house: House, listen: Callable[..., Answer]
) -> None:
    for name in ("nurse", "charge", "nurse-b"):
        listen(name, "view=alerts&view=alerts&units=2&hospital_id=2&identity=0").next()
        assert house.relay.hub.everyone()[-1].watch.audience == audience_of(house, name)
    assert {line.watch.audience.hospital_id for line in house.relay.hub.everyone()} == {1, 2}


# ---- What comes, through a client without a socket -------------------------------------------------------------------


def test_hello_comes_first(listen: Callable[..., Answer], house: House) -> None:
    (hello,) = listen().next()
    said = json.loads(hello.data)
    assert (hello.name, said["head"], said["beat_s"]) == ("hello", 0, settings.current.beat_s)
    assert said["cursor"] == cursor_of(house.relay, house.hospital().id)
    assert abs((datetime.fromisoformat(said["now"]) - clock.now()).total_seconds()) < 5


def test_a_page_of_another_build_is_told_so_right_after_hello(house: House, listen: Callable[..., Answer]) -> None:
    build = house.app.config["BUILD"]
    house.raise_alarm()
    house.relay.look()
    after = f"after={house.hospital().epoch}-0"
    hello, reload, replayed = listen(query=f"view=alerts&{after}&build=of-yesterday").next()
    assert (json.loads(hello.data)["build"], json.loads(reload.data)) == (build, {"build": build})
    assert (hello.name, reload.name, replayed.name, reload.id) == ("hello", "reload", "frame", None)


def test_a_page_of_this_build_and_a_program_without_one_are_told_nothing(
    house: House, listen: Callable[..., Answer]
) -> None:
    for query in ("view=alerts", f"view=alerts&build={house.app.config['BUILD']}"):
        assert [event.name for event in listen(query=query).next()] == ["hello"]


def test_while_the_process_is_going_no_stream_is_opened(house: House) -> None:
    house.relay.drain(0)
    refused = visitor_of(house, "nurse").get(_STREAM)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")


def test_then_what_came_after_the_cursor(house: House, listen: Callable[..., Answer]) -> None:
    house.raise_alarm(alert_id="one")
    second = house.raise_alarm(alert_id="two")
    house.relay.look()
    hello, replayed = listen(query=f"view=alerts&after={house.hospital().epoch}-1").next()
    assert [article.alert_id for article in shown(replayed)] == [second]


def test_the_last_event_id_wins_over_the_address(house: House, listen: Callable[..., Answer]) -> None:
    """A browser that reconnects asks for the address of the page, which is old by then."""
    for name in ("one", "two", "three"):
        house.raise_alarm(alert_id=name)
    house.relay.look()
    epoch = house.hospital().epoch
    _, replayed = listen(query=f"view=alerts&after={epoch}-0", Last_Event_ID=f"{epoch}-2").next()
    assert len(shown(replayed)) == 1
    _, replayed = listen(query=f"view=alerts&after={epoch}-1", Last_Event_ID="").next()
    assert len(shown(replayed)) == 2


@pytest.mark.parametrize("how", ["after", "Last-Event-ID"])
def test_the_cursor_of_another_hospital_is_answered_with_a_resync(
    house: House, listen: Callable[..., Answer], how: str
) -> None:
    house.raise_alarm()
    house.relay.look()
    theirs = f"{house.hospital('demo-b').epoch}-0"
    query, headers = ("view=alerts", {how: theirs}) if how == "Last-Event-ID" else (f"view=alerts&after={theirs}", {})
    hello, resync = listen(query=query, **headers).next()
    assert (hello.name, resync.name) == ("hello", "resync")
    assert json.loads(resync.data) == {"why": "another epoch"}


def test_frames_and_beats_come_as_they_are_sent(house: House, listen: Callable[..., Answer]) -> None:
    stream = listen()
    stream.next()
    house.raise_alarm()
    house.relay.look()
    house.relay.beat()
    assert [event.name for event in (*stream.next(), *stream.next())] == ["frame", "beat"]


def test_the_last_word_is_the_last(house: House, listen: Callable[..., Answer]) -> None:
    stream = listen()
    stream.next()
    (line,) = house.relay.hub.everyone()
    line.close(auth("session ended"))
    line.send(b"never")
    assert [event.name for event in stream.next()] == ["auth"]
    assert stream.is_over
    assert len(house.relay.hub) == 0


def test_a_queue_that_nobody_empties_is_thrown_away_for_one_resync(house: House) -> None:
    house.relay.look()
    line = QueueLine(watch_of(house, "nurse"), house.relay)
    for number in range(100):
        line.send(b"%d" % number)
    assert [line.waiting.get_nowait() for _ in range(2)] == [b"0", b"1"]
    for number in range(100, 103):
        line.send(b"%d" % number)
    assert line.waiting.get_nowait() == house.relay.resync(house.hospital().id)
    assert line.waiting.empty()


def test_a_full_queue_that_was_ended_stays_ended(house: House) -> None:
    line = QueueLine(watch_of(house, "nurse"), house.relay)
    for _ in range(100):
        line.send(b"frame")
    line.close(b"auth")
    line.send(b"more")
    line.close(b"again")
    left = [line.waiting.get_nowait() for _ in range(line.waiting.qsize())]
    assert left[-2:] == [b"auth", None]


# ---- Through the real handler, in this process -----------------------------------------------------------------------


def test_the_socket_is_handed_over_and_no_greenlet_stays_with_it(house: House, port: int) -> None:
    (stream,) = opened(port, [seat(house, "nurse")[0]])
    assert len(house.relay.outlet) == len(house.relay.hub) == 1
    house.raise_alarm()
    house.relay.look()
    until(lambda: stream.named("frame"), stream)
    assert meters.counted("streams_opened_total", transport="sse") == 1
    stream.close()
    until(lambda: len(house.relay.hub) == 0)


def test_the_head_lets_nobody_keep_or_hold_back_what_follows(house: House, port: int) -> None:
    (stream,) = opened(port, [seat(house, "nurse")[0]])
    assert stream.status == 200
    assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert stream.headers["cache-control"] == "no-store"
    assert stream.headers["x-accel-buffering"] == "no"
    assert stream.headers["connection"] == "close"
    assert "transfer-encoding" not in stream.headers
    assert "content-length" not in stream.headers
    assert stream.body.startswith(b"event: hello\n")
    stream.close()


def test_a_replay_that_fails_ends_the_stream_instead_of_leaving_it_silent(
    house: House, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = seat(house, "nurse")[0]
    monkeypatch.setattr(house.relay, "_first_words", lambda *_: 1 / 0)
    monkeypatch.setattr(gevent.get_hub(), "print_exception", lambda *_: None)
    stream = Stream(port, cookie)
    until(lambda: stream.over, stream)
    assert stream.body == b"", "not even an error page in an event stream"
    assert len(house.relay.outlet) == len(house.relay.hub) == 0


def test_a_closed_stream_makes_room_for_another(house: House, port: int, set_to: Callable[..., None]) -> None:
    set_to(streams_per_person=2)
    cookie = seat(house, "nurse")[0]
    first, _second = opened(port, [cookie] * 2)
    refused = Stream(port, cookie)
    until(lambda: refused.status, refused)
    assert (refused.status, refused.headers["retry-after"]) == (429, "5")
    first.close()
    until(lambda: len(house.relay.hub) == 1)
    opened(port, [cookie])


def test_who_goes_before_the_head_leaves_nothing_behind(house: House, port: int) -> None:
    cookie = seat(house, "nurse")[0]
    for _ in range(20):
        Stream(port, cookie).reset()
    (last,) = opened(port, [cookie])
    until(lambda: len(house.relay.outlet) == 1)
    assert len(house.relay.hub) == 1
    last.close()


def test_a_refusal_is_an_ordinary_answer(port: int) -> None:
    stream = Stream(port, None)
    until(lambda: stream.status, stream)
    assert (stream.status, stream.headers["content-type"]) == (401, "application/problem+json")
    stream.close()


def test_asking_for_the_head_alone_opens_no_stream(house: House, port: int) -> None:
    stream = Stream(port, seat(house, "nurse")[0], method="HEAD", Connection="close")
    until(lambda: stream.over, stream)
    assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert b"event" not in stream.body
    assert len(house.relay.outlet) == len(house.relay.hub) == 0


# ---- A real server ---------------------------------------------------------------------------------------------------


@pytest.fixture
def server(new_server: Callable[..., Server]) -> Server:
    return new_server(HOSPITAL_BEAT_S=str(_BEAT_S))


def test_it_beats_and_delivers_and_continues(server: Server) -> None:
    nurse = sign_in(server.port, "nurse")
    stream = Stream(server.port, nurse.cookie)
    greeted(stream)
    said = json.loads(stream.events[0].data)
    assert said["beat_s"] == _BEAT_S
    until(lambda: len(stream.named("beat")) == 4, stream)
    moments = [datetime.fromisoformat(json.loads(beat.data)["now"]) for beat in stream.named("beat")]
    for earlier, later in pairwise(moments):
        assert 0.5 * _BEAT_S < (later - earlier).total_seconds() < 5 * _BEAT_S
    assert abs((datetime.now(UTC) - moments[-1]).total_seconds()) < 5
    server.send(alarm(alert_id="one"))
    until(lambda: stream.named("frame"), stream)
    until(lambda: stream.events[-1].name == "beat", stream)
    (frame,) = stream.named("frame")
    assert frame.id == stream.events[-1].id == said["cursor"].replace("-0", "-1")
    stream.close()

    server.send(alarm(alert_id="two"))
    again = Stream(server.port, nurse.cookie, after=said["cursor"], Last_Event_ID=str(frame.id))
    until(lambda: again.named("frame"), again)
    assert [event.name for event in again.events][:1] == ["hello"]
    (article,) = shown(again.named("frame")[0])
    assert article.version == 2
    again.close()


def test_signing_out_changing_role_and_being_disabled_end_the_stream_within_one_beat(server: Server) -> None:
    passes = {name: sign_in(server.port, name) for name in ("nurse", "nurse2", "charge", "physician", "nurse-icu")}
    streams = {name: Stream(server.port, its.cookie) for name, its in passes.items()}
    greeted(*streams.values())
    assert passes["nurse"].post("/sign-out") == 303
    _change_person(server, "nurse2", "active = 0")
    _change_person(server, "charge", "role = 'nurse'")
    _change_person(server, "physician", "role = 'engineer'")
    stays = streams.pop("nurse-icu")
    until(lambda: True, *streams.values())
    beats = {name: len(stream.named("beat")) for name, stream in streams.items()}
    until(lambda: all(stream.over for stream in streams.values()), stays, *streams.values())
    for name, stream in streams.items():
        assert len(stream.named("beat")) <= beats[name] + 1
    assert {name: stream.events[-1].data for name, stream in streams.items()} == {
        "nurse": '{"why": "session ended"}',
        "nurse2": '{"why": "rights changed"}',
        "charge": '{"why": "rights changed"}',
        "physician": '{"why": "rights changed"}',
    }
    for stream in streams.values():
        assert [event.name for event in stream.events].count("auth") == 1
        assert stream.events[-1].name == "auth" and stream.reader.is_between_events
        assert stream.over == "closed"
    beats_of_all = max(len(stream.named("beat")) for stream in streams.values())
    until(lambda: len(stays.named("beat")) > beats_of_all + 1, stays)
    assert not stays.over

    again = {name: Stream(server.port, its.cookie) for name, its in passes.items()}
    until(lambda: all(stream.status for stream in again.values()), *again.values())
    assert {name: stream.status for name, stream in again.items()} == {
        "nurse": 401,
        "nurse2": 401,
        "charge": 200,
        "physician": 403,
        "nurse-icu": 200,
    }


def _change_person(server: Server, name: str, what: str) -> None:
    """As an administrator's act will one day; it moves changed_at as well."""
    now = clock.now().strftime("%Y-%m-%d %H:%M:%S.%f")
    with closing(sqlite3.connect(server.folder / "hospital.db", timeout=5)) as database, database:
        database.execute(f"UPDATE person SET {what}, changed_at = ? WHERE name = ?", (now, name))
