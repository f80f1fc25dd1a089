"""Prose read and written at a glance: the very tokens of markdown-it, and the very HTML of the cleaner."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.utils import EnvType
from mdit_py_plugins import footnote

from newsletter.domain import errors
from newsletter.rendering import markdown, prose, styles, text, theme

EXAMPLES = json.loads((Path(__file__).parent / "data" / "commonmark.json").read_text("utf-8"))["examples"]
PHRASES = (
    "Words here",
    "(c) 2026 -- it's",
    '"quoted"',
    "*em*",
    "_em_,",
    "**strong**",
    "__strong__.",
    "a*b*c",
    "*open",
    "**",
    "***both***",
    "[a label](https://example.org/path?a=b-c)",
    "[two\n  lines](http://example.org)",
    "[blank \nbefore](https://example.org/x)",
    "[*em* in it](https://example.org/x)",
    "[no][reference]",
    "[^1]",
    "[^1]: a note",
    "[reference]: https://example.org",
    "![alt](x.png)",
    "Stop!",
    "[so!](https://example.org)",
    "R&D &amp; &copy",
    "`code`",
    "~~gone~~",
    "<https://example.org>",
    "\\*",
    "blanks  \nhere",
    "one blank \nhere",
    "\n\n",
    "\n",
    "\n  indented",
    "\n- item",
    "\n2) item",
    "\n2026 was",
    "\n> quote",
    "\n# heading",
    "\n===",
    "\n---",
    "\n|-|-|",
    "\n    code",
    "日本語の*文*。",
    "« é »",
    "\u00a0*x*\u2003",
)


def parser() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "typographer": True})
    made.enable(["table", "strikethrough", "replacements", "smartquotes"])
    return made.use(footnote.footnote_plugin, inline=False)


SLOW, FAST = parser(), parser().use(prose.plugin)


@pytest.mark.parametrize("source", EXAMPLES)
def test_every_example_of_commonmark_is_read_alike(source: str) -> None:
    assert FAST.parse(source) == SLOW.parse(source)


@given(st.lists(st.sampled_from(PHRASES), max_size=8).map(" ".join))
def test_phrases_in_any_order_are_read_alike(source: str) -> None:
    assert FAST.parse(source) == SLOW.parse(source)


@given(st.text("ab1é *_[]()!&^\n\"'.:-/`\\", max_size=30))
@example("**a** b")
@example("[a](https://b)")
def test_any_signs_are_read_alike(source: str) -> None:
    assert FAST.parse(source) == SLOW.parse(source)


def test_plain_prose_is_read_without_asking_each_rule() -> None:
    asked: list[str] = []
    made = parser()
    carefully = made.inline.parse

    def spied(src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        asked.append(src)
        return carefully(src, md, env, tokens)

    made.inline.parse = spied  # type: ignore[method-assign]
    made.use(prose.plugin)
    made.parse("It's **clear**: [see\nhere](https://example.org/a), *really*!\n2026 too.")
    assert asked == []
    made.parse("`code`")
    assert asked == ["`code`"]


STYLES: tuple[Mapping[str, styles.Element], ...] = (styles.elements(theme.packaged().tokens), {})
SIGNS = st.text(
    "ab1é *_[]()!&^\n\"'.:-/`\\<>\x00\x07\x1f\x7f\x85\xa0\u200d\u2028\u3000\ud800\ufdd0", max_size=30
)


def address(url: str, is_image: bool) -> str:
    return url


def ways(source: str) -> tuple[bool, bool]:
    """Say whether a text is plain prose at a glance, and whether its tokens are; all ways write it alike."""
    tokens = markdown.prepare(markdown.parse(source), level=3, address=address)
    found = (markdown.prose_of(source), prose.of_tokens(tokens))
    for plain in found:
        if plain is not None:
            for elements in STYLES:
                assert markdown.prose_to_html(plain, elements) == markdown.cleaned(tokens, elements)
            ours, theirs = text.Notes(after=7), text.Notes(after=7)
            assert text.from_prose(plain, ours) == text.from_tokens(tokens, theirs)
            assert (ours.listed(), ours.last) == (theirs.listed(), theirs.last)
    at_once, in_the_end = (plain is not None for plain in found)
    assert in_the_end or not at_once
    return at_once, in_the_end


@pytest.mark.parametrize("source", EXAMPLES)
def test_every_example_of_commonmark_is_written_alike(source: str) -> None:
    ways(source)


MORE = (
    "<i>",
    "a < b > c",
    "\x07",
    "\u00a0",
    "[x](tel:1)",
    "the dog's 1980's",
    "dogs'",
    "don''t",
    "日本'の",
    'He said "yes."',
    '("no")',
    '"two\nlines"',
    '"',
    "(R)",
    "????",
)


@given(st.lists(st.sampled_from((*PHRASES, *MORE)), max_size=8))
def test_phrases_in_any_order_are_written_alike(phrases: list[str]) -> None:
    ways(" ".join(phrases))


@given(SIGNS)
@example('&quot; and "" & &lt;b&gt;')
@example(" a")
@example("a \n\n b")
@example("a\n \nb")
@example("[https://a.org](https://a.org)")
@example("1) a\n\n2026 b")
def test_any_signs_are_written_alike(source: str) -> None:
    ways(source)


@given(st.from_regex(r"https?://[a-z0-9.-]{1,12}(:\d{1,6})?(/[a-z&?=._~-]*)?", fullmatch=True))
@example("https://xn--a.org/")
@example("https://1.2.3.400/")
@example("https://example.org:99999/")
@example("https://example.org/?a=b&c=d&copy=1")
def test_any_address_is_written_alike(url: str) -> None:
    ways(f"[label]({url}) [{url}]({url})")


@pytest.mark.parametrize(
    ("source", "is_plain"),
    [
        (
            "It’s **clear**: *see*\nR & D [here](https://example.org/a?b=c).\n\n\n2 x 3 [too](https://b.org)",
            True,
        ),
        ("The harbour's dogs don't bark (they sing)! Do they?", True),
        ('"It is so," they said,\n"and" [a "label" too](https://a.org) ("What")?', True),
        ("Said 'so'", False),
        ('**"so"** and "*so*" and ["so"](https://a.org)', False),
        ('A 3" pipe', False),
        ("", True),
        ('“It’s” "quoted" -- and... more', False),
        ("(c) 2026", False),
        ("2 < 3", False),
        ("[a]\n\n[a]: https://example.org", False),
        ("<https://example.org>", False),
        ("[a & b](https://example.org/a?b=c&d)", False),
    ],
)
def test_plain_prose_is_read_and_written_at_a_glance(source: str, is_plain: bool) -> None:
    assert ways(source) == (is_plain, True)


@pytest.mark.parametrize(
    "source",
    [
        "a\x07b",
        "a\x92b",
        "a\u00a0b",
        "a\u2028b",
        "a\ufdd0b",
        "# heading",
        "- item",
        "> quote",
        "`code`",
        "***both***",
        "![alt](https://example.org/x.png)",
        "a ![alt](https://example.org/x.png)",
        '[a](https://example.org "title")',
        '[a](https://example.org "button")',
        "[a](mailto:a@example.org)",
        "[a](https://example.org:99999)",
        "[a](https://1.2.3.400)",
        "[a](https://xn--a.org)",
        "[a](/path)",
        "[*a*](https://example.org)",
        "a\n===",
        "a[^1]\n\n[^1]: note",
        "[a]\n\n[a]: /path",
        "a | b\n--|--\nc | d",
        "    code",
        "<mailto:a@example.org>",
        "a  \nb",
    ],
)
def test_anything_else_is_left_to_the_cleaner(source: str) -> None:
    assert ways(source) == (False, False)


def test_a_text_that_is_too_long_is_refused_before_it_is_read() -> None:
    for source in ("a" * 100_001, "[" * 5_001):
        with pytest.raises(errors.RenderError, match=r"too long|opening brackets"):
            markdown.prose_of(source)


@pytest.mark.parametrize(
    "dirty",
    [
        Token("html_inline", "", 0, content="<script>alert(1)</script>"),
        Token("link_open", "a", 1, attrs={"href": "javascript:alert(1)"}),
        Token("link_open", "a", 1, attrs={"href": "https://example.org", "onclick": "alert(1)"}),
        Token("em_open", "em", 1, attrs={"onclick": "alert(1)"}),
        Token("link_open", "a", 1, attrs={"onclick": "alert(1)"}),
        Token("em_open", "script", 1),
        Token("em_open", "script", -1),
        Token("em_close", "script", -1),
    ],
)
def test_tokens_that_no_prose_has_go_through_the_cleaner(dirty: Token) -> None:
    start, inline, end = markdown.parse("words")
    inline.children = [dirty, *(inline.children or [])]
    for elements in STYLES:
        found = markdown.to_html([start, inline, end], elements)
        assert "alert" not in found
        assert "script" not in found
    start.attrs["onclick"] = "alert(1)"
    inline.children = inline.children[1:]
    assert "alert" not in markdown.to_html([start, inline, end], {})
