"""The commands of `flask --app app …`."""

import click
from flask.cli import AppGroup
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import clock, records
from hospital.access.tokens import new_token, token_hash
from hospital.records import Hospital, Sender

tokens = AppGroup("tokens", help="Tokens with which senders hand in messages over HTTP.")


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
    return True
