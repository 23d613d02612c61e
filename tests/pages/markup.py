"""A page as a browser reads it: which elements and attributes it has, and what they say."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_NO_END = {"meta", "link", "input", "br", "img", "hr", "use", "path", "circle", "rect"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    inside: list["Element"] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it, blanks made one."""
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str = "", **attributes: str) -> list["Element"]:
        """Those in it of that tag, with these attributes (`data_x` for data-x, `class_` for one of the classes)."""
        found = [self] if self._is(tag, attributes) else []
        return found + [element for inner in self.inside for element in inner.all(tag, **attributes)]

    def one(self, tag: str = "", **attributes: str) -> "Element":
        (found,) = self.all(tag, **attributes)
        return found

    def shape(self) -> object:
        """Tags and names of attributes, without anything they say."""
        return self.tag, sorted(self.attributes), [inner.shape() for inner in self.inside]

    def _is(self, tag: str, wanted: dict[str, str]) -> bool:
        if tag and self.tag != tag:
            return False
        if (one_class := wanted.get("class_")) and one_class not in self.attributes.get("class", "").split():
            return False
        return all(self.attributes.get(n.replace("_", "-")) == v for n, v in wanted.items() if n != "class_")


def read(html: str) -> Element:
    parser = _Reader()
    parser.feed(html)
    parser.close()
    return parser.root


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"<{tag}> says something twice: {attrs}"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].inside.append(element)
        if tag not in _NO_END:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _NO_END:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, f"</{tag}> ends <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.words.append(data)
