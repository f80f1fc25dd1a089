"""Columns: display width and line breaks, in Latin and in Japanese."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.rendering import columns


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("abc", 3),
        ("日本", 4),
        ("é", 1),
        ("e\u0301", 1),
        ("👍🏽", 2),
        ("👩‍👩‍👧‍👦", 2),
        ("ｱ", 1),
        ("", 0),
        ("a\u00adb", 2),
    ],
)
def test_width_is_what_a_terminal_shows(text: str, width: int) -> None:
    assert columns.width(text) == width


def test_words_are_kept_whole_and_lines_short() -> None:
    assert columns.wrap("aaa bbb ccc", columns=7) == "aaa bbb\nccc"
    assert columns.wrap("https://example.org/long and on", columns=10) == "https://example.org/long\nand on"


def test_what_stands_before_lines_counts_as_theirs() -> None:
    assert columns.wrap("one two three", columns=9, first="- ", rest="  ") == "- one two\n  three"


def test_japanese_breaks_between_characters_but_not_before_a_full_stop() -> None:
    assert columns.wrap("日本語です。次", columns=10) == "日本語で\nす。次"
    assert columns.wrap("彼は「日本」と", columns=6) == "彼は\n「日\n本」と"


def test_a_forced_line_end_is_kept() -> None:
    assert columns.wrap("a\nb", columns=10) == "a\nb"


def test_a_heading_is_ruled_as_wide_as_it_is_shown() -> None:
    assert columns.ruled("日本", "-") == "日本\n----"


def test_tidying_drops_trailing_blanks_and_spare_empty_lines() -> None:
    assert columns.tidy("\n\na  \n\n\n\nb\t\n\n") == "a\n\nb\n"


@given(st.text(alphabet="ab 日。「」é👍\u0301", max_size=200), st.integers(min_value=8, max_value=40))
def test_no_character_is_lost_and_no_line_too_wide(text: str, limit: int) -> None:
    lines = columns.wrap(text, columns=limit).split("\n")
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line in lines:
        assert columns.width(line) <= limit or len(columns._words(line)) == 1
