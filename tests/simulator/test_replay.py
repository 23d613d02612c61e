import csv
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hospital import clock
from hospital.simulator.columns import COLUMNS, read_columns
from hospital.simulator.dates import field
from hospital.simulator.recording import Recording
from hospital.simulator.recordings import Unreadable, open_recording, read_messages, split
from hospital.simulator.replay import Account, Progress, replay

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
STAYS = sorted((Path(__file__).parents[3] / "shared/data/vitals").glob("*.txt"))
PUBLIC = sorted((Path(__file__).parents[3] / "shared/data/hl7v2").glob("*"))
COLUMN_FILE = """Time,Parameter,Value
00:00,RecordID,1234
00:00,Age,85
00:00,Gender,0
00:10,HR,99
00:10,GCS,15
00:10,FiO2,0.5
00:10,Temp,36.65
01:10,HR,-1
01:10,RespRate,900
01:10,SaO2,98
25:10,NISysABP,120
25:10,NIDiasABP,abc
"""


@pytest.fixture(autouse=True)
def still_time() -> Iterator[None]:
    clock.stop(NOW)
    yield
    clock.reset()


def hl7(*times: str, bed: str = "PV1||I|ICU^2^1\r") -> bytes:
    messages = [f"MSH|^~\\&|X|Y|||{at}||ORU^R01|{n}|P|2.6\r{bed}OBR|1||||||{at}\r" for n, at in enumerate(times)]
    return "".join(messages).encode()


def played(*recordings: Recording, **how: Any) -> tuple[Account, list[tuple[datetime, bytes]]]:
    """The account, and when each message was sent."""
    sent: list[tuple[datetime, bytes]] = []

    def send(message: bytes) -> str:
        sent.append((clock.now(), message))
        return "CA"

    def sleep(seconds: float) -> None:
        clock.turn(timedelta(seconds=seconds))

    factor = how.pop("factor", 1.0)
    return replay(recordings, send, factor=factor, sleep=sleep, **how), sent


def when(message: bytes) -> datetime:
    written = field(message, "MSH", 7).decode()
    return datetime.strptime(written.replace("+0000", "").split(".")[0], "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def test_at_the_pace_of_life_every_message_is_dated_now() -> None:
    _, sent = played(read_messages(hl7("20150101120000", "20150101120010", "20150101120130"), None))
    assert [at - NOW for at, _ in sent] == [timedelta(seconds=s) for s in (0, 10, 90)]
    assert [when(message) for _, message in sent] == [at for at, _ in sent]


def test_a_factor_shortens_the_waits_and_keeps_the_intervals_so_that_the_last_is_now() -> None:
    _, sent = played(read_messages(hl7("20150101120000", "20150101130000", "20150101140000"), None), factor=3600)
    assert [at - NOW for at, _ in sent] == [timedelta(seconds=s) for s in (0, 1, 2)]
    times = [when(message) for _, message in sent]
    assert times[2] - times[1] == times[1] - times[0] == timedelta(hours=1)
    assert times[2] == sent[2][0] == clock.now()


def test_files_play_side_by_side_in_their_order_and_end_together() -> None:
    one = read_messages(hl7("20100101000000", "20100101000020"), None)
    other = read_messages(hl7("20200101000000", "20200101000005", "20200101000010"), None)
    account, sent = played(one, other)
    assert [(at - NOW).total_seconds() for at, _ in sent] == [0, 10, 15, 20, 20]
    assert [when(message) for _, message in sent] == [at for at, _ in sent]
    assert account.total == account.messages == 5


def test_a_message_that_is_older_than_the_one_before_follows_it_at_once() -> None:
    _, sent = played(read_messages(hl7("20150101000100", "20150101000000", "20150101000130"), None))
    assert [(at - NOW).total_seconds() for at, _ in sent] == [0, 0, 30]
    assert [field(message, "MSH", 10) for _, message in sent] == [b"0", b"1", b"2"]
    assert when(sent[1][1]) == NOW - timedelta(minutes=1)


def test_messages_that_tell_no_time_are_sent_as_they_are() -> None:
    raw = b"MSH|^~\\&|X|Y|||||ORU^R01|1|P|2.6\rOBR|1\r"
    _, sent = played(read_messages(raw, None))
    assert sent == [(NOW, raw)]


def test_messages_are_split_whatever_their_frames_and_line_ends() -> None:
    framed = b"\x0bMSH|^~\\&|A\rPID|1\r\x1c\r\x0bMSH|^~\\&|B\r\x1c\r"
    unix = b"\xef\xbb\xbfMSH|^~\\&|A\n\n PID|1\r\n\nMSH|^~\\&|B"
    assert list(split(framed)) == list(split(unix)) == [b"MSH|^~\\&|A\rPID|1\r", b"MSH|^~\\&|B\r"]


def test_acknowledgements_are_not_sent_since_nobody_answers_them() -> None:
    account, sent = played(read_messages(b"MSH|^~\\&|||||2019||ACK^R40|1\rMSA|CA|1\r" + hl7("20150101"), None))
    assert len(sent) == 1
    assert "; not sent: 1 acknowledgements" in str(account)


@pytest.mark.parametrize("visit", ["PV1||I|ICU^2^1\r", "PV1\r", ""])
def test_a_recording_can_be_laid_in_another_bed(visit: str) -> None:
    _, ((_, message),) = played(read_messages(hl7("20150101", bed=visit), "MED-03"))
    assert field(message, "PV1", 3) == b"MED^^MED-03"
    assert [row[:3] for row in message.split(b"\r")] == [b"MSH", b"PV1", b"OBR", b""]


def test_columns_become_readings_and_nothing_is_made_up() -> None:
    account, sent = played(read_columns(COLUMN_FILE, "MED-03"), factor=1e6)
    texts = [message.decode() for _, message in sent]
    assert len(texts) == 3
    assert "|147842^MDC_ECG_HEART_RATE^MDC|1.2.1.1|99|264864" in texts[0]
    assert "|150344^MDC_TEMP^MDC|1.5.1.1|36.65|268192" in texts[0]
    assert "150456" in texts[1] and "147842" not in texts[1] and "151562" not in texts[1]
    assert "|150021^MDC_PRESS_BLD_NONINV_SYS^MDC|1.1.1.1|120|" in texts[2]
    assert all(text.count("|NM|") == n for text, n in zip(texts, (2, 1, 1), strict=True))
    assert all("PID|||1234^^^PHYSIONET^PI||Stay 1234|||F\rPV1||I|MED^^MED-03\r" in text for text in texts)
    assert "; not sent: 2 impossible values; not sent: 1 unknown values" in str(account)


def test_columns_keep_their_intervals_beyond_midnight_and_the_last_is_now() -> None:
    _, sent = played(read_columns(COLUMN_FILE, "MED-03"), factor=3600)
    times = [when(message) for _, message in sent]
    assert times[2] == clock.now() == NOW + timedelta(seconds=25)
    assert [at - times[0] for at in times] == [timedelta(hours=h) for h in (0, 1, 25)]
    assert [field(message, "OBX", 1) for _, message in sent] == [b"1"] * 3


def test_a_file_without_readings_plays_nothing() -> None:
    account, sent = played(read_columns("Time,Parameter,Value\n00:00,RecordID,1\n", "MED-01"))
    assert (sent, account.total) == ([], 0)


def test_the_account_counts_answers_and_what_got_none() -> None:
    answers = iter(["CA", "AE", None])
    account = replay(
        [read_messages(hl7("20150101", "20150101", "20150101"), None)], lambda message: next(answers), factor=1.0
    )
    account.repeats = 4
    assert str(account) == ("replay: 3 of 3 messages from 1 files in 0.0 s; answers AE 1, CA 1; 1 without; 4 repeats")
    assert not account.is_clean
    assert played(read_messages(hl7("20150101"), None))[0].is_clean


def test_a_speed_limit_holds_the_messages_back() -> None:
    _, sent = played(read_messages(hl7(*["20150101"] * 5), None), most_a_second=2)
    assert [(at - NOW).total_seconds() for at, _ in sent] == [0, 0.5, 1, 1.5, 2]


def test_a_stop_ends_it_and_the_account_says_how_far_it_came() -> None:
    seen: list[Account] = []
    recording = read_messages(hl7(*["20150101"] * 5), None)
    account, _ = played(recording, progress=seen.append, stop=lambda: len(seen) == 2)
    assert (account.messages, account.total, account.is_clean) == (2, 5, False)


def test_a_terminal_gets_a_bar_and_a_file_a_few_lines() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    recording = read_messages(hl7(*["20150101"] * 40), None)
    for out in (Terminal(), io.StringIO()):
        played(recording, progress=Progress(out))
        if out.isatty():
            assert out.getvalue().count("\r") == 40
            assert out.getvalue().endswith(f"[{'#' * 30}] 40/40 0 s\n")
        else:
            assert out.getvalue().splitlines()[-1] == "40 of 40 messages, 0 s"
            assert len(out.getvalue().splitlines()) == 10


def test_a_file_of_another_kind_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n")
    with pytest.raises(Unreadable, match=r"x\.csv: neither"):
        open_recording(tmp_path / "x.csv", None, "MED-01")
    with pytest.raises(Unreadable, match=r"y\.csv: No such file"):
        open_recording(tmp_path / "y.csv", None, "MED-01")


@pytest.mark.skipif(not STAYS, reason="the real stays are not part of the project")
@pytest.mark.parametrize("stay", STAYS, ids=lambda stay: stay.stem)
def test_a_real_stay_is_played_value_by_value(stay: Path) -> None:
    _, sent = played(open_recording(stay, None, "MED-01"), factor=1e5)
    codes = {str(metric.code.number): name for name, (metric, *_) in COLUMNS.items()}
    told = [
        (when(message), codes[row[3].split("^")[0]], float(row[5]), row[14][:14])
        for _, message in sent
        for row in (line.split("|") for line in message.decode().split("\r"))
        if row[0] == "OBX" and row[2] == "NM"
    ]
    expected: dict[tuple[timedelta, str], float] = {}
    with stay.open() as rows:
        for row in csv.DictReader(rows):
            hours, minutes = row["Time"].split(":")
            if row["Parameter"] in COLUMNS and float(row["Value"]) != -1:
                at = timedelta(hours=int(hours), minutes=int(minutes))
                expected[at, row["Parameter"]] = float(row["Value"])
    starts = min(at for at, _ in expected)
    began = told[0][0]
    assert {(at - began + starts, name): value for at, name, value, _ in told} == expected
    assert all(at.strftime("%Y%m%d%H%M%S") == own for at, _, _, own in told)
    assert [at for at, *_ in told] == sorted(at for at, *_ in told)


@pytest.mark.skipif(not PUBLIC, reason="the public samples are not part of the project")
@pytest.mark.parametrize("sample", PUBLIC, ids=lambda sample: sample.stem)
def test_a_public_sample_keeps_all_but_its_dates(sample: Path) -> None:
    _, sent = played(open_recording(sample, None, "MED-01"))
    originals = [one for one in split(sample.read_bytes()) if not field(one, "MSH", 9).startswith(b"ACK")]
    assert len(sent) == len(originals)
    for (_, message), original in zip(sent, originals, strict=True):
        assert len(message) == len(original)
        assert [row[:3] for row in message.split(b"\r")] == [row[:3] for row in original.split(b"\r")]
        assert field(message, "MSH", 7)[:8] == b"20261122"[: len(field(original, "MSH", 7))]


def test_a_replay_over_the_wire_is_answered(intake: Callable[..., Any], tmp_path: Path) -> None:
    from hospital.simulator.sending import Sender

    listening = intake(lambda m: b"\x0bMSH|^~\\&\rMSA|CA|" + m.split(b"|")[9] + b"\r\x1c\r")
    (tmp_path / "stay.txt").write_text(COLUMN_FILE)
    clock.reset()
    sender = Sender("127.0.0.1", listening.port, tries=2)
    account = replay([open_recording(tmp_path / "stay.txt", None, "MED-04")], sender.send, factor=1e7)
    sender.close()
    assert account.answers == {"CA": 3} and account.is_clean
    assert len({message.split(b"|")[9] for message in listening.heard}) == 3
