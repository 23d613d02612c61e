"""What every page shows around its content: who is signed in, which units, as of when."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app, render_template, request
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from hospital import clock
from hospital.access.sessions import SignedIn
from hospital.fragments import Fragments, language
from hospital.fragments.moment import moment
from hospital.fragments.words import N_, gettext
from hospital.records import Hospital
from hospital.records.journal import cursor
from hospital.roles import Right, Role

ROLE_WORDS = {
    Role.NURSE: N_("Nurse"),
    Role.CHARGE: N_("Charge nurse"),
    Role.PHYSICIAN: N_("Physician"),
    Role.ENGINEER: N_("Engineer"),
    Role.ADMIN: N_("Administrator"),
    Role.DISPLAY: N_("Display"),
}


@dataclass(frozen=True)
class Place:
    """One entry of the navigation."""

    url: str
    word: str
    icon: str
    current: bool


@dataclass(frozen=True)
class Now:
    """What a page was rendered from: read it before the page's own rows, then nothing newer can be missed."""

    hospital: str
    zone: ZoneInfo
    cursor: str


def now_of(session: Session, person: SignedIn) -> Now:
    hospital = session.get_one(Hospital, person.actor.hospital_id)
    return Now(hospital.name, ZoneInfo(hospital.timezone), cursor(hospital.epoch, hospital.head))


def fragments() -> Fragments:
    made: Fragments = current_app.extensions["fragments"]
    return made


def page(template: str, now: Now | None = None, *, view: str = "", **given: Any) -> str:
    """Render a page. `view`: the stream's view that keeps it up to date; '' for a page that stands still."""
    return render_template(template, **_around(_person(), now, view) | given)


def _person() -> SignedIn | None:
    """Nobody while the database is away that knows the sessions: the page that says so can still be made."""
    try:
        return current_user._get_current_object() if current_user.is_authenticated else None
    except SQLAlchemyError:
        return None


def _around(person: SignedIn | None, now: Now | None, view: str) -> dict[str, Any]:
    zone = now.zone if now else ZoneInfo("UTC")
    around = {
        "as_of": moment(clock.now(), zone, seconds=True),
        "language": language.current(),
        "script_words": language.words_for_scripts(language.current()),
        "build": current_app.config["BUILD"],
        "zone": zone.key,
        "cursor": now.cursor if now else "",
        "stream_url": f"/live/stream?view={view}" if view else "",
        "hospital_name": now.hospital if now else "",
        "person": None,
        "nav": [],
        "csrf_token": person.csrf_token if person else "",
    }
    if person is not None:
        around["nav"] = _nav(person)
        around["person"] = {
            "id": person.actor.person_id,
            "name": person.actor.name,
            "role": person.actor.role.value,
            "role_word": gettext(ROLE_WORDS[person.actor.role]),
            "may": person.rights_word,
            "units_word": ", ".join(person.unit_codes),
        }
    return around


def _nav(person: SignedIn) -> list[Place]:
    if not person.actor.may(Right.SEE_ALERTS):
        return []
    pages = (
        ("/alerts", gettext("Alerts"), "bell"),
        ("/patients", gettext("Patients"), "patients"),
        ("/metrics", gettext("Metrics"), "metrics"),
        ("/board", gettext("Board"), "board"),
    )
    return [Place(url, word, icon, request.path.startswith(url)) for url, word, icon in pages]
