"""Whatever a script says to people goes through static/js/words.js: else it stays English for who reads Spanish."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.jslexer import Token, tokenize

from tests.catalogue import messages

SCRIPTS = Path(__file__).parents[1] / "static" / "js"
SHOWN_BY = {"toast", "announce", "alert", "confirm", "Notification", "miss"}  # called with what people read
SHOWN_AS = {"textContent", "innerText", "title", "placeholder", "ariaLabel", "alt"}  # set to what people read

_SENTENCE = re.compile(
    r"(\{\}|[A-Za-z]{2,}),? +[A-Za-z]{2,}|[A-Za-z]{2,},? +\{\}|^[A-Z][a-z]+[.!?…]?$|[A-Za-z]{2,}[.!?…]$"
)
_SELECTOR = re.compile(r"^[.#\[:]|\[[a-z-]+[\]~|^$*=]|^main form ")
# Read by machines or by those who keep the system: names of the browser's own, what is stored under, what a log says.
NOT_SHOWN = {
    "Escape", "Notification", "AbortError", "SharedWorker", "SharedWorkerGlobalScope",
    "presses that were lost", "signed out", "keys are off", "reloaded for build", "rights changed",
    "a frame could not be shown", "sound {}", "sound paused {}", "notify {}", "drafts {}", "draft {} ", "draft {} {}",
    "patients {}", "session {}", "{} was pressed too long ago", "500 13px {}", "input, textarea, select",
}  # fmt: skip


def said_past_words(source: str) -> list[str]:
    """What of a script looks like words for people and is not handed to gettext."""
    tokens = [token for token in tokenize(source, jsx=False) if "comment" not in token.type]
    return [text for number, text in _texts(tokens) if _is_shown(tokens, number, text)]


def _texts(tokens: list[Token]) -> Iterator[tuple[int, str]]:
    """Each text, '{}' where a value goes, and its place; not those that gettext is given, nor of what is imported."""
    for number, token in enumerate(tokens):
        before = [one.value for one in tokens[max(0, number - 2) : number]]
        if token.type not in ("string", "template_string") or before == ["gettext", "("] or before[-1:] == ["from"]:
            continue
        yield number, re.sub(r"\$\{(?:[^{}]|\{[^{}]*\})*\}", "{}", token.value[1:-1])


def _is_shown(tokens: list[Token], number: int, text: str) -> bool:
    before = [one.value.rpartition(".")[2] for one in tokens[max(0, number - 2) : number]]
    is_said = len(before) == 2 and (
        (before[0] in SHOWN_BY and before[1] == "(") or (before[0] in SHOWN_AS and before[1] == "=")
    )
    if is_said:
        return re.search("[A-Za-z]", text.replace("{}", "")) is not None
    return _SENTENCE.search(text) is not None and text not in NOT_SHOWN and not _SELECTOR.search(text)


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.js")), ids=lambda path: path.name)
def test_whatever_a_script_says_to_people_can_be_translated(script: Path) -> None:
    assert said_past_words(script.read_text()) == []


@pytest.mark.parametrize(
    "planted",
    [
        'toast("Saved.", false);',
        'place.textContent = "now";',
        'button.title = `close`;',
        'const words = on ? "Recording…" : "Record it";',
        'write(place, `${number} alerts wait`);',
        'write(place, `${number} high`);',
        'announce("done", true);',
        'fallback ??= "Signed out";',
    ],
)  # fmt: skip
def test_a_sentence_that_goes_past_the_words_is_found(planted: str) -> None:
    assert len(said_past_words(planted)) >= 1


def test_the_words_of_the_scripts_are_in_the_catalogue() -> None:
    """`gettext` with anything but a plain text finds no translation, and nobody would notice."""
    known = messages()
    for script in SCRIPTS.glob("*.js"):
        tokens = [token for token in tokenize(script.read_text(), jsx=False) if "comment" not in token.type]
        for name, bracket, text in zip(tokens, tokens[1:], tokens[2:], strict=False):
            if (name.value, bracket.value) == ("gettext", "(") and script.name != "words.js":
                assert text.type == "string" and text.value[1:-1] in known, (script.name, text.lineno)
