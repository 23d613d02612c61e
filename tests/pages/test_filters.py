"""What the address of the list filters: on the page itself, for those without scripts, and nothing by mistake."""

import pytest

from tests.pages.markup import Element, read
from tests.support.house import House


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"low", "medium", "high", "taken", "nowhere"}),
        ("?priority=high", {"high", "taken"}),
        ("?unit=ICU", {"medium", "nowhere"}),
        ("?unit=MED&priority=low", {"low"}),
        ("?who=nobody", {"low", "medium", "high", "nowhere"}),
        ("?who=somebody", {"taken"}),
        ("?who=me", {"taken"}),
        ("?unit=ATTIC&priority=red&who=7&x=1", {"low", "medium", "high", "taken", "nowhere"}),
    ],
)
def test_the_list_holds_what_was_asked_for_and_the_rest_stands_apart(house: House, query: str, shown: set[str]) -> None:
    beds = {"low": "MED-01", "medium": "ICU-02", "high": "MED-03", "taken": "MED-04", "nowhere": "7"}
    priorities = {"taken": "high", "nowhere": "medium"}
    made = {
        house.raise_alarm(bed=f"{bed[:3]}^^{bed}", alert_id=name, priority=priorities.get(name, name)): name
        for name, bed in beds.items()
    }
    charge = house.visitor("charge")
    charge.acknowledge(next(alert_id for alert_id, name in made.items() if name == "taken"))

    page = read(charge.get(f"/alerts{query}").text)

    assert _names(page.one(id="alert-list"), made) == shown
    assert _names(page.one(id="alert-rest"), made) == set(beds) - shown
    hidden = {priorities.get(name, name) for name in set(beds) - shown}
    assert ("hidden" not in page.one(id="filtered-out").attributes) == bool(hidden)
    assert ("hidden" not in page.one(data_filtered="high").attributes) == ("high" in hidden)


def test_somebody_else_s_are_not_mine(house: House) -> None:
    house.visitor("nurse2").acknowledge(house.raise_alarm())
    page = read(house.visitor("nurse").get("/alerts?who=me").text)
    assert page.one(id="alert-list").all("article") == []


def test_the_bar_counts_all_that_nobody_has_whatever_is_shown(house: House) -> None:
    for priority in ("low", "high"):
        house.raise_alarm(alert_id=priority, priority=priority)
    page = read(house.visitor("nurse").get("/alerts?priority=low").text)
    assert page.one(id="summary").one("b").text == "2"


def _names(part: Element, made: dict[int, str]) -> set[str]:
    return {made[int(card.attributes["id"].removeprefix("alert-"))] for card in part.all("article")}
