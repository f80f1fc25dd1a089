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

from newsletter.rendering import markdown, prose, styles, theme

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


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_of_commonmark_is_read_alike(text: str) -> None:
    assert FAST.parse(text) == SLOW.parse(text)


@given(st.lists(st.sampled_from(PHRASES), max_size=8).map(" ".join))
def test_phrases_in_any_order_are_read_alike(text: str) -> None:
    assert FAST.parse(text) == SLOW.parse(text)


@given(st.text("ab1é *_[]()!&^\n\"'.:-/`\\", max_size=30))
@example("**a** b")
@example("[a](https://b)")
def test_any_signs_are_read_alike(text: str) -> None:
    assert FAST.parse(text) == SLOW.parse(text)


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


def is_written_alike(text: str) -> bool:
    """Say whether a text was written at a glance, once it is the same as after the cleaner."""
    tokens = markdown.prepare(markdown.parse(text), level=3, address=address)
    plain = prose.to_html(tokens, lambda name, attributes: f"<{name}{attributes}>")
    for elements in STYLES:
        if plain is not None:
            assert markdown.to_html(tokens, elements) == markdown.cleaned(tokens, elements)
    return plain is not None


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_of_commonmark_is_written_alike(text: str) -> None:
    is_written_alike(text)


@given(st.lists(st.sampled_from((*PHRASES, "<i>", "a < b > c", "\x07", "\u00a0", "[x](tel:1)")), max_size=8))
def test_phrases_in_any_order_are_written_alike(phrases: list[str]) -> None:
    is_written_alike(" ".join(phrases))


@given(SIGNS)
@example('&quot; and "" & &lt;b&gt;')
def test_any_signs_are_written_alike(text: str) -> None:
    is_written_alike(text)


@given(st.from_regex(r"https?://[a-z0-9.-]{1,12}(:\d{1,6})?(/[a-z&?=._~-]*)?", fullmatch=True))
@example("https://xn--a.org/")
@example("https://1.2.3.400/")
@example("https://example.org:99999/")
@example("https://example.org/?a=b&c=d&copy=1")
def test_any_address_is_written_alike(url: str) -> None:
    is_written_alike(f"[label]({url})")


def test_plain_prose_is_written_at_a_glance() -> None:
    assert is_written_alike(
        "It’s **clear**: *see*\n[here & there](https://example.org/a?b=c&d).\n\n2 < 3 “too”."
    )


@pytest.mark.parametrize(
    "text",
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
        "[a](mailto:a@example.org)",
        "[a](https://example.org:99999)",
        "[a](https://1.2.3.400)",
        "[a](https://xn--a.org)",
        "[a](/path)",
        "[*a*](https://example.org)",
    ],
)
def test_anything_else_is_left_to_the_cleaner(text: str) -> None:
    assert not is_written_alike(text)


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
