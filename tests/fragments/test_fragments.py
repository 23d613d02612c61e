"""A thing is rendered once for each version, and only its newest version is remembered."""

from zoneinfo import ZoneInfo

import pytest

from hospital import records
from hospital.fragments import Fragments
from hospital.fragments.card import alerts_in
from hospital.records import Alert
from tests.support.house import House

UTC = ZoneInfo("UTC")


def alert_of(house: House) -> Alert:
    nurse = house.actor("nurse")
    with records.read() as session:
        return session.scalars(alerts_in(nurse.hospital_id, nurse.scope)).unique().one()


def test_a_version_is_rendered_once_and_what_it_replaces_is_forgotten(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    fragments: Fragments = house.app.extensions["fragments"]
    rendered: list[str] = []
    really = fragments._render
    monkeypatch.setattr(fragments, "_render", lambda name, **given: rendered.append(name) or really(name, **given))
    with fragments.speaking("en"):
        for value in range(80, 90):
            house.raise_alarm(alert_id="one", value=str(value))
            alert = alert_of(house)
            for _ in range(3):
                assert f">{value}<" in fragments.card(alert, UTC, identity=True)
                assert f">{value}<" in fragments.card(alert, UTC, identity=False)
    assert len(rendered) == 20
    assert len(fragments._kept) == 2


def test_an_older_version_is_never_taken_for_the_newer(house: House) -> None:
    fragments: Fragments = house.app.extensions["fragments"]
    with fragments.speaking("en"):
        house.raise_alarm(alert_id="one", value="84")
        old = alert_of(house)
        house.raise_alarm(alert_id="one", value="85")
        new = alert_of(house)
        for _ in range(2):
            assert ">84<" in fragments.card(old, UTC, identity=True)
            assert ">85<" in fragments.card(new, UTC, identity=True)
