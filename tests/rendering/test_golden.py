"""Every layout with every sample, held to the letter: a change that nobody meant is seen in review.

``UPDATE_GOLDEN=1 pytest tests/rendering/test_golden.py`` writes the files again.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import re
from pathlib import Path

import html5lib
import pytest

from newsletter import checking
from newsletter.authoring import issue_files
from newsletter.domain import issues
from newsletter.rendering import issue as issue_room
from newsletter.rendering import merge, theme
from tests.rendering import samples

DATA = Path(__file__).parent / "data"
GOLDEN = Path(__file__).parent / "golden"
LAYOUTS = list(issues.Layout)
SAMPLES = ["full", "full.ja", "full.ar"]


def merged(layout: issues.Layout, sample: str) -> merge.Merger:
    issue = dataclasses.replace(issue_files.read(DATA / f"{sample}.md"), layout=layout)
    rendered = issue_room.render(issue, samples.PUBLICATION, theme.packaged())
    return merge.compile(samples.template(rendered=rendered))


def normalised(html: str) -> str:
    """Write each tag on a line of its own, without the filler behind the preheader."""
    plain = html.replace("\u034f\u200c\u00a0", "")
    return re.sub(r"\n{2,}", "\n", re.sub(r"\s*(<[^>]*>)\s*", r"\n\1\n", plain)).strip() + "\n"


def compare(name: str, found: str) -> None:
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, "utf-8")
    assert found == path.read_text("utf-8"), f"UPDATE_GOLDEN=1 writes {name} again"


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_letter_is_what_it_was(layout: issues.Layout, sample: str) -> None:
    merger = merged(layout, sample)
    compare(f"{layout}-{sample}.txt", merger.text(samples.READER))
    compare(f"{layout}-{sample}.html", normalised(merger.html(samples.READER)))


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_strict_parser_finds_nothing_wrong(layout: issues.Layout, sample: str) -> None:
    parser = html5lib.HTMLParser(strict=False, namespaceHTMLElements=False)
    parser.parse(merged(layout, sample).html(samples.READER))
    assert parser.errors == []


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_headings_go_down_by_one_and_there_is_one_title(layout: issues.Layout, sample: str) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])", merged(layout, sample).html(samples.READER))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_link_of_the_html_stands_in_the_text(layout: issues.Layout) -> None:
    merger = merged(layout, "full")
    text = merger.text(samples.READER)
    tree = html5lib.parse(merger.html(samples.READER), namespaceHTMLElements=False)
    links = {link.attrib["href"] for link in tree.iter("a")}
    assert len(links) > 8
    assert [link for link in links if link.removeprefix("mailto:") not in text] == []


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_line_of_the_text_is_wider_than_72_columns_but_addresses(
    layout: issues.Layout, sample: str
) -> None:
    from newsletter.rendering import columns

    for line in merged(layout, sample).text(samples.READER).split("\n"):
        assert columns.width(line) <= 72 or "://" in line
        assert line == line.rstrip()


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_checks_have_nothing_against_how_it_is_set(layout: issues.Layout, sample: str) -> None:
    issue = dataclasses.replace(issue_files.read(DATA / f"{sample}.md"), layout=layout)
    rendered = issue_room.render(issue, samples.PUBLICATION, theme.packaged())
    values = checking.sample_values(samples.PUBLICATION, issue)
    subject = checking.Subject(
        issue=issue,
        publication=samples.PUBLICATION,
        path=f"{sample}.md",
        lines=(DATA / f"{sample}.md").read_text("utf-8").splitlines(),
        rendered=rendered,
        values=values,
        html=checking.personalise(rendered.html, values, is_html=True),
        text=checking.personalise(rendered.text, values, is_html=False),
    )
    # What a sample says is its own affair: few entries and words, no source, an address as its own text.
    content = {"headline-count", "entry-without-source", "link-url-text", "image-ratio"}
    assert [found for found in checking.check(subject) if found.rule not in content] == []
