"""One letter in several lights, without a browser."""

from __future__ import annotations

import pytest

from newsletter.domain import issues
from newsletter.web.preview import frames

LETTER = (
    '<html><head><meta name="color-scheme" content="light dark">'
    '<meta name="supported-color-schemes" content="light dark"><style>:root{color-scheme:light dark}'
    "@media (prefers-color-scheme: dark){.a{color:#ffffff}}@media (prefers-color-scheme:light){.b{}}</style>"
    '</head><body><h2 style="x">“Ports” agree &amp; sign</h2>'
    '<img alt="Quay" src="https://a.example.org/q.png" width="9"></body></html>'
)
ENTRY = issues.Entry(id="ports", headline='"Ports" agree & sign', body="")


def show(**view: object) -> str:
    return frames.show(LETTER, frames.View(**view), [ENTRY])  # type: ignore[arg-type]  # fields by name


def test_by_day_the_dark_rules_never_hold_whatever_the_editors_machine_prefers() -> None:
    shown = show()
    assert "prefers-color-scheme" not in shown
    assert "@media (min-width:99999px){.a" in shown
    assert "@media (min-width:0px){.b" in shown
    assert "color-scheme:only light" in shown


def test_by_night_they_hold() -> None:
    shown = show(palette=frames.Palette.DARK)
    assert "@media (min-width:0px){.a" in shown
    assert "html{color-scheme:dark}" in shown


def test_a_letter_that_knows_no_night_stays_as_it_is() -> None:
    shown = frames.show("<html><head></head><p>x</p></html>", frames.View(palette=frames.Palette.DARK))
    assert "color-scheme:only light" in shown


def test_turned_round_the_letter_is_inverted_and_its_pictures_are_turned_back() -> None:
    shown = show(palette=frames.Palette.INVERTED)
    assert "filter:invert(1)" in shown
    assert "img[src]{filter:invert(1)" in shown


def test_without_pictures_the_alt_text_stays() -> None:
    assert '<img alt="Quay" width="9">' in show(pictures=False)


@pytest.mark.parametrize(
    "tag", ['<img src=a.png alt="x">', "<img alt='x' src='a.png'>", '<IMG\nSRC="a.png" alt="x">']
)
def test_every_way_of_writing_an_address_is_taken_out(tag: str) -> None:
    assert "a.png" not in frames.show(tag, frames.View(pictures=False))


def test_without_styles_only_our_own_remains() -> None:
    shown = show(styles=False)
    assert shown.count("<style>") == 1
    assert ".a{" not in shown


def test_each_entry_gets_an_anchor_through_typographers_quotes() -> None:
    assert '<h2 style="x" id="entry-ports">' in show()
