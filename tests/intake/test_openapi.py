"""What the OpenAPI document says is so: schemathesis asks for everything that it describes, rightly and wrongly."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS

from tests.access.strangers import new_token
from tests.support.house import House

EXAMPLES = 40  # of each kind for each address, the same at each run
PATHS = ["/api/v1/alerts", "/api/v1/hl7", "/api/v1/fhir"]
PATHS += [f"/alerts/{{id}}/{act}" for act in ("acknowledgement", "resolution", "escalation", "notes")]
# A schema says what a message looks like, not what is true: that there is such an alert, that Patients are known.
NOT_ALL_THAT_LOOKS_RIGHT_IS_TAKEN = set(PATHS) - {"/api/v1/alerts"}


@schemathesis.serializer("x-application/hl7-v2+er7")
def _as_it_is(_context: Any, value: Any) -> bytes:
    """It is generated as a text."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Passes:
    headers: dict[str, str]
    cookies: dict[str, str]


@pytest.fixture
def nurse(house: House, monkeypatch: pytest.MonkeyPatch) -> Passes:
    monkeypatch.setattr("hospital.settings.current", house.settings.but(acts_per_minute=1_000_000))
    visitor = house.visitor("nurse")
    cookie = visitor.client.get_cookie("session")
    assert cookie is not None
    return Passes({"X-CSRF-Token": visitor.csrf_token}, {"session": cookie.value})


@pytest.fixture
def document(house: House) -> Any:
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", house.app)


@pytest.mark.slow
@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("path", [path for path in PATHS if path.startswith("/api/")])
def test_every_answer_to_a_sender_is_one_that_the_document_describes(
    house: House, document: Any, path: str, mode: GenerationMode
) -> None:
    token = {"Authorization": f"Bearer {new_token(house)}"}
    statuses = asked(path, document[path]["POST"].as_strategy(mode), headers=token)
    assert {status // 100 for status in statuses} & ({2} if _is_taken(path, mode) else {4})


@pytest.mark.slow
@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("path", [path for path in PATHS if path.startswith("/alerts/")])
def test_every_answer_to_an_act_is_one_that_the_document_describes(
    house: House, document: Any, nurse: Passes, path: str, mode: GenerationMode
) -> None:
    """Of an alert that there is, and of others."""
    alert, act, how = {"id": house.raise_alarm()}, document[path]["POST"], vars(nurse)
    cases = st.one_of(act.as_strategy(mode, **how), act.as_strategy(mode, path_parameters=alert, **how))
    statuses = asked(path, cases, headers={"Accept": "application/json"})
    assert mode is GenerationMode.NEGATIVE or {200, 404} <= set(statuses)


def asked(path: str, cases: st.SearchStrategy[Case], **how: Any) -> list[int]:
    """Each case is sent, and its answer held to the document; the statuses."""
    checks, statuses = [CHECKS.get_one(name) for name in _checks(path)], []

    @settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=cases)
    def ask(case: Case) -> None:
        statuses.append(case.call_and_validate(checks=checks, **how).status_code)

    ask()
    assert len(statuses) >= 10
    return statuses


def _is_taken(path: str, mode: GenerationMode) -> bool:
    return mode is GenerationMode.POSITIVE and path in ("/api/v1/alerts", "/api/v1/fhir")


def _checks(path: str) -> Iterator[str]:
    yield from ("not_a_server_error", "status_code_conformance", "content_type_conformance")
    yield from ("response_schema_conformance", "negative_data_rejection")
    if path not in NOT_ALL_THAT_LOOKS_RIGHT_IS_TAKEN:
        yield "positive_data_acceptance"


def test_the_document_describes_every_address_for_programs(house: House, document: Any) -> None:
    rules = {rule.rule for rule in house.app.url_map.iter_rules() if rule.rule.startswith("/api/v1/")}
    told = set(house.visitor().get("/api/v1/openapi.json").json["paths"])
    assert rules - {"/api/v1/openapi.json"} == {path for path in told if path.startswith("/api/")}
    assert told == set(PATHS)
