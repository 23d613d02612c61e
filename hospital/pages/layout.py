"""What every page shows around its content: who is signed in, which units, as of when."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app, render_template, request
from flask_login import current_user
from sqlalchemy import ColumnElement
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from hospital import clock, settings
from hospital.access.sessions import SignedIn
from hospital.alerts import notices
from hospital.fragments import Fragments, language
from hospital.fragments.card import Card, alerts_in, card
from hospital.fragments.moment import Moment, moment
from hospital.fragments.words import gettext
from hospital.records import Alert, Hospital
from hospital.records.journal import cursor
from hospital.records.preferences import Preferences, Theme
from hospital.roles import Right, Role, may
from hospital.vocabulary import N_, State

ROLE_WORDS = {
    Role.NURSE: N_("Nurse"),
    Role.CHARGE: N_("Charge nurse"),
    Role.PHYSICIAN: N_("Physician"),
    Role.ENGINEER: N_("Engineer"),
    Role.ADMIN: N_("Administrator"),
    Role.DISPLAY: N_("Display"),
}

_THEMES = {
    Theme.AUTO: N_("As the device"),
    Theme.LIGHT: N_("Light"),
    Theme.DARK: N_("Dark"),
    Theme.NIGHT: N_("Night"),
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
    notices: list["Told"]
    notices_version: int


@dataclass(frozen=True)
class Told:
    """A notice in the bar."""

    id: int
    text: str
    by: str
    at: Moment


def home_of(role: Role) -> str:
    """The first page of a role: not everybody may see alerts."""
    return "/alerts" if may(role, Right.SEE_ALERTS) else "/admin"


def home_here() -> str:
    """The first page of who is asking."""
    person = _person()
    return home_of(person.actor.role) if person else "/alerts"


def now_of(session: Session, person: SignedIn) -> Now:
    hospital = session.get_one(Hospital, person.actor.hospital_id)
    zone = ZoneInfo(hospital.timezone)
    unread = notices.unread(session, person.actor, clock.now()) if hospital.notices else []
    told = [Told(one.id, one.text, one.by.display_name, moment(one.at, zone)) for one in unread]
    return Now(hospital.name, zone, cursor(hospital.epoch, hospital.head), told, hospital.notices)


def fragments() -> Fragments:
    made: Fragments = current_app.extensions["fragments"]
    return made


def urgent_in(session: Session, person: SignedIn, now: Now, *where: ColumnElement[bool]) -> list[Card]:
    """What nobody has, most urgent first, for the bar of a page whose content does not show it.

    The bar shows what is high; the rest is there for the sound.
    """
    actor = person.actor
    waiting = alerts_in(actor.hospital_id, actor.scope).where(Alert.state == State.OPEN, *where)
    alerts = session.scalars(waiting).unique()
    return sorted((card(alert, now.zone, identity=False) for alert in alerts), key=lambda one: one.sort)


def page(
    template: str, now: Now | None = None, *, view: str = "", urgent: list[Card] | None = None, **given: Any
) -> str:
    """Render a page. `view`: the stream's view that keeps it up to date; '' for a page that stands still.

    `urgent`: see urgent_in; such a page hears of all alerts beside its own view. None: its content shows them itself.
    """
    views = [view, "alerts"] if urgent is not None and view != "alerts" else [view] if view else []
    return render_template(template, **_around(_person(), now, views) | {"urgent": urgent} | given)


def _person() -> SignedIn | None:
    """Nobody while the database is away that knows the sessions: the page that says so can still be made."""
    try:
        return current_user._get_current_object() if current_user.is_authenticated else None
    except SQLAlchemyError:
        return None


def _around(person: SignedIn | None, now: Now | None, views: list[str]) -> dict[str, Any]:
    zone = now.zone if now else ZoneInfo("UTC")
    chosen = person.preferences if person else Preferences()
    around = {
        "as_of": moment(clock.now(), zone, seconds=True),
        "language": language.current(),
        "theme": chosen.theme.value,
        "themes": [(value.value, gettext(word)) for value, word in _THEMES.items()],
        "density": chosen.density.value,
        "sound": chosen.sound.value,
        "volume": chosen.volume,
        "script_words": language.words_for_scripts(language.current()),
        "build": current_app.config["BUILD"],
        "zone": zone.key,
        "cursor": now.cursor if now else "",
        "notices": now.notices if now else [],
        "notices_version": now.notices_version if now else 0,
        "stream_url": f"/live/stream?{'&'.join(f'view={view}' for view in views)}" if views else "",
        "hospital_name": now.hospital if now else "",
        "person": None,
        "nav": [],
        "csrf_token": person.csrf_token if person else "",
    }
    if person is not None and person.missing is None:
        around["lasts"] = {
            "idle_at": clock.iso(person.idle_at) if person.idle_at else "",
            "expires_at": clock.iso(person.expires_at),
            "renew_s": settings.current.session_rotate_s / 3,
        }
        around["nav"] = _nav(person)
        around["person"] = {
            "id": person.actor.person_id,
            "rights": clock.iso(person.changed_at),
            "session": person.public_id,
            "name": person.actor.name,
            "role": person.actor.role.value,
            "role_word": gettext(ROLE_WORDS[person.actor.role]),
            "may": person.rights_word,
            "units_word": ", ".join(person.unit_codes),
            "emergency": _emergency(person, now),
        }
    return around


def _emergency(person: SignedIn, now: Now | None) -> dict[str, Any] | None:
    """Until when the glass is broken, and for how many seconds yet: no page may outlive it."""
    if person.emergency_until is None:
        return None
    left = person.emergency_until - clock.now()
    return {"until": now and moment(person.emergency_until, now.zone), "left_s": int(left.total_seconds()) + 1}


def _nav(person: SignedIn) -> list[Place]:
    """Who sits at a desk looks at alerts and patients in an emergency alone, and keeps the desk beside them."""
    may, at_the_bed = person.actor.may, home_of(person.actor.role) == "/alerts"
    pages = (
        ("/alerts", gettext("Alerts"), "bell", may(Right.SEE_ALERTS)),
        ("/patients", gettext("Patients"), "patients", may(Right.SEE_ALERTS)),
        ("/metrics", gettext("Metrics"), "metrics", at_the_bed),
        ("/board", gettext("Board"), "board", at_the_bed),
        ("/boards", gettext("Boards"), "monitor", may(Right.PAIR_BOARDS)),
        ("/notices", gettext("Notices"), "notice", may(Right.SEND_NOTICES)),
        ("/admin", gettext("Administration"), "administration", may(Right.SEE_ADMINISTRATION)),
        ("/admin/audit", gettext("Audit"), "audit", may(Right.SEE_AUDIT)),
    )
    shown = [(url, word, icon) for url, word, icon, wanted in pages if wanted]
    here = f"{request.path}/"
    current = max((url for url, *_ in shown if here.startswith(f"{url}/")), key=len, default="")
    return [Place(url, word, icon, url == current) for url, word, icon in shown]
