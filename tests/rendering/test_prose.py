"""Prose read at a glance: the very tokens that markdown-it gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.utils import EnvType
from mdit_py_plugins import footnote

from newsletter.rendering import prose

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
