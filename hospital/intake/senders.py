"""Who is sending, and may it: by MSH-3, MSH-4 and its address over MLLP, by a token over HTTP."""

import time
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, selectinload

from hospital import clock, records, settings
from hospital.access import sender_tokens
from hospital.access.channel import is_loopback
from hospital.records import Hospital, Kind, Sender, Unit, find_bed
from hospital.triage.alarm import Place

DEMO_HOSPITAL = "demo"
_REMEMBERED_S = 5.0  # a gateway sends many messages a second, and hardly ever becomes another

_remembered: dict[tuple[int, str, str], tuple["KnownSender | None", float]] = {}


@dataclass(frozen=True)
class KnownSender:
    """`zone` is its hospital's: times that name none are read in it. No `unit_ids`: it speaks for all its hospital.

    `kinds`: what its token opens.
    """

    id: int
    hospital_id: int
    zone: ZoneInfo
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    unit_ids: frozenset[int] = frozenset()
    kinds: tuple[Kind, ...] = ()

    def may_come_from(self, address: str) -> bool:
        """Where no network is named: this machine alone, or anywhere while everything here is invented."""
        if not self.networks:
            return settings.current.demo or is_loopback(address)
        given = ip_address(address)
        given = getattr(given, "ipv4_mapped", None) or given
        return any(given in network for network in self.networks)


class NotBound(Exception):
    """A sender that may not send this. `why` is counted, `location` is as in ERR-2; its text names nothing."""

    def __init__(self, why: str, sentence: str, location: str = "MSH^1^3") -> None:
        super().__init__(sentence)
        self.why = why
        self.location = location


def by_header(application: str, facility: str) -> KnownSender | None:
    """The sender that calls itself so; None: nobody knows it. With demo hospitals an unknown one is bound to `demo`."""
    key = (records.generation(), application, facility)
    known, until = _remembered.get(key, (None, 0.0))
    if known is not None and time.monotonic() < until:
        return known
    known = _find(Sender.application == application, Sender.facility == facility)
    if known is not None:
        _remembered[key] = (known, time.monotonic() + _REMEMBERED_S)
    if known is None and settings.current.demo:
        records.write(None, lambda session: _bind(session, application, facility))
        return by_header(application, facility)
    return known


def by_token(token: str) -> KnownSender | None:
    """The sender whose living token this is; None: nobody's."""
    found = sender_tokens.find_token(token)
    known = _find(Sender.id == found.sender_id) if found else None
    return replace(known, kinds=sender_tokens.kinds_of(found)) if known and found else None


def by_id(sender_id: int) -> KnownSender | None:
    return _find(Sender.id == sender_id)


def check_address(known: KnownSender | None, address: str) -> KnownSender:
    """The same sender. Raises NotBound."""
    if known is None:
        raise NotBound("unknown", "This sender is not known here (MSH-3, MSH-4).")
    if not known.may_come_from(address):
        raise NotBound("address", "This sender may not send from this address.")
    return known


def check_living(sender: Sender) -> None:
    """Raises NotBound."""
    if sender.revoked_at is not None:
        raise NotBound("revoked", "This sender has been ended by an administrator.")


def check_place(session: Session, known: KnownSender, place: Place, facility: str = "") -> None:
    """Raises NotBound. `facility`: what PV1-3.4 says, which counts only if it is another hospital's own code.

    A place that its hospital does not know may always come in: it stands before the charge nurse, and no alarm is lost
    because a bed is new.
    """
    if facility and session.scalar(
        select(Hospital.id).where(Hospital.code == facility, Hospital.id != known.hospital_id)
    ):
        raise NotBound("place", "This sender may not speak for another hospital.", "PV1^1^3")
    if known.unit_ids:
        check_unit(known, _unit_of(session, known.hospital_id, place))


def check_unit(known: KnownSender, unit_id: int | None) -> None:
    """Raises NotBound."""
    if known.unit_ids and unit_id is not None and unit_id not in known.unit_ids:
        raise NotBound("place", "This sender may not speak for that unit.", "PV1^1^3")


def heard(sender: Sender, clock_off_s: float | None = None) -> None:
    """Part of taking a message: once a minute it is written down that one came, and how far off its clock is."""
    now = clock.now()
    if sender.heard_at is None or (now - sender.heard_at).total_seconds() >= 60:
        sender.heard_at = now
        sender.clock_off_s = clock_off_s if clock_off_s is not None else sender.clock_off_s


def revoked_among(sender_ids: set[int]) -> set[int]:
    with records.read() as session:
        query = select(Sender.id).where(Sender.id.in_(sender_ids), Sender.revoked_at.is_not(None))
        return set(session.scalars(query))


def _unit_of(session: Session, hospital_id: int, place: Place) -> int | None:
    bed = find_bed(session, hospital_id, place.unit, place.bed, place.label)
    if bed is not None:
        return bed.unit_id
    return session.scalar(select(Unit.id).where(Unit.hospital_id == hospital_id, Unit.code == place.unit))


def _find(*where: ColumnElement[bool]) -> KnownSender | None:
    with records.read() as session:
        query = select(Sender, Hospital.timezone).join(Hospital, Hospital.id == Sender.hospital_id)
        row = session.execute(query.where(*where).options(selectinload(Sender.units))).one_or_none()
    if row is None:
        return None
    sender, zone = row
    networks = tuple(ip_network(address) for address in sender.addresses.split())
    units = frozenset(unit.id for unit in sender.units)
    return KnownSender(sender.id, sender.hospital_id, ZoneInfo(zone), networks, units)


def _bind(session: Session, application: str, facility: str) -> None:
    there = select(Sender.id).where(Sender.application == application, Sender.facility == facility)
    if session.scalar(there) is not None:  # another connection was first
        return
    demo = session.scalars(select(Hospital).where(Hospital.code == DEMO_HOSPITAL)).one()
    name = " / ".join(part for part in (application, facility) if part) or "unnamed sender"
    session.add(
        Sender(
            hospital_id=demo.id,
            name=name,
            application=application,
            facility=facility,
            authority=name,
            created_at=clock.now(),
        )
    )
