"""A wall board as it comes to be: a screen shows a code, a charge nurse enters it, the screen comes in."""

import re
from dataclasses import dataclass

from sqlalchemy import select
from werkzeug.test import TestResponse

from hospital import records
from hospital.access.pace import PerMinute
from hospital.pages import boards
from hospital.records import Board, Unit
from tests.support.house import House, Visitor


@dataclass
class Wall:
    """A screen at the wall: it looks at /board and follows where that leads."""

    screen: Visitor
    code: str = ""

    @classmethod
    def new(cls, house: House) -> "Wall":
        wall = cls(house.visitor())
        wall.look()
        return wall

    def look(self) -> TestResponse:
        """Open /board; where it shows a code instead, remember it."""
        answer = self.screen.client.get("/board", follow_redirects=True)
        found = re.search(r"<span>(\w{4})</span> <span>(\w{4})</span>", answer.text)
        self.code = f"{found[1]}{found[2]}" if found else ""
        token = re.findall(r'name="csrf-token" content="([^"]*)"', answer.text)[0]
        self.screen.csrf_token = token or re.findall(r'data-pair="([^"]*)"', answer.text)[0]
        return answer

    def claim(self) -> int:
        """Ask whether the code has been entered."""
        return self.screen.client.post("/pair/claim", data={"csrf_token": self.screen.csrf_token}).status_code

    def pulse(self, cursor: str) -> int:
        headers = {"X-CSRF-Token": self.screen.csrf_token}
        return self.screen.client.post("/live/pulse", json={"cursor": cursor}, headers=headers).status_code


def enter(charge: Visitor, code: str, name: str, *units: str, hospital: str = "demo") -> TestResponse:
    """What a charge nurse does on /boards."""
    with records.read() as session:
        ids = [str(id) for id in session.scalars(select(Unit.id).where(Unit.code.in_(units)))]
    fields = {"code": code, "name": name, "unit": ids, "csrf_token": charge.csrf_token}
    return charge.client.post("/boards", data=fields)


def paired(house: House, name: str = "North corridor", *units: str) -> tuple[Wall, Board]:
    """A board that charge has paired, and that has come in. What other tests have tried does not count."""
    boards._pace = PerMinute()
    wall = Wall.new(house)
    assert enter(house.visitor("charge"), wall.code, name, *(units or ("MED",))).status_code == 303
    assert wall.claim() == 200
    assert wall.look().status_code == 200
    return wall, board(name)


def board(name: str = "North corridor") -> Board:
    with records.read() as session:
        (found,) = [one for one in session.scalars(select(Board)) if one.person.display_name == name]
        return found
