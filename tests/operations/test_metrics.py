"""What the process counts, as Prometheus reads it; never whom it was about."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hospital import meters
from tests.access.strangers import new_token
from tests.operations.counters import counters
from tests.support.alarms import alarm
from tests.support.house import House
from tests.support.standing import standing


def test_prometheus_can_read_it(house: House) -> None:
    answer = house.visitor().get("/internal/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=")
    assert list(text_string_to_metric_families(answer.text)) == []


def test_what_was_counted_is_shown_with_its_labels(house: House) -> None:
    meters.count("sign_ins_total", result="right")
    meters.count("sign_ins_total", 2, result="wrong")
    meters.count("frames_total", 0.5)
    assert _shown(house) == {
        ("hospital_frames_total", ()): 0.5,
        ("hospital_sign_ins_total", (("result", "right"),)): 1,
        ("hospital_sign_ins_total", (("result", "wrong"),)): 2,
    }


def test_real_traffic_is_counted(house: House) -> None:
    alert_id, nurse = house.raise_alarm(), house.visitor("nurse")
    nurse.acknowledge(alert_id)
    house.visitor().sign_in("nurse", "wrong")
    house.visitor().get("/nothing")
    shown = _shown(house)
    assert shown["hospital_messages_total", ()] == 1
    assert shown["hospital_acts_total", (("act", "acknowledge"), ("status", "200"))] == 1
    assert shown["hospital_sign_ins_total", (("result", "right"),)] == 1
    assert shown["hospital_sign_ins_total", (("result", "wrong"),)] == 1
    assert shown["hospital_problems_total", (("status", "404"),)] == 1


def test_no_counter_ever_names_a_patient_a_person_or_a_sender(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """After a day on the ward, faults included, nothing that a message or a form said is there; nor in the log."""
    caplog.set_level("DEBUG")
    alert_id, nurse = house.raise_alarm(), house.visitor("nurse")
    nurse.acknowledge(alert_id, key="Testmann")
    nurse.act(f"/alerts/{alert_id}/notes", text="Frau Testmann, 4711, is in the X-ray.")
    nurse.acknowledge(alert_id, seen_state="Testmann")
    nurse.get("/Testmann/4711?Tilda")
    house.visitor().sign_in("Testmann", "4711")
    bearer = {"Authorization": f"Bearer {new_token(house)}", "Content-Type": "x-application/hl7-v2+er7"}
    for message in (
        alarm(alert_id="Testmann", patient=None),
        alarm(kind="Testmann", phase="Testmann"),
        b"Testmann 4711",
    ):
        house.visitor().client.post("/api/v1/hl7", data=message, headers=bearer)

    text = house.visitor().get("/internal/metrics").text
    assert "hospital_messages_total" in text
    words = ("Testmann", "Tilda", "4711", "1961", "1961-03-01", "Amara", "TEST_GATEWAY", "MED-07", "nurse")
    assert not standing(text, words) and not standing(caplog.text, words)


def test_a_counter_has_the_same_labels_wherever_it_is_counted() -> None:
    """Prometheus would mix up their values."""
    labels: dict[str, set[tuple[str, ...]]] = {}
    for name, names in counters():
        labels.setdefault(name, set()).add(names)
    assert len(labels) > 15
    assert {name: found for name, found in labels.items() if len(found) > 1} == {}
    assert [name for name in labels if not name.endswith(("_total", "_ms"))] == [], "a histogram names its unit"


def _shown(house: House) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(house.visitor().get("/internal/metrics").text)
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}
