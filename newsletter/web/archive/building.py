"""The whole archive as static files, for any host: written beside its place, then moved there."""

from __future__ import annotations

import importlib.resources
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from newsletter.domain import errors
from newsletter.web import desk, pages
from newsletter.web.archive import editions, feeds, library, lists
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
    written, pictures, missing = 0, 0, []
    for path, text in _files(at, room, held):
        place = beside / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        written += path.endswith(".html")
    for slug, name in _pictures(at, beside):
        source = room.picture_path(slug, name)
        if source is None:
            missing.append(f"{slug}/{name}")
            continue
        place = beside / "issues" / slug / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)
        pictures += 1
    return Built(
        folder=folder, issues=len(held.issues), pages=written, pictures=pictures, missing=tuple(missing)
    )


def _files(at: desk.Desk, room: ReadingRoom, held: library.Holdings) -> Iterator[tuple[str, str]]:
    """Yield every file by its path; a page is the index of a folder, which every host can serve."""
    yield MARK, "Written by `newsletter web build`, which may write it again.\n"
    yield "style.css", importlib.resources.files(pages).joinpath("style.css").read_text(encoding="utf-8")
    yield "robots.txt", room.feeds.robots()
    yield "sitemap.xml", room.feeds.site_map(held)
    for name in feeds.KINDS:
        yield name, room.feeds.feed(held, name)
    language = at.publication.language.partition("-")[0].lower()
    for name, path in (("lost", "404.html"), ("how", "leave/index.html")):
        yield path, pages.render(name, at.publication, language=language)
    yield from _lists(at, held, language)
    for edition in held.by_name.values():
        letter = room.letter(held, edition)
        if letter is not None:
            yield f"issues/{edition.name}/index.html", letter.text


def _lists(at: desk.Desk, held: library.Holdings, language: str) -> Iterator[tuple[str, str]]:
    shelf = lists.Lists(publication=at.publication, topics=at.topics, searchable=False)
    for page in range(1, lists.page_count(held) + 1):
        folder = f"page/{page}/" if page > 1 else ""
        yield f"{folder}index.html", shelf.front(held, language, page) or ""
    for topic in editions.topic_names(held.issues, at.topics):
        for page in range(1, lists.page_count(held, topic) + 1):
            folder = f"topics/{topic}/page/{page}" if page > 1 else f"topics/{topic}"
            yield f"{folder}/index.html", shelf.topic(held, language, topic, page) or ""


def _pictures(at: desk.Desk, beside: Path) -> list[tuple[str, str]]:
    """Return the pictures that pages show, by issue and name."""
    address = re.compile(rf'"{re.escape(at.publication.url)}/issues/([\w-]+)/([^"#?]+\.\w+)"')
    found: set[tuple[str, str]] = set()
    for page in (beside / "issues").rglob("index.html"):
        found |= {(slug, name) for slug, name in address.findall(page.read_text(encoding="utf-8"))}
    return sorted(found)


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
