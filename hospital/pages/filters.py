"""What somebody wants to see of the list, as its address says. static/js/filters.js does the same in the browser."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import request

from hospital.fragments.listing import Listed
from hospital.vocabulary import Priority, State

_WHO = ("nobody", "somebody", "me")


@dataclass(frozen=True)
class Filters:
    """'' stands for all. `who` has it: nobody, somebody, me."""

    unit: str
    priority: str
    who: str

    def shows(self, one: Listed, person_id: int) -> bool:
        """An alert from a bed that the hospital does not know is hidden by no unit."""
        return (
            self.unit in ("", one.unit or self.unit)
            and self.priority in ("", one.priority)
            and (
                self.who == ""
                or (self.who == "nobody" and one.state is State.OPEN)
                or (self.who == "somebody" and one.state is State.ACKNOWLEDGED)
                or (self.who == "me" and one.owner_id == person_id)
            )
        )


def asked(units: Iterable[str]) -> Filters:
    """From the request's address. A word that says nothing here hides nothing: no alarm is hidden by mistake."""

    def one_of(name: str, words: Iterable[str]) -> str:
        word = request.args.get(name, "")
        return word if word in words else ""

    return Filters(one_of("unit", units), one_of("priority", [p.value for p in Priority]), one_of("who", _WHO))
