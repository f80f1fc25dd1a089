"""The web version of an issue."""

from __future__ import annotations

import dataclasses

import html5lib
import pytest

from newsletter.authoring import issue_files
from newsletter.domain import issues
from newsletter.rendering import theme, web
from tests.rendering import samples
from tests.rendering.test_golden import DATA, LAYOUTS, SAMPLES, compare, normalised


def page(issue: issues.Issue) -> str:
    return web.render(issue, samples.PUBLICATION, theme.packaged())


def read(sample: str) -> issues.Issue:
    return issue_files.read(DATA / f"{sample}.md")


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_strict_parser_finds_nothing_wrong(layout: issues.Layout, sample: str) -> None:
    parser = html5lib.HTMLParser()
    parser.parse(page(dataclasses.replace(read(sample), layout=layout)))
    assert parser.errors == []


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_page_is_what_it_was(sample: str) -> None:
    compare(f"web-{sample}.html", normalised(page(read(sample))))


def test_each_entry_can_be_linked_to() -> None:
    found = page(read("full"))
    for name in ("pier", "map", "bus"):
        assert f'id="{name}"' in found
        assert f'<a href="#{name}">' in found
        assert f'href="https://digest.example.org/issues/vol-3-10#{name}"' in found


def test_nothing_personal_stands_in_it() -> None:
    issue = dataclasses.replace(
        read("full"),
        intro='{{ subscriber.email }}|[leave]({{ unsubscribe_url }})|{{ subscriber.name | default("you") }}',
    )
    found = page(issue)
    assert '<p>|<a href="https://digest.example.org/leave">leave</a>|you</p>' in found
    assert "TOKEN" not in found
    assert page(issue) == found


def test_a_letter_has_no_list_of_headlines() -> None:
    found = page(dataclasses.replace(read("full"), layout=issues.Layout.LETTER))
    assert '<ol class="headlines">' not in found
    assert found.count("<h2") == 3


def test_markdown_is_written_with_the_elements_that_browsers_know() -> None:
    found = page(read("full"))
    for element in ("<figure>", "<figcaption>", "<cite>", "<section>", '<th scope="col">'):
        assert element in found
    assert "style=" not in found.partition("</head>")[2]
