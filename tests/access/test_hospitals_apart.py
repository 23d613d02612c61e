"""Whatever lies in no unit is still of one hospital: no list of another one shows it."""

import pytest

from hospital.intake import senders
from hospital.intake.receiving import receive
from hospital.roles import Role
from tests.access.strangers import hire, new_token
from tests.live.lines import visitor_of
from tests.support.alarms import alarm
from tests.support.house import House
from tests.support.readings import reading

THEIRS = ("Beyond-the-wall", "Zeta-Nowhere", "N778899-Z")


@pytest.fixture
def both(house: House) -> House:
    """Something of `demo-b` in a unit that it does not know, and a charge nurse of each hospital."""
    hire(house, "charge-b", Role.CHARGE, "MED", hospital="demo-b")
    sender = senders.by_token(new_token(house, "demo-b", "Gateway of B"))
    patient = f"{THEIRS[2]}^^^Ward^PI||{THEIRS[1]}^Tilda^^^^^L||19610301|F"
    receive(alarm(bed="ATTIC^^7", priority="high", text=THEIRS[0], patient=patient), sender)
    receive(reading(bed="ATTIC^^7", patient=patient), sender)
    return house


def pages(house: House) -> list[str]:
    """Every page that is about nothing in particular."""
    rules = [rule for rule in house.app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments]
    return sorted(rule.rule for rule in rules if not rule.rule.startswith("/live/"))


@pytest.mark.parametrize("who", ["charge", "nurse-b", "admin"])
def test_what_has_no_unit_is_on_no_page_of_another_hospital(both: House, who: str) -> None:
    visitor = visitor_of(both, who)
    told = {path: visitor.get(path, follow_redirects=True).text for path in pages(both)}
    assert {path: word for path, text in told.items() for word in THEIRS if word in text} == {}


def test_its_own_charge_nurse_sees_it(both: House) -> None:
    visitor = visitor_of(both, "charge-b")
    assert THEIRS[0] in visitor.get("/alerts").text
    assert THEIRS[1] in visitor.get("/patients").text
