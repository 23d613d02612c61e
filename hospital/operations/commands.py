"""The commands of `flask --app app …`."""

import secrets

import click
from flask.cli import AppGroup
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hospital import clock, records
from hospital.access.tokens import new_token, token_hash
from hospital.records import Hospital, Sender, audit
from hospital.records.audit import Trace

tokens = AppGroup("tokens", help="Tokens with which senders hand in messages over HTTP.")
epoch = AppGroup("epoch", help="After a backup was put back: let every screen begin anew.")


@tokens.command("create")
@click.option("--hospital", "hospital_code", required=True, help="The code of the sender's hospital.")
@click.option("--sender", "name", required=True, help="What to call the sender; an existing one gets a new token.")
def create(hospital_code: str, name: str) -> None:
    """Make a sender's token and print it as the last word. It is shown only once."""
    token = new_token()
    if not records.write(None, lambda session: _give(session, hospital_code, name, token)):
        raise click.ClickException(f"There is no hospital {hospital_code!r}.")
    click.echo(f"The token of {name} (it will not be shown again): {token}")


def _give(session: Session, hospital_code: str, name: str, token: str) -> bool:
    hospital = session.scalar(select(Hospital).where(Hospital.code == hospital_code))
    if hospital is None:
        return False
    sender = session.scalar(select(Sender).where(Sender.hospital_id == hospital.id, Sender.name == name))
    if sender is None:
        sender = Sender(hospital_id=hospital.id, name=name, application=f"token:{hospital_code}", facility=name)
        sender.authority, sender.created_at = name, clock.now()
        session.add(sender)
    sender.token_hash = token_hash(token)
    session.flush()
    audit.append(session, Trace(hospital.id, "tokens create", f"sender:{sender.id}", sender_id=sender.id))
    return True


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
