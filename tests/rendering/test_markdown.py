"""Markdown in mail: safe, styled inline, and nothing lost on the way through MJML."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import html5lib
import pytest

from newsletter.domain import errors, issues
from newsletter.rendering import markdown, merge, mjml, slots
from tests.rendering import samples


def shown(source: str, *, level: int = 3) -> str:
    holder = slots.Slots(source)
    tokens = markdown.parse(source)
    tokens = markdown.prepare(tokens, level=level, address=lambda url, is_image: url, slots=holder)
    return markdown.to_html(tokens, {})


def letter(body: str) -> str:
    entry = dataclasses.replace(samples.ENTRIES[0], body=body)
    issue = dataclasses.replace(samples.ISSUE, entries=(entry,))
    return merge.compile(samples.template(rendered=samples.rendered(issue))).html(samples.READER)


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "![x](data:text/html;base64,PHNjcmlwdD4=)",
        "<iframe src='https://example.org'></iframe>",
        "[x](vbscript:x)",
        "<a href='https://example.org' onclick='x()'>y</a>",
        '[x](https://example.org/"onmouseover="alert(1))',
    ],
)
def test_nothing_that_runs_reaches_a_reader(evil: str) -> None:
    for part in (evil, f"> {evil}", f"- {evil}", f"| a |\n|---|\n| {evil} |"):
        tree = html5lib.parseFragment(shown(part), treebuilder="etree", namespaceHTMLElements=False)
        for element in tree.iter():
            assert element.tag not in {"script", "iframe"}
            assert not [name for name in element.attrib if name.startswith("on")]
            for name in ("href", "src"):
                assert element.get(name, "").split(":")[0].lower() not in {"javascript", "vbscript", "data"}


def test_headings_go_below_the_headline_they_stand_under() -> None:
    assert shown("# One\n\n## Two\n\n##### Five", level=3) == "<h4>One</h4>\n<h5>Two</h5>\n<h6>Five</h6>"
    assert shown("#### One\n\n## Two\n\n### Three\n\n## Four", level=2) == (
        "<h3>One</h3>\n<h3>Two</h3>\n<h4>Three</h4>\n<h3>Four</h3>"
    )


EXAMPLES = json.loads((Path(__file__).parent / "data" / "commonmark.json").read_text("utf-8"))["examples"]


def test_every_example_of_commonmark_comes_through_the_renderer_byte_for_byte() -> None:
    holder = slots.Slots("\n".join(EXAMPLES))
    fragments = [shown(example) for example in EXAMPLES]
    boxes = "".join(f"<mj-text>{holder.html(slots.Html(fragment))}</mj-text>" for fragment in fragments)
    frame = "<mjml><mj-body><mj-section><mj-column>{}</mj-column></mj-section></mj-body></mjml>"
    (found,) = holder.fill(mjml.to_html(frame.format(boxes)))
    assert isinstance(found, str)
    start = 0
    for fragment in fragments:
        start = found.index(fragment, start) + len(fragment)
    # 652 of the newest version, and 31 that older ones had.
    assert len(fragments) == 683


def test_cleaning_and_styling_keep_what_commonmark_means() -> None:
    parser = markdown._parser()
    for source in EXAMPLES:
        tokens = markdown.prepare(
            markdown.parse(source), level=0, address=lambda url, is_image: url, slots=slots.Slots(source)
        )
        raw = parser.renderer.render(tokens, parser.options, {})
        assert nodes(markdown.to_html(tokens, {})) == nodes(raw), source


def nodes(html: str) -> list[tuple[object, ...]]:
    tree = html5lib.parseFragment(html.strip(), namespaceHTMLElements=False)
    return [
        (
            node.tag,
            {name: value for name, value in node.attrib.items() if name != "class"},
            node.text,
            node.tail,
        )
        for node in tree.iter()
    ]


def test_a_line_end_between_words_is_one_blank() -> None:
    assert shown("*a*\n*b*\nc") == "<p><em>a</em> <em>b</em> c</p>"


def test_headings_of_tables_say_what_they_head() -> None:
    found = shown("| Year | Loss |\n|---|--:|\n| 2022 | 1 |")
    assert '<th scope="col">Year</th>' in found
    assert 'scope="col"' in found.partition("Year")[2].partition("Loss")[0]
    assert found.count('align="right"') == 2
    assert letter("| Year | Loss |\n|---|--:|\n| 2022 | 1 |").count("text-align:right") == 2


def test_quotes_and_dashes_are_set_well() -> None:
    assert shown('"Yes", it\'s 1990--1995...') == "<p>“Yes”, it’s 1990–1995…</p>"
    assert markdown.typeset('Japan\'s "first"') == "Japan’s “first”"
    assert markdown.typeset("a < b & *c*") == "a < b & *c*"


def test_every_element_of_a_letter_carries_its_style() -> None:
    found = letter("Text with [a link](https://example.org) and `code`.\n\n- one\n\n> said\n")
    for tag in ('<p style="', '<ul style="', '<li style="', '<blockquote style="', '<code style="'):
        assert tag in found
    assert '<a href="https://example.org" style="color:#' in found


def test_text_that_looks_like_a_tag_inside_an_attribute_is_left_alone() -> None:
    found = shown('![<p > & "q"](https://example.org/a.png)')
    tree = html5lib.parseFragment(found, treebuilder="etree", namespaceHTMLElements=False)
    assert tree.find(".//img").get("alt") == '<p > & "q"'


def test_a_five_megabyte_text_is_refused_at_once() -> None:
    with pytest.raises(errors.RenderError, match="too long for a letter"):
        markdown.parse("word " * 1_000_000)
    with pytest.raises(errors.RenderError, match="a line of 5,000,000 characters is too long"):
        markdown.typeset("word " * 1_000_000)


@pytest.mark.parametrize(
    "text",
    [
        "\x00NUL and \x92C1",
        "שלום עולם, mixed with English",
        "👩‍👩‍👧‍👦 family \ufe0f and 👍🏽",
        "a\u00a0b\u202fc\u200bd\u00ade",
        "\\ backslash \"quote\" 'single' \t tab",
        "{{{{ \\{{ }}".replace("{{{{ ", ""),
        "]]> --> <!-- --!> <![endif]-->",
    ],
)
def test_odd_characters_come_through_both_parts(text: str) -> None:
    entry = dataclasses.replace(samples.ENTRIES[0], body=f"Before {text} after.", headline=f"On {text} here")
    issue: issues.Issue = dataclasses.replace(samples.ISSUE, entries=(entry,))
    merger = merge.compile(samples.template(rendered=samples.rendered(issue)))
    parser = html5lib.HTMLParser()
    parser.parse(merger.html(samples.READER))
    assert parser.errors == []
    assert "after." in merger.text(samples.READER)


def test_a_picture_alone_has_its_caption_and_credit_under_it() -> None:
    found = shown('![A ferry](https://example.org/a.png "The new ferry | Ada Moreno")')
    assert found == (
        '<figure><img src="https://example.org/a.png" alt="A ferry">'
        "<figcaption>The new ferry. Credit: Ada Moreno</figcaption></figure>"
    )
    assert "<figcaption>Just a caption</figcaption>" in shown('![x](https://e.org/a.png "Just a caption")')
    assert "<figcaption>Credit: Ada</figcaption>" in shown('![x](https://e.org/a.png "| Ada")')
    assert "figcaption" not in shown("![x](https://e.org/a.png)")
    assert "figure" not in shown("text ![x](https://e.org/a.png)")


def test_mail_knows_no_figures_so_they_are_written_as_what_it_knows() -> None:
    found = letter('![A ferry](ferry.png "The ferry | Ada")\n\nText[^1].\n\n> Said\n> — Ada\n\n[^1]: Note\n')
    for name in ("figure", "figcaption", "section", "cite"):
        assert f"<{name}" not in found
        assert f"</{name}" not in found
    assert 'src="https://digest.example.org/issues/vol-2-23/ferry.png" alt="A ferry" width="536"' in found


@pytest.mark.parametrize("quote", ["> Said it.\n> — Ada, *mayor*", "> Said it.\n>\n> — Ada, *mayor*"])
def test_the_speaker_of_a_quote_is_set_apart(quote: str) -> None:
    assert shown(quote) == (
        "<blockquote>\n<p>Said it.</p>\n<cite>— Ada, <em>mayor</em></cite>\n</blockquote>"
    )


def test_a_dash_that_opens_no_last_line_names_nobody() -> None:
    assert "cite" not in shown("> One\n> — two\n> three")
    assert "cite" not in shown("— Ada")


def test_footnotes_stand_at_the_foot_of_their_entry() -> None:
    found = shown("One[^a] and two[^b].\n\n[^b]: Second [link](https://e.org).\n\n[^a]: First.\n")
    assert found == (
        "<p>One\u2060<sup>1</sup> and two\u2060<sup>2</sup>.</p>\n<section><ol><li>First.</li>"
        '<li>Second <a href="https://e.org">link</a>.</li></ol></section>'
    )


def test_a_footnote_of_two_paragraphs_keeps_them() -> None:
    found = shown("One[^a].\n\n[^a]: First.\n\n    Second.\n")
    assert "<li><p>First.</p>\n<p>Second.</p>\n</li>" in found


@pytest.mark.parametrize(
    "source",
    [
        "> " * 10_000 + "deep",
        "\n".join("  " * depth + "- x" for depth in range(10)),
        "\n".join("   " * depth + "1. x" for depth in range(10)),
    ],
)
def test_what_would_be_lost_in_the_depth_is_refused_with_its_line(source: str) -> None:
    entry = dataclasses.replace(samples.ENTRIES[0], body=source, body_line=14)
    issue = dataclasses.replace(samples.ISSUE, entries=(entry,), path=Path("vol-2-23.md"))
    with pytest.raises(errors.RenderError, match=r"vol-2-23\.md:14: lists or quotes stand so deep"):
        samples.rendered(issue)


@pytest.mark.parametrize("most", [17, 8])
def test_as_deep_as_it_may_be_nothing_is_lost(most: int) -> None:
    lists = "\n".join("  " * depth + f"- x{depth}" for depth in range(8))
    source = "> " * 17 + "deep" if most == 17 else lists
    assert ("deep" if most == 17 else "x7") in shown(source)


def test_brackets_without_end_are_refused_before_they_are_read() -> None:
    with pytest.raises(errors.RenderError, match="50,000 opening brackets"):
        shown("[" * 50_000)
