"""The commands of `flask --app app senders …` and `… tokens …`: who may send, from where, for which units."""

from collections.abc import Callable

import click
from flask.cli import AppGroup
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from hospital import clock, records
from hospital.access import enrolling, sender_tokens
from hospital.access.enrolling import Binding, Unfit
from hospital.records import Hospital, Kind, Sender, SenderToken, audit
from hospital.records.audit import Trace

senders = AppGroup("senders", help="Who may send: gateways over MLLP, programs over HTTP.")
tokens = AppGroup("tokens", help="Tokens with which senders hand in messages over HTTP.")

_of_hospital = click.option("--hospital", "hospital_code", required=True, help="The code of the sender's hospital.")
_of_sender = click.option("--sender", "name", required=True, help="What the sender is called.")
_addresses = click.option("--address", "addresses", multiple=True, help="An address or network it may send from.")
_doors = click.Choice([kind.value for kind in Kind])
_kinds = click.option("--kind", "kinds", multiple=True, type=_doors, help="A door that it opens; none: all of them.")
_units = click.option("--unit", "units", multiple=True, help="The code of a unit it may speak for; none: all of them.")


@senders.command("create")
@_of_hospital
@_of_sender
@click.option("--application", required=True, help="What it sends as MSH-3.")
@click.option("--facility", default="", help="What it sends as MSH-4.")
@_addresses
@_units
def create_sender(
    hospital_code: str, name: str, application: str, facility: str, addresses: tuple[str, ...], units: tuple[str, ...]
) -> None:
    """Make a sender that speaks MLLP. Without an address it may send from this machine alone."""

    def act(session: Session) -> str:
        binding = Binding.of(" ".join(addresses), units)
        sender = enrolling.enrol(session, _hospital(session, hospital_code).id, name, (application, facility), binding)
        _trace(session, "senders create", sender)
        return _told(sender)

    click.echo(_write(act))


@senders.command("bind")
@_of_hospital
@_of_sender
@_addresses
@_units
def bind_sender(hospital_code: str, name: str, addresses: tuple[str, ...], units: tuple[str, ...]) -> None:
    """Say anew from where it may send and for which units, in place of what was said before."""

    def act(session: Session) -> str:
        sender = _sender(session, hospital_code, name)
        enrolling.bind(session, sender, Binding.of(" ".join(addresses), units))
        _trace(session, "senders bind", sender)
        return _told(sender)

    click.echo(_write(act))


@senders.command("revoke")
@_of_hospital
@_of_sender
def revoke_sender(hospital_code: str, name: str) -> None:
    """Take nothing more from it; its connections are closed within a beat, its tokens end."""

    def act(session: Session) -> None:
        sender = _sender(session, hospital_code, name)
        enrolling.revoke(session, sender)
        _trace(session, "senders revoke", sender)

    _write(act)
    click.echo(f"Nothing is taken from {name} any more.")


@senders.command("restore")
@_of_hospital
@_of_sender
def restore_sender(hospital_code: str, name: str) -> None:
    """Let a sender send again that was revoked; over HTTP it needs a new token."""

    def act(session: Session) -> None:
        sender = _sender(session, hospital_code, name)
        enrolling.restore(sender)
        _trace(session, "senders restore", sender)

    _write(act)
    click.echo(f"{name} may send again.")


@senders.command("list")
@_of_hospital
def list_senders(hospital_code: str) -> None:
    """Each sender, what it is bound to, and when something of it was last taken."""
    with records.read() as session:
        for sender in _senders(session, hospital_code):
            click.echo(f"{sender.name}: {_told(sender)}, last heard {_moment(sender.heard_at)}")


@tokens.command("create")
@_of_hospital
@_of_sender
@_kinds
def create_token(hospital_code: str, name: str, kinds: tuple[str, ...]) -> None:
    """Make a sender's token and print it as the last word; its others end. A sender that is not there is made."""

    def act(session: Session) -> str:
        hospital = _hospital(session, hospital_code)
        sender = enrolling.by_name(session, hospital.id, name) or enrolling.enrol(session, hospital.id, name, None)
        token = sender_tokens.give(session, sender, [Kind(kind) for kind in kinds or Kind], overlap=False)
        _trace(session, "tokens create", sender)
        return token

    click.echo(f"The token of {name} (it will not be shown again): {_write(act)}")


@tokens.command("rotate")
@_of_hospital
@_of_sender
def rotate_token(hospital_code: str, name: str) -> None:
    """Make a new token for the same doors and print it as the last word; the old one goes on for a while."""

    def act(session: Session) -> str:
        sender = _sender(session, hospital_code, name)
        token = sender_tokens.replace(session, sender)
        if token is None:
            raise click.ClickException(f"{name} has no token. Make one: flask --app app tokens create")
        _trace(session, "tokens rotate", sender)
        return token

    click.echo(f"The new token of {name} (it will not be shown again): {_write(act)}")


@tokens.command("revoke")
@_of_hospital
@_of_sender
def revoke_tokens(hospital_code: str, name: str) -> None:
    """End every token of a sender now."""

    def act(session: Session) -> int:
        sender = _sender(session, hospital_code, name)
        _trace(session, "tokens revoke", sender)
        return sender_tokens.revoke_all(session, sender)

    click.echo(f"{_write(act)} ended.")


@tokens.command("list")
@_of_hospital
def list_tokens(hospital_code: str) -> None:
    """Each token: which doors it opens, until when, and when it was last used. The token itself nobody knows."""
    now = clock.now()
    with records.read() as session:
        for sender in _senders(session, hospital_code):
            for token in sender.tokens:
                click.echo(
                    f"{sender.name}: {token.kinds}, {_state(token, token.is_living(now))}, "
                    f"last used {_moment(token.used_at)}"
                )


def _state(token: SenderToken, living: bool) -> str:
    if token.revoked_at is not None:
        return f"revoked {_moment(token.revoked_at)}"
    return f"{'until' if living else 'ended'} {_moment(token.expires_at)}"


def _told(sender: Sender) -> str:
    header = "HTTP alone" if sender.application is None else f"MSH-3 {sender.application!r}, MSH-4 {sender.facility!r}"
    addresses = sender.addresses or "this machine"
    units = ", ".join(unit.code for unit in sender.units) or "all units"
    return f"{header}, from {addresses}, for {units}{', revoked' if sender.revoked_at else ''}"


def _moment(at: object) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else "never"


def _write(act: "Callable[[Session], object]") -> object:
    try:
        return records.write(None, act)
    except Unfit as unfit:
        raise click.ClickException(str(unfit)) from None


def _hospital(session: Session, code: str) -> Hospital:
    hospital = session.scalar(select(Hospital).where(Hospital.code == code))
    if hospital is None:
        raise click.ClickException(f"There is no hospital {code!r}.")
    return hospital


def _sender(session: Session, hospital_code: str, name: str) -> Sender:
    sender = enrolling.by_name(session, _hospital(session, hospital_code).id, name)
    if sender is None:
        raise click.ClickException(f"There is no sender {name!r}.")
    return sender


def _senders(session: Session, hospital_code: str) -> list[Sender]:
    query = select(Sender).where(Sender.hospital_id == _hospital(session, hospital_code).id).order_by(Sender.name)
    return list(session.scalars(query.options(selectinload(Sender.units), selectinload(Sender.tokens))))


def _trace(session: Session, act: str, sender: Sender) -> None:
    audit.append(session, Trace(sender.hospital_id, act, f"sender:{sender.id}", sender_id=sender.id))
