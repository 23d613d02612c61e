"""Someone takes an alert."""

from tests.support.house import House


def test_the_first_of_two_has_it_and_the_second_learns_who_was_first(either_house: House) -> None:
    alert_id = either_house.raise_alarm()
    first, second = either_house.visitor("nurse"), either_house.visitor("nurse2")

    assert first.acknowledge(alert_id).status_code == 200
    answer = second.acknowledge(alert_id)

    assert answer.status_code == 409
    assert answer.json["sentence"] == "Amara N. has it already."
    assert [line.happening for line in either_house.journal()] == ["raised", "acknowledged"]
