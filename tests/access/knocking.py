"""How the rows of tests/access/test_every_route.py are tried: who comes in, what each row is about, what came of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from hospital import clock, records
from hospital.intake import senders
from hospital.intake.receiving import receive
from hospital.records import (
    Bed,
    BedCode,
    Board,
    EmergencyAccess,
    Monitoring,
    Person,
    PersonSession,
    Sender,
    SenderToken,
    Unit,
)
from hospital.roles import Role
from tests.access.strangers import hire, new_token
from tests.support.alarms import alarm
from tests.support.house import House, Visitor
from tests.support.readings import reading
from tests.support.sse import until
from tests.support.websocket import Socket

Row = tuple[str, str]  # method and path, with the words of THINGS in it

BEDS = {"MED": "MED^^MED-07", "ICU": "ICU^^ICU-02", "none": "ATTIC^^ATTIC-01", "other": "MED^^MED-07"}
WHERE = {"/alerts": "list", "/admin": "desk", "/pair": "code", "/board": "wall"}
SAID = {"text": "Seen.", "pulse": "80", "scale": "2"}  # in every form; each act takes what it knows
BODIES = {
    "/api/v1/hl7": ("x-application/hl7-v2+er7", alarm()),
    "/api/v1/fhir": ("application/fhir+json", b'{"resourceType": "Patient", "identifier": [{"value": "1"}]}'),
    "/csp-reports": ("application/csp-report", b'{"csp-report": {"effective-directive": "img-src"}}'),
    "/live/reports": ("application/json", b'{"errors": {}, "paint_ms": []}'),
    "/live/pulse": ("application/json", b'{"cursor": "e-1"}'),
    "/api/v1/alerts": ("application/json", b'{"id": "A", "unit": "MED", "bed": "MED-07", "text": "SpO2 low"}'),
}


@dataclass(frozen=True)
class Caller:
    """Somebody at the doors of this house; `port`: of the same house behind a real server, for sockets."""

    visitor: Visitor
    bearer: dict[str, str]
    port: int

    @classmethod
    def come_in(cls, house: House, who: str, port: int) -> "Caller":
        if who == "nobody":
            return cls(house.visitor(), {}, port)
        if who == "sender":
            return cls(house.visitor(), {"Authorization": f"Bearer {new_token(house)}"}, port)
        if who == "display":
            hire(house, "display", Role.DISPLAY, "MED")
        return cls(house.visitor(who), {}, port)

    def knock(self, row: Row, things: dict[str, int]) -> str:
        """Do what the row says to these things; what happened, in the words of the table."""
        method, path = row[0], filled(row[1], things)
        if path.startswith("/live/socket"):
            return self._open_socket(path.partition("?view=")[2])
        if row == ("POST", "/sign-in"):
            return what_happened(self._sign_in_again())
        if path in BODIES:
            kind, body = BODIES[path]
            return what_happened(self.open(method, path, data=body, content_type=kind))
        if path.startswith("/live/"):
            return what_happened(self.open(method, path, buffered=False))
        accept = "application/json" if method == "POST" and things.keys() & BEDS else "text/html"
        return what_happened(self.open(method, path, accept, data=SAID if method == "POST" else None))

    def open(
        self, method: str, path: str, accept: str = "text/html", *, buffered: bool = True, **how: Any
    ) -> TestResponse:
        headers = {"X-CSRF-Token": self.visitor.csrf_token, "Accept": accept, **self.bearer}
        answer = self.visitor.client.open(path, method=method, headers=headers, buffered=buffered, **how)
        answer.close()
        return answer

    def _open_socket(self, view: str) -> str:
        """Flask's test client has no socket to give away, so this knocks at the real server."""
        cookie = self.visitor.client.get_cookie("session")
        socket = Socket(self.port, cookie.value if cookie else None, view, **self.bearer)
        until(lambda: socket.status, socket)
        socket.reset()
        return str(socket.status)

    def _sign_in_again(self) -> TestResponse:
        """As `nurse`, from a browser in which the visitor is signed in once more: that sign-in ends, and no other."""
        app = self.visitor.client.application
        again = Visitor(app.test_client())
        if self.visitor.name:
            again.sign_in(self.visitor.name)
        token = re.findall(r'name="csrf_token" value="([^"]+)"', app.test_client().get("/sign-in").text)
        return again.client.post("/sign-in", data={"name": "nurse", "password": "demo-nurse", "csrf_token": token[0]})


def what_happened(answer: TestResponse) -> str:
    """The status; of a redirect, where to."""
    if answer.status_code not in (302, 303):
        return str(answer.status_code)
    where, asked = answer.headers["Location"], answer.request.path
    if where in WHERE:
        return WHERE[where]
    if answer.status_code == 303 and asked.startswith(
        (where, "/admin/second-factor-roles", "/admin/people/", "/admin/beds/")
    ):
        return "back"
    signed_out = asked == "/sign-out" and where == "/sign-in"
    return "door" if signed_out or where == f"/sign-in?next={asked}" else f"lost at {where}"


# ---- What a row is about


def things_of(house: House, who: str, row: Row) -> dict[str, int]:
    """The number of each thing that the row names, made for this row alone: no row sees what another did."""
    return {word: THINGS[word](house, who, row) for word in _words(row[1])}


def filled(path: str, things: dict[str, int]) -> str:
    for word, number in things.items():
        path = path.replace(f"<{word}>", str(number))
    return path.replace("<file>", "css/main.css")


def numbered(path: str) -> str:
    """With some number for each thing: to ask what route this is."""
    return filled(path.partition("?")[0], dict.fromkeys(_words(path), 1))


def place_of(row: Row) -> str:
    """The unit of the alert or patient that the row is about; '' for other rows."""
    return next((word for word in _words(row[1]) if word in BEDS), "")


def _words(path: str) -> list[str]:
    return [word for word in re.findall("<([A-Za-z]+)>", path) if word != "file"]


def _alert_or_patient(house: House, _who: str, row: Row) -> int:
    place, name = place_of(row), " ".join(row)
    sender = senders.by_token(new_token(house, "demo-b", "Gateway of B")) if place == "other" else None
    if row[1].startswith("/alerts/"):
        received = receive(alarm(bed=BEDS[place], alert_id=name, patient=None), sender)
        assert received is not None
        return received.alert_ids[0]
    receive(reading(bed=BEDS[place], patient=f"{name}^^^Ward^PI"), sender)
    return _newest(Monitoring.patient_id)


def _sign_in_of(house: House, name: str) -> int:
    house.visitor(name)
    return _newest(PersonSession.id)


def _own_sign_in(house: House, who: str, _row: Row) -> int:
    return _sign_in_of(house, who if who not in ("nobody", "sender") else "nurse2")


def _emergency_of(house: House, name: str) -> int:
    session_id, actor = _sign_in_of(house, name), house.actor(name)
    access = EmergencyAccess(hospital_id=actor.hospital_id, person_id=actor.person_id, session_id=session_id)
    access.reason, access.began_at, access.until = "Fire", clock.now(), clock.now()
    records.write(None, lambda session: session.add(access))
    return access.id


def _sender_of(house: House, hospital: str, row: Row) -> int:
    new_token(house, hospital, " ".join(row))
    return _newest(Sender.id)


def _token_of(house: House, hospital: str, row: Row) -> int:
    new_token(house, hospital, " ".join(row))
    return _newest(SenderToken.id)


def _wall(house: House) -> int:
    """A board of MED that is paired already."""
    hire(house, name := f"wall-{_newest(Board.id)}", Role.DISPLAY, "MED")
    board = Board(hospital_id=house.hospital().id, person_id=_person(name), paired_by_id=_person("charge"))
    board.paired_at = board.current_at = clock.now()
    records.write(None, lambda session: session.add(board))
    return board.id


def _newest(column: Any) -> int:
    with records.read() as session:
        return int(session.scalar(select(func.max(column))) or 0)


def _person(name: str) -> int:
    with records.read() as session:
        return session.scalars(select(Person.id).where(Person.name == name)).one()


def _admins_thing(house: House, row: Row, hospital: str) -> int:
    """A unit, a bed of which nothing is known, or a code that is bound to a bed."""
    table, hospital_id = ADMINS_THINGS[row[1].split("/")[2]], house.hospital(hospital).id

    def act(session: Session) -> int:
        bed = session.scalars(select(Bed).where(Bed.hospital_id == hospital_id).order_by(Bed.id)).first()
        assert bed is not None
        made: dict[Any, Any] = {
            Unit: lambda: session.get_one(Unit, bed.unit_id),
            Bed: lambda: Bed(hospital_id=hospital_id, unit_id=bed.unit_id, code=" ".join(row)),
            BedCode: lambda: BedCode(hospital_id=hospital_id, bed_id=bed.id, place=" ".join(row)),
        }
        session.add(thing := made[table]())
        session.flush()
        return int(thing.id)

    return records.write(None, act)


ADMINS_THINGS = {"units": Unit, "beds": Bed, "bed-codes": BedCode}

# What a word of a path stands for. Whoever adds a route about another kind of thing adds its word here.
THINGS: dict[str, Callable[[House, str, Row], int]] = {
    **dict.fromkeys(BEDS, _alert_or_patient),
    "own": _own_sign_in,
    "foreign": lambda house, _who, _row: _sign_in_of(house, "nurse2"),
    "his": lambda house, _who, _row: _sign_in_of(house, "nurse2"),
    "here": lambda _house, _who, _row: _person("nurse2"),
    "there": lambda _house, _who, _row: _person("nurse-b"),
    "ours": lambda house, _who, row: _admins_thing(house, row, "demo"),
    "theirs": lambda house, _who, row: _admins_thing(house, row, "demo-b"),
    "board": lambda _house, _who, _row: 7,
    "wall": lambda house, _who, _row: _wall(house),
    "gate": lambda house, _who, row: _sender_of(house, "demo", row),
    "gatethere": lambda house, _who, row: _sender_of(house, "demo-b", row),
    "pass": lambda _house, _who, _row: _newest(SenderToken.id),  # that of the sender in the same row
    "passthere": lambda house, _who, row: _token_of(house, "demo-b", row),
    "refused": lambda house, _who, _row: house.take(b"MSH|^~\\&|G|H|||20261123||ORU^R40|7|P|2.6\rPV1|").message_id or 0,
    "line": lambda _house, _who, _row: 7,
    "glass": lambda house, _who, _row: _emergency_of(house, "nurse2"),
    "glassthere": lambda house, _who, _row: _emergency_of(house, "nurse-b"),
}
