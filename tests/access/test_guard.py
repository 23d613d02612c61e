"""The guard: acts come from our own pages, with the token of the very session that acts."""

import re

import pytest
from itsdangerous import TimestampSigner
from werkzeug.test import TestResponse

from hospital.access import guard
from tests.access.strangers import new_token
from tests.support.house import House, Visitor

FROM_ELSEWHERE: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "SAME-ORIGIN"},
    {"Sec-Fetch-Site": ""},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Origin": "http://evil.example"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://localhost:81"},
    {"Origin": "http://nurse@localhost"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://["},
    {"Origin": "localhost"},
]


@pytest.fixture
def nurse(house: House) -> Visitor:
    return house.visitor("nurse")


@pytest.fixture
def alert_id(house: House) -> int:
    return house.raise_alarm()


@pytest.fixture
def age_of_forms(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """[seconds] by which a form that is handed out from now on is older than it seems: forms use the system's clock."""
    ages = [0]
    now = TimestampSigner.get_timestamp
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda signer: now(signer) - ages[0])
    return ages


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_an_act_from_our_own_page_is_done(house: House, nurse: Visitor, alert_id: int, site: str) -> None:
    assert nurse.acknowledge(alert_id, headers={"Sec-Fetch-Site": site}).status_code == 200
    assert house.alert(alert_id).state == "acknowledged"


def test_an_act_from_elsewhere_is_refused_even_with_the_right_token(
    house: House, nurse: Visitor, alert_id: int
) -> None:
    for headers in FROM_ELSEWHERE:
        answer = nurse.acknowledge(alert_id, headers=headers)
        assert (headers, answer.status_code) == (headers, 403)
        assert "did not come from a page of this server" in answer.json["detail"]
    assert house.alert(alert_id).state == "open"


@pytest.mark.parametrize("headers", [{"Origin": "http://localhost"}, {}], ids=str)
def test_a_browser_that_sends_no_fetch_metadata_is_known_by_its_origin(
    nurse: Visitor, alert_id: int, headers: dict[str, str]
) -> None:
    assert nurse.acknowledge(alert_id, headers=headers).status_code == 200


def test_fetch_metadata_is_believed_before_the_origin(nurse: Visitor, alert_id: int) -> None:
    """A proxy in front may have changed the host; a page cannot write this header itself."""
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": "https://alerts.hospital.example"}
    assert nurse.acknowledge(alert_id, headers=headers).status_code == 200


def test_an_act_without_the_right_token_is_refused(house: House, nurse: Visitor, alert_id: int) -> None:
    for token in ("", "wrong", "ü", "None", nurse.csrf_token[:-1], f"{nurse.csrf_token}x", nurse.csrf_token.swapcase()):
        assert (token, nurse.acknowledge(alert_id, headers={"X-CSRF-Token": token}).status_code) == (token, 403)
    assert house.alert(alert_id).state == "open"


def test_the_token_of_someone_else_is_refused(house: House, nurse: Visitor, alert_id: int) -> None:
    other = house.visitor("nurse2").csrf_token
    assert other != nurse.csrf_token
    assert nurse.acknowledge(alert_id, headers={"X-CSRF-Token": other}).status_code == 403


def test_the_token_of_ones_own_other_session_is_refused(house: House, nurse: Visitor, alert_id: int) -> None:
    other = house.visitor("nurse").csrf_token
    assert nurse.acknowledge(alert_id, headers={"X-CSRF-Token": other}).status_code == 403


def test_the_token_may_come_in_the_form(nurse: Visitor, alert_id: int) -> None:
    fields = {"csrf_token": nurse.csrf_token}
    assert nurse.client.post(f"/alerts/{alert_id}/acknowledgement", data=fields).status_code == 303


def test_the_token_does_not_come_in_the_address(nurse: Visitor, alert_id: int) -> None:
    """Addresses are logged and handed on."""
    path = f"/alerts/{alert_id}/acknowledgement?csrf_token={nurse.csrf_token}"
    assert nurse.client.post(path).status_code == 403


def test_who_only_looks_needs_no_token_and_may_come_from_elsewhere(nurse: Visitor) -> None:
    """A link in a message must lead to the alert."""
    assert nurse.get("/alerts", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_signing_out_needs_the_token_too(nurse: Visitor) -> None:
    assert nurse.client.post("/sign-out").status_code == 403
    assert nurse.get("/alerts").status_code == 200


def test_a_refusal_for_coming_from_elsewhere_comes_before_one_for_the_role(house: House) -> None:
    engineer = house.visitor("engineer")
    answer = engineer.act("/alerts/1/acknowledgement", headers={"X-CSRF-Token": "wrong"})
    assert "did not come from a page" in answer.json["detail"]


def test_not_signed_in_comes_before_everything(house: House) -> None:
    answer = house.visitor().acknowledge(1, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 401


# ---- The sign-in form, which has no session yet ----------------------------------------------------------------------


def test_the_sign_in_form_works_for_almost_an_hour(house: House, age_of_forms: list[int]) -> None:
    age_of_forms[0] = 3_590
    assert _sign_in(house, token=_form_token(house)).status_code == 303


def test_the_sign_in_form_must_be_loaded_again_after_an_hour(house: House, age_of_forms: list[int]) -> None:
    age_of_forms[0] = 3_610
    token = _form_token(house)
    age_of_forms[0] = 0
    answer = _sign_in(house, token=token)
    assert answer.status_code == 403
    assert "Reload it" in answer.text
    assert "Set-Cookie" not in answer.headers


def test_a_sign_in_without_its_form_is_refused(house: House) -> None:
    for token in ("", "sign-in", "sign-in.x.y", "ü", _form_token(house)[:-1]):
        answer = _sign_in(house, token=token)
        assert (token, answer.status_code) == (token, 403)
        assert "Set-Cookie" not in answer.headers


def test_a_sign_in_form_signed_with_another_secret_is_refused(house: House) -> None:
    foreign = TimestampSigner("another secret", salt="sign-in form").sign("sign-in").decode()
    assert _sign_in(house, token=foreign).status_code == 403


def test_what_our_secret_signed_for_another_purpose_is_no_sign_in_form(house: House) -> None:
    elsewhere = TimestampSigner(house.app.secret_key or "", salt="itsdangerous.Signer").sign("sign-in").decode()
    assert _sign_in(house, token=elsewhere).status_code == 403


def test_the_token_of_a_session_is_no_sign_in_form(house: House, nurse: Visitor) -> None:
    assert _sign_in(house, token=nurse.csrf_token).status_code == 403


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}], ids=str)
def test_nobody_is_signed_in_from_elsewhere(house: House, headers: dict[str, str]) -> None:
    """Else another site could sign a nurse in as somebody else."""
    assert _sign_in(house, token=_form_token(house), headers=headers).status_code == 403


# ---- Programs --------------------------------------------------------------------------------------------------------


def test_the_token_of_a_sender_opens_no_page_and_does_no_act(house: House, alert_id: int) -> None:
    bearer = {"Authorization": f"Bearer {new_token(house)}"}
    stranger = house.visitor()
    assert stranger.get("/alerts", headers=bearer).status_code == 302
    assert stranger.get("/live/stream?view=alerts", headers=bearer).status_code == 401
    assert stranger.acknowledge(alert_id, headers=bearer).status_code == 401


def test_the_cookie_of_a_person_is_no_token_of_a_sender(house: House, nurse: Visitor) -> None:
    cookie = nurse.client.get_cookie("session")
    assert cookie is not None
    headers = {"Authorization": f"Bearer {cookie.value}", "Content-Type": "x-application/hl7-v2+er7"}
    assert nurse.client.post("/api/v1/hl7", data=b"MSH", headers=headers).status_code == 401


def test_me_is_nobody_outside_of_a_sign_in(house: House) -> None:
    with house.app.test_request_context("/"), pytest.raises(guard.Unauthorized):
        guard.me()


def _form_token(house: House) -> str:
    return re.findall(r'name="csrf_token" value="([^"]+)"', house.visitor().get("/sign-in").text)[0]


def _sign_in(house: House, *, token: str, headers: dict[str, str] | None = None) -> TestResponse:
    fields = {"name": "nurse", "password": "demo-nurse", "csrf_token": token}
    return house.visitor().client.post("/sign-in", data=fields, headers=headers)
