"""The command `flask --app app epoch new`."""

import secrets

import click
from flask.cli import AppGroup
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hospital import records
from hospital.records import Hospital, audit
from hospital.records.audit import Trace

epoch = AppGroup("epoch", help="After a backup was put back: let every screen begin anew.")


@epoch.command("new")
@click.option("--hospital", "hospital_code", help="The code of one hospital.")
@click.option("--all", "every", is_flag=True, help="Every hospital of this database.")
def new_epoch(hospital_code: str | None, every: bool) -> None:
    """Change the epoch, so that no screen goes on from a number that now means something else.

    It stands in the head row of the hospital's journal and writes no line: the journal is as it was backed up.
    """
    if every == (hospital_code is not None):
        raise click.UsageError("Say either --hospital CODE or --all.")
    with records.read() as session:
        chosen = session.scalars(select(Hospital) if every else select(Hospital).filter_by(code=hospital_code)).all()
    if not chosen:
        raise click.ClickException("There is no hospital yet." if every else f"There is no hospital {hospital_code!r}.")
    for hospital in chosen:
        click.echo(f"{hospital.code}: screens that were at {hospital.epoch} begin anew at {_begin_anew(hospital)}")


def _begin_anew(hospital: Hospital) -> str:
    word = secrets.token_hex(4)
    try:
        records.write(hospital.id, lambda session: _change(session, hospital.id, word))
    except records.NotStored as error:
        raise click.ClickException(f"The epoch of {hospital.code} could not be changed ({error}). Try again.") from None
    return word


def _change(session: Session, hospital_id: int, word: str) -> None:
    session.execute(update(Hospital).where(Hospital.id == hospital_id).values(epoch=word))
    audit.append(session, Trace(hospital_id, "epoch new", f"epoch:{word}"))
