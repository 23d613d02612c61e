"""Two hundred screens at once: each gets everything whole and in order, whoever of the others goes or stops reading."""

import gc
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import cycle, islice
from pathlib import Path

import gevent
import greenlet
import psutil
import pytest
from gevent.pool import Pool
from gevent.pywsgi import WSGIServer

from app import Handler
from tests.live.lines import seat, shown
from tests.support.alarms import alarm
from tests.support.house import House
from tests.support.server import Server
from tests.support.sse import Stream, greeted, opened, sign_in, until

_SCREENS = 200
_ALARMS = 50
_GONE_WITHIN_S = 15.0  # the promise, with the defaults of every setting
_FEW_BYTES = 2_304  # the smallest receive buffer of Linux
_HELD = ("01", "08")  # of /proc/net/tcp: established; half-closed by the other end
_PEOPLE = ("nurse", "nurse2", "charge", "physician")


@pytest.fixture(scope="module", autouse=True)
def many_files() -> Iterator[None]:
    """Both ends of a thousand streams; a server inherits it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8_192)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_stream_is_not_a_greenlet_nor_a_thread(house: House, set_to: Callable[..., None]) -> None:
    set_to(streams_per_person=_SCREENS)
    server = WSGIServer(("127.0.0.1", 0), house.app, handler_class=Handler, log=None, spawn=Pool(_SCREENS))
    server.start()
    relay = gevent.spawn(house.relay.run)
    cookies = [seat(house, name)[0] for name in _PEOPLE]
    opened(server.server_port, cookies)  # whatever is made only once is there now
    until(lambda: len(house.relay.hub) == 0)

    greenlets, threads = _greenlets(), threading.active_count()
    streams = opened(server.server_port, islice(cycle(cookies), _SCREENS))
    assert len(house.relay.outlet) == len(house.relay.hub) == _SCREENS
    until(lambda: _greenlets() - greenlets < 5)
    assert threading.active_count() == threads
    alert_id = house.raise_alarm()
    until(lambda: all(stream.named("frame") for stream in streams), *streams)
    assert {shown(stream.named("frame")[0])[0].alert_id for stream in streams} == {alert_id}
    assert _greenlets() - greenlets < 5

    relay.kill()
    server.stop(timeout=1)


@pytest.mark.timeout(90)
def test_two_hundred_screens_get_everything_though_sixty_of_them_fail(new_server: Callable[..., Server]) -> None:
    server = new_server(HOSPITAL_STREAMS_PER_PERSON=str(_SCREENS))
    cookies = [sign_in(server.port, name).cookie for name in _PEOPLE]
    good = opened(server.port, islice(cycle(cookies), _SCREENS - 60))
    killed = opened(server.port, islice(cycle(cookies), 20))
    halved = opened(server.port, islice(cycle(cookies), 20))
    frozen = [Stream(server.port, cookie, receive_buffer_bytes=_FEW_BYTES) for cookie in islice(cycle(cookies), 20)]
    greeted(*frozen)
    until(lambda: len(_held(server)) == _SCREENS)

    with closing(server.gateway()) as gateway:
        for number in range(_ALARMS):
            if number == _ALARMS // 2:
                began = time.monotonic()
                for stream in killed:
                    stream.reset()
                for stream in halved:
                    stream.half_close()
            gateway.send(_numbered(number))
        until(lambda: len(_held(server)) == _SCREENS - 40, *good, within_s=_GONE_WITHIN_S)
        print(f"{time.monotonic() - began:.2f} s until the killed and half-closed were gone")
        until(lambda: len(_held(server)) == _SCREENS - 60, *good, within_s=_GONE_WITHIN_S)
        print(f"{time.monotonic() - began:.2f} s until the frozen were gone")
        gateway.send(_numbered(_ALARMS))
    until(lambda: all(len(_alert_ids(stream)) > _ALARMS for stream in good), *good)

    ids = [_alert_ids(stream) for stream in good]
    assert len(set(ids[0])) == _ALARMS + 1
    assert ids[0] == sorted(ids[0])
    assert all(each == ids[0] for each in ids)
    for stream in good:
        assert stream.reader.is_between_events and not stream.over
        assert {event.name for event in stream.events} == {"hello", "frame", "beat"}, "nobody had to fetch anew"
    assert {stream.port for stream in good} == _held(server)


def test_an_idle_stream_costs_less_than_eight_kilobytes(new_server: Callable[..., Server]) -> None:
    server = new_server(HOSPITAL_STREAMS_PER_PERSON="5000")
    cookies = [sign_in(server.port, name).cookie for name in _PEOPLE]
    process = psutil.Process(server.pid)
    streams = opened(server.port, islice(cycle(cookies), 200))  # whatever is made only once is there now
    before, files, threads = process.memory_info().rss, process.num_fds(), process.num_threads()
    streams += opened(server.port, islice(cycle(cookies), 1_000))
    assert len(_held(server)) == 1_200
    each = (process.memory_info().rss - before) / 1_000
    print(f"{each:.0f} bytes a stream")
    assert each < 8_192
    assert abs(process.num_fds() - files - 1_000) < 5, "one each; what signed in may have been closing still"
    assert process.num_threads() <= threads


def _greenlets() -> int:
    return sum(isinstance(thing, greenlet.greenlet) and not thing.dead for thing in gc.get_objects())


def _held(server: Server) -> set[int]:
    """The connections to the server's port that it has not closed, by the port of their other end."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ends = [(int(row[1][-4:], 16), int(row[2][-4:], 16), row[3]) for row in rows]
    return {theirs for ours, theirs, state in ends if ours == server.port and state in _HELD}


def _numbered(number: int) -> bytes:
    return alarm(alert_id=f"W{number}", bed=f"MED^^MED-{number % 12 + 1:02d}")


def _alert_ids(stream: Stream) -> list[int]:
    return [article.alert_id for frame in stream.named("frame") for article in shown(frame)]
