import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hospital.simulator.codes import ART_SYS, CUFF_SYS, SPO2
from hospital.simulator.episodes import Sign
from hospital.simulator.patients import DEMO_BEDS, Patient
from hospital.simulator.scenario import SHIPPED, BadScenario, load, read
from hospital.simulator.ward import looks

EPISODE = {"what": "sepsis", "starts_s": -60, "lasts_s": 600}


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.json")), ids=lambda file: file.stem)
def test_a_shipped_scenario_says_what_it_is_and_names_beds_of_the_demo(file: Path) -> None:
    scenario = load(file.stem)
    assert scenario == load(str(file))
    assert scenario.title
    assert set(scenario.beds) <= {name for _, name in DEMO_BEDS}


def test_what_is_left_out_is_left_open() -> None:
    scenario = read({})
    assert (scenario.hour, scenario.unruliness, scenario.beds) == (14, 1, {})


def test_everything_that_can_be_said_is_read() -> None:
    ann = {"number": "N1", "family": "Invented", "given": "Ann", "born": "1951-02-03", "sex": "F"}
    bed = {"bed": "ICU-01", "patient": ann, "usual": {"heart": 60}, "limits": {"SPO2": [86, 99]}, "unruliness": 2}
    bed |= {"cuff_every_s": None, "temperature_every_s": 600, "episodes": [EPISODE | {"strength": 0.5}]}
    lying = read({"title": "T", "hour": 3, "unruliness": 0, "beds": [bed]}).beds["ICU-01"]
    assert lying.patient == Patient("N1", "Invented", "Ann", date(1951, 2, 3), "F")
    assert (lying.usual, lying.limits, lying.unruliness) == ({Sign.HEART: 60}, {SPO2: (86, 99)}, 2)
    assert (lying.cuff_every_s, lying.temperature_every_s, lying.episodes[0].strength) == (None, 600, 0.5)


def test_a_ward_follows_its_scenario() -> None:
    bed = {"bed": "MED-01", "patient": None, "cuff_every_s": None, "usual": {"oxygen": 80}}
    look = next(looks(1, read({"beds": [bed]}), 1))
    assert look.bed.patient is None
    assert ART_SYS in look.readings and CUFF_SYS not in look.readings
    assert look.readings[SPO2].value < 84


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ([], "scenario: not an object"),
        ({"beds": {}}, "beds: not a list"),
        ({"speed": 2}, "scenario: speed unknown here"),
        ({"hour": "noon"}, "scenario.hour: a number is missing"),
        ({"unruliness": -1}, "scenario.unruliness: less than 0"),
        ({"beds": [{}]}, "beds[0].bed: a text is missing"),
        ({"beds": [{"bed": "A-1"}, {"bed": "A-1"}]}, "beds[1]: A-1 was named before"),
        ({"beds": [{"bed": "A-1", "said": []}]}, "beds[0]: said unknown here"),
        ({"beds": [{"bed": "A-1", "usual": {"spo2": 9}}]}, "usual: spo2 unknown here"),
        ({"beds": [{"bed": "A-1", "limits": {"SPO2": 9}}]}, "limits.SPO2: not a pair of numbers"),
        ({"beds": [{"bed": "A-1", "cuff_every_s": 5}]}, "cuff_every_s: less than 60"),
        ({"beds": [{"bed": "A-1", "episodes": [{**EPISODE, "what": "gout"}]}]}, "'gout' is none of"),
        ({"beds": [{"bed": "A-1", "episodes": [{"what": "sepsis"}]}]}, "episodes[0].starts_s: a number is missing"),
        ({"beds": [{"bed": "A-1", "patient": {"number": "1"}}]}, "patient.family: a text is missing"),
    ],
)
def test_a_mistake_is_told_with_its_place(told: Any, why: str) -> None:
    with pytest.raises(BadScenario) as refused:
        read(told)
    assert why in str(refused.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadScenario, match=r"absent\.json.*shipped are: arrest"):
        load(str(tmp_path / "absent.json"))
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "wrong.json").write_text(json.dumps({"beds": 1}))
    for name, why in (("broken", "Expecting"), ("wrong", "beds: not a list")):
        with pytest.raises(BadScenario, match=rf"{name}\.json: {why}"):
            load(str(tmp_path / f"{name}.json"))
