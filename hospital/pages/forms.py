"""What somebody typed into a form, and the same form again with why it could not be taken."""

from typing import Any

from flask import request

from hospital.fragments.words import gettext


def typed(*names: str) -> list[str]:
    """What was written into these fields."""
    return [request.form.get(name, "").strip() for name in names]


def chosen(name: str) -> frozenset[int]:
    """The numbers that were ticked."""
    return frozenset(int(one) for one in request.form.getlist(name) if one.isdecimal() and len(one) <= 18)


def filled_in(given: dict[str, Any], errors: dict[str, str] | None) -> dict[str, Any]:
    """For templates/forms.html: what is known, or what was typed and could not be taken, with why beside each field."""
    shown = given | (request.form.to_dict() if errors else {})
    return {"given": shown, "errors": {field: gettext(sentence) for field, sentence in (errors or {}).items()}}
