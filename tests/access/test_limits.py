"""How much one may ask for in a minute: a program that has run wild is stopped, and nobody else."""

from hospital import meters, settings
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
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "x-application/hl7-v2+er7"}
    message = alarm(alert_id=f"A{number}")
    return house.app.test_client().post("/api/v1/hl7", data=message, headers=headers).status_code
