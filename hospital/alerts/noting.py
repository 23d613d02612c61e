"""Someone writes something down about an alert."""

from datetime import datetime

from sqlalchemy.orm import Session

from hospital.alerts.refusals import EmptyNote
from hospital.alerts.rights import alert_for
from hospital.records import Alert, Note, journal
from hospital.roles import Actor, Right
from hospital.vocabulary import Happening

LONGEST_NOTE = 2_000  # characters


def note(session: Session, actor: Actor, alert_id: int, text: str, at: datetime) -> Alert:
    """Keep a note, also on a resolved alert. Raises a Refusal (EmptyNote: no words, or too many)."""
    alert = alert_for(session, actor, alert_id, Right.NOTE)
    text = text.replace("\r\n", "\n")  # as its field counts it
    words = text.strip()
    if not words or len(text) > LONGEST_NOTE:
        raise EmptyNote
    line = journal.append(session, alert, Happening.NOTED, at=at, by=actor.person_id, free_text=words)
    session.add(Note(alert_id=alert.id, person_id=actor.person_id, number=line.number, at=at, text=words))
    return alert
