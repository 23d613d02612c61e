"""What a page is made of: asked for once, whole, and never of another build than it says."""

import gzip
import re
from pathlib import Path

import pytest

from tests.pages.markup import read
from tests.support.house import House

STATIC = Path(__file__).parents[2] / "static"


def test_all_that_a_page_names_is_kept_by_the_browser_for_good(house: House) -> None:
    stranger = house.visitor()
    page = read(stranger.get("/sign-in").text)
    named = [x.attributes.get("src") or x.attributes["href"] for x in page.all("script") + page.all("link")]
    assert len(named) > 3
    for address in named:
        headers = stranger.get(address).headers
        assert "immutable" in headers["Cache-Control"], address
        assert "Cookie" not in headers.get("Vary", ""), "else it would be asked for again with each new token"


def test_what_a_page_of_another_build_asks_for_is_asked_for_again(house: House) -> None:
    answer = house.visitor().get("/static/0123456789ab/js/main.js")
    assert answer.data == (STATIC / "js/main.js").read_bytes()
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("accepts", ["gzip", "identity"])
def test_what_has_not_changed_is_not_sent_again(house: House, accepts: str) -> None:
    stranger, headers = house.visitor(), {"Accept-Encoding": accepts}
    first = stranger.client.get("/static/js/main.js", headers=headers)
    again = stranger.client.get("/static/js/main.js", headers=headers | {"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.data) == (200, 304, b"")


def test_texts_go_out_packed_and_fonts_as_they_are(house: House) -> None:
    stranger, headers = house.visitor(), {"Accept-Encoding": "gzip"}
    script = stranger.client.get("/static/js/main.js", headers=headers)
    font = stranger.client.get("/static/vendor/inter/inter-latin-wght-normal.woff2", headers=headers)
    assert gzip.decompress(script.data) == (STATIC / "js/main.js").read_bytes()
    assert "Content-Encoding" not in font.headers
    assert (script.mimetype, font.mimetype) == ("text/javascript", "font/woff2")


def test_the_sheet_is_one_and_each_part_stands_in_its_layer(house: House) -> None:
    sheet = house.visitor().get("/static/css/main.css").text
    parts = re.findall(r'@import url\("([^"]+)"\) layer\((\w+)\);', (STATIC / "css/main.css").read_text())
    assert len(parts) > 20
    assert "@import" not in sheet
    places = [sheet.index(f"@layer {layer} {{\n{(STATIC / 'css' / name).read_text()}\n}}") for name, layer in parts]
    assert places == sorted(places)


def test_a_part_of_the_sheet_names_nothing_by_where_it_lies_itself() -> None:
    """A relative address would mean another file there than here."""
    below = [path for path in (STATIC / "css").glob("*/*.css") if "url(" in path.read_text()]
    assert below == []


@pytest.mark.parametrize("path", ["../app.py", "..%2fapp.py", "css", "", "0123456789ab", "0123456789ab/../app.py"])
def test_nothing_else_lies_there(house: House, path: str) -> None:
    assert house.visitor().get(f"/static/{path}").status_code == 404
