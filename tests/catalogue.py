"""`make words`: bring the catalogue up to what the code says. Untranslated sentences stay empty, and a test fails."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import write_po

from hospital import clock
from hospital.alerts import boards, emergency, overruns, refusals
from hospital.fragments.language import FOLDER, LANGUAGES, catalogue
from hospital.triage.conditions import PART_WORDS, WORDS, silence_began

ROOT = Path(__file__).parents[1]
_KEYWORDS = dict.fromkeys(("_", "gettext", "N_")) | {"ngettext": (1, 2)}
# What is said where something is raised is shown to people as it stands.
_KEYWORDS |= dict.fromkeys(("BadRequest", "Forbidden", "InternalServerError", "NotFound"))
_KEYWORDS |= dict.fromkeys(("ServiceUnavailable", "TooManyRequests"))
_KEYWORDS |= {"_Answer": (3,)}  # of triage/news2.py
_PLACES = (("jinja2", "templates", "*.html"), ("python", "hospital", "*.py"), ("javascript", "static/js", "*.js"))

Id = str | tuple[str, str]


def messages() -> dict[Id, list[str]]:
    """Every sentence that people read, and the files that say it."""
    found: dict[Id, list[str]] = defaultdict(list)
    for method, folder, pattern in _PLACES:
        for path in sorted((ROOT / folder).rglob(pattern)):
            options = {"newstyle_gettext": "true", "trimmed": "true"}
            for _line, message, _comments, _context in extract_from_file(method, path, _KEYWORDS, options=options):
                found[message].append(str(path.relative_to(ROOT)))
    for words in _of_rules():
        found[words].append("hospital/triage")
    for words in _of_refusals():
        found[words].append("hospital/alerts/refusals.py")
    return dict(sorted(found.items(), key=str))


def bring_up_to_date(language: str) -> None:
    """Keep what is translated, add what is new as empty, drop what nobody says any more."""
    before, after = catalogue(language), Catalog(locale=language, project="Hospital alerts")
    for message, files in messages().items():
        known = before.get(message if isinstance(message, str) else message[0])
        after.add(message, known.string if known else None, locations=[(path, 1) for path in dict.fromkeys(files)])
    with (FOLDER / f"{language}.po").open("wb") as file:
        write_po(file, after, width=120, omit_header=True, include_lineno=False)


def _of_rules() -> Iterator[str]:
    """What triage writes into records in English."""
    for word in WORDS.values():
        yield f"{word} low"
        yield f"{word} high"
    yield from PART_WORDS.values()
    yield silence_began(clock.now()).text
    yield from (boards.SILENT, boards.BEHIND, emergency.TEXT, overruns.OVER)


def _of_refusals() -> Iterator[str]:
    for refusal in vars(refusals).values():
        if isinstance(refusal, type) and issubclass(refusal, refusals.Refusal):
            yield refusal.sentence


if __name__ == "__main__":
    for language in LANGUAGES:
        if language != "en":
            bring_up_to_date(language)
