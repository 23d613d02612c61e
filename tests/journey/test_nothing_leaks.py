"""A day of the demo hospital, then a thief: database, logs and addresses, searched for every patient."""

import base64
import csv
import html
import io
import json
import re
import subprocess
import sys
import urllib.parse
import urllib.request
from contextlib import suppress
from urllib.error import HTTPError

import pytest

from hospital.simulator.patients import DEMO_BEDS, Bed, Patient, admit
from tests.support.alarms import alarm
from tests.support.server import ROOT, Server
from tests.support.web import Web

LYING = [(bed, bed.patient) for bed in admit(1) if bed.patient is not None]
SHORTEST = 6  # bytes: two letters stand anywhere by chance


def words_of(patient: Patient) -> set[str]:
    """The number, the names, and both names as they are joined; words that any text may hold are no names."""
    names = {patient.family, patient.given, *patient.family.split(), *patient.family.split("-")}
    alone = {name for name in names if len(name.encode()) >= SHORTEST and name not in ("Nobody", "Ficticio")}
    joined = {f"{patient.family}{sign}{patient.given}" for sign in ("^", ", ", " ")}
    born = {patient.born.isoformat(), f"{patient.born:%Y%m%d}", f"{patient.born:%d.%m.%Y}"}
    return {patient.number, patient.number.removeprefix("SIM"), *born, *alone, *joined}


WORDS = {word for _, patient in LYING for word in words_of(patient)}


def spelled(word: str) -> dict[str, bytes]:
    """The word in every encoding that a program may have written it in. Its bytes in small letters, as far as ASCII."""
    texts = {"JSON": json.dumps(word)[1:-1], "URL": urllib.parse.quote(word), "form": urllib.parse.quote_plus(word)}
    texts |= {"HTML": html.escape(word), "hex": word.encode().hex(), "reversed": word[::-1]}
    texts |= {"XML": word.encode("ascii", "xmlcharrefreplace").decode()}
    found = {how: text.encode() for how, text in texts.items()}
    found |= {how: word.encode(how) for how in ("UTF-8", "UTF-16-LE", "UTF-16-BE")}
    with suppress(UnicodeEncodeError):
        found["Latin-1"] = word.encode("latin-1")
    return {how: data.lower() for how, data in found.items()}


def in_base64(word: str) -> list[bytes]:
    """Wherever it stands in what was encoded: its first and last letters depend on their neighbours."""
    shifted = [(b"\0" * n + word.encode(), n) for n in range(3)]
    cores = [base64.b64encode(data)[(n * 8 + 5) // 6 :].rstrip(b"=")[:-1] for data, n in shifted]
    return [core for core in cores if len(core) >= SHORTEST]


def hits(data: bytes) -> set[str]:
    """Which words of which patients stand in it, and how."""
    lower, plain = data.lower(), data.translate(bytes.maketrans(b"-_", b"+/"))  # base64 has two alphabets
    found = {f"{word} as {how}" for word in WORDS for how, needle in spelled(word).items() if needle in lower}
    return found | {f"{word} as base64" for word in WORDS for core in in_base64(word) if core in plain}


PAGES = [
    *("/alerts", "/patients", "/patients/1", "/patients/4711", "/patients/1/trend", "/metrics", "/board", "/boards"),
    *("/account", "/emergency", "/admin", "/admin/audit", "/admin/audit/export", "/admin/people", "/admin/streams"),
    *("/admin/reviews", "/admin/units", "/admin/bed-codes"),
]

PLANTED = {
    "UTF-8": "…Ångström-Testdotter…".encode(),
    "UTF-16-LE": "x Żaneta".encode("utf-16-le"),
    "UTF-16-BE": "x Zmyślona".encode("utf-16-be"),
    "Latin-1": "Muñoz Ficticio".encode("latin-1"),
    "hex": b"0a" + b"Thistlewick".hex().upper().encode(),
    "JSON": json.dumps({"name": "Φανταστικός"}).encode(),
    "URL": b"/patients?name=" + urllib.parse.quote("Выдуманный").encode(),
    "form": urllib.parse.urlencode({"name": "Van Nergenshuizen"}).encode(),
    "reversed": "Thistlewick"[::-1].encode(),
    "XML": b"<name>&#934;&#945;&#957;&#964;&#945;&#963;&#964;&#953;&#954;&#972;&#962;</name>",
    "base64": base64.b64encode(b"PID|||1||Brambleby^Penelope"),
    "HTML": html.escape("O'Nowhere, Saoirse").encode(),
}


@pytest.mark.parametrize("how", PLANTED)
def test_the_search_finds_what_is_planted(how: str) -> None:
    assert any(hit.endswith(f"as {how}") for hit in hits(PLANTED[how])), hits(PLANTED[how])


class Visit(Web):
    """Remembers what stands in addresses and titles, and does not mind being refused."""

    def __init__(self, server: Server, name: str) -> None:
        self.seen: list[str] = []
        super().__init__(server, name)

    def get(self, path: str) -> str:
        try:
            text = super().get(path)
        except HTTPError as refused:
            text = refused.read().decode()
            self.seen.append(refused.headers.get("Location", ""))
        self.seen += re.findall(r"<title>(.*?)</title>", text, re.DOTALL)
        self.seen += re.findall(r'(?:href|src|action|hx-\w+|data-stream)="([^"]*)"', text)
        return text


def work(server: Server) -> list[str]:
    """Alarms, readings and a FHIR patient come in; people look, act, mistype and are refused. Addresses and titles."""
    for number, (bed, patient) in enumerate(LYING):
        who = f"{patient.number}^^^Demo^PI||{patient.family}^{patient.given}^^^^^L||{patient.born:%Y%m%d}|{patient.sex}"
        message = alarm(bed=f"{bed.unit}^^{bed.name}", alert_id=f"A{number}", patient=who, priority="high")
        assert b"MSA|CA" in server.send(message)
        server.send(message.replace(b"OBR|", b"ZZZ|"))  # refused, and kept
    token = flask(server, "tokens", "create", "--hospital", "demo", "--sender", "FHIR").split()[-1]
    _hand_in_fhir(server, token, LYING[0][1])
    _hand_in_json(server, token, *LYING[1])
    visits = [Visit(server, name) for name in ("nurse", "nurse-icu", "charge", "physician", "admin", "engineer")]
    for visit in visits:
        for path in PAGES:
            visit.get(path)
        _try(visit, "/patients", words=LYING[2][1].family)
        _try(visit, "/emergency", reason=f"{LYING[3][1].given} {LYING[3][1].family} needs me.")
        for path in PAGES:
            visit.get(path)
        for number in (1, 2, len(LYING)):
            visit.get(f"/alerts/{number}")
        visit.get(f"/patients/{urllib.parse.quote(LYING[0][1].family)}")
    for number, (_, patient) in enumerate(LYING, 1):
        for what in ("acknowledgement", "notes"):
            _try(visits[3], f"/alerts/{number}/{what}", text=f"{patient.given} {patient.family} is better.")
    _try(visits[0], "/sign-in", name=LYING[1][1].family, password="x")
    assert hits(_without_reasons(flask(server, "audit", "export", "--hospital", "demo"))) == set()
    return [one for visit in visits for one in visit.seen]


def flask(server: Server, *words: str) -> str:
    command = [sys.executable, "-m", "flask", "--app", "app", *words]
    done = subprocess.run(command, cwd=ROOT, env=server.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert hits(done.stderr.encode()) == set()
    return done.stdout


def _without_reasons(export: str) -> bytes:
    """What somebody gave as a reason are their own words, for whoever reviews it; the rest names nobody."""
    rows = list(csv.DictReader(io.StringIO(export)))
    reasons = [row.pop("reason") for row in rows]
    assert any(reasons)
    return json.dumps(rows, ensure_ascii=False).encode()


def _try(visit: Visit, path: str, **fields: str) -> None:
    """Done, refused, or answered with a page."""
    try:
        visit.act(path, **fields)
    except HTTPError as refused:
        refused.close()
    except ValueError:
        pass


def _hand_in_fhir(server: Server, token: str, patient: Patient) -> None:
    body = {
        "resourceType": "Patient",
        "identifier": [{"value": patient.number, "system": "urn:demo"}],
        "name": [{"family": patient.family, "given": [patient.given]}],
        "birthDate": patient.born.isoformat(),
    }
    _hand_in(server, token, "/api/v1/fhir", "application/fhir+json", body)


def _hand_in_json(server: Server, token: str, bed: Bed, patient: Patient) -> None:
    who = {"identifier": patient.number, "name": f"{patient.family}, {patient.given}"}
    body = {"id": "J1", "unit": bed.unit, "bed": bed.name, "text": f"{patient.family} has fallen", "patient": who}
    _hand_in(server, token, "/api/v1/alerts", "application/json", body)


def _hand_in(server: Server, token: str, path: str, kind: str, body: dict[str, object]) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
    request = urllib.request.Request(f"{server.url}{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 202


@pytest.mark.slow
def test_a_stolen_disk_and_its_logs_name_no_patient(server: Server) -> None:
    addresses = work(server)
    with urllib.request.urlopen(f"{server.url}/internal/metrics", timeout=10) as answer:
        metrics = answer.read()
    server.kill()  # the write-ahead log stays as it is
    files = {file.name: file.read_bytes() for file in server.folder.iterdir() if file.is_file()}

    assert {"hospital.db", "hospital.db-wal", "log", "anchors.log"} <= set(files)
    assert len(files["hospital.db-wal"]) > 100_000 and b"TEST_GATEWAY" in b"".join(files.values())
    assert b"hospital_messages_total" in metrics and any("/alerts/1" in one for one in addresses)
    assert {name: found for name, data in files.items() if (found := hits(data))} == {}
    assert hits(metrics) == set()
    assert hits("\n".join(addresses).encode()) == set()


def test_the_demo_has_a_patient_in_all_of_its_beds_but_one() -> None:
    assert len(LYING) == len(DEMO_BEDS) - 1
