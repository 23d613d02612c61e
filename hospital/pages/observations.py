"""POST /patients/<id>/observations: what a person measured or saw; and the SpO2 scale that a physician chooses."""

import re
from dataclasses import dataclass, field

from flask import Blueprint, Response, jsonify, make_response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.exceptions import ServiceUnavailable

from hospital import clock, meters, records
from hospital.access.guard import for_people, me
from hospital.alerts.observing import Readings, observe
from hospital.alerts.refusals import Refusal
from hospital.alerts.rights import patient_for
from hospital.alerts.scaling import set_scale
from hospital.fragments.words import gettext
from hospital.pages.acting import Key, Outcome, key_given
from hospital.pages.patients import patient_page
from hospital.records import Monitoring, NotStored
from hospital.roles import Right
from hospital.triage.observation import Consciousness, Measured, ObservationSet, Source, Vital
from hospital.vocabulary import N_

blueprint = Blueprint("observations", __name__)

# What a person can have meant; beyond it is a slip of the finger. field → (vital sign, lowest, highest, its word)
_FIELDS = {
    "respiration": (Vital.RR, 0, 100, N_("Breathing")),
    "spo2": (Vital.SPO2, 20, 100, "SpO₂"),
    "systolic": (Vital.SBP, 20, 350, N_("Systolic pressure")),
    "diastolic": (Vital.DBP, 10, 250, N_("Diastolic pressure")),
    "pulse": (Vital.HR, 0, 350, N_("Pulse")),
    "temperature": (Vital.TEMP, 20, 46, N_("Temperature")),
}
_OXYGEN = {"air": False, "oxygen": True}
_NUMBER = re.compile(r"[0-9]{1,3}(?:[.,][0-9]{1,2})?")


@dataclass
class Form:
    """What was filled in, and what is wrong with it: field → sentence."""

    given: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    measured: dict[Vital, float] = field(default_factory=dict)
    consciousness: Consciousness | None = None
    on_oxygen: bool | None = None

    @classmethod
    def read(cls) -> "Form":
        form = cls({name: text.strip() for name, text in request.form.items() if text.strip()})
        for name in _FIELDS:  # in their order: so are the sentences
            if name in form.given:
                form._read_number(name)
        form._read_choices()
        if not form.errors and not form.measured and form.consciousness is None and form.on_oxygen is None:
            form.errors["respiration"] = gettext("Fill in at least one thing that you measured or saw.")
        return form

    def as_set(self) -> ObservationSet:
        now = clock.now()
        measured = tuple(Measured(vital, Source.OTHER, value, now) for vital, value in self.measured.items())
        return ObservationSet(now, measured, self.consciousness, self.on_oxygen)

    @property
    def says(self) -> str:
        """The same for the same observations."""
        return repr((sorted(self.measured.items()), self.consciousness, self.on_oxygen))

    def _read_number(self, name: str) -> None:
        vital, lowest, highest, word = _FIELDS[name]
        text = self.given[name]
        value = float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None
        if value is None or not lowest <= value <= highest:
            self.errors[name] = gettext(
                "%(what)s must be a number from %(lowest)s to %(highest)s.",
                what=gettext(word),
                lowest=lowest,
                highest=highest,
            )
        else:
            self.measured[vital] = value

    def _read_choices(self) -> None:
        oxygen, level = self.given.get("on_oxygen"), self.given.get("consciousness")
        if oxygen is not None and oxygen not in _OXYGEN:
            self.errors["on_oxygen"] = gettext("Choose air or oxygen.")
        if level is not None and level not in list(Consciousness):
            self.errors["consciousness"] = gettext("Choose one of A, C, V, P and U.")
        if not self.errors:
            self.on_oxygen = _OXYGEN[oxygen] if oxygen else None
            self.consciousness = Consciousness(level) if level else None


@blueprint.post("/patients/<int:patient_id>/observations")
@for_people(Right.SEE_ALERTS)
def create(patient_id: int) -> Response:
    """All fields are optional; at least one must be there. 422 tells what is wrong, field by field.

    With a key the same form is taken once, however often it comes.
    """
    form, actor = Form.read(), me().actor
    key = Key(actor.person_id, key_given(), "observe", form.says)

    def act(session: Session) -> Monitoring:
        monitoring = patient_for(session, actor, patient_id, Right.OBSERVE)
        if not form.errors and not key.earlier(session, patient_id):
            observe(session, monitoring, Readings((form.as_set(),), clock.now(), person_id=actor.person_id))
            key.remember(session, Outcome(200, patient_id, monitoring.version))
        return monitoring

    return _carry_out("observe", patient_id, act, form)


@blueprint.post("/patients/<int:patient_id>/spo2-scale")
@for_people(Right.SEE_ALERTS)
def choose_scale(patient_id: int) -> Response:
    """The field `scale`: 1 or 2."""
    actor, scale = me().actor, request.form.get("scale", "")
    wanted = int(scale) if scale in ("1", "2") else 0
    return _carry_out("scale", patient_id, lambda session: set_scale(session, actor, patient_id, wanted, clock.now()))


def _carry_out(name: str, patient_id: int, act, form: Form | None = None) -> Response:  # type: ignore[no-untyped-def]
    as_json = request.accept_mimetypes.best == "application/json"
    try:
        monitoring = records.write(me().actor.hospital_id, act)
    except NotStored:
        raise ServiceUnavailable("This could not be stored now. Try again.", retry_after=1) from None
    except Refusal as refusal:
        meters.count("acts_total", act=name, status=str(refusal.status))
        return _refused(refusal, as_json=as_json)
    if form is not None and form.errors:
        meters.count("acts_total", act=name, status="422")
        if as_json:
            return _problem(jsonify(status=422, errors=form.errors), 422)
        return make_response(patient_page(patient_id, errors=form.errors, given=form.given), 422)
    meters.count("acts_total", act=name, status="200")
    if as_json:
        return jsonify(id=patient_id, version=monitoring.version)
    return make_response(redirect(f"/patients/{patient_id}", 303))


def _refused(refusal: Refusal, *, as_json: bool) -> Response:
    if as_json:
        return _problem(
            jsonify(status=refusal.status, reason=refusal.reason, sentence=refusal.sentence), refusal.status
        )
    raise refusal


def _problem(body: Response, status: int) -> Response:
    body.mimetype = "application/problem+json"
    return make_response(body, status)
