"""Plain text from Markdown."""

from __future__ import annotations

import pytest

from newsletter.rendering import markdown, shaping, text


def written(source: str, *, width: int = 72) -> str:
    tokens = shaping.shape(markdown.parse(source), credit_label="Credit")
    return text.from_tokens(tokens, text.Notes(), width=width)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("One *two* **three**\nfour", "One _two_ *three* four"),
        ("a  \nb", "a\nb"),
        ("# Heading", "HEADING"),
        ("- a\n- b\n  - c", "- a\n- b\n  - c"),
        ("3. a\n4. b", "3. a\n4. b"),
        ("- a\n\n- b", "- a\n\n- b"),
        ("> said\n>\n> again", "> said\n>\n> again"),
        ("```\nx = 1\n\ny\n```", "    x = 1\n\n    y"),
        ("a\n\n---\n\nb", "a\n\n* * *\n\nb"),
        ("![A ferry](a.png)", "[Image: A ferry]"),
        ("![](a.png)", ""),
        ("`code` & <b>", "code & <b>"),
        ("[Ada](mailto:ada@example.org)", "Ada <ada@example.org>"),
        ("<https://example.org/x>", "https://example.org/x"),
        ("~~gone~~", "gone"),
        ("日本[語](https://e.org)です", "日本語[1]です"),
        ("<mailto:ada@example.org>", "ada@example.org"),
        ("> Said.\n> — Ada", "> Said.\n>\n> — Ada"),
        ("One[^a].\n\n[^a]: Note.", "One¹.\n\n¹ Note."),
        ('![A ferry](a.png "Dawn | Ada")', "[Image: A ferry]\nDawn. Credit: Ada"),
        ("", ""),
        ("-", "-"),
        ("1. - a", "1. - a"),
    ],
)
def test_each_element_has_its_plain_form(source: str, expected: str) -> None:
    assert written(source) == expected


def test_links_are_numbered_and_their_addresses_listed() -> None:
    notes = text.Notes(after=6)
    source = "See [a](https://a.example.org) and [b](https://b.example.org), [again](https://a.example.org)."
    assert text.from_tokens(markdown.parse(source), notes) == "See a [7] and b [8], again [7]."
    assert notes.listed() == "[7] https://a.example.org\n[8] https://b.example.org"
    assert notes.last == 8


def test_a_note_is_never_torn_from_its_word() -> None:
    assert written("aaaa bbbb [cccc](https://example.org)", width=12) == "aaaa bbbb\ncccc [1]"


def test_a_table_stands_in_columns_where_it_fits() -> None:
    source = "| Year | Loss |\n|---|--:|\n| 2022 | 1 |\n| 2023 | 100 |"
    assert written(source) == "Year   Loss\n----   ----\n2022      1\n2023    100"


def test_a_wide_table_becomes_lines_of_heading_and_value() -> None:
    source = "| Name | Report |\n|---|---|\n| Ada | A long report of what she saw |"
    assert written(source, width=24) == "Name: Ada\nReport: A long report of\n  what she saw"


def test_quotes_and_lists_keep_within_their_width() -> None:
    source = "> - " + "word " * 30
    assert max(map(len, written(source, width=40).split("\n"))) <= 40
