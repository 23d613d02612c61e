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
    SEND_NOTICES = "send-notices"
    BREAK_GLASS = "break-glass"  # emergency access: all units of the hospital, for a while
    OWN_ACCOUNT = "own-account"  # a password, a second factor, sign-ins of one's own
    SEE_ADMINISTRATION = "see-administration"
    MANAGE_PEOPLE = "manage-people"
    MANAGE_UNITS = "manage-units"
    SEE_AUDIT = "see-audit"
    SEE_STREAMS = "see-streams"
    SEE_SENDERS = "see-senders"
    MANAGE_SENDERS = "manage-senders"
    GIVE_TOKENS = "give-tokens"
    READ_REFUSED = "read-refused"  # what a refused message says
    REVIEW_EMERGENCIES = "review-emergencies"


_AT_THE_BED = frozenset(
    {
        Right.SEE_ALERTS,
        Right.SEE_IDENTITY,
        Right.ACKNOWLEDGE,
        Right.NOTE,
        Right.ESCALATE,
        Right.RESOLVE,
        Right.OBSERVE,
        Right.BREAK_GLASS,
        Right.OWN_ACCOUNT,
    }
)

_AT_A_DESK = frozenset({Right.OWN_ACCOUNT, Right.SEE_ADMINISTRATION, Right.BREAK_GLASS})

# A charge nurse does not resolve her nurses' alerts; an unassigned one she alone can see, so she alone can end it.
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.NURSE: _AT_THE_BED,
    Role.CHARGE: _AT_THE_BED - {Right.RESOLVE}
    | {Right.SEE_UNASSIGNED, Right.RESOLVE_UNASSIGNED, Right.PAIR_BOARDS, Right.SEND_NOTICES},
    Role.PHYSICIAN: _AT_THE_BED | {Right.SET_SCALE},
    Role.ENGINEER: _AT_A_DESK | {Right.SEE_SENDERS, Right.MANAGE_SENDERS},
    Role.ADMIN: _AT_A_DESK
    | {Right.SEE_SENDERS, Right.MANAGE_SENDERS, Right.GIVE_TOKENS}
    | {Right.MANAGE_PEOPLE, Right.MANAGE_UNITS, Right.SEND_NOTICES, Right.SEE_AUDIT, Right.SEE_STREAMS}
    | {Right.REVIEW_EMERGENCIES},
    Role.DISPLAY: frozenset({Right.SEE_ALERTS}),
}

_TO_LOOK = frozenset({Right.SEE_ALERTS, Right.SEE_IDENTITY})

# Besides, while the glass is broken. Who works at the bed has other units then, and the same rights in them.
IN_AN_EMERGENCY: dict[Role, frozenset[Right]] = {
    Role.ENGINEER: _TO_LOOK | {Right.READ_REFUSED},
    Role.ADMIN: _TO_LOOK,
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
    """Whoever acts or looks: a person of one hospital, in one or more of its units.

    `emergency`: the glass is broken, and `unit_ids` are all units of the hospital.
    """

    person_id: int
    hospital_id: int
    name: str
    role: Role
    unit_ids: frozenset[int]
    emergency: bool = False

    def may(self, right: Right) -> bool:
        return may(self.role, right) or (self.emergency and right in IN_AN_EMERGENCY.get(self.role, ()))

    @property
    def scope(self) -> frozenset[int | None]:
        """The units whose alerts this person sees; None stands for the unassigned."""
        if not self.may(Right.SEE_ALERTS):
            return frozenset()
        return self.unit_ids | {None} if self.may(Right.SEE_UNASSIGNED) else self.unit_ids
