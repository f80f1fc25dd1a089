"""Where axe-core looks too, it and the static rules come to the same verdict."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from newsletter import checking
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
