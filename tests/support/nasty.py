"""Words that are something else to whoever does not take care, as they come in HL7, and what of them may be shown."""

NASTY = {
    "HTML": ("<img src=x onerror=planted()><script>planted()</script>", None),
    "the end of an attribute": ('x" onmouseover="planted()" \'><b>', None),
    "a reference": ("&lt;script&gt; &#60; &nbsp".replace("&", "\\T\\"), "&lt;script&gt; &#60; &nbsp"),
    "HTML in hexadecimal": (r"\X3C736372697074\>planted()", "<script>planted()"),
    "a template": ("{{7*7}} {% raw %} ${7*7} #{7*7}", None),
    "a formula": ("=HYPERLINK(planted)", None),
    "a formula behind a sign": ("@SUM(planted)", None),
    "a terminal's colours": ("\x1b[31mplanted\x1b[0m\x07", "[31mplanted[0m"),
    "a terminal's colours in one byte": ("\x9b31mplanted", "31mplanted"),
    "another direction": ("\u202eplanted\u202c \u2066x\u2069", "planted x"),
    "line ends in hexadecimal": (r"planted\X0D0A\data: {}\X0D0A0D0A\event: auth", "planted\ndata: {}\n\nevent: auth"),
    "a new line": (r"planted\.br\event: auth\.br\\.br\data: x", "planted\nevent: auth\n\ndata: x"),
    "odd line ends": ("planted\u2028event: auth\u2029\x85data: x", "planted\u2028event: auth\u2029data: x"),
    "NUL": (r"plan\X00\ted", "planted"),
    "a path": ("../../planted?x=1#y", None),
    "a logger's places": ("%s %(planted)s {planted}", None),
}
"""What is sent, and what is meant by it; None: the same."""


def meant(word: str) -> str:
    sent, shown = NASTY[word]
    return sent if shown is None else shown
