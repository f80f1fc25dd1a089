"""`[theme]` in newsletter.toml: what it takes, and what it refuses with a way out."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from newsletter.rendering import tokens
from newsletter.settings import appearance


def test_an_empty_table_is_the_packaged_theme() -> None:
    assert appearance.Theme().design() == tokens.Tokens()


def test_colours_fonts_and_measures_can_be_set() -> None:
    table = {"accent": ["#005F3C", "#7fd1ae"], "width": 640, "density": "airy", "logo": "logo.png"}
    design = appearance.Theme(**table).design()  # type: ignore[arg-type]
    assert design.accent == tokens.Pair("#005f3c", "#7fd1ae")
    assert (design.width, design.density, design.logo) == (640, tokens.Density.AIRY, "logo.png")
    assert design.gap > tokens.Tokens().gap


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            {"link": ["#aaaaff", "#9dc2f2"]},
            r"link #aaaaff on ground .* the nearest that passes is #[0-9a-f]{6}",
        ),
        ({"ink": ["#1f2023", "#333333"]}, r"ink #333333 on .* \(dark\)"),
        ({"paper": ["#222222", "#17191c"]}, r"ink #1f2023 on paper #222222"),
        ({"accent": ["red", "#f09a94"]}, "expected a colour such as"),
        ({"accent": ["#f00", "#f09a94"]}, "expected a colour such as"),
        ({"accent": "#9c2b2e"}, "accent"),
        ({"width": 300}, "greater than or equal to 480"),
        ({"text_font": 'Arial"><script>'}, "expected names of fonts"),
        ({"logo": "http://example.org/a.png"}, "expected an https address"),
        ({"logo": "../secret.png"}, "expected an https address"),
        ({"logo": "logo.svg"}, "expected an https address"),
        ({"density": "tight"}, "compact"),
        ({"acent": ["#9c2b2e", "#f09a94"]}, "acent"),
    ],
)
def test_what_cannot_be_read_or_drawn_is_refused(table: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        appearance.Theme(**table)
