"""Records → HTML. Each thing is rendered once for each version, with or without identity, and then only handed out.

Nothing of a viewer is in a fragment: what a screen shows of "mine" and which buttons it has follow from <body>.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Flask
from markupsafe import Markup

from hospital.fragments import language
from hospital.fragments.card import card as as_card
from hospital.fragments.counting import Counted, Waiting
from hospital.fragments.panel import now_shown, shown
from hospital.fragments.tile import OpenAlerts, Tile, tile
from hospital.records import Alert, Monitoring
from hospital.vocabulary import State

_KEPT = 5_000  # rendered fragments; about 2 kB each

Thing = tuple[str, int, bool, str]  # kind, id, with identity, language: only its newest version is asked for again
Version = tuple[int, datetime]  # after a backup was put back, only the moment tells two alerts apart


class Fragments:
    """Renders what the screens show, and keeps what it rendered."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._kept: OrderedDict[Thing, tuple[Version, Markup]] = OrderedDict()

    def speaking(self, words: str) -> AbstractContextManager[None]:
        """What is rendered inside is in this language; without it, in the one of the request."""
        return language.speaking(self._app, words)

    def card(self, alert: Alert, zone: ZoneInfo, *, identity: bool) -> Markup:
        """One line of HTML. A resolved alert is a tombstone: hidden, but remembered by its version."""
        name = "alert_gone" if alert.state is State.RESOLVED else "alert_card"
        thing = ("card", alert.id, identity, language.current())
        return self._once(thing, alert, lambda: self._render(name, card=as_card(alert, zone, identity=identity)))

    def kept_cards(self, versions: Mapping[int, Version], *, identity: bool) -> dict[int, Markup]:
        """The cards of these alerts that have been rendered in these versions before."""
        words, found = language.current(), {}
        for alert_id, version in versions.items():
            kept, html = self._kept.get(("card", alert_id, identity, words), (None, Markup()))
            if kept == version:
                found[alert_id] = html
        return found

    def board_row(self, alert: Alert, zone: ZoneInfo) -> Markup:
        """The same for a wall: without identity, and gone when it is resolved."""
        if alert.state is State.RESOLVED:
            return self.board_left(alert.id, alert.version)
        thing = ("board", alert.id, False, language.current())
        return self._once(thing, alert, lambda: self._render("board_row", card=as_card(alert, zone, identity=False)))

    def board_left(self, alert_id: int, version: int) -> Markup:
        return self._render("board_left", id=alert_id, version=version)

    def left(self, alert_id: int, version: int) -> Markup:
        """The tombstone of an alert that has left a viewer's units: it says nothing of it any more."""
        return self._render("alert_left", id=alert_id, version=version)

    def tile(self, monitoring: Monitoring, zone: ZoneInfo, alerts: OpenAlerts, *, identity: bool) -> Markup:
        """A patient as of the last reading. Rendered anew when it is older than a version: ages are part of it."""
        return self.patient_card(tile(monitoring, zone, alerts, identity=identity))

    def patient_card(self, told: Tile) -> Markup:
        return self._render("patient_card", tile=told)

    def patient_left(self, patient_id: int, version: int) -> Markup:
        return self._render("patient_left", id=patient_id, version=version)

    def numbers(self, counted: Waiting | Counted, zone: ZoneInfo) -> Markup:
        """What is open, or the alerts of a range."""
        if isinstance(counted, Waiting):
            return self._render("metrics_now", m=now_shown(counted, zone))
        return self._render("metrics_panel", m=shown(counted, zone))

    def beds(self, **given: object) -> Markup:
        return self._render("board_beds", **given)

    def notices_number(self, version: int) -> Markup:
        return self._render("notices_number", version=version)

    def _once(self, thing: Thing, alert: Alert, render: Callable[[], Markup]) -> Markup:
        version = (alert.version, alert.changed_at)
        kept, html = self._kept.pop(thing, (None, Markup()))
        if kept != version:
            html = render()
        self._kept[thing] = version, html
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return html

    def _render(self, name: str, **given: object) -> Markup:
        html = self._app.jinja_env.get_template(f"fragments/{name}.html").render(**given)
        one_line = " ".join(line.strip() for line in html.splitlines() if line.strip())
        return Markup(one_line)  # noqa: S704 (the template has escaped everything in it)  # nosec B704
