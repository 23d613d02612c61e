"""What the life of alerts should be, written down apart from hospital/alerts: a model for the state machine.

It knows no database and no act; it tells for each thing that is done who is refused and why, and what then stands.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

# Who works where, and may a(cknowledge), e(scalate), n(ote), r(esolve); "?" sees the unassigned and may resolve those.
PEOPLE = {
    "nurse": ("demo", {"MED"}, "aenr"),
    "nurse2": ("demo", {"MED"}, "aenr"),
    "nurse-icu": ("demo", {"ICU"}, "aenr"),
    "charge": ("demo", {"MED", "ICU"}, "aen?"),
    "physician": ("demo", {"MED", "ICU"}, "aenr"),
    "display": ("demo", {"MED"}, ""),
    "engineer": ("demo", set(), ""),
    "admin": ("demo", set(), ""),
    "nurse-b": ("demo-b", {"MED"}, "aenr"),
}
BEDS = {"MED-01": "MED", "MED-02": "MED", "ICU-01": "ICU", "MED-99": None}  # the last one is not known
URGENCY = {"low": 0, "medium": 1, "high": 2}
DELAY = {"high": timedelta(minutes=2), "medium": timedelta(minutes=5), "low": timedelta(minutes=15)}
UNSEEN = timedelta(minutes=15)


@dataclass(frozen=True)
class Told:
    """An alarm message. `priority` None: not sent."""

    gateway: str
    bed: str
    number: str
    event: int
    priority: str | None
    value: str | None
    patient: str | None
    latched: bool = False
    starts: bool = False

    @property
    def hospital(self) -> str:
        return self.gateway.partition("/")[0]

    @property
    def unit(self) -> str | None:
        return BEDS[self.bed] if self.hospital == "demo" or BEDS[self.bed] == "MED" else None


@dataclass
class Expected:
    """An alert as it should stand."""

    id: int
    opened_by: Told
    priority: str
    sent: bool
    event: int
    value: str | None
    patient: str | None
    condition: str
    conflict: bool = False
    state: str = "open"
    step: int = 0
    owner: str | None = None
    repeats: int = 0
    version: int = 0
    climbs_at: datetime | None = None
    ended_at: datetime | None = None
    expires_at: datetime | None = None
    taken: list[tuple[str, datetime, datetime | None]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def hospital(self) -> str:
        return self.opened_by.hospital

    @property
    def unit(self) -> str | None:
        return self.opened_by.unit

    @property
    def highest_step(self) -> int:
        return 2 if self.unit else 1

    def facts(self) -> dict[str, object]:
        """What its next journal line says; the owner by name."""
        return {
            "state": self.state,
            "priority": self.priority,
            "condition": self.condition,
            "step": self.step,
            "owner": self.owner,
            "value": self.value,
        }


@dataclass(frozen=True)
class Line:
    number: int
    at: datetime
    happening: str
    alert_id: int
    person: str | None
    facts: dict[str, object]


class Life:
    """Both hospitals. Each method does what happens and is told when."""

    def __init__(self) -> None:
        self.alerts: list[Expected] = []
        self.journal: dict[str, list[Line]] = {"demo": [], "demo-b": []}
        self._lies: dict[tuple[str, str], str] = {}  # (hospital, bed) → patient
        self._ids = count(1)

    # ---- Monitors

    def alarm(self, told: Told, at: datetime) -> Expected:
        alert = self.meant(told)
        if alert is None:
            return self._open(told, at)
        self._repeat(alert, told, at)
        return alert

    def end(self, told: Told, at: datetime) -> Expected | None:
        alert = self.meant(told)
        if alert is None:
            return None
        alert.repeats += 1
        known = alert.condition == "cleared" or (alert.priority == "high" and alert.ended_at is not None)
        if known:
            return alert
        alert.ended_at = at
        if alert.priority == "high":
            alert.condition = "latched"
        elif alert.state == "acknowledged":
            alert.condition = "cleared"
            self._finish(alert, at)
        else:
            alert.condition, alert.climbs_at, alert.expires_at = "cleared", None, at + UNSEEN
        self._write("cleared", alert, at)
        return alert

    def meant(self, told: Told) -> Expected | None:
        """The newest one that is not resolved, of this sender and number, in this place, about nobody else."""
        for alert in reversed(self.alerts):
            first = alert.opened_by
            same = (first.gateway, first.bed, first.number) == (told.gateway, told.bed, told.number)
            somebody_else = told.patient is not None and alert.patient not in (None, told.patient)
            nobody = told.patient is None and alert.patient is not None
            something_else = told.starts and (alert.event != told.event or nobody)
            if same and alert.state != "resolved" and not somebody_else and not something_else:
                return alert
        return None

    def _open(self, told: Told, at: datetime) -> Expected:
        priority = told.priority or "medium"
        alert = Expected(
            id=next(self._ids),
            opened_by=told,
            priority=priority,
            sent=told.priority is not None,
            event=told.event,
            value=told.value,
            patient=told.patient,
            condition="latched" if told.latched else "active",
            climbs_at=at + DELAY[priority],
            conflict=self._contradicts(told),
        )
        self.alerts.append(alert)
        self._write("raised", alert, at)
        return alert

    def _repeat(self, alert: Expected, told: Told, at: datetime) -> None:
        alert.repeats += 1
        alert.event = told.event
        shown = (alert.value, alert.patient)
        if alert.patient is None and told.patient is not None:
            alert.patient, alert.conflict = told.patient, self._contradicts(told)
        alert.value = told.value or alert.value
        if told.priority and URGENCY[told.priority] > URGENCY[alert.priority]:
            alert.priority, alert.sent = told.priority, True
            self._again(alert, told, at, "priority-raised")
        elif alert.condition != "active" and not told.latched:
            self._again(alert, told, at, "recurred")
        elif alert.condition == "active" and told.latched:
            alert.condition, alert.ended_at = "latched", at
            self._write("cleared", alert, at)
        elif (alert.value, alert.patient) != shown:
            self._write("updated", alert, at)

    def _again(self, alert: Expected, told: Told, at: datetime, happening: str) -> None:
        self._let_go(alert, at)
        alert.owner, alert.state, alert.step = None, "open", 0
        alert.condition = "latched" if told.latched else "active"
        alert.ended_at = alert.expires_at = None
        alert.climbs_at = at + DELAY[alert.priority]
        self._write(happening, alert, at)

    def _contradicts(self, told: Told) -> bool:
        """Lay the patient into an empty bed if they lie nowhere; True: the register has it otherwise."""
        if told.patient is None or told.unit is None:
            return False
        elsewhere = any(who == told.patient for (where, _), who in self._lies.items() if where == told.hospital)
        if not elsewhere:
            self._lies.setdefault((told.hospital, told.bed), told.patient)
        return self._lies.get((told.hospital, told.bed)) != told.patient

    # ---- People

    def refusal(
        self, act: str, who: str, alert: Expected, state: str | None, priority: str | None, words: str = ""
    ) -> str | None:
        """Why this is refused; None: it is done."""
        hospital, units, may = PEOPLE[who]
        sees = alert.unit in units if alert.unit else "?" in may
        if hospital != alert.hospital or not sees:
            return "NotFound"
        if act[0] not in may and not (act == "resolve" and "?" in may and alert.unit is None):
            return "NotAllowed"
        if act == "note":
            return None if words.strip() and len(words) <= 2_000 else "EmptyNote"
        if act == "acknowledge" and alert.state == "acknowledged":
            return "AlreadyAcknowledged"
        if alert.state == "resolved":
            return "AlreadyResolved"
        if priority is not None and URGENCY[alert.priority] > URGENCY[priority]:
            return "PriorityRaised"
        if state is not None and state != alert.state:
            return "HasChanged"
        if act == "escalate" and alert.step == alert.highest_step:
            return "AtTheTop"
        if act == "resolve" and alert.priority == "high" and alert.state == "open":
            return "NotAcknowledged"
        return None

    def acknowledge(self, who: str, alert: Expected, at: datetime) -> None:
        alert.state, alert.owner, alert.climbs_at, alert.expires_at = "acknowledged", who, None, None
        alert.taken.append((who, at, None))
        self._write("acknowledged", alert, at, who)

    def escalate(self, who: str | None, alert: Expected, at: datetime) -> None:
        alert.step += 1
        waits = alert.state == "open" and alert.condition != "cleared" and alert.step < alert.highest_step
        alert.climbs_at = at + DELAY[alert.priority] if waits else None
        self._write("escalated", alert, at, who)

    def resolve(self, who: str, alert: Expected, at: datetime) -> None:
        self._finish(alert, at)
        self._write("resolved", alert, at, who)

    def note(self, who: str, alert: Expected, at: datetime, words: str) -> None:
        alert.notes.append(words.strip())
        self._write("noted", alert, at, who)

    # ---- Time

    def run_timers(self, now: datetime) -> None:
        """Whoever has waited longest comes first."""
        climbing = [(alert.climbs_at, alert.id) for alert in self.alerts if alert.climbs_at and alert.climbs_at <= now]
        for _, alert_id in sorted(climbing):
            self.escalate(None, self.alerts[alert_id - 1], now)
        ending = [(alert.expires_at, alert.id) for alert in self.alerts if alert.expires_at and alert.expires_at <= now]
        for _, alert_id in sorted(ending):
            alert = self.alerts[alert_id - 1]
            self._finish(alert, now)
            self._write("expired", alert, now)

    # ---- Common to all

    def _finish(self, alert: Expected, at: datetime) -> None:
        self._let_go(alert, at)
        alert.state = "resolved"
        alert.climbs_at = alert.expires_at = None

    def _let_go(self, alert: Expected, at: datetime) -> None:
        alert.taken = [(who, since, until or at) for who, since, until in alert.taken]

    def _write(self, happening: str, alert: Expected, at: datetime, who: str | None = None) -> None:
        lines = self.journal[alert.hospital]
        alert.version = len(lines) + 1
        lines.append(Line(alert.version, at, happening, alert.id, who, alert.facts()))
