"""How one wants to see and hear things, in whatever browser one signs in."""

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy.orm import Session

from hospital import records
from hospital.access import sessions
from hospital.access.guard import for_people, me
from hospital.fragments.language import LANGUAGES
from hospital.fragments.words import PRIORITIES, gettext
from hospital.pages.filters import WHO
from hospital.pages.layout import now_of, page
from hospital.records import Person
from hospital.records.preferences import VOLUMES, Density, Sound, Theme
from hospital.roles import Right
from hospital.vocabulary import N_, Priority

blueprint = Blueprint("preferences", __name__)

_DENSITIES = {Density.ROOMY: N_("Roomy"), Density.COMPACT: N_("Compact")}
VOLUME_WORDS = [(volume, f"{volume} %") for volume in VOLUMES]
SOUNDS = {Sound.ON: N_("On"), Sound.OFF: N_("Off")}
_WHO_WORDS = dict(zip(("", *WHO), (N_("Everyone's"), N_("Nobody's"), N_("Somebody's"), N_("Mine")), strict=True))


@blueprint.get("/preferences")
@for_people(Right.OWN_ACCOUNT)
def preferences() -> str:
    return _page()


@blueprint.post("/preferences")
@for_people(Right.OWN_ACCOUNT)
def choose() -> Response:
    """What is not in the form stays as it is. A script asks for JSON and gets 204."""
    offered = _offered()
    chosen = {name: request.form[name] for name in offered if name in request.form}
    wrong = [name for name, value in chosen.items() if value not in offered[name]]
    if wrong:
        return make_response(_page(wrong), 422)
    person = me()

    def act(session: Session) -> None:
        row = session.get_one(Person, person.actor.person_id)
        row.preferences = row.preferences.but(chosen)

    records.write(None, act)
    sessions.lately.forget({person.session_id})  # the next line speaks the language of the next page
    if request.accept_mimetypes.best == "application/json":
        return make_response("", 204)
    return make_response(redirect("/preferences", 303))


def _offered() -> dict[str, list[str]]:
    return {
        "theme": [*Theme],
        "density": [*Density],
        "language": ["", *LANGUAGES],
        "sound": [*Sound],
        "volume": [str(volume) for volume in VOLUMES],
        "unit": ["", *me().unit_codes],
        "priority": ["", *Priority],
        "who": ["", *WHO],
    }


def _page(wrong: list[str] | None = None) -> str:
    with records.read() as session:
        now = now_of(session, me())
    return page(
        "pages/preferences.html",
        now,
        chosen=me().preferences,
        densities=[(value, gettext(word)) for value, word in _DENSITIES.items()],
        languages=[("", gettext("As the browser")), *LANGUAGES.items()],
        sounds=[(value, gettext(word)) for value, word in SOUNDS.items()],
        volumes=VOLUME_WORDS,
        units=[("", gettext("All units")), *((unit, unit) for unit in me().unit_codes)],
        priorities=[("", gettext("Any priority")), *((one, gettext(PRIORITIES[one]).capitalize()) for one in Priority)],
        who=[(value, gettext(word)) for value, word in _WHO_WORDS.items()],
        errors=dict.fromkeys(wrong or (), gettext("Choose one of these.")),
    )
