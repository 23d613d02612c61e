"""FHIR resources become readings, patients and places; what cannot be taken is refused with the element's name."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hospital import clock
from hospital.intake import fhir
from hospital.intake.codes import Why
from hospital.intake.fhir import outcome
from hospital.intake.fhir_entries import EncounterSeen, Entry, Invalid, Kept, NotTaken, ObservationSeen, PatientSeen
from hospital.triage.alarm import Place, Subject
from hospital.triage.observation import Consciousness, Measured, ObservationSet, Source, Vital

BERLIN = ZoneInfo("Europe/Berlin")
SHARED = Path(__file__).parents[3] / "shared/data/fhir"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
AT = datetime(2026, 3, 1, 10, 59, tzinfo=UTC)
LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
UUID = "urn:uuid:4e8ed886-fd5f-40bb-8feb-f339b04d853a"

Json = dict[str, Any]


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    clock.stop(NOW)
    yield
    clock.reset()


def code(number: str, system: str = LOINC) -> Json:
    return {"coding": [{"system": system, "code": number}]}


def quantity(value: float, unit: str, **more: Any) -> Json:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit} | more


def observation(number: str = "8867-4", value: float | None = 80, unit: str = "/min", **more: Any) -> Json:
    """A heart rate of Ann; `more` adds and replaces elements, None takes one out."""
    told: Json = {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": code(number),
        "subject": {"reference": "Patient/ann"},
        "effectiveDateTime": "2026-03-01T11:59:00+01:00",
    }
    if value is not None:
        told["valueQuantity"] = quantity(value, unit)
    return {key: element for key, element in (told | more).items() if element is not None}


def component(number: str, value: float, unit: str = "mm[Hg]", **more: Any) -> Json:
    return {"code": code(number), "valueQuantity": quantity(value, unit)} | more


def patient(**more: Any) -> Json:
    told: Json = {
        "resourceType": "Patient",
        "id": "ann",
        "identifier": [{"system": "urn:oid:1.2.3", "value": "1001"}],
        "name": [{"family": "Roe", "given": ["Ann", "Maria"]}],
        "birthDate": "1961-02-03",
        "gender": "female",
    }
    return {key: element for key, element in (told | more).items() if element is not None}


def encounter(*locations: Json, **more: Any) -> Json:
    told: Json = {"resourceType": "Encounter", "status": "in-progress", "subject": {"reference": "Patient/ann"}}
    return told | ({"location": list(locations)} if locations else {}) | more


def bundle(*entries: Json, kind: str = "transaction") -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def post(resource: Json, full_url: str = "", **more: Any) -> Json:
    request = {"method": "POST", "url": resource["resourceType"]}
    return {"resource": resource, "request": request} | ({"fullUrl": full_url} if full_url else {}) | more


def read(resource: Any) -> tuple[Entry, ...]:
    return fhir.read(json.dumps(resource).encode(), BERLIN)


def seen(resource: Json) -> ObservationSeen:
    (entry,) = read(resource)
    assert isinstance(entry, ObservationSeen)
    return entry


def observed(resource: Json) -> ObservationSet:
    one = seen(resource).observed
    assert one is not None
    return one


def values(resource: Json) -> list[tuple[Vital, Source, float]]:
    return [(one.vital, one.source, one.value) for one in observed(resource).measured]


def skipped(resource: Json) -> tuple[Why, ...]:
    """Why there is no reading at all."""
    entry = seen(resource)
    assert entry.observed is None
    return entry.skipped


def refusal(resource: Any) -> tuple[int, str]:
    with pytest.raises(Invalid) as invalid:
        read(resource)
    assert invalid.value.diagnostics.endswith(".")
    return invalid.value.status, invalid.value.expression


# An observation


def test_a_whole_observation_is_read() -> None:
    one = Measured(Vital.HR, Source.OTHER, 80, AT, verified=True)
    assert read(observation()) == (ObservationSeen("Patient/ann", ObservationSet(AT, (one,)), (), "Observation", 0),)


@pytest.mark.parametrize(
    ("number", "value", "unit", "measured"),
    [
        ("9279-1", 18, "/min", (Vital.RR, Source.OTHER, 18)),
        ("59408-5", 97, "%", (Vital.SPO2, Source.OXIMETER, 97)),
        ("2708-6", 0.97, "1", (Vital.SPO2, Source.OTHER, 97)),
        ("8310-5", 100.4, "[degF]", (Vital.TEMP, Source.OTHER, 38)),
        ("8331-1", 36.5, "Cel", (Vital.TEMP, Source.OTHER, 36.5)),
        ("8480-6", 117, "mm[Hg]", (Vital.SBP, Source.OTHER, 117)),
        ("76215-3", 117, "mm[Hg]", (Vital.SBP, Source.ARTERIAL, 117)),
    ],
)
def test_loinc_and_ucum_are_read(number: str, value: float, unit: str, measured: tuple[Vital, Source, float]) -> None:
    assert values(observation(number, value, unit)) == [measured]


def test_a_code_of_the_devices_own_standard_is_read() -> None:
    mdc = "urn:iso:std:iso:11073:10101"
    amount = {"value": 80, "system": mdc, "code": "264864"}
    assert values(observation(code=code("147842", mdc), valueQuantity=amount)) == [(Vital.HR, Source.ECG, 80)]


@pytest.mark.parametrize("system", ["http://acme.org/codes", "", "LN"])
def test_a_code_of_another_system_is_not_ours_though_it_looks_so(system: str) -> None:
    assert skipped(observation(code=code("8867-4", system))) == (Why.UNKNOWN,)


def test_two_codings_of_one_value_are_one_reading() -> None:
    both = {"coding": [{"system": LOINC, "code": "2708-6"}, {"system": LOINC, "code": "59408-5"}]}
    assert values(observation(code=both, valueQuantity=quantity(99, "%"))) == [(Vital.SPO2, Source.OXIMETER, 99)]


def test_unknown_elements_are_allowed() -> None:
    more: Json = {"extension": [{"url": "x", "valueInteger": 3}], "method": 7, "_status": None, "valueString": "x"}
    assert values(observation(**more)) == [(Vital.HR, Source.OTHER, 80)]


@pytest.mark.parametrize(
    ("amount", "why"),
    [
        ({}, Why.NO_VALUE),
        ({"unit": "/min"}, Why.NO_VALUE),
        ({"value": -100, "code": "/min"}, Why.NO_VALUE),
        ({"value": 80, "code": "/min", "comparator": "<"}, Why.NO_NUMBER),
        ({"value": 80, "code": "mm[Hg]", "system": UCUM}, Why.WRONG_UNIT),
        ({"value": 80, "code": "mm[Hg]", "unit": "/min", "system": UCUM}, Why.WRONG_UNIT),
        ({"value": 80, "code": "mm[Hg]"}, Why.WRONG_UNIT),
        ({"value": 8000, "code": "/min"}, Why.IMPOSSIBLE),
    ],
)
def test_a_quantity_that_is_no_reading_is_skipped_with_its_reason(amount: Json, why: Why) -> None:
    assert skipped(observation(valueQuantity=amount)) == (why,)


@pytest.mark.parametrize(
    "amount",
    [
        {"value": 80},
        {"value": 80, "unit": "bpm"},
        {"value": 80, "code": "/min"},
        {"value": 80, "unit": "bpm", "code": "xyz", "system": "http://acme.org/units"},
        {"value": 80, "unit": "beats/min", "code": "{beats}/min", "system": UCUM},
        {"value": 80, "code": "264864", "system": "urn:iso:std:iso:11073:10101"},
        {"value": 80, "code": "/min", "system": "http://acme.org/units"},
    ],
)
def test_a_unit_is_read_from_its_code_or_its_spelling(amount: Json) -> None:
    assert values(observation(valueQuantity=amount)) == [(Vital.HR, Source.OTHER, 80)]


def test_a_unit_of_another_system_is_taken_by_its_spelling() -> None:
    amount = {"value": 80, "unit": "bpm", "code": "%", "system": "http://acme.org/units"}
    assert values(observation(valueQuantity=amount)) == [(Vital.HR, Source.OTHER, 80)]


@pytest.mark.parametrize("reason", [code("unknown"), {"text": "unknown"}, {}])
def test_a_value_whose_absence_has_a_reason_is_absent_and_never_0(reason: Json) -> None:
    assert skipped(observation(value=None, dataAbsentReason=reason)) == (Why.NO_VALUE,)
    assert skipped(observation(value=0, dataAbsentReason=reason)) == (Why.NO_VALUE,)


def test_a_heart_rate_of_0_is_a_heart_rate_of_0() -> None:
    assert values(observation(value=0)) == [(Vital.HR, Source.OTHER, 0)]


@pytest.mark.parametrize(
    ("status", "verified"), [("final", True), ("amended", True), ("corrected", True), ("preliminary", False)]
)
def test_final_amended_and_corrected_are_verified(status: str, verified: bool) -> None:
    assert [one.verified for one in observed(observation(status=status)).measured] == [verified]


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error", "registered", "unknown"])
def test_what_was_cancelled_or_entered_in_error_is_no_reading(status: str) -> None:
    assert skipped(observation(status=status)) == (Why.STATUS,)


# Components

BOTH = [component("8480-6", 117), component("8462-4", 82)]


@pytest.mark.parametrize("panel", ["85354-9", "55284-4", "35094-2", "85353-1"])
def test_a_panel_is_read_from_its_components(panel: str) -> None:
    expected = [(Vital.SBP, Source.OTHER, 117), (Vital.DBP, Source.OTHER, 82)]
    assert values(observation(panel, None, component=BOTH)) == expected
    assert seen(observation(panel, None, component=BOTH)).skipped == ()


def test_a_panel_of_something_else_is_skipped() -> None:
    assert skipped(observation("96607-7", None, component=BOTH)) == (Why.UNKNOWN,)


def test_a_panel_with_only_references_holds_nothing() -> None:
    members = [{"reference": "Observation/respiratory-rate"}]
    assert skipped(observation("85353-1", None, hasMember=members)) == (Why.NO_VALUE,)


def test_an_absent_component_leaves_the_other_one() -> None:
    absent = {"code": code("8462-4"), "dataAbsentReason": code("unknown")}
    told = observation("85354-9", None, component=[BOTH[0], absent])
    assert values(told) == [(Vital.SBP, Source.OTHER, 117)]
    assert seen(told).skipped == (Why.NO_VALUE,)


def test_an_unknown_component_is_skipped_with_its_reason() -> None:
    told = observation("85354-9", None, component=[*BOTH, component("96607-7", 1)])
    assert len(values(told)) == 2
    assert seen(told).skipped == (Why.UNKNOWN,)


def test_of_one_thing_twice_the_last_is_taken() -> None:
    told = observation("85354-9", None, component=[component("8480-6", 117), component("8480-6", 118)])
    assert values(told) == [(Vital.SBP, Source.OTHER, 118)]


@pytest.mark.parametrize(
    ("components", "on_oxygen"),
    [
        ([], None),
        ([component("3151-8", 0, "L/min")], False),
        ([component("3151-8", 6, "L/min")], True),
        ([component("3150-6", 21, "%")], False),
        ([component("3150-6", 40, "%")], True),
        ([component("3151-8", 0, "L/min"), component("3150-6", 40, "%")], True),
    ],
)
def test_a_saturation_tells_air_or_oxygen_by_its_components(components: list[Json], on_oxygen: bool | None) -> None:
    told = observed(observation("59408-5", 97, "%", component=components))
    assert told == ObservationSet(AT, (Measured(Vital.SPO2, Source.OXIMETER, 97, AT),), None, on_oxygen)


def test_oxygen_alone_is_a_set_and_so_is_air() -> None:
    assert observed(observation("3151-8", 0, "L/min")) == ObservationSet(AT, on_oxygen=False)
    assert observed(observation("19994-3", 0.3, "1")) == ObservationSet(AT, on_oxygen=True)


# Consciousness


@pytest.mark.parametrize(
    "question", [code("1104441000000107", SNOMED), code("80288-4"), code("67775-7")], ids=["SNOMED", "AVPU", "NEMSIS"]
)
def test_consciousness_is_read_from_a_coded_answer(question: Json) -> None:
    told = observation(value=None, code=question, valueCodeableConcept=code("130987000", SNOMED))
    assert observed(told) == ObservationSet(AT, consciousness=Consciousness.CONFUSION)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"valueCodeableConcept": code("LA9340-6")}, Why.UNKNOWN),
        ({"valueCodeableConcept": code("248234008", "http://acme.org")}, Why.UNKNOWN),
        ({"valueString": "A"}, Why.NO_VALUE),
        ({"dataAbsentReason": {}, "valueCodeableConcept": code("248234008", SNOMED)}, Why.NO_VALUE),
    ],
)
def test_any_other_answer_is_no_consciousness(answer: Json, why: Why) -> None:
    assert skipped(observation("80288-4", None, **answer)) == (why,)


def test_a_glasgow_score_is_not_acvpu() -> None:
    verbal = {"code": code("9270-0"), "valueCodeableConcept": code("LA6560-2")}
    assert skipped(observation("9269-2", 13, "{score}", component=[verbal])) == (Why.UNKNOWN,)


# Times


@pytest.mark.parametrize(
    ("told", "at"),
    [
        ({"effectiveDateTime": "2026-03-01T11:59:00.25Z"}, datetime(2026, 3, 1, 11, 59, 0, 250000, tzinfo=UTC)),
        ({"effectiveDateTime": "2026-03-01T11:59:00.123456789Z"}, datetime(2026, 3, 1, 11, 59, 0, 123456, tzinfo=UTC)),
        ({"effectiveDateTime": "2026-03-01T11:59:00-02:30"}, datetime(2026, 3, 1, 14, 29, tzinfo=UTC)),
        ({"effectiveDateTime": "2016-12-31T23:59:60Z"}, datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ({"effectiveDateTime": "2026-07-02"}, datetime(2026, 7, 1, 22, 0, tzinfo=UTC)),
        ({"effectiveDateTime": "2026-07"}, datetime(2026, 6, 30, 22, 0, tzinfo=UTC)),
        ({"effectiveDateTime": "2026"}, datetime(2025, 12, 31, 23, 0, tzinfo=UTC)),
        ({"effectiveInstant": "2026-03-01T10:59:00Z"}, AT),
        ({"effectivePeriod": {"start": "2026-03-01T10:00:00Z", "end": "2026-03-01T10:59:00Z"}}, AT),
        ({"effectivePeriod": {"start": "2026-03-01T10:59:00Z"}, "issued": "2026-03-01T11:30:00Z"}, AT),
        ({"issued": "2026-03-01T10:59:00Z"}, AT),
        ({"effectiveDateTime": "2026-03-01T10:59:00Z", "issued": "2026-03-01T11:30:00Z"}, AT),
        ({"effectiveInstant": "2026-03-01T10:59:00Z", "issued": "2026-03-01T11:30:00Z"}, AT),
    ],
)
def test_the_time_is_when_it_was_observed(told: Json, at: datetime) -> None:
    without: Json = {"effectiveDateTime": None}
    one = observed(observation(**(without | told)))
    assert (one.at, one.measured[0].at) == (at, at)


def test_a_date_is_in_utc_if_no_zone_is_given() -> None:
    (entry,) = fhir.read(json.dumps(observation(effectiveDateTime="2026-07-02")).encode())
    assert isinstance(entry, ObservationSeen)
    assert entry.observed is not None
    assert entry.observed.at == datetime(2026, 7, 2, tzinfo=UTC)


def test_a_value_without_any_time_is_skipped() -> None:
    assert skipped(observation(effectiveDateTime=None)) == (Why.NO_TIME,)


@pytest.mark.parametrize(
    "written",
    ["yesterday", "2026-13-01", "2026-02-30", "2026-03-01T11:59:00", "2026-03-01T11:59Z", "2026-03-01T25:00:00Z"]
    + ["2026-03-01T11:59:00+99:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-03-01T11:59:61Z"],
)
def test_what_is_no_time_is_refused(written: str) -> None:
    assert refusal(observation(effectiveDateTime=written)) == (422, "Observation.effectiveDateTime")
    period = {"end": written}
    told = observation(effectiveDateTime=None, effectivePeriod=period)
    assert refusal(told) == (422, "Observation.effectivePeriod.end")


# Its subject


@pytest.mark.parametrize(
    ("reference", "patient"),
    [
        ("Patient/ann", "Patient/ann"),
        ("Patient/ann/_history/3", "Patient/ann"),
        ("https://other.org/fhir/Patient/ann", "https://other.org/fhir/Patient/ann"),
        (UUID, UUID),
        ("Patient?identifier=urn:oid:1.2.3|1001", "Patient?identifier=urn:oid:1.2.3|1001"),
    ],
)
def test_the_reference_of_the_subject_is_told_for_the_caller_to_find(reference: str, patient: str) -> None:
    assert seen(observation(subject={"reference": reference})).patient == patient


@pytest.mark.parametrize("subject", [None, {}, {"display": "Ann"}, {"reference": ""}, {"reference": "#ann"}])
def test_without_a_subject_nobody_has_the_value(subject: Json | None) -> None:
    assert refusal(observation(subject=subject)) == (422, "Observation.subject")


@pytest.mark.parametrize("reference", ["Device/1", "Group/wards", "https://other.org/fhir/Location/1"])
def test_what_is_about_no_patient_is_kept(reference: str) -> None:
    assert read(observation(subject={"reference": reference})) == (Kept("Observation", "Observation", 0),)
    assert read(encounter(subject={"reference": reference})) == (Kept("Encounter", "Encounter", 0),)


# A patient


def subject(resource: Json) -> Subject:
    (entry,) = read(resource)
    assert isinstance(entry, PatientSeen)
    return entry.subject


def test_a_whole_patient_is_read() -> None:
    ann = Subject("1001", "urn:oid:1.2.3", "Roe, Ann", date(1961, 2, 3), "F")
    assert read(patient()) == (PatientSeen(("Patient/ann",), ann, "Patient", 0),)


def test_a_patient_with_nothing_but_an_id_is_known_by_it() -> None:
    assert subject({"resourceType": "Patient", "id": "example"}) == Subject("example", None, "", None, "")


def test_a_patient_without_an_id_is_known_by_the_identifier_and_by_no_reference() -> None:
    (entry,) = read(patient(id=None))
    assert isinstance(entry, PatientSeen)
    assert (entry.references, entry.subject.identifier) == ((), "1001")


@pytest.mark.parametrize("identifiers", [[], [{"system": "x"}], [{"value": "7", "use": "old"}]])
def test_a_patient_whom_nothing_names_is_refused(identifiers: list[Json]) -> None:
    assert refusal(patient(id=None, identifier=identifiers)) == (422, "Patient.identifier")


def test_the_medical_record_number_is_taken_before_other_numbers() -> None:
    numbers = [{"system": "a", "value": "1", "use": "old"}, {"system": "b", "value": "2"}]
    record_number = {"system": "c", "value": "3", "type": code("MR", "http://terminology.hl7.org/CodeSystem/v2-0203")}
    assert (subject(patient(identifier=numbers)).identifier, subject(patient(identifier=numbers)).authority) == (
        "2",
        "b",
    )
    assert subject(patient(identifier=[*numbers, record_number])).authority == "c"
    assert subject(patient(identifier=[{"value": "9"}])).authority is None


@pytest.mark.parametrize(
    ("names", "name"),
    [
        ([], ""),
        ([{"family": "Roe"}], "Roe"),
        ([{"given": ["Ann"]}], "Ann"),
        ([{"text": "Ann Roe"}], "Ann Roe"),
        ([{"text": "Ann Roe", "family": "Roe", "given": ["Ann"]}], "Roe, Ann"),
        ([{"use": "maiden", "family": "Doe"}, {"use": "old", "family": "Poe"}, {"family": "Roe"}], "Roe"),
        ([{"use": "nickname", "given": ["Annie"]}, {"use": "official", "family": "Roe"}], "Roe"),
        ([{"use": "maiden", "family": "Doe"}], ""),
    ],
)
def test_the_name_is_the_official_or_the_first_current_one(names: list[Json], name: str) -> None:
    assert subject(patient(name=names)).name == name


@pytest.mark.parametrize(("written", "told"), [(None, None), ("1961", None), ("1961-02", None)])
def test_a_birth_date_that_is_not_whole_is_none(written: str | None, told: date | None) -> None:
    assert subject(patient(birthDate=written)).birth_date == told


@pytest.mark.parametrize("written", ["1961-02-30", "03.02.1961", "19610203", "1961-W01-1"])
def test_what_is_no_birth_date_is_refused(written: str) -> None:
    assert refusal(patient(birthDate=written)) == (422, "Patient.birthDate")


@pytest.mark.parametrize(("gender", "sex"), [("male", "M"), ("other", "O"), ("unknown", "U"), (None, "")])
def test_the_sex_is_told_in_hl7s_letters(gender: str | None, sex: str) -> None:
    assert subject(patient(gender=gender)).sex == sex


# An encounter


def at(text: str | None = None, reference: str | None = None, identifier: str | None = None, **more: Any) -> Json:
    location: Json = {"display": text} if text else {}
    location |= {"reference": reference} if reference else {}
    location |= {"identifier": {"value": identifier}} if identifier else {}
    return {"location": location} | more


def stay(resource: Json) -> EncounterSeen:
    (entry,) = read(resource)
    assert isinstance(entry, EncounterSeen)
    return entry


def test_a_whole_encounter_is_read() -> None:
    told = encounter(at("MED^^MED-03"))
    assert read(told) == (EncounterSeen("Patient/ann", Place("MED", "", "MED-03"), None, "Encounter", 0),)


@pytest.mark.parametrize(
    ("location", "place"),
    [
        (at("MED^2^MED-03^NORTH"), Place("MED", "2", "MED-03")),
        (at("MED^2"), Place("MED", "2", "")),
        (at(identifier="MED^ ^ MED-03 "), Place("MED", "", "MED-03")),
        (at("ICU^^ICU-01", identifier="MED^^MED-03"), Place("MED", "", "MED-03")),
        (at("MED^^MED-03", reference="Location/x"), Place("MED", "", "MED-03")),
        (at(reference="Location/MED-03"), Place("", "", "MED-03")),
        (at("Bed 3", reference="https://h.org/fhir/Location/MED-03/_history/1"), Place("", "", "MED-03")),
        (at("Bed 3", reference=UUID), Place("", "", "Bed 3")),
        (at("Bed 3", reference="#bed"), Place("", "", "Bed 3")),
        (at("Bed 3"), Place("", "", "Bed 3")),
        (at("Bed 3", identifier="MED-03"), Place("", "", "MED-03")),
        (at(), None),
        (at("^^"), None),
    ],
)
def test_a_place_is_told_in_many_ways(location: Json, place: Place | None) -> None:
    assert stay(encounter(location)).place == place


BED: Json = {"physicalType": code("bd", "http://terminology.hl7.org/CodeSystem/location-physical-type")}


@pytest.mark.parametrize(
    ("locations", "bed"),
    [
        ([at("A^^1"), at("A^^2")], "2"),
        ([at("A^^1"), at("A^^2", status="completed")], "1"),
        ([at("A^^1", status="active"), at("A^^2", status="planned"), at("A^^3", status="reserved")], "1"),
        ([at("A^^1"), at("A^^2", period={"start": "2026-01-01", "end": "2026-01-02"})], "1"),
        ([at("A^^1", **BED), at("A^^ward")], "1"),
        ([at("A^^1", **BED), at("A^^2", **BED), at("A^^ward")], "2"),
    ],
)
def test_the_place_is_where_the_patient_is_now(locations: list[Json], bed: str) -> None:
    place = stay(encounter(*locations)).place
    assert place is not None
    assert place.bed == bed


def test_an_encounter_without_a_place_tells_none() -> None:
    assert stay(encounter()).place is None
    assert stay(encounter(at("A^^1", status="completed"))).place is None


@pytest.mark.parametrize("status", ["arrived", "triaged", "in-progress", "onleave"])
@pytest.mark.parametrize(
    ("end", "left"),
    [(timedelta(0), NOW), (timedelta(seconds=1), None), (timedelta(hours=-1), NOW - timedelta(hours=1)), (None, None)],
)
def test_an_end_that_has_come_is_a_departure(status: str, end: timedelta | None, left: datetime | None) -> None:
    period = {"period": {"end": (NOW + end).isoformat()}} if end is not None else {}
    assert stay(encounter(at("A^^1"), status=status, **period)).left == left


def test_an_encounter_tells_since_when() -> None:
    assert stay(encounter(period={"start": "2026-03-01T10:59:00Z"})).since == AT
    assert stay(encounter()).since is None
    assert refusal(encounter(period={"start": "once"})) == (422, "Encounter.period.start")


def test_who_is_finished_has_left() -> None:
    assert stay(encounter(status="finished")).left == NOW
    assert stay(encounter(status="finished", period={"end": "2026-02-01"})).left == datetime(
        2026, 1, 31, 23, tzinfo=UTC
    )
    assert refusal(encounter(period={"end": "soon"})) == (422, "Encounter.period.end")


@pytest.mark.parametrize("status", ["planned", "cancelled", "entered-in-error", "unknown"])
def test_an_encounter_that_is_not_happening_moves_nobody(status: str) -> None:
    assert read(encounter(at("A^^1"), status=status)) == (Kept("Encounter", "Encounter", 0),)


def test_an_encounter_of_nobody_is_refused() -> None:
    assert refusal(encounter(subject={})) == (422, "Encounter.subject")
    assert refusal(encounter(status="planned", subject={})) == (422, "Encounter.subject")


# A bundle


def test_patients_come_first_then_encounters_then_observations_then_the_rest() -> None:
    condition = {"resourceType": "Condition"}
    told = bundle(post(condition), post(observation()), post(encounter()), post(observation("9279-1")), post(patient()))
    entries = read(told)
    assert [type(entry) for entry in entries] == [PatientSeen, EncounterSeen, ObservationSeen, ObservationSeen, Kept]
    assert [entry.position for entry in entries] == [4, 2, 1, 3, 0]
    assert [entry.element for entry in entries] == [f"Bundle.entry[{n}].resource" for n in (4, 2, 1, 3, 0)]
    assert entries[4] == Kept("Condition", "Bundle.entry[0].resource", 0)


@pytest.mark.parametrize(
    ("full_url", "reference"),
    [
        (UUID, UUID),
        (UUID, "Patient/ann"),
        ("", "Patient/ann"),
        ("https://h.org/fhir/Patient/ann", "https://h.org/fhir/Patient/ann"),
        ("https://h.org/fhir/Patient/ann", "Patient/ann/_history/1"),
        ("https://h.org/fhir/Patient/ann/_history/2", "https://h.org/fhir/Patient/ann"),
    ],
)
def test_a_reference_within_the_bundle_is_told_by_the_patients_own_id(full_url: str, reference: str) -> None:
    about = {"reference": reference}
    told = bundle(post(observation(subject=about)), post(encounter(subject=about)), post(patient(), full_url))
    ann, stayed, value = read(told)
    assert isinstance(ann, PatientSeen)
    assert isinstance(stayed, EncounterSeen)
    assert isinstance(value, ObservationSeen)
    assert (ann.references[0], stayed.patient, value.patient) == ("Patient/ann",) * 3


def test_a_patient_without_an_id_is_told_by_the_full_url() -> None:
    ann, value = read(bundle(post(patient(id=None), UUID), post(observation(subject={"reference": UUID}))))
    assert isinstance(ann, PatientSeen)
    assert isinstance(value, ObservationSeen)
    assert (ann.references, value.patient) == ((UUID,), UUID)


def test_a_put_names_the_patient_by_its_address_too() -> None:
    request = {"method": "PUT", "url": "Patient/a7"}
    (ann,) = read(bundle(post(patient(id=None), UUID, request=request)))
    assert isinstance(ann, PatientSeen)
    assert ann.references == (UUID, "Patient/a7")


def test_a_post_names_nobody_by_its_address() -> None:
    (ann,) = read(bundle(post(patient())))
    assert isinstance(ann, PatientSeen)
    assert ann.references == ("Patient/ann",)


def test_a_reference_out_of_the_bundle_is_told_as_it_is() -> None:
    _, value = read(bundle(post(patient(), UUID), post(observation(subject={"reference": "Patient/bob"}))))
    assert isinstance(value, ObservationSeen)
    assert value.patient == "Patient/bob"


def test_two_patients_of_one_name_are_refused() -> None:
    for kind in ("transaction", "batch"):
        same_url = bundle(post(patient(), UUID), post(patient(id="bob"), UUID), kind=kind)
        same_id = bundle(post(patient()), post(patient()), kind=kind)
        assert refusal(same_url) == refusal(same_id) == (422, "Bundle.entry[1].resource.id")


def test_two_patients_without_references_are_two_patients() -> None:
    numbers = [[{"value": "1"}], [{"value": "2"}]]
    entries = read(bundle(*(post(patient(id=None, identifier=number)) for number in numbers)))
    assert [one.subject.identifier for one in entries if isinstance(one, PatientSeen)] == ["1", "2"]


def test_one_bad_entry_refuses_a_whole_transaction_and_is_named() -> None:
    told = bundle(post(patient()), post(observation()), post(observation(subject={})))
    assert refusal(told) == (422, "Bundle.entry[2].resource.subject")
    wrong = observation(valueQuantity={"value": "80"})
    assert refusal(bundle(post(patient()), post(wrong))) == (422, "Bundle.entry[1].resource.valueQuantity.value")


def test_one_bad_entry_of_a_batch_leaves_the_others() -> None:
    deleted = post(observation(), request={"method": "DELETE", "url": "Observation/1"})
    told = bundle(deleted, post(observation(subject={})), post(observation()), post(patient()), kind="batch")
    refused, ann, second, third = read(told)
    assert isinstance(refused, NotTaken)
    assert isinstance(second, NotTaken)
    assert isinstance(ann, PatientSeen)
    assert isinstance(third, ObservationSeen)
    assert (refused.position, refused.element) == (0, "Bundle.entry[0]")
    assert (refused.invalid.status, refused.invalid.expression) == (422, "Bundle.entry[0].request.method")
    assert (second.position, second.element) == (1, "Bundle.entry[1].resource")
    assert second.invalid.expression == "Bundle.entry[1].resource.subject"


@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH", "HEAD", ""])
def test_only_new_and_changed_resources_are_taken(method: str) -> None:
    told = bundle(post(observation(), request={"method": method, "url": "Observation"}))
    assert refusal(told) == (422, "Bundle.entry[0].request.method")


def test_an_entry_without_a_request_is_taken_as_new() -> None:
    assert len(read(bundle({"resource": observation()}))) == 1


def test_an_entry_without_a_resource_is_refused() -> None:
    assert refusal(bundle({"request": {"method": "POST", "url": "Patient"}})) == (422, "Bundle.entry[0].resource")


@pytest.mark.parametrize("kind", ["collection", "document", "searchset", "history", "message", ""])
def test_other_bundles_are_refused(kind: str) -> None:
    assert refusal(bundle(kind=kind)) == (422, "Bundle.type")


def test_an_empty_bundle_holds_nothing() -> None:
    assert read(bundle()) == ()
    assert read({"resourceType": "Bundle", "type": "batch"}) == ()


def test_a_bundle_of_more_than_a_thousand_entries_is_refused() -> None:
    """A request of a thousand observations keeps everybody waiting for a twentieth of a second, and no longer."""
    many = [post(observation())] * 1_000
    assert len(read(bundle(*many, kind="batch"))) == 1_000
    assert refusal(bundle(*many, post(observation()), kind="batch")) == (422, "Bundle.entry")


# Refusals


@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"{", b"\xff", b'{"resourceType":"\xff"}', b'{"resourceType":"Patient"}x', b'{"a":' + b"[" * 100_000],
)
def test_what_is_no_json_is_a_400(body: bytes) -> None:
    with pytest.raises(Invalid) as invalid:
        fhir.read(body, BERLIN)
    assert (invalid.value.status, invalid.value.expression) == (400, "")
    assert invalid.value.diagnostics == "This is not JSON in UTF-8."


@pytest.mark.parametrize("half", [r"\ud800", r"\udc00x", r"\ud800\ud800"])
def test_half_a_character_that_no_database_could_store_is_a_400(half: str) -> None:
    with pytest.raises(Invalid) as invalid:
        fhir.read(json.dumps(patient()).replace("Roe", half).encode(), BERLIN)
    assert invalid.value.status == 400


def test_what_is_nested_too_deep_is_a_400() -> None:
    deep = b'{"resourceType":"Observation","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    with pytest.raises(Invalid) as invalid:
        fhir.read(deep, BERLIN)
    assert invalid.value.status == 400


@pytest.mark.parametrize(
    ("resource", "expression"),
    [({}, "resourceType"), ({"resourceType": 7}, "resourceType"), ([], ""), (None, ""), ("Observation", "")],
)
def test_what_is_no_resource_is_a_400(resource: Any, expression: str) -> None:
    assert refusal(resource) == (400, expression)


def test_an_entry_that_is_no_resource_is_named() -> None:
    assert refusal(bundle({"resource": {"id": "x"}})) == (400, "Bundle.entry[0].resource.resourceType")


@pytest.mark.parametrize(
    ("resource", "expression"),
    [
        (observation(status=None), "Observation.status"),
        (observation(status="done"), "Observation.status"),
        (observation(status=7), "Observation.status"),
        (observation(code=None), "Observation.code"),
        (observation(code="8867-4"), "Observation.code"),
        (observation(valueQuantity={"value": "80"}), "Observation.valueQuantity.value"),
        (observation(valueQuantity={"value": True}), "Observation.valueQuantity.value"),
        (observation(component=[BOTH[0], {"valueQuantity": {}}]), "Observation.component[1].code"),
        (observation(subject="Patient/ann"), "Observation.subject"),
        (observation(subject={"reference": "Patient/" + "a" * 200}), "Observation.subject.reference"),
        (observation(subject={"reference": "Patient/\x00"}), "Observation.subject.reference"),
        (patient(id="a b"), "Patient.id"),
        (patient(id="a" * 65), "Patient.id"),
        (patient(id="ann\n"), "Patient.id"),
        (patient(name=[{"family": "Roe\x00"}]), "Patient.name[0].family"),
        (patient(name=[{"family": "Roe\n"}]), "Patient.name[0].family"),
        (patient(identifier=[{"value": "1" * 201}]), "Patient.identifier[0].value"),
        (patient(identifier={"value": "1"}), "Patient.identifier"),
        (encounter(status="ready"), "Encounter.status"),
        (encounter({"status": "active"}), "Encounter.location[0].location"),
        ({"resourceType": "Encounter"}, "Encounter.status"),
        ({"resourceType": "Bundle"}, "Bundle.type"),
        ({"resourceType": "Bundle", "type": "batch", "entry": {}}, "Bundle.entry"),
    ],
)
def test_a_wrong_type_is_a_422_that_names_the_element(resource: Json, expression: str) -> None:
    assert refusal(resource) == (422, expression)


@pytest.mark.parametrize(
    "resource",
    [
        observation(status="Zebra"),
        observation(effectiveDateTime="Zebra"),
        observation(valueQuantity={"value": "Zebra"}),
        observation(subject={"reference": "#Zebra"}),
        patient(birthDate="Zebra"),
        patient(id="Zebra Zebra"),
        patient(name=[{"family": "Zebra\x00"}]),
        bundle(kind="Zebra"),
    ],
)
def test_a_refusal_never_tells_what_was_sent(resource: Json) -> None:
    with pytest.raises(Invalid) as invalid:
        read(resource)
    assert "zebra" not in str(outcome([invalid.value])).lower()
    assert "zebra" not in str(invalid.value).lower()


def test_other_resources_are_kept_unread() -> None:
    assert read({"resourceType": "Condition", "subject": 7}) == (Kept("Condition", "Condition", 0),)


# An outcome


def test_an_outcome_names_the_element_of_each_issue() -> None:
    issues = [Invalid(422, "Observation.subject", "It must refer to a patient."), Invalid(400, "", "This is not JSON.")]
    assert outcome(issues) == {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "invalid",
                "diagnostics": "It must refer to a patient.",
                "expression": ["Observation.subject"],
            },
            {"severity": "error", "code": "structure", "diagnostics": "This is not JSON."},
        ],
    }


def test_an_outcome_without_issues_says_so() -> None:
    well = {"severity": "information", "code": "informational", "diagnostics": "Taken."}
    assert outcome([]) == {"resourceType": "OperationOutcome", "issue": [well]}


# The resources of others


def shared(name: str) -> bytes:
    file = SHARED / name
    if not file.exists():
        pytest.skip(f"{file.name} is not here: the shared data lies beside the project, not in it")
    return file.read_bytes()


@pytest.mark.parametrize(
    ("name", "day", "expected", "why"),
    [
        ("hl7_r4_heart-rate", datetime(1999, 7, 2), {Vital.HR: 44}, ()),
        ("us_core_heart-rate", datetime(1999, 7, 2), {Vital.HR: 44}, ()),
        ("hl7_r4_respiratory-rate", datetime(1999, 7, 2), {Vital.RR: 26}, ()),
        ("hl7_r4_body-temperature", datetime(1999, 7, 2), {Vital.TEMP: 36.5}, ()),
        ("hl7_r4_bloodpressure", datetime(2012, 9, 17), {Vital.SBP: 107, Vital.DBP: 60}, ()),
        ("us_core_blood-pressure", datetime(1999, 7, 2), {Vital.SBP: 109, Vital.DBP: 44}, ()),
        ("us_core_bp-data-absent", datetime(1999, 7, 2), {Vital.SBP: 109}, (Why.NO_VALUE,)),
        ("us_core_oxygen-saturation", datetime(1999, 7, 2), {Vital.SPO2: 99}, ()),
        ("hl7_r4_bloodpressure-cancel", None, None, (Why.STATUS,)),
        ("hl7_r4_glasgow", None, None, (Why.UNKNOWN,)),
        ("hl7_r4_vitals-panel", None, None, (Why.NO_VALUE,)),
    ],
)
def test_the_examples_of_hl7_and_us_core_are_read(
    name: str, day: datetime | None, expected: dict[Vital, float] | None, why: tuple[Why, ...]
) -> None:
    (entry,) = fhir.read(shared(f"{name}.json"), BERLIN)
    assert isinstance(entry, ObservationSeen)
    assert (entry.patient, entry.skipped) == ("Patient/example", why)
    if entry.observed is None:
        assert expected is None
    else:
        assert day is not None
        assert entry.observed.at == day.replace(tzinfo=BERLIN)
        assert {one.vital: one.value for one in entry.observed.measured} == expected


def test_a_synthea_patient_has_pressures_and_everything_else_is_kept_out() -> None:
    raw = shared("synthea_bundle_a.json")
    entries = fhir.read(raw, BERLIN)
    told = json.loads(raw)["entry"]
    assert sorted(entry.position for entry in entries) == list(range(len(told)))

    ann = entries[0]
    assert isinstance(ann, PatientSeen)
    assert ann.references == ("Patient/4e8ed886-fd5f-40bb-8feb-f339b04d853a", UUID)
    number = "fc712d1f-5a2e-4407-9c55-a2a2bad623c2"
    assert ann.subject == Subject(
        number, "http://hospital.smarthealthit.org", "Atencio, Alberto", date(1993, 6, 7), "M"
    )

    stays = [entry for entry in entries if isinstance(entry, EncounterSeen)]
    assert {(one.patient, one.place) for one in stays} == {(ann.references[0], None)}
    assert all(one.since and one.left and one.since < one.left for one in stays)

    seen = [entry for entry in entries if isinstance(entry, ObservationSeen)]
    assert {one.patient for one in seen} == {ann.references[0]}
    pressures = {
        (one.position, value.vital, value.value) for one in seen if one.observed for value in one.observed.measured
    }
    vitals = {"8480-6": Vital.SBP, "8462-4": Vital.DBP}
    assert pressures == {
        (n, vitals[part["code"]["coding"][0]["code"]], part["valueQuantity"]["value"])
        for n, entry in enumerate(told)
        for part in entry["resource"].get("component", ())
    }
    assert len(pressures) == 8
    assert {one.skipped for one in seen if one.observed is None} == {(Why.UNKNOWN,)}
    kept = {entry.resource_type for entry in entries if isinstance(entry, Kept)}
    assert kept == {entry["resource"]["resourceType"] for entry in told} - {"Patient", "Encounter", "Observation"}


# Anything at all

ELEMENTS = [
    "resourceType",
    "type",
    "entry",
    "resource",
    "request",
    "method",
    "fullUrl",
    "status",
    "code",
    "coding",
    "id",
]
ELEMENTS += ["system", "subject", "reference", "valueQuantity", "value", "component", "effectiveDateTime", "issued"]
ELEMENTS += ["effectivePeriod", "start", "end", "identifier", "name", "birthDate", "location", "display", "period"]
WORDS = ["Observation", "Patient", "Encounter", "Bundle", "batch", "transaction", "final", "in-progress", "finished"]
WORDS += [LOINC, "8867-4", "85354-9", "Patient/ann", "2026-03-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "POST"]
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text()
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(ELEMENTS), inner, max_size=6),
    max_leaves=20,
)


@given(st.binary())
@example(b'{"resourceType":"Patient","id":"\\ud800"}')
@example(b'{"resourceType":"Patient","name":[{"family":"\\udc00x"}],"id":"x"}')
@example(b'{"resourceType":"Observation","status":"final","code":{},"valueQuantity":{"value":1e999}}')
@example(b'\xef\xbb\xbf{"resourceType":"Patient"}')
def test_no_bytes_break_the_reader(body: bytes) -> None:
    try:
        fhir.read(body, BERLIN)
    except Invalid as invalid:
        assert invalid.status in (400, 422)


@given(
    st.sampled_from([observation(), patient(), encounter(at("A^^1")), bundle(post(patient()), kind="batch")]),
    st.sampled_from(ELEMENTS),
    trees,
)
def test_no_json_breaks_the_reader(resource: Json, element: str, value: Any) -> None:
    for told in (
        resource | {element: value},
        bundle(post(patient()), {"resource": resource | {element: value}}),
        value,
    ):
        try:
            read(told)
        except Invalid as invalid:
            assert invalid.status in (400, 422)
            json.dumps(outcome([invalid]))
