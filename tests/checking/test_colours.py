"""Colours are read as CSS writes them, and contrast is WCAG's."""

from __future__ import annotations

import pytest

from newsletter.checking import colours


@pytest.mark.parametrize(
    ("text", "hex_"),
    [
        ("#fff", "#ffffff"),
        ("#1A2b3C", "#1a2b3c"),
        ("rgb(255, 0, 128)", "#ff0080"),
        ("rgba(0,0,0,.5)", "#000000"),
        ("hsl(120, 100%, 25%)", "#008000"),
        ("rebeccapurple", "#663399"),
        (" Navy ", "#000080"),
    ],
)
def test_every_way_of_writing_a_colour_is_read(text: str, hex_: str) -> None:
    assert str(colours.parse(text)) == hex_


@pytest.mark.parametrize("text", ["", "currentcolor", "url(a.png)", "inherit", "none", "#ggg", "var(--ink)"])
def test_what_is_no_colour_is_none(text: str) -> None:
    assert colours.parse(text) is None


def test_contrast_is_that_of_the_standard() -> None:
    grey = colours.parse("#777777")
    assert grey is not None
    assert colours.contrast(colours.BLACK, colours.WHITE) == pytest.approx(21)
    assert colours.contrast(grey, colours.WHITE) == pytest.approx(4.48, abs=0.005)
    assert colours.contrast(colours.WHITE, grey) == colours.contrast(grey, colours.WHITE)


def test_a_translucent_colour_is_seen_through() -> None:
    veil = colours.parse("rgba(0, 0, 0, 0.5)")
    assert veil is not None
    assert str(veil.over(colours.WHITE)) == "#808080"
