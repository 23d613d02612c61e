"""Where keys come from, and what is no ring."""

import stat
from pathlib import Path

import pytest

from app import create_app
from hospital import records
from hospital.records import ring, sealed
from hospital.records.ring import BadRing, add_to_file, from_command, from_file, new_line, parse
from hospital.settings import BadSetting, Settings


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("for tests", {1: "for tests"}),
        ("for tests\n", {1: "for tests"}),
        ("1:old\n2:new\n", {1: "old", 2: "new"}),
        (
            "2:new\r\n\r\n  1:a secret: with = signs\n",
            {2: "new", 1: "a secret: with = signs"},
        ),
        ("255:last", {255: "last"}),
        ("0:no number of a key", {1: "0:no number of a key"}),
    ],
)
def test_a_ring_is_lines_of_numbers_and_secrets_and_all_else_is_one_secret(text: str, keys: dict[int, str]) -> None:
    assert parse(text) == keys


@pytest.mark.parametrize("text", ["", "\n \n", "1:a\nb", "1:a\n1:b", "256:a", "1:\n2:b"])
def test_what_is_half_a_ring_is_refused(text: str) -> None:
    with pytest.raises(BadRing):
        parse(text)


def test_no_message_of_a_refusal_holds_a_secret(tmp_path: Path) -> None:
    (tmp_path / "ring").write_text("1:hunter2\nhunter3")
    with pytest.raises(BadRing) as refused:
        from_file(tmp_path / "ring")
    assert "hunter" not in str(refused.value)


def test_a_file_that_is_not_there_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(BadRing, match="ring cannot be read: FileNotFoundError"):
        from_file(tmp_path / "ring")


def test_a_command_prints_the_ring(tmp_path: Path) -> None:
    (tmp_path / "a ring").write_text("1:old\n2:new\n")
    assert from_command(f"cat '{tmp_path}/a ring'") == {1: "old", 2: "new"}


@pytest.mark.parametrize("command", ["false", "no-such-command-anywhere", "echo 'unclosed", "true"])
def test_a_command_that_fails_or_prints_nothing_is_refused(command: str) -> None:
    with pytest.raises(BadRing):
        from_command(command)


def test_a_new_key_is_one_higher_and_long_enough_and_never_the_same() -> None:
    number, _, secret = new_line(7).partition(":")
    assert (number, len(secret) >= 43) == ("8", True)
    assert new_line(7) != new_line(7)


def test_after_the_last_number_there_is_no_new_key() -> None:
    with pytest.raises(BadRing, match="no number above 255"):
        new_line(255)


def test_a_key_added_to_a_file_stands_beside_the_others_and_only_the_owner_reads_it(tmp_path: Path) -> None:
    kept = tmp_path / "secret.key"
    kept.write_text("one secret as the embedded default makes it")

    add_to_file(kept, "2:new")

    assert from_file(kept) == {1: "one secret as the embedded default makes it", 2: "new"}
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_only_one_source_may_be_given(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="Give only one of: HOSPITAL_SECRET_KEY, HOSPITAL_KEY_COMMAND"):
        create_app(Settings(secret_key="a", key_command="cat ring", instance=tmp_path))


@pytest.mark.parametrize("how", ["key_file", "key_command"])
def test_the_application_takes_its_keys_from_a_file_or_a_command(furnished: Path, tmp_path: Path, how: str) -> None:
    (tmp_path / "hospital.db").write_bytes(furnished.read_bytes())
    (tmp_path / "ring").write_text("1:for tests\n2:another\n")
    where = str(tmp_path / "ring") if how == "key_file" else f"cat {tmp_path / 'ring'}"

    create_app(Settings(instance=tmp_path, **{how: where}))

    records.disconnect()
    assert sorted(sealed.ring()) == [1, 2]
    sealed.use_secret("for tests")


def test_a_ring_that_cannot_be_read_again_leaves_the_keys_that_are_known(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "ring").write_text("1:for tests\n")
    sealed.use_ring(lambda: ring.from_file(tmp_path / "ring"))
    (tmp_path / "ring").unlink()

    sealed.read_again()

    assert list(sealed.ring()) == [1]
    assert "cannot be read" in caplog.text
    sealed.use_secret("for tests")
