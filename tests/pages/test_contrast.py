"""Every colour can be read on its ground, in each theme: WCAG 2 contrast, 4.5 for text and 3 for edges and shapes."""

import re
from pathlib import Path

import pytest

TOKENS = (Path(__file__).parents[2] / "static/css/tokens.css").read_text()
THEMES = {
    "light": ":root",
    "dark by the device": ":root:not([data-theme])",
    "dark": ':root[data-theme="dark"]',
    "night": ':root[data-theme="night"]',
}


def _told(kind: str) -> list[tuple[str, str]]:
    return re.findall(rf"{kind}: (--[a-z-]+) on (--[a-z-]+)", TOKENS)


def _colours(selector: str) -> dict[str, str]:
    """The first block of this selector: names and what they are set to."""
    found = re.search(rf"(?m)^\s*{re.escape(selector)} \{{([^}}]*)\}}", TOKENS)
    assert found, selector
    return {name: value.strip() for name, value in re.findall(r"(--[a-z-]+|color-scheme):([^;]+);", found[1])}


@pytest.mark.parametrize("theme", THEMES)
def test_all_text_can_be_read(theme: str) -> None:
    assert _too_weak("pair", 4.5, _colours(THEMES[theme])) == []


@pytest.mark.parametrize("theme", THEMES)
def test_all_edges_and_shapes_can_be_seen(theme: str) -> None:
    assert _too_weak("edge", 3.0, _colours(THEMES[theme])) == []


def test_what_is_computed_is_all_that_the_file_tells() -> None:
    """A pair in another spelling would not be computed, and nobody would miss it."""
    assert len(_told("pair")) == len(re.findall(r"(?<!-)\bpair:", TOKENS)) >= 18
    assert len(_told("edge")) == len(re.findall(r"(?<!-)\bedge:", TOKENS)) >= 6


def test_dark_by_the_device_and_dark_by_choice_are_the_same() -> None:
    assert _colours(THEMES["dark by the device"]) == _colours(THEMES["dark"])


def test_every_theme_sets_the_same_names() -> None:
    names = {theme: set(_colours(selector)) for theme, selector in THEMES.items()}
    assert {theme: names[theme] ^ names["light"] for theme in names} == dict.fromkeys(THEMES, set())


def test_every_ink_is_computed_on_some_ground() -> None:
    inks = {name for name in _colours(THEMES["light"]) if name.endswith("ink")}
    assert inks == {ink for ink, _ in _told("pair") if ink.endswith("ink")}


def test_the_three_priorities_are_told_apart_without_any_colour() -> None:
    """Shape, mark and word tell them too: tests/pages/test_alerts.py. Here: no two share a colour."""
    for theme in THEMES.values():
        colours = _colours(theme)
        assert len({colours["--high"], colours["--medium"], colours["--low"]}) == 3


def test_the_formula_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#ffffff", "#ffffff") == pytest.approx(1)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert contrast("#ff0000", "#ffffff") == contrast("#ffffff", "#ff0000") == pytest.approx(3.998, abs=0.01)


def contrast(one: str, other: str) -> float:
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    assert re.fullmatch("#[0-9a-f]{6}", colour), colour
    red, green, blue = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    return 0.2126 * _linear(red) + 0.7152 * _linear(green) + 0.0722 * _linear(blue)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _too_weak(kind: str, least: float, colours: dict[str, str]) -> list[str]:
    pairs = [(contrast(colours[ink], colours[ground]), ink, ground) for ink, ground in _told(kind)]
    return [f"{ink} on {ground}: {value:.2f}" for value, ink, ground in pairs if value < least]
