"""Who may do what to which alert: the whole table, written down apart from the one in roles.py."""

from dataclasses import replace

import pytest

from hospital.alerts.refusals import NotAllowed, NotFound
from hospital.roles import Actor, Role
from hospital.vocabulary import Happening, Priority, State
from tests.alerts.ward import Ward

ACTS = ("acknowledge", "note", "escalate", "resolve")

# An alert of one's own unit, of another unit of the hospital, of no unit, of the same unit of the other hospital, of no
# unit there. Letters: what is done (A, N, E, R); "-": the role may not; ".": it looks as if there were no such alert.
TABLE = """
                own   other  unassigned  abroad  unassigned-abroad
    nurse       ANER  ....   ....        ....    ....
    charge      ANE-  ....   ANER        ....    ....
    physician   ANER  ....   ....        ....    ....
    engineer    ....  ....   ....        ....    ....
    admin       ....  ....   ....        ....    ....
    display     ----  ....   ....        ....    ....
"""

PLACES = {
    "own": {"gateway": "demo", "bed": "MED-07"},
    "other": {"gateway": "demo", "unit_code": "ICU", "bed": "ICU-01"},
    "unassigned": {"gateway": "demo", "bed": "MED-99"},
    "abroad": {"gateway": "demo-b", "bed": "MED-07"},
    "unassigned-abroad": {"gateway": "demo-b", "bed": "MED-99"},
}
_HEADINGS, *_ROWS = (line.split() for line in TABLE.strip().splitlines())
CASES = [(row[0], place, cell) for row in _ROWS for place, cell in zip(_HEADINGS, row[1:], strict=True)]


def test_the_table_knows_every_role_and_place() -> None:
    assert {role for role, _, _ in CASES} == {role.value for role in Role}
    assert {place for _, place, _ in CASES} == set(PLACES)


@pytest.mark.parametrize(("role", "place", "cell"), CASES)
def test_each_role_does_what_the_table_allows_and_nothing_else(ward: Ward, role: str, place: str, cell: str) -> None:
    actor = someone(ward, Role(role))
    for act, letter in zip(ACTS, cell, strict=True):
        alert_id = ward.alarm(alert_id=act, priority=Priority.LOW, **PLACES[place])
        if letter == act[0].upper():
            do(ward, act, actor, alert_id)
            assert ward.last_line().alert_id == alert_id
            assert ward.last_line().person_id == actor.person_id
        else:
            with ward.refused({"-": NotAllowed, ".": NotFound}[letter]):
                do(ward, act, actor, alert_id)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", Role)
def test_an_alert_that_does_not_exist_is_not_found_by_anybody(ward: Ward, role: Role, act: str) -> None:
    with ward.refused(NotFound):
        do(ward, act, someone(ward, role), 4_711)


@pytest.mark.parametrize("act", ACTS)
def test_who_may_not_see_an_alert_learns_nothing_of_its_state(ward: Ward, act: str) -> None:
    alert_id = ward.alarm(priority=Priority.HIGH)
    for happen in ("acknowledge", "resolve"):
        getattr(ward, happen)("nurse", alert_id)
        for stranger in ("nurse-icu", "nurse-b", "admin", "engineer"):
            with ward.refused(NotFound):
                do(ward, act, ward.house.actor(stranger), alert_id)


@pytest.mark.parametrize("act", ACTS)
def test_who_may_not_act_is_told_so_whatever_the_state(ward: Ward, act: str) -> None:
    alert_id = ward.alarm()
    ward.resolve("nurse", alert_id)

    with ward.refused(NotAllowed):
        do(ward, act, someone(ward, Role.DISPLAY), alert_id)


def test_two_units_are_both_ones_own(ward: Ward) -> None:
    nurse = someone(ward, Role.NURSE)
    both = replace(nurse, unit_ids=nurse.unit_ids | {ward.unit("ICU")})
    for place in ("own", "other"):
        ward.acknowledge(both, ward.alarm(alert_id=place, **PLACES[place]))

    assert ward.happenings().count("acknowledged") == 2


@pytest.mark.parametrize("role", [Role.NURSE, Role.CHARGE, Role.PHYSICIAN, Role.DISPLAY])
def test_without_a_unit_there_is_nothing_of_ones_own(ward: Ward, role: Role) -> None:
    alert_id = ward.alarm()
    nobody = replace(someone(ward, role), unit_ids=frozenset())

    with ward.refused(NotFound):
        ward.acknowledge(nobody, alert_id)


def test_a_unit_of_another_hospital_gives_nobody_a_right_there(ward: Ward) -> None:
    """The hospital is asked, too, should a person's units ever name a foreign one."""
    alert_id, nurse = ward.alarm(gateway="demo-b"), someone(ward, Role.NURSE)
    astray = replace(nurse, unit_ids=nurse.unit_ids | {ward.unit("MED", "demo-b")})

    with ward.refused(NotFound):
        ward.acknowledge(astray, alert_id)


def test_the_charge_nurse_ends_an_unassigned_high_alert_only_after_taking_it(ward: Ward) -> None:
    alert_id = ward.alarm(bed="MED-99", priority=Priority.HIGH)
    ward.acknowledge("charge", alert_id)
    ward.resolve("charge", alert_id)

    assert ward.alert(alert_id).state is State.RESOLVED
    assert ward.last_line().happening is Happening.RESOLVED


@pytest.mark.parametrize(
    ("role", "sees"),
    [
        (Role.NURSE, {"MED"}),
        (Role.CHARGE, {"MED", None}),
        (Role.PHYSICIAN, {"MED"}),
        (Role.DISPLAY, {"MED"}),
        (Role.ENGINEER, set()),
        (Role.ADMIN, set()),
    ],
)
def test_what_each_role_sees_in_the_medical_unit(ward: Ward, role: Role, sees: set[str | None]) -> None:
    assert someone(ward, role).scope == {ward.unit(code) if code else None for code in sees}


def someone(ward: Ward, role: Role) -> Actor:
    """A person of the medical unit of `demo`."""
    hospital = ward.house.hospital("demo")
    return Actor(ward.person("nurse"), hospital.id, "Somebody", role, frozenset({ward.unit("MED")}))


def do(ward: Ward, act: str, actor: Actor, alert_id: int) -> None:
    if act == "note":
        ward.note(actor, alert_id, "Sensor re-sited.")
    else:
        getattr(ward, act)(actor, alert_id)
