"""Contrast of colours, by WCAG's own examples and by what the theme ships."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.rendering import contrast, tokens

COLOURS = st.integers(min_value=0, max_value=0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("#0000ff", "#ffffff", 8.59),
    ],
)
def test_the_ratio_is_wcags(one: str, other: str, ratio: float) -> None:
    assert contrast.ratio(one, other) == pytest.approx(ratio, abs=0.005)
    assert contrast.ratio(other, one) == contrast.ratio(one, other)


def test_every_colour_of_text_in_the_packaged_theme_can_be_read_on_its_grounds() -> None:
    found = list(contrast.of(tokens.Tokens()))
    assert {one.name for one in found} == set(contrast.ON)
    assert {one.scheme for one in found} == {"light", "dark"}
    assert [str(one) for one in found if not one.is_enough] == []


@given(COLOURS, COLOURS)
def test_the_nearest_colour_can_always_be_read(colour: str, ground: str) -> None:
    found = contrast.nearest(colour, ground)
    assert contrast.ratio(found, ground) >= contrast.ENOUGH
    if contrast.ratio(colour, ground) >= contrast.ENOUGH:
        assert all(abs(int(found[i : i + 2], 16) - int(colour[i : i + 2], 16)) <= 1 for i in (1, 3, 5))


def test_a_faint_colour_is_named_with_its_worst_ground_and_one_that_passes_on_all() -> None:
    faint = dataclasses.replace(tokens.Tokens(), link=tokens.Pair("#aaaaff", "#9dc2f2"))
    said = contrast.faint("link", faint.colours)
    assert said.startswith("link #aaaaff on ground #f2f0eb (light) is 1.86:1; the nearest that passes is #")
    better = said[-7:]
    assert contrast.ratio(better, "#f2f0eb") >= contrast.ENOUGH
    assert "dark" not in said
    assert contrast.faint("link", tokens.Tokens().colours) == ""
