"""What every answer tells the browser; and that no page needs more than that: no inline script, no inline style."""

import re
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from hospital.access.guard import open_to_all
from hospital.roles import Role
from tests.access.strangers import hire, new_token
from tests.pages.markup import Element, read
from tests.support.alarms import alarm
from tests.support.house import House, Visitor
from tests.support.readings import reading

HTMX = {"Accept": "text/html", "HX-Request": "true"}
FORM = {"Accept": "text/html"}
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "worker-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "report-uri": "/csp-reports",
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def test_every_kind_of_answer_says_what_the_browser_may_do_with_it(house: House) -> None:
    for name, answer in _answers(house).items():
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
        assert (name, policy) == (name, POLICY)
        assert (name, {header: answer.headers.get(header) for header in HEADERS}) == (name, HEADERS)


def test_over_tls_and_there_alone_the_browser_is_told_to_keep_to_it(house: House) -> None:
    asked = {scheme: house.visitor().get("/sign-in", base_url=f"{scheme}://localhost") for scheme in ("http", "https")}
    told = {scheme: answer.headers.get("Strict-Transport-Security") for scheme, answer in asked.items()}
    assert told == {"http": None, "https": "max-age=31536000"}


def test_nothing_but_static_files_is_kept_by_browsers_and_proxies(house: House) -> None:
    answers = _answers(house)
    kept = {name: answer.headers.get("Cache-Control") for name, answer in answers.items()}
    static = {name: kept.pop(name) for name in ("static", "static head", "static of this build")}
    assert set(kept.values()) == {"no-store"}
    assert static.pop("static of this build") == "public, max-age=31536000, immutable"
    assert set(static.values()) == {"no-cache"}


def test_no_answer_names_what_it_runs_on(house: House) -> None:
    for answer in _answers(house).values():
        assert not {"X-Powered-By", "Server"} & set(answer.headers.keys())


def test_no_page_holds_a_script_or_a_style_of_its_own(house: House) -> None:
    """The policy would not run them; a test tells earlier than a dead button."""
    pages = _pages(house)
    assert len(pages) > 10
    for name, page in pages.items():
        assert (name, inline(page)) == (name, [])


def test_a_planted_script_or_style_is_found() -> None:
    planted = (
        '<p style="color: red"></p>',
        "<style>p {}</style>",
        "<script>alert(1)</script>",
        '<script src="https://elsewhere.example/x.js"></script>',
        '<script src="//elsewhere.example/x.js"></script>',
        '<img src="data:image/png;base64,AA">',
        '<button onclick="go()"></button>',
        '<a href="javascript:go()"></a>',
        '<link rel="stylesheet" href="http://elsewhere.example/x.css">',
        '<form action="https://elsewhere.example/"></form>',
        '<button formaction="//elsewhere.example"></button>',
        '<div hx-on:click="go()"></div>',
        '<div data-hx-on:click="go()"></div>',
        '<div hx-get="https://elsewhere.example"></div>',
        '<div data-hx-post="https://elsewhere.example"></div>',
        "<iframe></iframe>",
        '<base href="/x">',
    )
    assert [html for html in planted if not inline(read(html))] == []
    assert inline(read('<a href="/alerts"></a><script src="/static/js/main.js"></script>')) == []


def test_every_file_that_a_page_asks_for_is_there(house: House) -> None:
    stranger = house.visitor()
    for page in _pages(house).values():
        for element in page.all("script") + page.all("link"):
            address = element.attributes.get("src") or element.attributes["href"]
            answer = stranger.get(address)
            answer.close()
            assert (address, answer.status_code) == (address, 200)


def test_every_page_says_that_it_is_not_the_only_alarm(house: House) -> None:
    for name, page in _pages(house).items():
        assert any("Secondary notification." in footer.text for footer in page.all("footer")), name


def test_no_two_elements_of_a_page_share_an_id(house: House) -> None:
    for name, page in _pages(house).items():
        ids = [element.attributes["id"] for element in page.all() if "id" in element.attributes]
        assert (name, sorted(ids)) == (name, sorted(set(ids)))


def test_every_shape_that_a_page_uses_is_drawn_in_it(house: House) -> None:
    for name, page in _pages(house).items():
        drawn = {element.attributes["id"] for element in page.all("symbol")}
        used = {element.attributes["href"].removeprefix("#") for element in page.all("use")}
        assert (name, used - drawn) == (name, set())


def inline(page: Element) -> list[str]:
    """What the page would run, apply or load that does not come from our own files."""
    return [f"<{e.tag}> {e.attributes}" for e in page.all() if _is_inline(e)]


def _is_inline(element: Element) -> bool:
    told = element.attributes
    if element.tag in ("style", "iframe", "object", "embed", "base") or "style" in told:
        return True
    if element.tag == "script" and ("src" not in told or element.text):
        return True
    if any(re.match("on|(data-)?hx-(on|vars)", name) for name in told):
        return True
    loads = re.compile("(src|href|action|formaction|(data-)?hx-(get|post))$")
    addresses = [value for name, value in told.items() if loads.match(name)]
    return not all(re.match(r"(/(?!/)|#)", address) for address in addresses)


def _answers(house: House) -> dict[str, TestResponse]:
    """One answer of each kind, its body not read to the end."""
    answers = _asked(house)
    for answer in answers.values():
        answer.close()
    return answers


def _asked(house: House) -> dict[str, TestResponse]:
    house.app.add_url_rule("/planted", view_func=_planted_fault)
    house.app.add_url_rule("/unguarded", view_func=lambda: "never seen")
    stranger, nurse, alert_id = house.visitor(), house.visitor("nurse"), house.raise_alarm()
    token = {"Authorization": f"Bearer {new_token(house)}", "Content-Type": "x-application/hl7-v2+er7"}
    act: Callable[..., TestResponse] = lambda what, **how: nurse.act(f"/alerts/{alert_id}/{what}", **how)  # noqa: E731
    return {
        "page": nurse.get("/alerts"),
        "detail": nurse.get(f"/alerts/{alert_id}"),
        "redirect": nurse.get("/"),
        "sign-in": stranger.get("/sign-in"),
        "wrong sign-in": house.visitor().sign_in("nurse", "wrong"),
        "right sign-in": house.visitor().sign_in("nurse"),
        "to the door": stranger.get("/alerts"),
        "act as json": act("notes", text="Seen."),
        "act as card": act("acknowledgement", headers=HTMX),
        "act as form": act("notes", text="Seen.", headers=FORM),
        "refusal as json": act("acknowledgement"),
        "refusal as card": act("acknowledgement", headers=HTMX),
        "refusal as page": act("acknowledgement", headers=FORM),
        "not from our page": nurse.act("/alerts/1/notes", headers={"X-CSRF-Token": ""}),
        "not signed in": stranger.acknowledge(alert_id),
        "not for the role": house.visitor("admin").get("/alerts"),
        "unguarded": nurse.get("/unguarded"),
        "nothing": stranger.get("/nothing"),
        "not this method": stranger.client.delete("/alerts"),
        "options": nurse.client.options("/alerts"),
        "head": nurse.client.head("/alerts"),
        "fault": stranger.get("/planted"),
        "stream": nurse.client.get("/live/stream?view=alerts", buffered=False),
        "wrong stream": nurse.get("/live/stream"),
        "message": stranger.client.post("/api/v1/hl7", data=alarm(), headers=token),
        "refused message": stranger.client.post("/api/v1/hl7", data=b"x", headers=token),
        "live": stranger.get("/health/live"),
        "ready": stranger.get("/health/ready"),
        "metrics": stranger.get("/internal/metrics"),
        "static": stranger.get("/static/css/main.css"),
        "static of this build": stranger.get(f"/static/{house.app.config['BUILD']}/css/main.css"),
        "static head": stranger.client.head("/static/css/main.css"),
        "static nothing": stranger.get("/static/nothing.css"),
        "sign-out": nurse.client.post("/sign-out", data={"csrf_token": nurse.csrf_token}),
    }


_rendered: dict[str, str] = {}


def _pages(house: House) -> dict[str, Element]:
    """Every page there is, in every state that it has; rendered once for all tests of this file."""
    if not _rendered:
        _rendered.update(_render_all(house))
    return {name: read(html) for name, html in _rendered.items()}


def _render_all(house: House) -> dict[str, str]:
    clerk, stranger = house.visitor("charge"), house.visitor()
    pages = {"nothing to show": clerk.get("/alerts").text}
    states = {
        "open": {},
        "high, not sent, nowhere": {"priority": None, "bed": "ATTIC^^7", "patient": None, "value": None},
        "acknowledged": {"priority": "high"},
        "resolved": {"priority": "low"},
        "told": {},
        "cleared": {},
        "latched": {"priority": "high"},
    }
    ids = {name: house.raise_alarm(alert_id=name, **how) for name, how in states.items()}
    nurse = house.visitor("nurse")
    nurse.acknowledge(ids["acknowledged"])
    nurse.act(f"/alerts/{ids['resolved']}/resolution")
    nurse.act(f"/alerts/{ids['told']}/escalation")
    nurse.act(f"/alerts/{ids['told']}/escalation")
    nurse.act(f"/alerts/{ids['told']}/notes", text="Seen.")
    for name in ("cleared", "latched"):
        house.take(alarm(alert_id=name, phase="end", value=None))
    pages |= {name: clerk.get(f"/alerts/{alert_id}").text for name, alert_id in ids.items()}
    pages["no patients"] = nurse.get("/patients").text
    house.take(reading())
    house.take(reading(bed="MED^^MED-08", patient="12^^^Ward^PI", hr=180, spo2=80))
    for path in ("/patients", "/patients/1", "/patients/2", "/metrics", "/board"):
        pages |= {f"{path} of {who}": house.visitor(who).get(path).text for who in ("nurse", "physician")}
    pages["wrong form"] = nurse.act("/patients/1/observations", headers=FORM, pulse="many").text
    hire(house, "display", Role.DISPLAY, "MED")
    pages |= {f"list of {who}": house.visitor(who).get("/alerts").text for who in ("charge", "physician", "display")}
    pages |= {"sign-in": stranger.get("/sign-in").text, "wrong": house.visitor().sign_in("nurse", "wrong").text}
    pages |= {"nothing": stranger.get("/nothing").text, "nothing, signed in": nurse.get("/nothing").text}
    pages |= {"not for the role": house.visitor("admin").get("/alerts").text}
    pages |= {"too late": _too_late(nurse, ids["acknowledged"]), "not from our page": _not_ours(stranger)}
    return pages


def _too_late(nurse: Visitor, alert_id: int) -> str:
    return nurse.acknowledge(alert_id, headers=FORM).text


def _not_ours(stranger: Visitor) -> str:
    return stranger.client.post("/sign-in", headers=FORM).text


@open_to_all
def _planted_fault() -> str:
    raise ValueError("planted")


@pytest.fixture(autouse=True)
def _is_quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL", "hospital.pages.problems")
