"""Words that must not stand in a text, told from letters and digits that stand there by chance."""

import re
from collections.abc import Iterable


def standing(text: str, words: Iterable[str]) -> list[str]:
    """Those that stand in it; a number in the midst of a token, a digest or the microseconds of a time is none."""
    return [
        word for word in words if re.search(rf"(?<![\w.]){word}(?!\w)" if word.isdigit() else re.escape(word), text)
    ]
