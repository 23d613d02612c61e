"""How much one may ask for in a minute: a program that has run wild is stopped, and nobody else."""

from sqlalchemy import select
from werkzeug.test import TestResponse

from hospital import background, meters, records, settings
from hospital.records import Alert
from tests.access.strangers import new_token
from tests.support.alarms import alarm
from tests.support.house import House


def test_more_acts_than_a_person_may_do_get_429_with_when_to_come_back(house: House) -> None:
    settings.use(house.settings.but(acts_per_minute=3))
    alert_id, wild, calm = house.raise_alarm(), house.visitor("nurse"), house.visitor("nurse2")
    answers = [wild.act(f"/alerts/{alert_id}/notes", text="Seen.") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].mimetype == "application/problem+json"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 61
    assert wild.get("/alerts").status_code == 200
    assert calm.acknowledge(alert_id).status_code == 200
    assert meters.counted("limited_total", what="acts") == 1


def test_a_person_is_told_on_a_page(house: House) -> None:
    settings.use(house.settings.but(acts_per_minute=0))
    nurse = house.visitor("nurse")
    answer = nurse.client.post("/alerts/1/acknowledgement", data={"csrf_token": nurse.csrf_token})
    seconds = answer.headers["Retry-After"]
    assert (answer.status_code, f"more than one may ask for in a minute. Try again in {seconds} s." in answer.text) == (
        429,
        True,
    )


def test_a_program_is_told_in_words_too_when_to_come_back(house: House) -> None:
    settings.use(house.settings.but(acts_per_minute=0))
    answer = house.visitor("nurse").act("/alerts/1/acknowledgement")
    assert answer.json["detail"].endswith(f"Try again in {answer.headers['Retry-After']} s.")


def test_what_a_page_asks_by_itself_is_not_counted(house: House) -> None:
    settings.use(house.settings.but(acts_per_minute=1))
    nurse = house.visitor("nurse")
    assert {nurse.act("/session/renewal").status_code for _ in range(5)} == {200}


def test_a_sender_that_has_run_wild_is_told_so_and_no_other(house: House) -> None:
    settings.use(house.settings.but(intake_per_minute=2))
    wild, calm = (new_token(house, sender=name) for name in ("Wild", "Calm"))
    assert [_send(house, wild, n) for n in range(3)] == [202, 202, 429]
    assert _send(house, calm, 9) == 202


def test_of_a_flood_over_http_what_was_taken_is_stored_and_the_rest_may_come_again(
    house: House,
) -> None:
    settings.use(house.settings.but(intake_per_minute=20))
    token = new_token(house)
    answers = [_post(house, token, n) for n in range(60)]
    taken = {answer.json["alerts"][0] for answer in answers if answer.status_code == 202}
    refused = [answer for answer in answers if answer.status_code != 202]
    assert {line.alert_id for line in house.journal() if line.happening == "raised"} == taken
    assert (len(taken), {answer.status_code for answer in refused}) == (20, {429})
    assert all(1 <= int(answer.headers["Retry-After"]) <= 61 for answer in refused)
    settings.use(house.settings)
    again = [_post(house, token, n) for n in range(60)]
    assert {answer.status_code for answer in again} == {202}
    raised = [line for line in house.journal() if line.happening == "raised" and line.alert_id]
    with records.read() as session:
        assert len(set(session.scalars(select(Alert.sender_alert_id)))) == len(raised) == 60


def test_a_flood_over_http_is_told_to_the_charge_nurse_too(house: House) -> None:
    settings.use(house.settings.but(intake_per_minute=1))
    token = new_token(house, sender="Wild")
    assert [_post(house, token, n).status_code for n in range(3)] == [202, 429, 429]
    background.watch_senders()
    with records.read() as session:
        own = session.scalars(select(Alert).where(Alert.sender_id.is_(None))).all()
    assert [(alert.place, alert.priority, alert.unit_id) for alert in own] == [("Wild", "low", None)]


def test_streams_that_are_opened_again_and_again_are_limited(house: House) -> None:
    settings.use(house.settings.but(streams_per_person=1))
    nurse = house.visitor("nurse")
    answers = []
    for _ in range(61):
        answer = nurse.get("/live/stream?view=alerts", buffered=False)
        answer.close()
        answers.append(answer.status_code)
    assert answers == [200] * 60 + [429]


def _send(house: House, token: str, number: int) -> int:
    return _post(house, token, number).status_code


def _post(house: House, token: str, number: int) -> TestResponse:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "x-application/hl7-v2+er7"}
    message = alarm(alert_id=f"A{number}")
    return house.app.test_client().post("/api/v1/hl7", data=message, headers=headers)
