"""The static rules against a browser: axe-core comes to the same verdict, Chromium to the same colours."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from newsletter import checking
from newsletter.authoring import issue_files
from newsletter.checking import cascade, document, limits, picture_files, reading
from newsletter.domain import issues
from newsletter.rendering import contrast, theme
from newsletter.rendering import issue as issue_room
from newsletter.web.preview import frames
from tests import chromium
from tests.checking import baseline, desk
from tests.checking import test_accessibility as pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: Our rule, and axe's rules for the same fault.
SAME = {
    "lang-html": {"html-has-lang"},
    "lang-valid": {"html-lang-valid", "valid-lang"},
    "title": {"document-title"},
    "zoom": {"meta-viewport"},
    "heading-empty": {"empty-heading"},
    "heading-skip": {"heading-order"},
    "img-alt": {"image-alt"},
    "linked-img-alt": {"link-name"},
    "link-name": {"link-name"},
    "list-children": {"list"},
    "li-parent": {"listitem"},
    "tabindex": {"tabindex"},
    "contrast": {"color-contrast"},
    "aria-hidden-focus": {"aria-hidden-focus"},
    "link-colour-only": {"link-in-text-block"},
}
#: “und” is a language tag to axe and none to a screen reader; capitals of width are no matter of markup.
OURS_ALONE = {'<html lang="und"'}
FAULTS = [row for row in pages.FAULTS if row[0] in SAME and row[2] not in OURS_ALONE]
SAMPLES = sorted((Path(__file__).parents[2] / "issues").glob("vol-*.md"))
#: Letters are no web pages: they have no landmarks, and nothing to skip to.
NOT_FOR_MAIL = ["region", "landmark-one-main", "bypass"]


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium.running() as browser:
        yield _page(browser)


def _page(browser: Browser) -> Page:
    opened = browser.new_page()
    # Nothing is fetched; a picture that fails to load keeps its place.
    opened.route("http*://**", lambda route: route.abort())
    return opened


def axe(page: Page, html: str) -> set[str]:
    from axe_playwright_python.sync_playwright import Axe

    page.set_content(html)
    options = {"rules": {name: {"enabled": False} for name in NOT_FOR_MAIL}, "resultTypes": ["violations"]}
    return {one["id"] for one in Axe().run(page, options=options).response["violations"]}


def test_on_a_page_without_fault_both_are_silent(page: Page) -> None:
    assert axe(page, pages.PAGE) == set()


@pytest.mark.parametrize(("rule", "old", "new"), FAULTS)
def test_a_fault_is_seen_by_both(page: Page, tmp_path: Path, rule: str, old: str, new: str) -> None:
    faulty = pages.changed(old, new)
    assert pages.check(tmp_path, faulty, rule)
    scheme = frames.Palette.DARK if "eeeeee" in old else frames.Palette.LIGHT
    assert axe(page, frames.show(faulty, frames.View(palette=scheme))) & SAME[rule]


@pytest.mark.parametrize("palette", [frames.Palette.LIGHT, frames.Palette.DARK])
def test_the_packaged_theme_is_clean_to_both_by_day_and_by_night(
    page: Page, tmp_path: Path, palette: frames.Palette
) -> None:
    for issue in baseline.issues_to_render(tmp_path):
        html = baseline.render(issue)
        assert axe(page, frames.show(html, frames.View(palette=palette))) == set(), (issue.slug, issue.layout)
        subject = checking.Subject(
            issue=issue, publication=desk.PUBLICATION, path="x.md", lines=[], html=html, text=html
        )
        assert checking.check(subject, only=["accessibility"]) == []


#: The colour of each picture's alt text, and of the ground that it stands on.
ALT_TEXTS = """() => [...document.images].filter((one) => one.alt && one.checkVisibility()).map((image) => {
  const hex = (colour) => '#' + colour.match(/\\d+/g).slice(0, 3)
    .map((part) => Number(part).toString(16).padStart(2, '0')).join('');
  let under = image;
  while (/, 0\\)$/.test(getComputedStyle(under).backgroundColor)) under = under.parentElement;
  return [hex(getComputedStyle(image).color), hex(getComputedStyle(under).backgroundColor)];
})"""


@pytest.mark.parametrize("palette", [frames.Palette.LIGHT, frames.Palette.DARK])
def test_what_stands_in_place_of_a_blocked_picture_can_be_read_by_day_and_by_night(
    page: Page, tmp_path: Path, palette: frames.Palette
) -> None:
    seen = 0
    for issue in baseline.issues_to_render(tmp_path):
        page.set_content(frames.show(baseline.render(issue), frames.View(palette=palette)))
        for ink, ground in page.evaluate(ALT_TEXTS):
            assert contrast.ratio(ink, ground) >= contrast.ENOUGH, (issue.slug, issue.layout, ink, ground)
            seen += 1
    assert seen > 1


#: Every element with text of its own, as the browser computed it.
COMPUTED = """() => [...document.body.querySelectorAll('*')].map((element) => {
  const own = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data);
  const style = getComputedStyle(element);
  const parts = style.color.match(/[\\d.]+/g).slice(0, 3);
  return {
    tag: element.localName,
    text: own.join(' ').split(/\\s+/).filter(Boolean).join(' '),
    shown: element.checkVisibility({ visibilityProperty: true }),
    colour: '#' + parts.map((part) => Number(part).toString(16).padStart(2, '0')).join(''),
    size: parseFloat(style.fontSize),
    bold: Number(style.fontWeight) >= 700,
  };
}).filter((one) => one.shown && /[\\p{L}\\p{N}]/u.test(one.text) && one.tag !== 'style')"""


def assert_same_looks(page: Page, html: str, palette: frames.Palette) -> None:
    page.set_content(frames.show(html, frames.View(palette=palette)))
    theirs = [
        (one["tag"], one["text"], one["colour"], one["size"], one["bold"]) for one in page.evaluate(COMPUTED)
    ]
    parsed = document.Page(html)
    looks = cascade.Cascade(parsed, dark=palette is frames.Palette.DARK)
    ours = [
        (element.tag, text, str(look.colour), pytest.approx(look.size, abs=0.05), look.bold)
        for element, text, look in looks.texts
    ]
    assert len(ours) > 20
    assert theirs == ours


@pytest.mark.parametrize("palette", [frames.Palette.LIGHT, frames.Palette.DARK])
def test_the_cascade_computes_what_the_browser_computes(
    page: Page, tmp_path: Path, palette: frames.Palette
) -> None:
    for issue in baseline.issues_to_render(tmp_path):
        assert_same_looks(page, baseline.render(issue), palette)


#: What letters of other hands have in them.
ODD = """<!doctype html><html lang="en"><head><meta name="color-scheme" content="light dark"><style>
p { color: #111111; font-size: 17px } .a { color: #222222 } p.a { color: #333333 } #one { color: #444444 }
.a.b { color: #555555 } div > p { color: #666666 }
td p { color: #777777 !important } [dir=rtl] { color: #888888 }
[class~="c"] em { color: rgb(9, 9, 9) } [title^="x"] { color: hsl(120, 50%, 25%) }
.z, .y { font-weight: 800 }
:root { font-size: 20px } .r { font-size: 2rem } a:hover { color: red }
p::before { color: red } .gone { display: none }
@media print { p { color: red } }
@media (prefers-color-scheme: dark) { .d { color: #abcdef } }
@media screen { .s { color: navy } } .hid { visibility: hidden } .k { font-size: x-large }
.i { color: inherit }
</style></head><body text="#010203"><div>zero<p>one</p><p class="a">two</p><p class="a b">three</p>
<p id="one" class="a">four</p><p id="one" style="color:#999999">five</p>
<p style="color:RED !important">six</p></div>
<table><tr><td>seven<p style="color:blue">eight</p></td><th>nine</th></tr></table>
<span dir="rtl">ten</span><div class="x c">eleven <em>twelve</em></div><b title="xyz">thirteen</b>
<font color="#aa00aa">fourteen</font><small>fifteen</small>
<div class="y">sixteen <i>seventeen</i></div>
<div style="font-size:150%">eighteen <span style="font-size:.5em">nineteen</span></div>
<div class="r">twenty</div>
<h1>one one</h1><h2>two two</h2><h3>three three</h3><h4>four four</h4><h5>five five</h5><h6>six six</h6>
<p class="gone">never</p><div class="hid">never</div><div hidden>never</div>
<div class="d">night</div><div class="s">s</div>
<div class="k">k</div><p class="i">i</p>
<div style="font-size:12pt">pt</div><div style="font-size:larger">larger</div>
<div style="font-weight:normal">no <b style="font-weight:400">weight</b></div></body></html>"""


@pytest.mark.parametrize("palette", [frames.Palette.LIGHT, frames.Palette.DARK])
def test_the_cascade_knows_what_letters_of_other_hands_have(page: Page, palette: frames.Palette) -> None:
    assert_same_looks(page, ODD, palette)


@pytest.mark.parametrize("layout", list(issues.Layout))
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_height_is_estimated_within_a_tenth_of_the_browsers(
    page: Page, path: Path, layout: issues.Layout
) -> None:
    issue = dataclasses.replace(issue_files.read(path), layout=layout)
    rendered = issue_room.render(issue, desk.PUBLICATION, theme.packaged())
    html = checking.personalise(rendered.html, checking.sample_values(desk.PUBLICATION, issue), is_html=True)
    page.set_viewport_size({"width": 640, "height": 800})
    page.route(
        "**/*.png", lambda route: route.fulfill(path=path.parent / route.request.url.rpartition("/")[2])
    )
    page.set_content(html, wait_until="load")
    assert page.evaluate("document.images[0].naturalHeight") > 100
    subject = checking.Subject(
        issue=issue,
        publication=desk.PUBLICATION,
        path="x.md",
        lines=path.read_text("utf-8").split("\n"),
        html=html,
        images=picture_files.loader(path.parent),
    )
    estimated = limits.estimated_height(reading.Reading(subject))
    assert estimated == pytest.approx(page.evaluate("document.documentElement.scrollHeight"), rel=0.1)
    page.unroute("**/*.png")
