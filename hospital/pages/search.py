"""POST /patients: find a patient of one's units by bed, number or surname. By POST, so that no name is in an address.

What is found stands still and shows no vital signs: whoever needs those opens the patient.
"""

from dataclasses import dataclass

from flask import Blueprint, Response, make_response, request

from hospital import records, settings
from hospital.access import limits, traces
from hospital.access.guard import for_people, me
from hospital.fragments.moment import Moment, moment
from hospital.fragments.words import gettext
from hospital.pages.layout import Now, now_of, page
from hospital.records import Monitoring
from hospital.records.searching import find_patients
from hospital.roles import Right

blueprint = Blueprint("search", __name__)

_LONGEST = 200  # characters


@dataclass(frozen=True)
class Found:
    """One patient, by what tells them from others of the same name."""

    url: str
    place: str
    unit: str
    name: str
    identifier: str
    birth_date: str
    heard: Moment


@blueprint.post("/patients")
@for_people(Right.SEE_IDENTITY)
def search() -> Response:
    limits.count("searches", me().actor.person_id, settings.current.searches_per_minute)
    words = " ".join(request.form.get("words", "").replace("\0", "").split())
    if not 0 < len(words) <= _LONGEST:
        return make_response(_page([], "", gettext("Type a bed, a number or a surname.")), 422)
    with records.read() as session:
        now = now_of(session, me())
        found = [_found(one, now) for one in find_patients(session, me().actor, words)]
    traces.leave("search", "/patients")
    return make_response(_page(found, words))


def _page(found: list[Found], words: str, error: str = "") -> str:
    with records.read() as session:
        now = now_of(session, me())
    return page("pages/search.html", now, found=found, words=words, error=error)


def _found(monitoring: Monitoring, now: Now) -> Found:
    patient = monitoring.patient
    return Found(
        url=f"/patients/{patient.id}",
        place=monitoring.bed.code if monitoring.bed else monitoring.place,
        unit=monitoring.unit.code if monitoring.unit else gettext("no unit"),
        name=patient.name,
        identifier=patient.identifier,
        birth_date=str(patient.birth_date or ""),
        heard=moment(monitoring.received_at, now.zone, old=True),
    )
