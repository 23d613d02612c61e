"""What a session can be that is not, or not yet, a whole one."""

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from hospital import clock, records
from hospital.records import Hospital, Person, PersonSession
from tests.access.knocking import Row
from tests.support.house import House, Visitor

# Where its pages lead ('': to the sign-in), and what is open all the same.
STATES: dict[str, tuple[str, set[Row]]] = {
    "ended": ("", set()),
    "expired": ("", set()),
    "left alone": ("", set()),
    "with an old token": ("", set()),
    "of a disabled person": ("", set()),
    "without its code": ("/sign-in/code", {("GET", "/sign-in/code"), ("POST", "/sign-in/code")}),
    "with a password to change": ("/account/password", {("GET", "/account/password"), ("POST", "/account/password")}),
    "with a factor to set up": (
        "/account/second-factor",
        {("GET", "/account/second-factor"), ("POST", "/account/second-factor")},
    ),
}


def bring_to(state: str, house: House, visitor: Visitor, who: str) -> None:
    """Make this visitor's session what the state says."""
    mine: Any = update(Person).where(Person.name == who)
    session_of_mine: Any = update(PersonSession)
    if state == "with an old token":
        cookie = visitor.client.get_cookie("session")
        assert cookie is not None
        for _ in range(2):
            clock.turn(timedelta(minutes=15))
            visitor.get("/")
            visitor.get("/")
        visitor.client.set_cookie("session", cookie.value)
        return
    change = {
        "ended": session_of_mine.values(ended_at=clock.now()),
        "expired": session_of_mine.values(expires_at=clock.now()),
        "left alone": session_of_mine.values(seen_at=clock.now() - timedelta(hours=5)),
        "of a disabled person": mine.values(active=False),
        "without its code": session_of_mine.values(complete=False),
        "with a password to change": mine.values(must_change_password=True),
        "with a factor to set up": update(Hospital).values(second_factor_roles="physician admin"),
    }[state]
    records.write(None, lambda session: session.execute(change))
