"""What may be said on a WebSocket, by anybody who may open one: nothing that changes, shows or widens anything."""

import pytest
from sqlalchemy import func, select
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage

from hospital import meters, records
from hospital.access.signing_in import sign_out
from hospital.live.hub import SIGNED_OUT
from hospital.records import Alert, Base
from hospital.roles import Role
from tests.access.strangers import hire
from tests.live.lines import seat
from tests.support.alarms import alarm
from tests.support.house import House
from tests.support.sse import until
from tests.support.websocket import Socket

# <MED>, <ICU>: an alert there; <epoch>: the other hospital's. Each is answered by an `error`, and that is all.
REFUSED: dict[str, type[TextMessage] | type[BytesMessage]] = {
    '{"act": "acknowledge", "id": <MED>}': TextMessage,
    '{"act": "acknowledge", "id": <ICU>}': TextMessage,
    "POST /alerts/<MED>/acknowledgement HTTP/1.1\r\n\r\n": TextMessage,
    '{"view": "patient:<ICU>"}': TextMessage,
    "view=alerts&view=patients&units=1,2,3&hospital=2": TextMessage,
    '{"after": "<epoch>-0"}': TextMessage,
    "Last-Event-ID: <epoch>-0": TextMessage,
    "event: frame\nid: <epoch>-1\ndata: <article>": TextMessage,
    "": TextMessage,
    "\0\1\2": BytesMessage,
}
WHO = ["nurse", "nurse-icu", "charge", "physician", "display", "nurse-b"]


def saying(house: House) -> list[Event]:
    with records.read() as session:
        med, icu = session.scalars(select(Alert.id).order_by(Alert.id))
    numbers = {"<MED>": str(med), "<ICU>": str(icu), "<epoch>": house.hospital("demo-b").epoch}
    said = []
    for words, kind in REFUSED.items():
        for word, meant in numbers.items():
            words = words.replace(word, meant)
        said.append(TextMessage(words) if kind is TextMessage else BytesMessage(words.encode()))
    return said


def rows() -> dict[str, int]:
    """How many there are of everything that the house remembers."""
    with records.read() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


@pytest.fixture
def ward(house: House) -> House:
    hire(house, "display", Role.DISPLAY, "MED")
    for bed in ("MED^^MED-07", "ICU^^ICU-02"):
        house.raise_alarm(bed=bed, alert_id=bed)
    return house


def opened(house: House, port: int, who: str) -> Socket:
    socket = Socket(port, seat(house, who)[0])
    until(lambda: socket.named("hello"), socket)
    return socket


@pytest.mark.parametrize("who", WHO)
def test_whatever_anybody_says_is_answered_and_does_nothing(ward: House, port: int, who: str) -> None:
    socket = opened(ward, port, who)
    (line,) = ward.relay.hub.everyone()
    watch, before = line.watch, rows()

    for number, event in enumerate(saying(ward), 1):
        socket.say(event)
        until(lambda number=number: len(socket.named("error")) == number, socket)
    socket.say(Ping(b"there?"))
    socket.say(Pong(b""))
    until(lambda: socket.pongs == [b"there?"], socket)

    assert set(socket.names) == {"hello", "error"}
    assert {event.data for event in socket.named("error")} == {
        '{"why": "Nothing is taken on this line. Send what you want done as an HTTP request."}'
    }
    assert (rows(), [one.watch for one in ward.relay.hub.everyone()]) == (before, [watch])
    assert meters.counted("socket_messages_total") == len(REFUSED)


@pytest.mark.parametrize(
    ("who", "bed"), [("nurse", "ICU^^ICU-03"), ("nurse-icu", "MED^^MED-03"), ("nurse-b", "MED^^MED-03")]
)
def test_whatever_anybody_has_said_they_hear_of_their_own_units_alone(
    ward: House, port: int, who: str, bed: str
) -> None:
    socket = opened(ward, port, who)
    for event in saying(ward):
        socket.say(event)
    until(lambda: len(socket.named("error")) == len(REFUSED), socket)

    ward.take(alarm(bed=bed, alert_id="foreign"))
    ward.relay.look()
    ward.relay.beat()
    until(lambda: socket.named("beat"), socket)

    assert socket.named("frame") == []


def test_what_is_said_after_the_end_of_a_sign_in_is_not_even_answered(ward: House, port: int) -> None:
    cookie, row = seat(ward, "nurse")
    socket = Socket(port, cookie)
    until(lambda: socket.named("hello"), socket)
    sign_out(row.id)
    ward.relay.end_sessions()
    socket.say(TextMessage("still here?"))
    until(lambda: socket.over, socket)

    assert (socket.names, socket.code) == (["hello", "auth"], SIGNED_OUT)


def test_a_goodbye_ends_the_line(ward: House, port: int) -> None:
    socket = opened(ward, port, "nurse")
    socket.say(CloseConnection(1000))
    until(lambda: not ward.relay.hub.everyone(), socket)

    assert socket.code == 1000
