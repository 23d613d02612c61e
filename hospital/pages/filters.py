"""What somebody wants to see of the list: what its address says, else what they keep; so does static/js/filters.js."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from urllib.parse import urlencode

from flask import request

from hospital.fragments.listing import Listed
from hospital.records.preferences import Preferences
from hospital.vocabulary import Priority, State

WHO = ("nobody", "somebody", "me")


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

    @property
    def query(self) -> str:
        """As an address has it; '' where nothing is hidden."""
        return urlencode({name: word for name, word in asdict(self).items() if word})


def asked(units: Iterable[str], preferences: Preferences) -> Filters:
    """From the request's address; if that names none of them, what this person keeps."""
    named = any(name in request.args for name in ("unit", "priority", "who"))
    return _of(request.args, units) if named else kept(units, preferences)


def kept(units: Iterable[str], preferences: Preferences) -> Filters:
    return _of(asdict(preferences), units)


def _of(words: Mapping[str, str], units: Iterable[str]) -> Filters:
    """A word that says nothing here hides nothing: no alarm is hidden by mistake."""

    def one_of(name: str, known: Iterable[str]) -> str:
        word = words.get(name, "")
        return word if word in known else ""

    return Filters(one_of("unit", units), one_of("priority", [p.value for p in Priority]), one_of("who", WHO))
