"""Who may do what, in their own units, and how long they stay signed in. Acts and doors ask it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from hospital import settings


class Role(StrEnum):
    NURSE = "nurse"
    CHARGE = "charge"
    PHYSICIAN = "physician"
    ENGINEER = "engineer"
    ADMIN = "admin"
    DISPLAY = "display"


class Right(StrEnum):
    SEE_ALERTS = "see-alerts"
    SEE_IDENTITY = "see-identity"
    SEE_UNASSIGNED = "see-unassigned"
    ACKNOWLEDGE = "acknowledge"
    NOTE = "note"
    ESCALATE = "escalate"
    RESOLVE = "resolve"
    OBSERVE = "observe"
    SET_SCALE = "set-scale"
    RESOLVE_UNASSIGNED = "resolve-unassigned"
    PAIR_BOARDS = "pair-boards"
    OWN_ACCOUNT = "own-account"  # a password, a second factor, sign-ins of one's own
    SEE_ADMINISTRATION = "see-administration"
    MANAGE_PEOPLE = "manage-people"
    SEE_AUDIT = "see-audit"
    SEE_STREAMS = "see-streams"


_AT_THE_BED = frozenset(
    {
        Right.SEE_ALERTS,
        Right.SEE_IDENTITY,
        Right.ACKNOWLEDGE,
        Right.NOTE,
        Right.ESCALATE,
        Right.RESOLVE,
        Right.OBSERVE,
        Right.OWN_ACCOUNT,
    }
)

# A charge nurse does not resolve her nurses' alerts; an unassigned one she alone can see, so she alone can end it.
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.NURSE: _AT_THE_BED,
    Role.CHARGE: _AT_THE_BED - {Right.RESOLVE} | {Right.SEE_UNASSIGNED, Right.RESOLVE_UNASSIGNED, Right.PAIR_BOARDS},
    Role.PHYSICIAN: _AT_THE_BED | {Right.SET_SCALE},
    Role.ENGINEER: frozenset({Right.OWN_ACCOUNT, Right.SEE_ADMINISTRATION}),
    Role.ADMIN: frozenset(
        {Right.OWN_ACCOUNT, Right.SEE_ADMINISTRATION, Right.MANAGE_PEOPLE, Right.SEE_AUDIT, Right.SEE_STREAMS}
    ),
    Role.DISPLAY: frozenset({Right.SEE_ALERTS}),
}


def may(role: Role, right: Right) -> bool:
    return right in RIGHTS[role]


def idle_limit(role: Role) -> timedelta | None:
    """How long a sign-in lasts that nobody uses; None: a wall is touched by nobody, and must not go dark for that."""
    if role is Role.DISPLAY:
        return None
    at_the_bed = may(role, Right.SEE_ALERTS)
    return timedelta(hours=settings.current.session_idle_h if at_the_bed else settings.current.session_office_idle_h)


def absolute_limit(role: Role) -> timedelta:
    """How long any sign-in lasts."""
    if role is Role.DISPLAY:
        return timedelta(days=settings.current.session_display_days)
    at_the_bed = may(role, Right.SEE_ALERTS)
    hours = settings.current.session_absolute_h if at_the_bed else settings.current.session_office_absolute_h
    return timedelta(hours=hours)


@dataclass(frozen=True)
class Actor:
    """Whoever acts or looks: a person of one hospital, in one or more of its units."""

    person_id: int
    hospital_id: int
    name: str
    role: Role
    unit_ids: frozenset[int]

    def may(self, right: Right) -> bool:
        return may(self.role, right)

    @property
    def scope(self) -> frozenset[int | None]:
        """The units whose alerts this person sees; None stands for the unassigned."""
        if not self.may(Right.SEE_ALERTS):
            return frozenset()
        return self.unit_ids | {None} if self.may(Right.SEE_UNASSIGNED) else self.unit_ids
