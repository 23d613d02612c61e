"""Who may do what, in their own units. The one table of rights; acts and doors ask it."""

from dataclasses import dataclass
from enum import StrEnum


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


_AT_THE_BED = frozenset(
    {Right.SEE_ALERTS, Right.SEE_IDENTITY, Right.ACKNOWLEDGE, Right.NOTE, Right.ESCALATE, Right.RESOLVE, Right.OBSERVE}
)

# A charge nurse does not resolve her nurses' alerts; an unassigned one she alone can see, so she alone can end it.
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.NURSE: _AT_THE_BED,
    Role.CHARGE: _AT_THE_BED - {Right.RESOLVE} | {Right.SEE_UNASSIGNED, Right.RESOLVE_UNASSIGNED, Right.PAIR_BOARDS},
    Role.PHYSICIAN: _AT_THE_BED | {Right.SET_SCALE},
    Role.ENGINEER: frozenset(),
    Role.ADMIN: frozenset(),
    Role.DISPLAY: frozenset({Right.SEE_ALERTS}),
}


def may(role: Role, right: Right) -> bool:
    return right in RIGHTS[role]


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
