"""The door of the WebSocket: who is refused before the upgrade, and the one protocol behind it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from wsproto.events import TextMessage

from hospital import meters, records
from hospital.access.signing_in import sign_out
from hospital.live.hub import RESTART, SIGNED_OUT
from hospital.records import AuditLine
from tests.live.lines import seat, shown, visitor_of
from tests.support.house import House
from tests.support.server import Server
from tests.support.sse import Stream, sign_in, until
from tests.support.websocket import HANDSHAKE, Socket


def answered(port: int, cookie: str | None, *views: str, **how: Any) -> Socket:
    """A socket whose head is there, and its hello if it was let in."""
    made = Socket(port, cookie, *views, **how)
    until(lambda: made.status and (made.status != 101 or made.named("hello")), made)
    return made


# ---- One protocol ----------------------------------------------------------------------------------------------------


def test_a_message_is_the_text_of_one_block_without_the_blank_line_that_closes_it(house: House, port: int) -> None:
    cookie = seat(house, "nurse")[0]
    socket, stream = answered(port, cookie), Stream(port, cookie)
    until(lambda: stream.named("hello"), stream)
    house.raise_alarm()
    house.relay.look()
    house.relay.beat()
    until(lambda: stream.named("beat") and socket.named("beat"), stream, socket)
    blocks = stream.body.decode().removesuffix("\n\n").split("\n\n")
    assert [block.split("\n")[0] for block in blocks] == ["event: hello", "event: frame", "event: beat"]
    assert socket.texts[1:] == blocks[1:], "hello alone holds the moment of its opening"


def test_an_opened_socket_is_one_look_written_down_before_its_hello(house: House, port: int) -> None:
    cookie = seat(house, "nurse")[0]
    answered(port, cookie, "alerts", "patients")
    with records.read() as session:
        looks = session.execute(select(AuditLine.object, AuditLine.outcome).where(AuditLine.act == "look")).all()
    assert looks[-1] == ("/live/socket alerts patients", 200)


def test_what_came_after_the_cursor_comes_after_hello(house: House, port: int) -> None:
    house.raise_alarm(alert_id="one")
    second = house.raise_alarm(alert_id="two")
    house.relay.look()
    socket = answered(port, seat(house, "nurse")[0], after=f"{house.hospital().epoch}-1")
    until(lambda: socket.named("frame"), socket)
    assert json.loads(socket.events[0].data)["replay"]
    assert [article.alert_id for article in shown(socket.named("frame")[0])] == [second]


def test_whoever_switches_in_mid_stream_loses_nothing_and_gets_nothing_twice(house: House, port: int) -> None:
    cookie, cursor, seen = seat(house, "nurse")[0], f"{house.hospital().epoch}-0", []
    for turn, kind in enumerate((Stream, Socket, Stream, Socket)):
        raised = house.raise_alarm(alert_id=f"between {turn}")
        house.relay.look()
        line = kind(port, cookie, after=cursor)
        until(lambda line=line: line.named("frame"), line)
        live = house.raise_alarm(alert_id=f"live {turn}")
        house.relay.look()
        until(lambda line=line: len(line.named("frame")) == 2, line)
        line.reset()
        assert [article.alert_id for frame in line.named("frame") for article in shown(frame)] == [raised, live]
        cursor = line.events[-1].id
        seen += [raised, live]
    assert len(set(seen)) == 8


def test_a_socket_is_not_a_greenlet_and_its_server_reads_no_request_from_it(house: House, port: int) -> None:
    socket = answered(port, seat(house, "nurse")[0])
    assert len(house.relay.outlet) == len(house.relay.hub) == 1
    assert meters.counted("streams_opened_total", transport="websocket") == 1
    socket.say(TextMessage("GET /alerts HTTP/1.1\r\n\r\n"))
    until(lambda: socket.named("error"), socket)
    assert b"HTTP/1.1" not in socket.body
    socket.close()
    until(lambda: not len(house.relay.hub))


def test_what_is_said_at_once_after_the_handshake_is_heard(server: Server) -> None:
    """gevent reads away what has come on a connection that it closes: this one is not its own any more."""
    cookie = sign_in(server.port, "nurse").cookie
    for _ in range(10):
        socket = Socket(server.port, cookie)
        until(lambda socket=socket: socket.status == 101, socket)
        socket.say(TextMessage("hello?"))
        until(lambda socket=socket: socket.named("error"), socket)


# ---- Who comes in ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "views", "status"),
    [
        (None, ("alerts",), 401),
        ("admin", ("alerts",), 403),
        ("engineer", ("alerts",), 403),
        ("nurse", ("nothing",), 400),
        ("nurse", ("patient:99",), 404),
        ("nurse", ("alerts", "patients"), 101),
    ],
)
def test_a_refusal_is_an_ordinary_answer_before_the_upgrade(
    house: House, port: int, name: str | None, views: tuple[str, ...], status: int
) -> None:
    socket = answered(port, seat(house, name)[0] if name else None, *views)
    assert socket.status == status
    assert len(house.relay.hub) == (status == 101)
    if status != 101:
        assert socket.headers["content-type"] == "application/problem+json"


def test_too_many_lines_of_one_person_are_refused_whatever_they_are(
    house: House, port: int, set_to: Callable[..., None]
) -> None:
    set_to(streams_per_person=2)
    cookie = seat(house, "nurse")[0]
    held = [answered(port, cookie), Stream(port, cookie)]
    until(lambda: len(house.relay.hub) == 2, *held)
    refused = answered(port, cookie)
    assert (refused.status, refused.headers["retry-after"]) == (429, "5")


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("", 101),  # a program
        ("http://test", 101),
        ("https://wall.example", 101),
        ("https://elsewhere.example", 403),
        ("https://wall.example.elsewhere.example", 403),
        ("http://test:81", 403),
        ("null", 403),
        ("http://[", 403),
    ],
)
def test_a_page_of_another_server_opens_no_socket_here(
    house: House, port: int, set_to: Callable[..., None], origin: str, status: int
) -> None:
    set_to(socket_origins="https://wall.example https://ward.example")
    assert answered(port, seat(house, "nurse")[0], Origin=origin).status == status


def test_compression_is_not_negotiated(house: House, port: int) -> None:
    socket = answered(port, seat(house, "nurse")[0], Sec_WebSocket_Extensions="permessage-deflate")
    assert socket.status == 101
    assert "sec-websocket-extensions" not in socket.headers


@pytest.mark.parametrize(
    "broken",
    [
        {"Sec_WebSocket_Version": "12"},
        {"Sec_WebSocket_Version": ""},
        {"Sec_WebSocket_Key": ""},
        {"Connection": "close"},
        {"Upgrade": "h2c"},
    ],
    ids=str,
)
def test_what_is_no_handshake_is_told_so(house: House, port: int, broken: dict[str, str]) -> None:
    socket = answered(port, seat(house, "nurse")[0], **broken)
    assert socket.status == 400
    assert len(house.relay.outlet) == len(house.relay.hub) == 0


def test_a_server_that_has_no_socket_to_give_says_so(house: House) -> None:
    answer = visitor_of(house, "nurse").get("/live/socket?view=alerts", headers=HANDSHAKE)
    assert answer.status_code == 501


def test_a_replay_that_fails_ends_the_socket_instead_of_leaving_it_silent(
    house: House, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.relay, "_first_words", lambda *_: 1 / 0)
    socket = Socket(port, seat(house, "nurse")[0])
    until(lambda: socket.over, socket)
    assert (socket.status, socket.texts, socket.code) == (101, [], RESTART)
    socket.close()
    until(lambda: len(house.relay.outlet) == 0)


# ---- How it ends -----------------------------------------------------------------------------------------------------


def test_who_is_signed_out_hears_why_and_is_told_not_to_come_back(house: House, port: int) -> None:
    cookie, row = seat(house, "nurse")
    socket = answered(port, cookie)
    sign_out(row.id)
    house.relay.end_sessions()
    until(lambda: socket.over, socket)
    assert (socket.events[-1].name, socket.code) == ("auth", SIGNED_OUT)


def test_when_the_server_goes_its_sockets_are_told_to_come_back(house: House, port: int) -> None:
    socket = answered(port, seat(house, "nurse")[0])
    house.relay.outlet.close()
    until(lambda: socket.over, socket)
    assert socket.code == RESTART
