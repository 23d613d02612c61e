"""The application in this process, with everybody who works in it."""

import re
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from werkzeug.test import TestResponse

from hospital import records
from hospital.intake.receiving import Received, receive
from hospital.live.relay import Relay
from hospital.records import Alert, Hospital, JournalLine, Person
from hospital.roles import Actor
from hospital.settings import Settings
from tests.support.alarms import alarm


class House:
    def __init__(self, app: Flask, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    @property
    def relay(self) -> Relay:
        relay: Relay = self.app.extensions["relay"]
        return relay

    def actor(self, name: str) -> Actor:
        """One of the demo people, as the acts know them."""
        with records.read() as session:
            query = select(Person).where(Person.name == name).options(selectinload(Person.units))
            person = session.scalars(query).one()
        units = frozenset(unit.id for unit in person.units)
        return Actor(person.id, person.hospital_id, person.display_name, person.role, units)

    def visitor(self, name: str | None = None) -> "Visitor":
        """A browser of its own, signed in as one of the demo people, or as nobody."""
        visitor = Visitor(self.app.test_client())
        if name is not None:
            visitor.sign_in(name)
        return visitor

    def take(self, message: bytes) -> Received:
        """Hand a message in, as the MLLP listener does."""
        received = receive(message)
        assert received is not None
        return received

    def raise_alarm(self, **how: Any) -> int:
        """Hand an alarm in; the id of its alert. Takes what tests.support.alarms.alarm takes."""
        received = self.take(alarm(**how))
        assert received.alert_ids, received
        return received.alert_ids[0]

    def alert(self, alert_id: int) -> Alert:
        with records.read() as session:
            return session.get_one(Alert, alert_id)

    def journal(self, hospital: str = "demo") -> list[JournalLine]:
        with records.read() as session:
            query = select(JournalLine).join(Hospital, Hospital.id == JournalLine.hospital_id)
            return list(session.scalars(query.where(Hospital.code == hospital).order_by(JournalLine.number)))

    def hospital(self, code: str = "demo") -> Hospital:
        with records.read() as session:
            return session.scalars(select(Hospital).where(Hospital.code == code)).one()


class Visitor:
    """A person at a browser: cookies, and the token that each page carries."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.csrf_token = ""
        self.name = ""

    def sign_in(self, name: str, password: str | None = None) -> TestResponse:
        form = self.client.get("/sign-in").get_data(as_text=True)
        fields = {"name": name, "password": password or f"demo-{name}", "csrf_token": _field(form, "csrf_token")}
        response = self.client.post("/sign-in", data=fields)
        if response.status_code == 303:
            self.name = name
            page = self.client.get("/alerts", follow_redirects=True).get_data(as_text=True)
            self.csrf_token = re.findall(r'<meta name="csrf-token" content="([^"]*)"', page)[0]
        return response

    def get(self, path: str, **how: Any) -> TestResponse:
        return self.client.get(path, **how)

    def act(self, path: str, *, key: str = "", headers: dict[str, str] | None = None, **fields: str) -> TestResponse:
        """POST an act as a program does, and ask for JSON."""
        sent = {"X-CSRF-Token": self.csrf_token, "Accept": "application/json", **(headers or {})}
        return self.client.post(path, data=fields, headers=sent | ({"Idempotency-Key": key} if key else {}))

    def acknowledge(self, alert_id: int, **fields: Any) -> TestResponse:
        return self.act(f"/alerts/{alert_id}/acknowledgement", **fields)


def _field(page: str, name: str) -> str:
    return re.findall(rf'name="{name}" value="([^"]*)"', page)[0]
