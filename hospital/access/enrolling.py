"""Who may send: senders are made, bound to addresses and units, ended and let in again."""

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_network

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hospital import clock
from hospital.access import sender_tokens
from hospital.records import Sender, Unit
from hospital.vocabulary import N_

_LONGEST_NAME = 200  # characters, of MSH-3 and MSH-4 too
_LONGEST_ADDRESSES = 1_000  # characters


class Unfit(Exception):
    """What was said of a sender cannot be. `field`: which of name, application, addresses, unit, kind."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class Binding:
    """Where a sender may come from, as networks ('10.0.7.0/24'; none: this machine), and for which units it may speak.

    No units: for every unit of its hospital.
    """

    addresses: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    @classmethod
    def of(cls, addresses: str, units: Collection[str]) -> "Binding":
        """From what somebody wrote, with commas or spaces between the addresses. Raises Unfit."""
        try:
            given = [ip_network(word, strict=False) for word in addresses.replace(",", " ").split()]
        except ValueError:
            raise Unfit(
                "addresses", N_("Write addresses or networks, as 10.0.7.21 or 10.0.7.0/24, with spaces between.")
            ) from None
        networks = [str(one.network_address if one.num_addresses == 1 else one) for one in given]
        if len(" ".join(networks)) > _LONGEST_ADDRESSES:
            raise Unfit("addresses", N_("These are too many addresses. Write them as networks, as 10.0.7.0/24."))
        return cls(tuple(dict.fromkeys(networks)), tuple(units))


def enrol(
    session: Session, hospital_id: int, name: str, header: tuple[str, str] | None, binding: Binding | None = None
) -> Sender:
    """A new sender. `header`: its MSH-3 and MSH-4; None: it speaks no MLLP, only HTTP with a token. Raises Unfit."""
    name = " ".join(name.split())
    if not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME:
        raise Unfit("name", N_("A sender needs a name of 200 characters at most."))
    if by_name(session, hospital_id, name) is not None:
        raise Unfit("name", N_("Another sender has this name."))
    application, facility = _header(session, header)
    sender = Sender(
        hospital_id=hospital_id,
        name=name,
        application=application,
        facility=facility,
        authority=name,
        created_at=clock.now(),
    )
    session.add(sender)
    bind(session, sender, binding or Binding())
    session.flush()
    return sender


def bind(session: Session, sender: Sender, binding: Binding) -> None:
    """In place of what it was bound to. Raises Unfit."""
    there = session.scalars(select(Unit).where(Unit.hospital_id == sender.hospital_id))
    units = [unit for unit in there if unit.code in binding.units]
    if len(units) < len(set(binding.units)):
        raise Unfit("unit", N_("There is no such unit in this hospital."))
    sender.addresses, sender.units = " ".join(binding.addresses), units


def revoke(session: Session, sender: Sender) -> None:
    """Nothing of it is taken from now on, and its connections are closed within a beat; its tokens end for good."""
    sender.revoked_at = sender.revoked_at or clock.now()
    sender_tokens.revoke_all(session, sender)


def restore(sender: Sender) -> None:
    """It may send again over MLLP; over HTTP it needs a new token."""
    sender.revoked_at = None


def by_name(session: Session, hospital_id: int, name: str) -> Sender | None:
    query = select(Sender).where(Sender.hospital_id == hospital_id, Sender.name == name)
    return session.scalars(query.order_by(Sender.id).limit(1)).one_or_none()


def _header(session: Session, header: tuple[str, str] | None) -> tuple[str | None, str | None]:
    """What comes over MLLP must say whose it is: no two senders of this server call themselves the same."""
    if header is None:
        return None, None
    application, facility = (word.strip() for word in header)
    both = application + facility
    if not both or not both.isprintable() or max(len(application), len(facility)) > _LONGEST_NAME:
        raise Unfit("application", N_("Write what it sends as MSH-3 or MSH-4, 200 characters at most."))
    same = (Sender.application == application, Sender.facility == facility)
    if session.scalar(select(func.count()).select_from(Sender).where(*same)):
        raise Unfit("application", N_("Another sender of this server calls itself so."))
    return application, facility
