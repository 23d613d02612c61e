"""The commands of `flask --app app audit …`: is nothing changed, and the audit as a table."""

import sys

import click
from flask.cli import AppGroup
from sqlalchemy import select

from hospital import records
from hospital.records import Hospital, anchoring, audit
from hospital.records.audit import Trace
from hospital.records.audit_table import csv_lines
from hospital.records.verifying import verify

commands = AppGroup("audit", help="Who looked at what, and whether anybody changed what was written.")


@commands.command("verify")
def verify_chains() -> None:
    """Check journal and audit of every hospital, line by line and against the anchors. Ends with 1 if one is broken."""
    anchors = anchoring.anchors()
    forged = [anchor.line for anchor in anchors if anchor.proved is False]
    whole = not forged
    for verdict in verify([anchor for anchor in anchors if anchor.proved is not False]):
        name = f"{verdict.hospital or 'nobody'} {verdict.chain}"
        click.echo(f"{name}: {verdict.broken or f'whole, {verdict.lines} lines'}")
        whole = whole and not verdict.broken
    click.echo(_told(len(anchors), forged, sum(anchor.proved is None for anchor in anchors)))
    if not whole:
        raise click.exceptions.Exit(1)


@commands.command("export")
@click.option("--hospital", "hospital_code", required=True, help="The code of the hospital.")
def export(hospital_code: str) -> None:
    """The whole audit of a hospital as CSV. That it was exported is its last line."""
    with records.read() as session:
        hospital_id = session.scalar(select(Hospital.id).where(Hospital.code == hospital_code))
    if hospital_id is None:
        raise click.ClickException(f"There is no hospital {hospital_code!r}.")
    audit.leave(Trace(hospital_id, "export", "audit"))
    with records.read() as session:
        sys.stdout.writelines(csv_lines(session, hospital_id, audit.with_sealed_detail()))


def _told(count: int, forged: list[int], unproved: int) -> str:
    if forged:
        return f"anchors: line {forged[0]} was changed or was not written by this server"
    if count == 0:
        return "anchors: none. A chain whose tail was cut with its head looks whole."
    return f"anchors: {count}" + (f", {unproved} of them signed with a key that has left the ring" if unproved else "")
