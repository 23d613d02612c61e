"""Every page that can be shown to a person, for those who judge pages; and a house where each has something to show.

The list is read off the table of tests/access/test_every_route.py, in which no route can be missing.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hospital import clock
from tests.access.knocking import SAID, Row, filled, things_of
from tests.access.states import bring_to
from tests.access.test_every_route import EXPECTED, ROWS
from tests.support.alarms import alarm
from tests.support.boards import paired
from tests.support.house import House, Visitor
from tests.support.readings import reading

READERS = ("physician", "charge", "admin", "engineer", "nobody")  # a page is read by the first who may
ASIDE = {  # by those who are none of the cast
    ("GET", "/sign-in/code"): "half signed in",
    ("GET", "/engineering/messages/<refused>"): "engineer in an emergency",
    ("POST", "/admin/people/<here>/password-reset"): "admin",  # shows the new password, once
}
PROGRAMS = re.compile(r"/(static|health|internal|api|live)/|.*/(trend|export)$")


def _read_by_somebody() -> dict[Row, str]:
    """One row for each page, and for each form that is sent back with what is wrong in it; and who reads it."""
    found: dict[Row, Row] = {}
    who: dict[Row, str] = dict(ASIDE)
    for row in ROWS:
        page = (row[0], re.sub(r"<\w+>", "<>", row[1]))
        shown = {"GET": "200", "POST": "422"}[row[0]]
        readers = [name for name in READERS if EXPECTED[name][row] == shown]
        if readers and page not in found and not PROGRAMS.match(row[1]):
            found[page], who[row] = row, readers[0]
    return who


PAGES = _read_by_somebody()


@dataclass
class Furnished:
    """Who looks at pages here, and the address of each page."""

    visitors: dict[str, Visitor]
    paths: dict[Row, str]

    def open(self, row: Row, language: str) -> str:
        """The page as it is served."""
        headers = {"Accept": "text/html", "Accept-Language": language}
        visitor = self.visitors[PAGES[row]]
        said = SAID | {"csrf_token": visitor.csrf_token} if row[0] == "POST" else None
        answer = visitor.client.open(self.paths[row], method=row[0], headers=headers, data=said)
        assert answer.mimetype == "text/html" and answer.status_code in (200, 422), (row, answer.status)
        return answer.text


def furnish(house: House) -> Furnished:
    visitors = {"half signed in": house.visitor("nurse")}
    bring_to("without its code", house, visitors["half signed in"], "nurse")
    visitors |= {who: house.visitor(None if who == "nobody" else who) for who in READERS}
    visitors["nurse-b"] = house.visitor("nurse-b")  # of a hospital where nothing happens
    visitors["wall"] = paired(house)[0].screen
    visitors["engineer in an emergency"] = house.visitor("engineer")
    _done(
        visitors["engineer in an emergency"], "/emergency", reason="The gateway of MED sends nothing that we can read"
    )
    _fill_the_ward(house, visitors["physician"])
    _done(visitors["admin"], "/notices", text="The lift to radiology is out of order until noon.", unit="all")
    things = {row: things_of(house, PAGES[row], row) for row in PAGES}
    return Furnished(visitors, {row: filled(row[1], things[row]) for row in PAGES})


def _done(visitor: Visitor, path: str, **fields: Any) -> None:
    answer = visitor.act(path, headers={"Accept": "text/html"}, **fields)
    assert answer.status_code in (200, 303), (path, answer.text)


def _fill_the_ward(house: House, physician: Visitor) -> None:
    """Every way in which a card can stand there, and patients in every band of NEWS2."""
    yesterday = clock.now() - timedelta(hours=19)
    _alarm(house, "MED-01", "high")
    taken = _alarm(house, "MED-02", "medium", patient=None)
    _alarm(house, "MED-03", "low", kind="ST", value=None, text="SpO2 sensor off")
    _alarm(house, "MED-04", "high", ends=True)
    _alarm(house, "MED-05", "medium", ends=True)
    _alarm(house, "MED-06", None)
    told = _alarm(house, "MED-08", "high")
    _alarm(house, "ER-03", "low", at=yesterday)
    for path in (f"{told}/escalation", f"{told}/acknowledgement", f"{taken}/acknowledgement"):
        _done(physician, f"/alerts/{path}")
    _done(physician, f"/alerts/{told}/notes", text="Probe moved to the other hand.")
    for bed, values in (
        ("MED-01", {"hr": 118, "spo2": 84, "rr": 26, "sbp": 98, "dbp": 60, "temp": 38.6}),
        ("MED-02", {"hr": 96, "spo2": 95, "rr": 21}),
        ("MED-03", {"temp": 36.8}),
        ("ICU-01", {}),
    ):
        house.take(reading(bed=_place(bed), patient=_patient(bed), **values))


def _alarm(house: House, bed: str, priority: str | None, *, ends: bool = False, **how: Any) -> int:
    how = {"bed": _place(bed), "alert_id": bed, "priority": priority, "patient": _patient(bed), **how}
    alert_id = house.raise_alarm(**how)
    if ends:
        house.take(alarm(phase="end", **how))
    return alert_id


def _place(bed: str) -> str:
    return f"{bed.partition('-')[0]}^^{bed}"


def _patient(bed: str) -> str:
    return f"N{bed}^^^Ward^PI||Testmann^{bed.replace('-', ' ')}^^^^^L||19610301|F"
