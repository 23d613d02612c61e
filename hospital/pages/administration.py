"""The administration's first page: what its pages are, each for whom it is."""

from flask import Blueprint

from hospital import records
from hospital.access.guard import for_people, me
from hospital.fragments.words import gettext
from hospital.pages.layout import now_of, page
from hospital.roles import Right
from hospital.vocabulary import N_

blueprint = Blueprint("administration", __name__)

# address, what it is, who may see it
_PLACES = (
    ("/admin/people", N_("People and their sign-ins"), Right.MANAGE_PEOPLE),
    ("/admin/units", N_("Units and beds"), Right.MANAGE_UNITS),
    ("/admin/bed-codes", N_("What senders call the beds"), Right.MANAGE_UNITS),
    ("/admin/senders", N_("Senders and their tokens"), Right.MANAGE_SENDERS),
    ("/admin/streams", N_("Open lines"), Right.SEE_STREAMS),
    ("/engineering", N_("Senders and refused messages"), Right.SEE_SENDERS),
    ("/admin/reviews", N_("Emergency access to be reviewed"), Right.REVIEW_EMERGENCIES),
    ("/emergency", N_("Emergency access"), Right.BREAK_GLASS),
)


@blueprint.get("/admin")
@for_people(Right.SEE_ADMINISTRATION)
def administration() -> str:
    places = [(url, gettext(word)) for url, word, right in _PLACES if me().actor.may(right)]
    with records.read() as session:
        return page("pages/administration.html", now_of(session, me()), places=places)
