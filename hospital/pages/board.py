"""The wall: beds only, read at four metres."""

from flask import Blueprint, render_template
from sqlalchemy import select

from hospital import clock, records
from hospital.access.guard import for_people, me, open_to_all
from hospital.fragments import language
from hospital.fragments.beds import board_beds
from hospital.fragments.card import alerts_in, card
from hospital.fragments.moment import moment
from hospital.pages.layout import fragments, now_of, page
from hospital.records import Board
from hospital.roles import Right

blueprint = Blueprint("board", __name__)

_ROWS_WITHOUT_SCRIPT = 5  # as many as fit a wall of 1920 × 1080; with its script the wall counts for itself


@blueprint.get("/board")
@for_people(Right.SEE_ALERTS)
def board() -> str:
    actor = me().actor
    with records.read() as session:
        now = now_of(session, me())
        alerts = session.scalars(alerts_in(actor.hospital_id, actor.scope)).unique().all()
        beds = board_beds(session, actor.hospital_id, actor.scope)
        paired = session.scalar(select(Board.id).where(Board.person_id == actor.person_id)) is not None
    in_order = sorted(alerts, key=lambda alert: card(alert, now.zone, identity=False).sort)
    return page(
        "pages/board.html",
        now,
        view="board",
        rows=[fragments().board_row(alert, now.zone) for alert in in_order],
        paired=paired,
        more=max(0, len(in_order) - _ROWS_WITHOUT_SCRIPT),
        beds=fragments().beds(beds=beds, version=0),
        clock_text=(time := moment(clock.now(), now.zone).text),
        night="–".join(night := me().preferences.night_hours),
        theme="night" if _is_between(time, *night) else "dark",
        letters=me().preferences.letters.value,
    )


@blueprint.get("/board/offline")
@open_to_all
def offline() -> str:
    """What a wall shows when it loads and there is no server. It knows nobody: static/js/offline.js keeps it."""
    return render_template("pages/offline.html", language=language.current())


def _is_between(time: str, begins: str, ends: str) -> bool:
    """Times as 'HH:MM'; a night may go over midnight. static/js/board.js goes on with it."""
    return begins <= time < ends if begins <= ends else time >= begins or time < ends
