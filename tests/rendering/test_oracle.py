"""Our MJML renderer held to MJML for Node: every layout with every sample, element by element and as pixels.

The renderer follows MJML 4, so MJML 4.18 is asked. MJML 5 writes the same pixels from other markup: it moves
the class of mj-body to the body, and adds ``word-spacing`` to the element below.
"""

from __future__ import annotations

import difflib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from PIL import Image, ImageChops

from newsletter.authoring import issue_files
from newsletter.domain import fields, issues
from newsletter.rendering import mjml, templating, theme, views
from tests import chromium, node
from tests.rendering import normal_form, samples

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REPOSITORY = Path(__file__).parents[2]
PATHS = sorted([*(REPOSITORY / "issues").glob("vol-*.md"), *(Path(__file__).parent / "data").glob("*.md")])
CASES = [(path, layout) for path in PATHS for layout in issues.Layout]
WIDTHS = (375, 800)
#: Share of the pixels that may differ, and from which difference of brightness on one does.
ALLOWED, VISIBLE = 0.001, 16
SCRIPT = """
const mjml = require('mjml'), sources = JSON.parse(require('fs').readFileSync(0))
const answer = ({ html, errors }) => ({ html, faults: errors.map(one => one.formattedMessage) })
console.log(JSON.stringify(sources.map(one => answer(mjml(one, { fonts: {}, validationLevel: 'soft' })))))
"""


class Pair(NamedTuple):
    """The same letter by two renderers."""

    ours: str
    theirs: str
    #: What MJML for Node has to say against the template.
    faults: list[str]


def written(path: Path, layout: issues.Layout) -> tuple[str, str]:
    """Return our HTML, and the MJML source with all content in it, as MJML for Node takes it."""
    issue = issue_files.read(path, title=samples.PUBLICATION.title)
    dressed = theme.packaged()
    reading = views.Views(issue, samples.PUBLICATION, dressed, image_base=f"{path.parent.as_uri()}/")
    context = reading.context() | {"preheader_filler": ""}
    environment = theme.environment(dressed.folders, escaping=True)
    skeleton = templating.run(environment, f"{layout}.mjml.j2", context)
    ours, source = (fields.join(reading.slots.fill(text), {}) for text in (mjml.to_html(skeleton), skeleton))
    return ours, source


@pytest.fixture(scope="module")
def pairs() -> dict[tuple[Path, issues.Layout], Pair]:
    both = [written(*case) for case in CASES]
    answers = node.run("mjml", SCRIPT, [source for _, source in both])
    found = zip(CASES, both, answers, strict=True)
    return {case: Pair(ours, answer["html"], answer["faults"]) for case, (ours, _), answer in found}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as running:
        yield running


def named(value: object) -> str:
    return value.stem if isinstance(value, Path) else str(value)


@pytest.mark.parametrize(("path", "layout"), CASES, ids=named)
def test_both_renderers_write_the_same_mail(
    path: Path, layout: issues.Layout, pairs: dict[tuple[Path, issues.Layout], Pair]
) -> None:
    pair = pairs[path, layout]
    assert pair.faults == []
    ours, theirs = normal_form.of(pair.ours), normal_form.of(pair.theirs)
    assert len(ours) > 300
    assert list(difflib.unified_diff(theirs, ours, "MJML for Node", "ours", n=0, lineterm="")) == []


@pytest.mark.parametrize(("path", "layout"), CASES, ids=named)
def test_both_mails_look_the_same(
    path: Path, layout: issues.Layout, pairs: dict[tuple[Path, issues.Layout], Pair], browser: Browser
) -> None:
    pair = pairs[path, layout]
    shots = zip(pictures(browser, pair.ours), pictures(browser, pair.theirs), strict=True)
    for ours, theirs in shots:
        assert ours.size == theirs.size
        assert share_that_differs(ours, theirs) <= ALLOWED


def pictures(browser: Browser, html: str) -> list[Image.Image]:
    """Return how a mail looks at each width; pictures are those of the files beside the issue."""
    page = browser.new_page()
    page.route("http*://**", lambda route: route.abort())
    # A page that was made on the spot may not read files; one that stands at a file may.
    page.goto(f"{(REPOSITORY / 'README.md').as_uri()}")
    page.set_content(html)
    taken = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        taken.append(Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB"))
    page.close()
    return taken


def share_that_differs(one: Image.Image, other: Image.Image) -> float:
    seen = (
        ImageChops.difference(one, other)
        .convert("L")
        .point([255 * (value > VISIBLE) for value in range(256)])
    )
    return seen.histogram()[255] / (one.width * one.height)


def test_a_pixel_in_a_hundred_is_told() -> None:
    one = Image.new("RGB", (100, 100), "white")
    other = one.copy()
    other.paste("black", (0, 0, 100, 1))
    assert share_that_differs(one, other) == 0.01
    assert share_that_differs(one, one) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('<img src="a" alt="">', '<img alt="" src="a" />'),
        ('<p class="b a" style="">Text</p>', '<p class="a b"> Text </p>'),
        ('<p style="margin: 0 ; color:red">', '<p style="margin:0;color:red;">'),
        (
            "<!--[if mso | IE]><td><![endif]--> <!--[if mso | IE]></td><![endif]-->",
            "<!--[if mso | IE]><td></td><![endif]-->",
        ),
        (
            '<style type="text/css">a { b: c }</style> <style type="text/css">d{e:f;}</style>',
            '<style type="text/css">a{b:c}d { e: f }</style>',
        ),
    ],
)
def test_what_no_mail_program_can_tell_is_one(one: str, other: str) -> None:
    assert normal_form.of(one) == normal_form.of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('<img src="a" alt="">', '<img src="a">'),
        ('<p style="margin:0;margin:1px">', '<p style="margin:1px;margin:0">'),
        ("<p>Text</p>", "<p>Test</p>"),
        ("<p>Two words</p>", "<p>Twowords</p>"),
        ("<p>a\u00a0b</p>", "<p>a b</p>"),
        ("<p><b>a</b></p>", "<p>a</p>"),
        ("<!--[if mso | IE]><td><![endif]-->", "<!--[if mso]><td><![endif]-->"),
        ("<!--[if mso | IE]><td><![endif]-->", '<!--[if mso | IE]><td width="1"><![endif]-->'),
        ("<!--[if mso | IE]><td><![endif]-->", "<td>"),
        ("<style>a{b:c}</style>", "<style>a{b:d}</style>"),
        ('<style media="print">a{b:c}</style>', "<style>a{b:c}</style>"),
    ],
)
def test_what_a_reader_could_see_stays_a_difference(one: str, other: str) -> None:
    assert normal_form.of(one) != normal_form.of(other)
