"""The whole archive as static files, for any host: written beside its place, then moved there."""

from __future__ import annotations

import html
import importlib.resources
import posixpath
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from newsletter.domain import errors
from newsletter.web import desk, languages, pages
from newsletter.web.archive import editions, feeds, library, links, lists
from newsletter.web.archive.reading_room import ReadingRoom

#: Stands in every folder that we wrote, and says that we may write it again.
MARK = ".newsletter-archive"


@dataclass(frozen=True, kw_only=True)
class Built:
    """What was written."""

    folder: Path
    issues: int
    pages: int
    pictures: int
    #: Pictures that pages show and that are not there.
    missing: tuple[str, ...]


def build(at: desk.Desk, folder: Path) -> Built:
    """Write the archive into a folder, which it must have written itself, or which holds nothing yet.

    Raises:
        WorkspaceError: the folder holds something else, or cannot be written.
        StoreError: the ledger does not answer.
    """
    _require_own(folder)
    room = ReadingRoom(at)
    held = room.library.look()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            built = _write(at, room, held, beside, folder)
            beside.chmod(0o755)
            _put(beside, folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise errors.WorkspaceError(f"{error.filename or folder}: {error.strerror}") from error
    return built


def _write(at: desk.Desk, room: ReadingRoom, held: library.Holdings, beside: Path, folder: Path) -> Built:
    others, written = _put_down_all(at, room, held, beside)
    own = links.Links(
        url=at.publication.url,
        files={*others, *written},
        is_picture=lambda path: _picture(room, path) is not None,
    )
    shown = sorted(_settle(own, written, beside))
    # It stands in for pages of any depth.
    language = languages.of(at.publication.language)
    _put_down(beside / "404.html", own.whole(pages.render("lost", at.publication, language=language)))
    missing = [path for path in shown if not _copy(_picture(room, path), beside / path)]
    return Built(
        folder=folder,
        issues=len(held.issues),
        pages=len(written) + 1,
        pictures=len(shown) - len(missing),
        missing=tuple(path.removeprefix("issues/") for path in missing),
    )


class _Page(NamedTuple):
    """A page: the index of a folder, which every host can serve."""

    path: str
    #: The folder of its language; empty for the publication's own.
    folder: str
    text: str


def _others(at: desk.Desk, room: ReadingRoom, held: library.Holdings) -> Iterator[tuple[str, str]]:
    """Yield what is no page."""
    yield MARK, "Written by `newsletter web build`, which may write it again.\n"
    yield "style.css", importlib.resources.files(pages).joinpath("style.css").read_text(encoding="utf-8")
    yield "robots.txt", room.feeds.robots()
    _, *folders = lists.spoken(held, at.publication)
    years = [f"/headlines/{year}" for year in lists.years(held)]
    more = [*years, *(f"/{folder}{path}" for folder in folders for path in ("/", *years))]
    yield "sitemap.xml", room.feeds.site_map(held, more=more)
    for name in feeds.KINDS:
        yield name, room.feeds.feed(held, name)


def _pages(at: desk.Desk, room: ReadingRoom, held: library.Holdings) -> Iterator[_Page]:
    spoken = lists.spoken(held, at.publication)
    folders = {tag: tag if place else "" for place, tag in enumerate(spoken)}
    for edition in held.by_name.values():
        letter = room.letter(held, edition)
        if letter is not None:
            folder = folders.get(languages.base(edition.language), "")
            yield _Page(f"issues/{edition.name}/index.html", folder, letter.text)
    for tag, folder in folders.items():
        for path, text in _lists(at, held, tag):
            yield _Page(posixpath.join(folder, path, "index.html"), folder, text or "")


def _lists(at: desk.Desk, held: library.Holdings, language: str) -> Iterator[tuple[str, str | None]]:
    """Yield every list in a language, by its folder."""
    shelf = lists.Lists(publication=at.publication, topics=at.topics, is_served=False)
    yield "leave", pages.render("how", at.publication, language=language)
    years = lists.years(held)
    yield "headlines", shelf.headlines(held, language, years[0] if years else None)
    for year in years:
        yield f"headlines/{year}", shelf.headlines(held, language, year)
    for page in range(1, lists.page_count(held) + 1):
        yield f"page/{page}" if page > 1 else "", shelf.front(held, language, page)
    for topic in editions.topic_names(held.issues, at.topics):
        for page in range(1, lists.page_count(held, topic) + 1):
            path = f"topics/{topic}/page/{page}" if page > 1 else f"topics/{topic}"
            yield path, shelf.topic(held, language, topic, page)


def _put_down_all(
    at: desk.Desk, room: ReadingRoom, held: library.Holdings, beside: Path
) -> tuple[set[str], dict[str, str]]:
    """Put everything down, one text in memory at a time; return what is no page, and each page's folder."""
    others: set[str] = set()
    written: dict[str, str] = {}
    for path, text in _others(at, room, held):
        _put_down(beside / path, text)
        others.add(path)
    for page in _pages(at, room, held):
        _put_down(beside / page.path, page.text)
        written[page.path] = page.folder
    return others, written


def _settle(own: links.Links, written: Mapping[str, str], beside: Path) -> set[str]:
    """Settle the links of each page, now that every file is known; return the pictures that pages show."""
    shown: set[str] = set()
    for path, folder in written.items():
        text = (beside / path).read_bytes().decode()
        shown.update(_shown(own.url, text))
        _put_down(beside / path, own.settled(text, at=path, folder=folder))
    return shown


def _shown(url: str, page: str) -> list[str]:
    """Return the pictures that a page shows, by their paths."""
    found = re.findall(rf'"{re.escape(url)}/(issues/[\w-]+/[^"#?]+\.\w+)"', page)
    return [unquote(html.unescape(path)) for path in found]


def _picture(room: ReadingRoom, path: str) -> Path | None:
    """Return the file of a picture by its path in the archive."""
    folder, _, rest = path.partition("/")
    slug, _, name = rest.partition("/")
    return room.picture_path(slug, name) if folder == "issues" and name else None


def _copy(source: Path | None, place: Path) -> bool:
    if source is None:
        return False
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, place)
    return True


def _put_down(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text.encode())


def _require_own(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise errors.WorkspaceError(f"{folder} is no folder of its own", hint="name another one")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise errors.WorkspaceError(
            f"{folder} holds something that is not ours, and would be replaced",
            hint="name a folder that is empty or does not exist",
        )


def _put(beside: Path, folder: Path) -> None:
    """Move a folder to its place; whoever reads it sees the old one or the new one."""
    old = beside.with_name(f"{beside.name}.old")
    if folder.exists():
        folder.rename(old)
    try:
        beside.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
