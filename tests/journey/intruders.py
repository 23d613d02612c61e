"""People of two hospitals at four browsers, who try everything in any order; whatever comes back is looked at."""

import logging
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import gevent
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from sqlalchemy import func, or_, select
from sqlalchemy.orm import selectinload
from werkzeug.test import TestResponse

from hospital import clock, records
from hospital.access.tokens import token_hash
from hospital.records import Alert, Hospital, JournalLine, Monitoring, Observation, Patient, Person, PersonSession, Unit
from hospital.roles import Role
from tests.journey.marks import PEOPLE, PLACES, Hospitals, Mark, Rights
from tests.live.lines import visitor_of
from tests.support.house import House, Visitor

NewHouse = Callable[..., House]

# Those that take more than an id and a form have steps of their own.
APART = ("/sign-in", "/sign-out", "/pair", "/live/", "/api/", "/static/")
KINDS: dict[str, Any] = {
    "alert_id": Alert.id,
    "patient_id": Patient.id,
    "person_id": Person.id,
    "session_id": PersonSession.id,
}
FIRST = ("nurse", "charge", "nurse-b", "admin")  # at the four browsers
MOST_STREAMS = 6
SETTINGS = {
    "demo": False,  # its sign-in page names everybody
    "beat_s": 0,
    "vitals_every_s": 0,
    "metrics_every_s": 0,
    "acts_per_minute": 10**6,
    "streams_per_person": 10**4,
    "streams_per_s": 10**6,
    "glass_per_minute": 10**6,
    "searches_per_minute": 10**6,
}

browsers, numbers, patients = st.integers(0, len(FIRST) - 1), st.integers(0, 999), st.integers(0, 2)
names, places, hospitals = st.sampled_from(list(PEOPLE)), st.sampled_from(PLACES), st.sampled_from(["demo", "demo-b"])
accepted = st.sampled_from(["application/json", "text/html", "htmx"])
keys = st.sampled_from(["", "the same", "another"])  # of everybody: a key of somebody else's must tell nothing
roles, units = (
    st.sampled_from([None, *Role, Role.NURSE, Role.CHARGE, Role.PHYSICIAN]),
    st.sets(st.sampled_from(["MED", "ICU"])),
)
views = st.lists(st.sampled_from(["alerts", "patients", "metrics", "board", "patient"]), min_size=1, max_size=3)
still_here = st.sampled_from([True, True, True, False])
priorities, yes_or_no = st.sampled_from(["high", "low"]), st.booleans()


class Listening:
    """An open stream; `knew`: all rights that its person has had since the beat before."""

    def __init__(self, who: str, session_id: int, views: list[str], answer: TestResponse, rights: Rights) -> None:
        self.who, self.session_id, self.answer, self.knew = who, session_id, answer, {rights}
        self.identity = set(views) != {"board"}
        self.over = False
        self._parts = iter(answer.response)

    def first_words(self) -> bytes:
        with gevent.Timeout(5):
            return bytes(next(self._parts))  # type: ignore[arg-type]

    def up_to_the_beat(self) -> bytes:
        heard = b""
        with gevent.Timeout(5):
            while b"event: beat\n" not in heard and not self.over:
                part = next(self._parts, None)
                self.over = part is None
                heard += part or b""  # type: ignore[operator]
        return heard


class Intruders(RuleBasedStateMachine):
    met: Counter[str] = Counter()  # what came out of the doors: closed ones would prove nothing

    def __init__(self, new_house: NewHouse) -> None:
        super().__init__()
        self.house = new_house(**SETTINGS)
        self.all = Hospitals(self.house, self.met)
        self.log = _Log()
        self.browsers = [self._seated(name) for name in FIRST]
        self.streams: list[Listening] = []
        self.pages, self.acts = self._rules("GET"), self._rules("POST")
        for hospital, unit in PLACES:
            self._hand_in(hospital, self.all.alarm(hospital, unit, 0, alert_id="A1", priority="high"))
            self._hand_in(hospital, self.all.reading(hospital, unit, 1, 96))

    # ---- At a browser

    @rule(at=browsers, who=names)
    def sign_in(self, at: int, who: str) -> None:
        self.browsers[at] = self.house.visitor()
        self._look_at(self.browsers[at].get("/live/stream", query_string={"view": "alerts"}), at)  # as nobody
        self._look_at(self.browsers[at].sign_in(who), at)

    @rule(at=browsers)
    def sign_out(self, at: int) -> None:
        self._look_at(self.browsers[at].client.post("/sign-out", data=self._token_of(at)), at)

    @rule(at=browsers, which=numbers, number=numbers, word=numbers)
    def look(self, at: int, which: int, number: int, word: int) -> None:
        """Any page there is, about anything there is, looking for any word."""
        said = self._word(word)
        query = dict.fromkeys(("q", "name", "words", "units", "hospital"), said) if word % 2 else {}
        path = self._about(self.pages[which % len(self.pages)], number)
        self._look_at(self.browsers[at].get(path, query_string=query), at, said)

    @rule(at=browsers, which=numbers, number=numbers, word=numbers, how=accepted, key=keys)
    def act(self, at: int, which: int, number: int, word: int, how: str, key: str) -> None:
        """Any act there is, on anything there is, with a key that others have used."""
        path, said = self._about(self.acts[which % len(self.acts)], number), self._word(word)
        text = self.all.mark("identity", *self._where(path)).word
        name = self.all.mark("staff", PEOPLE.get(self.browsers[at].name, "demo")).word
        text = name if path == "/notices" else text  # what a whole hospital is told, all of it may know
        form = self._token_of(at) | {"text": text, "name": name, "q": said, "words": said}
        form |= {"reason": f"They need me there now: {name}", "minutes": "5"}
        form |= {"pulse": "80", "scale": "2", "seen_state": "open", "unit": ["1", "2", "3", "4"]}
        headers = {"HX-Request": "true"} if how == "htmx" else {"Accept": how, "Idempotency-Key": key}
        answer = self.browsers[at].client.post(path, data=form, headers=headers)
        self.met[f"act {answer.status_code}"] += 1
        self._look_at(answer, at, text, name, said)

    @rule(at=browsers, ends=yes_or_no)
    def break_the_glass(self, at: int, ends: bool) -> None:
        """All units of one's own hospital are open then, for this sign-in alone, until the end is told."""
        form = self._token_of(at) | {"reason": "They need me there now."}
        answer = self.browsers[at].client.post(f"/emergency{'/end' * ends}", data=form)
        self.met["emergencies"] += answer.status_code == 303 and not ends
        self._look_at(answer, at)

    @rule(at=browsers, of=browsers, number=numbers)
    def act_with_the_token_of_another(self, at: int, of: int, number: int) -> None:
        path = self._about("/alerts/<int:alert_id>/acknowledgement", number)
        answer = self.browsers[at].client.post(path, data=self._token_of(of))
        assert answer.status_code in (401, 403) or self._token_of(of) == self._token_of(at), answer.status
        self._look_at(answer, at)

    @rule(at=browsers, views=views, number=numbers, cursor_of=hospitals, after=st.integers(0, 9), in_head=yes_or_no)
    def listen(self, at: int, views: list[str], number: int, cursor_of: str, after: int, in_head: bool) -> None:
        """A stream of any views, from any cursor."""
        patient = self._about("patient:<int:patient_id>", number)
        cursor = f"{self.house.hospital(cursor_of).epoch}-{after}"
        query = {"view": [patient if view == "patient" else view for view in views], "units": "2", "hospital": "2"}
        query |= {} if in_head else {"after": [cursor]}
        headers = {"Last-Event-ID": cursor} if in_head else {}
        answer = self.browsers[at].get("/live/stream", query_string=query, headers=headers, buffered=False)
        if answer.status_code != 200:
            self._look_at(answer, at, cursor)
            return
        self._check(str(answer.headers).encode(), [], what="head of a stream")
        who, session_id = self.browsers[at].name, self._session_at(at)
        self.streams.append(stream := Listening(who, session_id, views, answer, self.all.rights_of(who, session_id)))
        self._hear(stream, stream.first_words())
        if len(self.streams) > MOST_STREAMS:
            self.streams.pop(0).answer.close()

    # ---- In the hospitals

    @rule(where=places, patient=st.none() | patients, number=st.integers(1, 3), priority=priorities)
    def raise_alarm(self, where: tuple[str, str | None], patient: int | None, number: int, priority: str) -> None:
        self._hand_in(where[0], self.all.alarm(*where, patient, alert_id=f"A{number}", priority=priority))

    @rule(where=places, patient=patients, spo2=st.sampled_from([80, 97]))
    def move_a_patient(self, where: tuple[str, str | None], patient: int, spo2: int) -> None:
        """Their next readings come from this unit."""
        self._hand_in(where[0], self.all.reading(*where, patient, spo2))

    @rule(hospital=hospitals, token_of=hospitals, patient=patients, wrong=yes_or_no)
    def ask_as_a_program(self, hospital: str, token_of: str, patient: int, wrong: bool) -> None:
        """A FHIR patient with a number that somebody has, here or there; taken or refused, it tells nothing."""
        number = self.all.patients[hospital][patient].number
        body = {"resourceType": "Patient", "identifier": [{"value": number}]} | ({"birthDate": "x"} if patient else {})
        bearer = {"Authorization": f"Bearer {self.all.tokens[token_of]}{'x' * wrong}"}
        answer = self.house.visitor().client.post("/api/v1/fhir", json=body, headers=bearer)
        assert (answer.status_code == 401) == wrong
        self._check(_bytes_of(answer), [], sent=[number], what="answer to a program")

    @rule(who=names, role=roles, units=units, active=still_here)
    def change(self, who: str, role: Role | None, units: set[str], active: bool) -> None:
        """As an administrator does: another role, other units, disabled or not."""

        def act(session: Any) -> None:
            person = session.scalars(select(Person).where(Person.name == who).options(selectinload(Person.units))).one()
            person.role, person.active, person.changed_at = role or person.role, active, clock.now()
            mine = select(Unit).where(Unit.hospital_id == person.hospital_id, Unit.code.in_(units or {"MED"}))
            person.units = list(session.scalars(mine))

        records.write(None, act)
        for stream in self.streams:
            stream.knew.add(self.all.rights_of(stream.who, stream.session_id))

    @rule()
    def let_a_beat_pass(self) -> None:
        self.house.relay.turn()
        for stream in self.streams:
            self._hear(stream, stream.up_to_the_beat())
            stream.knew = {self.all.rights_of(stream.who, stream.session_id)}
        self.met["streams ended"] += sum(stream.over for stream in self.streams)
        self.streams = [stream for stream in self.streams if not stream.over]
        assert {line.watch.session_id for line in self.house.relay.hub.everyone()} <= _living_sessions()

    def teardown(self) -> None:
        self.let_a_beat_pass()
        for stream in self.streams:
            stream.answer.close()
        self._check(self.log.end(), [], what="log")
        self._check(_bytes_of(self.house.visitor().get("/internal/metrics")), [], what="metrics")
        assert _acts_of_strangers() == []

    # ---- What came back

    def _look_at(self, answer: TestResponse, at: int, *sent: str) -> None:
        self.met[str(answer.status_code)] += 1
        asked = f"{answer.request.method} {answer.request.path}"
        self._check(_bytes_of(answer), self._rights_at(at), sent=sent, what=asked)

    def _hear(self, stream: Listening, data: bytes) -> None:
        self.met["frames"] += data.count(b"event: frame")
        self._check(data, list(stream.knew), identity=stream.identity, what=f"stream of {stream.who}")

    def _check(self, data: bytes, knowing: list[Rights], *, what: str, **how: Any) -> None:
        assert self.all.foreign(data, knowing, **how) == [], f"{what} tells what {knowing} may not know"

    def _rights_at(self, at: int) -> list[Rights]:
        name = self.browsers[at].name
        return [self.all.rights_of(name, self._session_at(at))] if name else []

    def _session_at(self, at: int) -> int:
        """0: there is none any more."""
        cookie = self.browsers[at].client.get_cookie("session")
        presented = token_hash(cookie.value if cookie else "")
        hashes = (PersonSession.token_hash, PersonSession.next_hash, PersonSession.previous_hash)
        with records.read() as session:
            return session.scalar(select(PersonSession.id).where(or_(*(one == presented for one in hashes)))) or 0

    # ---- What to ask for

    def _seated(self, who: str) -> Visitor:
        visitor = visitor_of(self.house, who)
        visitor.name = who
        return visitor

    def _rules(self, method: str) -> list[str]:
        rules = [one for one in self.house.app.url_map.iter_rules() if method in (one.methods or ())]
        every = sorted(one.rule for one in rules if not one.rule.startswith(APART))
        return every + 3 * [rule for rule in every if rule.startswith(("/alerts/", "/patients/"))]  # more often

    def _hand_in(self, hospital: str, said: tuple[bytes, list[Mark]]) -> None:
        """And note to which unit it came: an administrator may have moved the bed, or bound the place to one."""
        message, marks = said
        headers = {"Authorization": f"Bearer {self.all.tokens[hospital]}", "Content-Type": "x-application/hl7-v2+er7"}
        answer = self.house.visitor().client.post("/api/v1/hl7", data=message, headers=headers)
        assert answer.status_code == 202, answer.text
        with records.read() as session:
            newest = select(Monitoring).order_by(Monitoring.changed_at.desc()).limit(1)
            ids = answer.json["alerts"]
            things = [session.get_one(Alert, id) for id in ids] or session.scalars(newest).all()
            units = {thing.unit.code if thing.unit else None for thing in things}
        for mark in marks:
            mark.units |= units
        self._check(_bytes_of(answer), [], what="answer to a program")

    def _token_of(self, at: int) -> dict[str, Any]:
        return {"csrf_token": self.browsers[at].csrf_token}

    def _word(self, number: int) -> str:
        every = list(self.all.marks.values())
        return every[number % len(every)].word

    def _about(self, rule: str, number: int) -> str:
        """The path of this rule about one of the things that there are, whosever it is."""
        with records.read() as session:
            for word in re.findall("<int:([a-z_]+)>", rule):
                most = session.scalar(select(func.max(KINDS[word]))) if word in KINDS else 3
                rule = rule.replace(f"<int:{word}>", str(1 + number % (most or 1)))
        return rule

    def _where(self, path: str) -> tuple[str, str | None]:
        """Who may know what is written about this alert: its unit. Of other things, nobody."""
        if not path.startswith("/alerts/"):
            return "", None
        with records.read() as session:
            alert = session.get_one(Alert, int(path.split("/")[2]))
            return session.get_one(Hospital, alert.hospital_id).code, alert.unit.code if alert.unit else None


class _Log(logging.Handler):
    """All that is logged meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []
        logging.getLogger().addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(record.getMessage())

    def end(self) -> bytes:
        logging.getLogger().removeHandler(self)
        return "\n".join(self._lines).encode()


def _bytes_of(answer: TestResponse) -> bytes:
    return f"{answer.status}\n{answer.headers}\n".encode() + answer.get_data()


def _living_sessions() -> set[int]:
    with records.read() as session:
        query = select(PersonSession.id).join(Person).where(PersonSession.ended_at.is_(None), Person.active)
        return set(session.scalars(query))


def _acts_of_strangers() -> list[int]:
    """Journal lines and observations by somebody of another hospital."""
    with records.read() as session:
        lines = select(JournalLine.number).join(Person, Person.id == JournalLine.person_id)
        sets = select(Observation.id).join(Person, Person.id == Observation.person_id)
        sets = sets.join(Patient, Patient.id == Observation.patient_id)
        return [
            *session.scalars(lines.where(Person.hospital_id != JournalLine.hospital_id)),
            *session.scalars(sets.where(Person.hospital_id != Patient.hospital_id)),
        ]
