"""The archive as files: everything that the service would show, and nothing that needs one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import html5lib
import pytest
from fastapi.testclient import TestClient
from lxml import etree

from newsletter.domain import errors, numbering
from newsletter.web import embedding
from newsletter.web.archive import building
from tests.web.conftest import PUBLICATION, House
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


def place(folder: Path, path: str) -> Path:
    """Where a plain web server would look for an address."""
    found = folder / unquote(path).lstrip("/")
    return found / "index.html" if found.is_dir() else found


def test_every_link_of_every_page_leads_to_a_file_or_to_the_service(full: House, tmp_path: Path) -> None:
    built = building.build(full.desk, tmp_path / "public")
    assert (built.issues, built.pictures, built.missing) == (10, 1, ())
    pages = list((tmp_path / "public").rglob("*.html"))
    assert len(pages) == built.pages
    for page in pages:
        text = page.read_text(encoding="utf-8")
        html5lib.HTMLParser(strict=True).parse(text)
        assert "/search" not in text
        for address in re.findall(r'(?:href|src)="([^"]*)"', text):
            path = urlsplit(own := address.removeprefix(PUBLICATION.url)).path
            if not own.startswith("/") or path in {"/subscribe", "/manage"}:
                continue
            assert place(tmp_path / "public", path).is_file(), f"{page}: {address}"
    site_map = (tmp_path / "public" / "sitemap.xml").read_text(encoding="utf-8")
    for path in re.findall(r"<loc>https://digest.example.org([^<]*)</loc>", site_map):
        assert place(tmp_path / "public", path).is_file(), path
    etree.parse(tmp_path / "public" / "feed.rss")


def test_a_built_issue_is_the_one_that_the_service_shows(
    full: House, tmp_path: Path, client: TestClient
) -> None:
    building.build(full.desk, tmp_path / "public")
    for name in ("vol-2-23", "vol-2-23.ja", "vol-1-4"):
        built = (tmp_path / "public" / "issues" / name / "index.html").read_text(encoding="utf-8")
        assert built == client.get(f"/issues/{name}").text


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
