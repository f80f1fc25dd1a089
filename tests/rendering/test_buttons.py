"""A link that stands alone under the title “button”."""

from __future__ import annotations

import dataclasses
import re

import html5lib
import pytest

from newsletter.domain import issues
from newsletter.rendering import contrast, merge, theme, web
from tests.rendering import samples

BUTTON = '[Reserve a *berth* & seat](https://example.org/berths?a=1&b=2 "button")'


def issue(body: str, **changes: object) -> issues.Issue:
    entry = dataclasses.replace(samples.ENTRIES[0], body=body)
    return dataclasses.replace(samples.ISSUE, entries=(entry,), **changes)  # type: ignore[arg-type]


def mail(body: str, **changes: object) -> merge.Merger:
    return merge.compile(samples.template(rendered=samples.rendered(issue(body, **changes))))


def test_in_mail_it_is_a_padded_cell_around_a_padded_link() -> None:
    tree = html5lib.parse(mail(f"Text.\n\n{BUTTON}").html(samples.READER), namespaceHTMLElements=False)
    (table,) = [table for table in tree.iter("table") if table.get("class") == "button"]
    assert table.get("role") == "presentation"
    (cell,) = table.iter("td")
    (link,) = cell.iter("a")
    assert "".join(link.itertext()) == "Reserve a berth & seat"
    assert link.get("href") == "https://example.org/berths?a=1&b=2"
    assert link.get("title") is None
    # Outlook pads the cell, everybody else the link; both are painted.
    assert "mso-padding-alt:12px 24px" in cell.get("style", "")
    assert cell.get("bgcolor") == "#9c2b2e"
    for element in (cell, link):
        assert "background-color:#9c2b2e" in element.get("style", "")
    # 44 pixels are what a thumb hits.
    height = re.search(r"padding:(\d+)px 24px.*line-height:(\d+)px", link.get("style", ""))
    assert height
    assert 2 * int(height[1]) + int(height[2]) >= 44


@pytest.mark.parametrize(
    ("label", "line"),
    [
        ("Reserve a berth", "Reserve a berth: https://example.org/berths"),
        ("席を予約する", "席を予約する：https://example.org/berths"),
    ],
)
def test_in_text_it_is_its_label_and_its_address(label: str, line: str) -> None:
    text = mail(f'Text.\n\n[{label}](https://example.org/berths "button")').text(samples.READER)
    assert line in text.split("\n")


def test_a_long_address_stands_whole_on_the_next_line() -> None:
    url = f"https://example.org/{'b' * 60}"
    text = mail(f'[Reserve a berth](<{url}> "button")').text(samples.READER)
    assert f"Reserve a berth:\n{url}\n" in text


def test_it_may_lead_where_each_reader_has_an_address_of_their_own() -> None:
    merger = mail('[Choose topics]({{ preferences_url }} "button")')
    assert f'<a href="{samples.READER.values["preferences_url"]}" style="display:inline-block' in merger.html(
        samples.READER
    )
    text = merger.text(samples.READER).replace("\n", " ")
    assert f"Choose topics: {samples.READER.values['preferences_url']}" in text


def test_the_web_version_and_intro_and_closing_have_it_too() -> None:
    page = web.render(issue("Text.", intro=BUTTON, closing=BUTTON), samples.PUBLICATION, theme.packaged())
    assert page.count('<p class="button"><a href="https://example.org/berths?a=1&amp;b=2">') == 2
    letter = mail("Text.", intro=BUTTON, closing=BUTTON).html(samples.READER)
    assert letter.count('<table class="button"') == 2


@pytest.mark.parametrize(
    "body",
    [
        'Text with [a link](https://example.org/berths "button") in it.',
        '[One](https://example.org/1 "button") [two](https://example.org/2 "button")',
        '[![A berth](https://example.org/berth.png)](https://example.org/berths "button")',
        '[Reserve](https://example.org/berths "a button")',
        "[Reserve](https://example.org/berths)",
        '<p class="button"><a href="https://example.org/berths">Reserve</a></p>',
    ],
)
def test_anything_else_is_no_button(body: str) -> None:
    assert '<table class="button"' not in mail(body).html(samples.READER)


def test_its_words_are_as_legible_as_the_theme_requires() -> None:
    tokens = theme.packaged().tokens
    for ground, ink in ((tokens.accent.light, tokens.paper.light), (tokens.accent.dark, tokens.paper.dark)):
        assert contrast.ratio(ink, ground) >= 4.5
    # Any other pair of colours is refused before a render, as the accent also sets small headings on paper.
    assert "paper" in contrast.ON["accent"]
