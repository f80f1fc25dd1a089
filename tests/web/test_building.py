"""The archive as files: everything that the service would show, and nothing that needs one."""

from __future__ import annotations

import dataclasses
import html
import re
import shutil
import tracemalloc
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import feedparser
import html5lib
import pytest
from fastapi.testclient import TestClient
from lxml import etree

from newsletter import ports
from newsletter.domain import errors, numbering
from newsletter.store.memory_ledger import MemoryLedger
from newsletter.web import embedding
from newsletter.web.archive import building
from tests.web.conftest import NOW, PUBLICATION, TEMPLATE, House, hand_over
from tests.web.test_archive import SHIPS, SHIPS_JA, send, write

HERO = "hero:\n  file: quay.png\n  alt: The quay\n  credit: Drawn here\n---\n"


@pytest.fixture
def full(house: House) -> House:
    """An archive of ten issues, one with a picture and a translation."""
    (house.desk.issues / "quay.png").write_bytes(b"\x89PNG")
    write(house, "vol-2-23.md", SHIPS.replace("---\n\n", HERO + "\n", 1))
    write(house, "vol-2-23.ja.md", SHIPS_JA)
    for number in range(1, 10):
        send(house, numbering.IssueNumber(1, number))
    return house


_LINK = re.compile(r'<(a|img|link|form)\b([^>]*?)\s(?:href|src|action)="([^"]*)"([^>]*)>')
#: What acts for somebody, or takes something in: no file can.
SERVICE = {"/subscribe", "/manage"}


def links(page: Path) -> Iterator[tuple[str, str]]:
    """Yield each link of a page with the rest of its tag."""
    for name, before, address, after in _LINK.findall(page.read_text(encoding="utf-8")):
        yield html.unescape(address), f"<{name} {before} {after}"


def follow(page: Path, address: str) -> None:
    """Follow a link as a browser would that opened the file; a fragment must be there too."""
    parts = urlsplit(address)
    assert not parts.path.startswith("/"), f"{page}: {address}"
    found = page.parent / unquote(parts.path) if parts.path else page
    assert found.is_file(), f"{page}: {address}"
    if parts.fragment:
        assert f'id="{html.escape(parts.fragment)}"' in found.read_text(encoding="utf-8"), (
            f"{page}: {address}"
        )


def test_every_link_of_every_page_leads_to_a_file_wherever_the_folder_lies(
    full: House, tmp_path: Path
) -> None:
    root = tmp_path / "public"
    built = building.build(full.desk, root)
    assert (built.issues, built.pictures, built.missing) == (10, 1, ())
    pages = list(root.rglob("*.html"))
    assert len(pages) == built.pages
    followed = 0
    for page in pages:
        html5lib.HTMLParser(strict=True).parse(page.read_text(encoding="utf-8"))
        for address, tag in links(page):
            own = address.removeprefix(PUBLICATION.url)
            if (
                page.name == "404.html"
                or 'rel="canonical"' in tag
                or (tag.startswith("<link") and "hreflang" in tag)
            ):
                # A page for any depth, and what search engines are told: whole addresses, with a file behind.
                assert own != address or address.startswith("mailto:"), f"{page}: {address}"
                path = root / unquote(urlsplit(own).path).lstrip("/")
                assert path.is_file() or (path / "index.html").is_file() or "mailto:" in own, (
                    f"{page}: {address}"
                )
            elif own != address:
                assert urlsplit(own).path in SERVICE, f"{page}: {address}"
            elif not urlsplit(address).scheme:
                follow(page, address)
                followed += 1
    assert followed > 200


def test_site_map_and_feeds_name_only_what_there_is(full: House, tmp_path: Path) -> None:
    building.build(full.desk, tmp_path / "public")
    site_map = (tmp_path / "public" / "sitemap.xml").read_text(encoding="utf-8")
    named = re.findall(r"<loc>https://digest.example.org([^<]*)</loc>", site_map)
    assert {"/", "/ja/", "/headlines/2026", "/ja/headlines/2026"} <= set(named)
    for path in named:
        assert (tmp_path / "public" / unquote(path).lstrip("/") / "index.html").is_file(), path
    for name in ("feed.rss", "feed.atom"):
        etree.parse(tmp_path / "public" / name)
    found = feedparser.parse((tmp_path / "public" / "feed.atom").read_bytes())
    assert not found.bozo
    assert len(found.entries) == 10


def test_there_are_lists_in_every_language_of_the_editions_and_ways_between_them(
    full: House, tmp_path: Path
) -> None:
    root = tmp_path / "public"
    building.build(full.desk, root)
    for path in ("index.html", "page/2/index.html", "topics/trade/index.html"):
        english, japanese = root / path, root / "ja" / path
        assert '<html lang="en"' in english.read_text(encoding="utf-8")
        assert '<html lang="ja"' in japanese.read_text(encoding="utf-8")
        for one, other, tag in ((english, japanese, "ja"), (japanese, english, "en")):
            [switch] = [
                to for to, rest in links(one) if f'hreflang="{tag}"' in rest and rest.startswith("<a")
            ]
            assert (one.parent / switch).resolve() == other.resolve()
    # Whoever reads Japanese stays in it.
    front = (root / "ja" / "index.html").read_text(encoding="utf-8")
    assert 'href="../issues/vol-2-23.ja/index.html"' in front
    assert 'href="topics/trade/index.html"' in front
    letter = (root / "issues" / "vol-2-23.ja" / "index.html").read_text(encoding="utf-8")
    assert 'href="../../ja/index.html"' in letter
    assert 'href="../vol-2-23/index.html"' in letter


def test_files_have_every_headline_where_a_browser_finds_it_and_no_search(
    full: House, tmp_path: Path
) -> None:
    root = tmp_path / "public"
    building.build(full.desk, root)
    assert all('action="/search"' not in page.read_text() for page in root.rglob("*.html"))
    assert "headlines/index.html" in dict(links(root / "index.html"))
    english = (root / "headlines" / "2026" / "index.html").read_text(encoding="utf-8")
    for headline in ("Two ports share &lt;one&gt; ferry", "A bridge opens"):
        assert headline in english
    assert english.count("<h2>") == 11  # ten issues, and the topics
    japanese = (root / "ja" / "headlines" / "2026" / "index.html").read_text(encoding="utf-8")
    assert "二つの港が一つの渡し船を持つ" in japanese


def test_an_archive_without_issues_is_whole_too(house: House, tmp_path: Path) -> None:
    desk = dataclasses.replace(house.desk, ledger=MemoryLedger(house.directory))
    built = building.build(desk, tmp_path / "public")
    assert built.issues == 0
    for page in (tmp_path / "public").rglob("*.html"):
        html5lib.HTMLParser(strict=True).parse(page.read_text(encoding="utf-8"))


def test_a_built_issue_is_the_one_that_the_service_shows_but_for_its_links(
    full: House, tmp_path: Path, client: TestClient
) -> None:
    building.build(full.desk, tmp_path / "public")
    bare = partial(re.sub, r'(href|src)="[^"]*"', "")
    for name in ("vol-2-23", "vol-2-23.ja", "vol-1-4"):
        built = (tmp_path / "public" / "issues" / name / "index.html").read_text(encoding="utf-8")
        assert bare(built) == bare(client.get(f"/issues/{name}").text)
        assert f'<link rel="canonical" href="https://digest.example.org/issues/{name}">' in built
    built = (tmp_path / "public" / "issues" / "vol-2-23" / "index.html").read_text(encoding="utf-8")
    assert '<meta property="og:image" content="https://digest.example.org/issues/vol-2-23/quay.png">' in built
    assert '<img src="quay.png"' in built


def test_an_edition_in_a_language_without_pages_is_shown_with_those_of_the_source(
    full: House, tmp_path: Path, client: TestClient
) -> None:
    write(full, "vol-2-23.fr.md", SHIPS_JA.replace("language: ja", "language: fr"))
    assert client.get("/issues/vol-2-23.fr").status_code == 200
    building.build(full.desk, tmp_path / "public")
    assert (tmp_path / "public" / "issues" / "vol-2-23.fr" / "index.html").is_file()
    assert not (tmp_path / "public" / "fr").exists()


def test_a_second_build_takes_the_place_of_the_first(full: House, tmp_path: Path) -> None:
    folder = tmp_path / "public"
    building.build(full.desk, folder)
    (folder / "stale.html").write_text("old")
    building.build(full.desk, folder)
    assert not (folder / "stale.html").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["issues", "public"]


def test_a_folder_that_holds_something_else_is_left_alone(full: House, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    (tmp_path / "file").write_text("x")
    for name in ("mine", "link", "file"):
        with pytest.raises(errors.WorkspaceError):
            building.build(full.desk, tmp_path / name)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_a_build_that_fails_leaves_the_one_before_and_nothing_half_written(
    full: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "public"
    building.build(full.desk, folder)
    before = sorted(path.relative_to(folder) for path in folder.rglob("*"))

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device", "x")

    # A full disk cannot be had otherwise.
    monkeypatch.setattr(shutil, "copyfile", full_disk)
    with pytest.raises(errors.WorkspaceError, match="No space left"):
        building.build(full.desk, folder)
    assert sorted(path.relative_to(folder) for path in folder.rglob("*")) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["issues", "public"]


def test_a_picture_that_is_not_there_is_named(full: House, tmp_path: Path) -> None:
    (full.desk.issues / "quay.png").unlink()
    assert building.build(full.desk, tmp_path / "public").missing == ("vol-2-23/quay.png",)


def test_a_build_has_one_page_in_memory_and_not_all_of_them(house: House, tmp_path: Path) -> None:
    # One text for all issues, so that what is large are the pages alone.
    rendered = dataclasses.replace(TEMPLATE.rendered, html=(f"<p>{'wide ' * 100_000}</p>",))
    template = dataclasses.replace(TEMPLATE, rendered=rendered)
    for number in range(1, 31):
        each = dataclasses.replace(template, number=numbering.IssueNumber(1, number))
        draft = ports.MailingDraft(
            templates={"en": each}, audience=ports.Audience(), provider="outbox", now=NOW
        )
        hand_over(house.ledger, house.ledger.plan(draft))
    tracemalloc.start()
    try:
        building.build(house.desk, tmp_path / "public")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    sizes = [path.stat().st_size for path in (tmp_path / "public").rglob("*.html")]
    assert len(sizes) > 30
    assert most < sum(sizes) / 2


def test_files_can_be_read_by_a_web_server(full: House, tmp_path: Path) -> None:
    building.build(full.desk, tmp_path / "public")
    assert (tmp_path / "public").stat().st_mode & 0o055 == 0o055


def test_the_form_for_other_sites_leads_to_our_own_filled_in(client: TestClient, house: House) -> None:
    form = embedding.form(PUBLICATION, {"trade": "Trade & <ports>"})
    assert "<script" not in form
    assert "style" not in form
    assert "Trade &amp; &lt;ports&gt;" in form
    action = re.findall(r'<form action="https://digest.example.org([^"]+)" method="post"', form)
    assert re.findall(r' name="(\w+)"', form) == ["email", "name", "topic"]
    answer = client.post(action[0], data={"email": "new@example.org", "name": "Nora", "topic": "trade"})
    assert answer.status_code == 200
    assert 'value="new@example.org"' in answer.text
    assert 'value="trade" checked' in answer.text
    assert 'value="security" checked' not in answer.text
    assert house.letters.sent == []
