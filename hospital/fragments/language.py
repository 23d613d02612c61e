"""English and Spanish. Every sentence that a person reads goes through gettext; one catalogue holds the other language.

The catalogue is read as text at the start: nothing has to be compiled, so nothing can be out of date.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, request
from flask_babel import Babel, Domain, force_locale, get_locale
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError

LANGUAGES = {"en": "English", "es": "Español"}
FOLDER = Path(__file__).parents[1] / "translations"


class Catalogue(Domain):
    """Flask-Babel's, but it reads the .po files themselves."""

    def get_translations(self) -> NullTranslations:
        return _translations(current())


class _Babel(Babel):
    domain_instance = Catalogue()


def prepare(app: Flask) -> None:
    """A person's own choice first, then what the browser asks for."""
    _Babel(app, locale_selector=_of_request)


def current() -> str:
    """The language in which is spoken just now; English where nobody has said."""
    locale = get_locale()
    return locale.language if locale is not None and locale.language in LANGUAGES else "en"


@contextmanager
def speaking(app: Flask, language: str) -> Iterator[None]:
    """Render in this language, whatever the request's is, or where there is none."""
    with app.app_context(), force_locale(language):
        yield


def catalogue(language: str) -> Catalog:
    """What the file of this language says. English has none: it is what the code says."""
    with (FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


@cache
def words_for_scripts(language: str) -> dict[str, str]:
    """What the browser's scripts say, by what they say in English."""
    if language == "en":
        return {}
    of_scripts = (entry for entry in catalogue(language) if any("static/js" in path for path, _ in entry.locations))
    return {str(entry.id): str(entry.string) for entry in of_scripts if entry.id and entry.string}


def _of_request() -> str | None:
    chosen = _of_person()
    if chosen in LANGUAGES:
        return chosen
    wished = (tag.split("-")[0].lower() for tag in request.accept_languages.values())
    return next((language for language in wished if language in LANGUAGES), None)


def _of_person() -> str:
    """What who is signed in has chosen; '' if nothing, or while the database is away that knows it."""
    try:
        return current_user.preferences.language if current_user.is_authenticated else ""
    except SQLAlchemyError:
        return ""


@cache
def _translations(language: str) -> NullTranslations:
    if language == "en":
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return Translations(compiled)
