"""English and Spanish: every sentence is in the catalogue, and no page says one that is not."""

import re
from gettext import NullTranslations
from html import unescape

import pytest

from hospital.fragments import language
from hospital.fragments.language import LANGUAGES, catalogue
from tests.catalogue import messages
from tests.support.house import House
from tests.support.readings import reading

OTHERS = sorted(set(LANGUAGES) - {"en"})
_VALUES = re.compile(r"%\(\w+\)[sd]")
_SHOWN = re.compile(r"<(script|style|template|noscript|svg)\b.*?</\1>|<!--.*?-->|<[^>]+>", re.DOTALL)
_ATTRIBUTES = re.compile(r'(?:aria-label|title|placeholder|alt)="([^"]*)"')
# What is nobody's language: names, codes, measures, what a device has sent.
_WORD = re.compile(r"[^\W\d_]{2,}")
_DATA = re.compile(
    r"MED|ICU|NEWS2|SpO₂|/min|mmHg|SpO2 low|TEST_GATEWAY / BENCH|Testmann, Tilda|Amara N\.|Second Demo Hospital"
    r"|[0-9]{1,2} [A-Z][a-z]{2}\b|Demo Hospital|demo-|nurse-icu|nurse-b|nurse2|nurse|charge|physician|engineer|admin"
)


class Marked(NullTranslations):
    """A language in which everything that is translated stands in brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"

    ugettext, ungettext = gettext, ngettext


@pytest.mark.parametrize("code", OTHERS)
def test_every_sentence_is_translated(code: str) -> None:
    known = catalogue(code)

    for message in messages():
        entry = known.get(message if isinstance(message, str) else message[0])
        assert entry is not None and entry.string and all(entry.string) and not entry.fuzzy, message
        for said in [entry.string] if isinstance(entry.string, str) else entry.string:
            assert set(_VALUES.findall(said)) == set(_VALUES.findall(str(entry.id))), message


@pytest.mark.parametrize("code", OTHERS)
def test_nothing_is_translated_that_nobody_says_any_more(code: str) -> None:
    said = {message if isinstance(message, str) else message[0] for message in messages()}

    assert {entry.id if isinstance(entry.id, str) else entry.id[0] for entry in catalogue(code)} - {""} <= said


def test_a_page_is_in_the_language_that_the_browser_asks_for(house: House) -> None:
    alert_id = house.raise_alarm()

    spanish = (
        house.visitor("nurse").get("/alerts", headers={"Accept-Language": "es-MX, en;q=0.5"}).get_data(as_text=True)
    )

    assert '<html lang="es"' in spanish and "Reconocer" in spanish and f"alert-{alert_id}" in spanish


def test_a_language_that_we_do_not_speak_is_answered_in_english(house: House) -> None:
    page = house.visitor("nurse").get("/alerts", headers={"Accept-Language": "fr"}).get_data(as_text=True)

    assert '<html lang="en"' in page and "No open alerts" in page


@pytest.mark.parametrize(
    "path", ["/alerts", "/alerts/1", "/patients", "/patients/1", "/metrics", "/board", "/nowhere", "/sign-in"]
)
def test_no_page_says_a_sentence_that_is_not_in_the_catalogue(
    path: str, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.raise_alarm()
    house.take(reading())
    monkeypatch.setattr(language, "_translations", lambda _: Marked())
    visitor = house.visitor(None if path == "/sign-in" else "nurse")

    page = visitor.get(path).get_data(as_text=True)

    said = "\n".join([_SHOWN.sub("\n", page), *_ATTRIBUTES.findall(page)])
    left = [line for line in _DATA.sub("", _outside(unescape(said))).splitlines() if _WORD.search(line)]
    assert left == []


def _outside(text: str) -> str:
    """What stands in no brackets; sentences may hold others."""
    while (inner := re.sub(r"⟦[^⟦⟧]*⟧", "", text)) != text:
        text = inner
    return text
