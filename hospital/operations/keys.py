"""The commands of `flask --app app keys …`: which keys there are, a new one, and sealing everything anew."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import select

from hospital import records
from hospital.records import SealKey, anchoring, audit, ring, sealed
from hospital.records.audit import NOBODYS, Trace
from hospital.records.key_register import WrongRing
from hospital.records.rotating import count_by_key, rotate

keys = AppGroup("keys", help="The keys with which identity is sealed.")


@keys.command("list")
def list_keys() -> None:
    """Tell of each key whether it is in the ring and how many values lie under it."""
    with records.read() as session:
        known = {key.id: key for key in session.scalars(select(SealKey).order_by(SealKey.id))}
        counts = count_by_key(session)
    newest = max(known, default=0)
    for number in sorted(known.keys() | sealed.ring().keys() | counts.keys()):
        place = "in the ring" if number in sealed.ring() else "not in the ring"
        click.echo(f"key {number}: {_state(known.get(number), newest)}, {place}, {counts.get(number, 0)} values")


@keys.command("new")
def new_key() -> None:
    """Add a key to the ring's file; without a file, print its line."""
    path: Path | None = current_app.extensions["key_file"]
    try:
        line = ring.new_line(max(sealed.ring()))
        if path is not None:
            ring.add_to_file(path, line)
    except ring.BadRing as problem:
        raise click.ClickException(str(problem)) from None
    number = line.partition(":")[0]
    if path is None:
        click.echo("Put this line beside the others of the ring, everywhere, and restart what has it as a setting:")
        click.echo(line)
    else:
        click.echo(f"Key {number} stands in {path}. Keep a copy apart from the database's backups.")
    click.echo("Nothing is sealed with it until you run: flask --app app keys rotate")


@keys.command("rotate")
def rotate_keys() -> None:
    """Seal everything with the highest key of the ring, while the server runs. After a stop, run it again."""
    try:
        account = rotate(lambda table, done, of: click.echo(f"{table}: {done} of {of}"))
    except (WrongRing, records.NotStored) as problem:
        raise click.ClickException(f"{problem} Nothing is lost: run it again.") from None
    audit.leave(Trace(NOBODYS, "keys rotate", f"key:{account.key}"))
    anchoring.anchor()  # with the new key, before the old one may leave the ring
    for table, count in account.sealed_anew.items():
        if count:
            click.echo(f"{table}: {count} sealed anew")
    if account.forgotten:
        click.echo(f"{account.forgotten} references to patients forgotten: their senders tell them again.")
    click.echo(f"Everything lies under key {account.key}. Other keys may leave the ring.")


def _state(key: SealKey | None, newest: int) -> str:
    if key is None:
        return "not used yet"
    if key.retired_at is not None:
        return f"retired {key.retired_at:%Y-%m-%d}"
    return "current" if key.id == newest else "being replaced"
