"""The inbox: the folder of clippings, what is in it already, and what of it is in use."""

from __future__ import annotations

import codecs
import datetime
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.authoring import clippings, front_matter, saving, shelf
from newsletter.domain import errors, numbering

_HEAD = 4_096
#: Characters that are kept of it: a report says what it is about in its first sentences.
_TOLD = 700
#: One line, or points of a list below it.
_CLIPPINGS = re.compile(rb"^clippings:((?:.*)(?:\r?\n[ \t]*-[ \t].*)*)", re.MULTILINE)
_DATED = re.compile(r"(\d{4}-\d{2}-\d{2})-")


@dataclass(frozen=True, kw_only=True, slots=True)
class Slip:
    """What the head of a clipping's file tells: enough to list, to compare and to choose by."""

    path: Path
    title: str
    day: datetime.date | None
    accessed: datetime.date | None
    addresses: tuple[str, ...]
    sha256: str
    topics: tuple[str, ...]
    weight: int
    kind: str
    used: str
    publisher: str
    #: The head of the file's text.
    text: str

    #: The name by which entries refer to it.
    name: str


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What became of one source."""

    source: str
    #: The clipping's file; the one there was before where `known`.
    path: Path
    known: bool = False


@dataclass
class Inbox:
    """One folder of clippings. What lies in it is looked up once, when it is first asked for."""

    folder: Path
    _pages: dict[str, Path] | None = None
    _texts: dict[str, Path] = field(default_factory=dict)

    def known(self, clipping: clippings.Clipping) -> Path | None:
        """Return the file in which the same page or the same text lies already."""
        pages = self._known()
        for url in (clipping.url, clipping.canonical):
            if url and (path := pages.get(clippings.same_page(url))):
                return path
        return self._texts.get(clipping.sha256)

    def knows_page(self, url: str) -> Path | None:
        """Return the file in which a page lies already."""
        return self._known().get(clippings.same_page(url))

    def save(self, clipping: clippings.Clipping, source: str) -> Taken:
        """Write a clipping, unless its page or text lies in the inbox already."""
        if path := self.known(clipping):
            return Taken(source=source, path=path, known=True)
        path = self._free(clipping.stem())
        saving.save(path, clippings.dumps(clipping))
        self._remember(path, (clipping.url, clipping.canonical), clipping.sha256)
        return Taken(source=source, path=path)

    def find(self, name: str) -> Path:
        """Return the file of a clipping by its name, a part of its name, or its path in the inbox.

        Raises:
            WorkspaceError: there is none, or more than one.
        """
        path = Path(name)
        if path.suffix == ".md" and path.is_file() and path.resolve().parent == self.folder.resolve():
            return path
        wanted = path.stem if path.suffix == ".md" else name
        found = [one for one in self._files() if wanted and wanted in one.stem]
        exact = [one for one in found if one.stem == wanted]
        if len(exact or found) == 1:
            return (exact or found)[0]
        if found:
            names = ", ".join(sorted(one.stem for one in found)[:5])
            raise errors.WorkspaceError(f"“{name}” is part of {len(found)} names", hint=f"one of {names}")
        raise errors.WorkspaceError(f"there is no clipping “{name}”", hint="newsletter inbox list")

    def slips(
        self, *, since: datetime.date | None = None, until: datetime.date | None = None
    ) -> Iterator[Slip]:
        """Yield what lies in the inbox by file name, read in a period; only files of it are opened."""
        for path in self._files():
            dated = _DATED.match(path.name)
            if dated and ((since and dated[1] < str(since)) or (until and dated[1] > str(until))):
                continue
            slip = peek(path)
            if since and slip.accessed and slip.accessed < since:
                continue
            if until and slip.accessed and slip.accessed > until:
                continue
            yield slip

    def mark(self, number: numbering.IssueNumber, names: Iterable[str]) -> tuple[list[str], list[str]]:
        """Mark clippings as used by an issue, and free those it no longer uses; return both.

        Raises:
            WorkspaceError: a file cannot be written.
        """
        wanted, label = set(names), str(number)
        marked, freed = [], []
        for path in self._files():
            used = peek(path).used
            if path.stem in wanted and used != label:
                _set_used(path, label)
                marked.append(path.stem)
            elif used == label and path.stem not in wanted:
                _set_used(path, "")
                freed.append(path.stem)
        return sorted(marked), sorted(freed)

    def _known(self) -> dict[str, Path]:
        if self._pages is None:
            self._pages = {}
            for slip in self.slips():
                for address in slip.addresses:
                    self._pages.setdefault(clippings.same_page(address), slip.path)
                if slip.sha256:
                    self._texts.setdefault(slip.sha256, slip.path)
        return self._pages

    def _remember(self, path: Path, urls: Iterable[str], sha256: str) -> None:
        pages = self._known()
        for url in filter(None, urls):
            pages.setdefault(clippings.same_page(url), path)
        if sha256:
            self._texts.setdefault(sha256, path)

    def _files(self) -> Iterator[Path]:
        if self.folder.is_dir():
            names = os.listdir(self.folder)  # noqa: PTH208 - twice as fast, in thousands of files
            yield from (self.folder / name for name in sorted(names) if name.endswith(".md"))

    def _free(self, stem: str) -> Path:
        path, count = self.folder / f"{stem}.md", 1
        while path.exists():
            count += 1
            path = self.folder / f"{stem}-{count}.md"
        return path


def peek(path: Path) -> Slip:
    """Return what the head of a clipping's file tells, without judging it."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        head = b""
    fields, text = front_matter.peek(head)
    addresses = [fields.get("url", ""), fields.get("canonical", "")]
    weight = fields.get("weight", "")
    accessed = _day(fields.get("accessed", ""))
    return Slip(
        path=path,
        title=fields.get("headline") or fields.get("title") or path.stem,
        day=_day(fields.get("published", "")) or accessed,
        accessed=accessed,
        addresses=tuple(filter(None, addresses)),
        name=path.stem,
        sha256=fields.get("sha256", ""),
        topics=tuple(one.strip() for one in fields.get("topics", "").strip("[]").split(",") if one.strip()),
        weight=int(weight) if re.fullmatch(r"-?\d{1,4}", weight) else 0,
        kind=fields.get("kind", ""),
        used=fields.get("used", ""),
        publisher=fields.get("publisher", ""),
        text=clippings.prose(text)[:_TOLD].strip(),
    )


def in_issues(shelved: Iterable[shelf.Listing]) -> Mapping[str, numbering.IssueNumber]:
    """Return the clippings that entries of issue files name, with the issue of each."""
    found: dict[str, numbering.IssueNumber] = {}
    for one in shelved:
        if one.number is None:
            continue
        for match in _CLIPPINGS.finditer(one.path.read_bytes()):
            for name in re.split(r",|\n[ \t]*-[ \t]", match[1].decode("utf-8", "replace")):
                found.setdefault(name.strip("[] \t\r\"'"), one.number)
    return found


def _set_used(path: Path, label: str) -> None:
    """Write the mark into one line of the file, and leave every other byte as it is."""
    lines = path.read_bytes().splitlines(keepends=True)
    fences = [i for i, line in enumerate(lines) if line.removeprefix(codecs.BOM_UTF8).rstrip() == b"---"]
    if len(fences) < 2:
        return
    start, end = fences[:2]
    fields = [line for line in lines[start + 1 : end] if not line.startswith(b"used:")]
    if label:
        fields.append(f"used: {label}\n".encode())
    saving.save(path, b"".join([*lines[: start + 1], *fields, *lines[end:]]))


def _day(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None
