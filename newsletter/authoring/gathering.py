"""Gather sources: clip pages and files into the inbox, whatever becomes of single ones."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from newsletter.authoring import clipping, clippings, downloads, inbox
from newsletter.domain import errors

#: Files that a folder is searched for.
_SUFFIXES = frozenset({".txt", ".md", ".markdown", ".html", ".htm", ".xhtml", ".pdf", ".eml"})


@dataclass(frozen=True, kw_only=True)
class Missed:
    """A source that could not be clipped, and why."""

    source: str
    reason: str
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Gatherer:
    """Clips sources into one inbox, on one day."""

    into: inbox.Inbox
    downloader: downloads.Downloader
    today: datetime.date
    #: The host of the publication: what lies there is our own.
    own: str = ""

    def clip(
        self, sources: Iterable[str], *, topics: Sequence[str] = (), url: str = ""
    ) -> Iterator[inbox.Taken | Missed]:
        """Clip each source: a page, a file, or every file in a folder; one that fails is passed over.

        ``url`` is the address of a single file that does not say where it came from.
        """
        for source in _unfolded(sources):
            try:
                yield self._clip(source, tuple(topics), url)
            except errors.NewsletterError as error:
                yield Missed(source=source, reason=clipping.told(error, source), hint=error.hint)

    def keep(self, made: clippings.Clipping, source: str, *, topics: Sequence[str] = ()) -> inbox.Taken:
        """Write a clipping into the inbox."""
        return self.into.save(dataclasses.replace(made, topics=tuple(topics) or made.topics), source)

    def page(self, url: str) -> clippings.Clipping:
        """Fetch a page and make a clipping of it.

        Raises:
            NewsletterError: it cannot be fetched or read.
        """
        return clipping.of_page(url, self.downloader, today=self.today, own=self.own)

    def blank(self, title: str, *, topics: Sequence[str] = ()) -> inbox.Taken:
        """Write an empty clipping for an editor to fill in."""
        made = clippings.Clipping(title=title, accessed=self.today, topics=tuple(topics))
        return self.into.save(made, title)

    def _clip(self, source: str, topics: tuple[str, ...], url: str) -> inbox.Taken:
        if not clipping.is_address(source):
            made = clipping.of_file(Path(source), today=self.today)
            if url:
                kind = clippings.kind_of(url, self.own)
                made = dataclasses.replace(made, url=url, canonical=url, kind=kind)
            return self.keep(made, source, topics=topics)
        if path := self.into.knows_page(source):
            return inbox.Taken(source=source, path=path, known=True)
        return self.keep(self.page(source), source, topics=topics)


def _unfolded(sources: Iterable[str]) -> Iterator[str]:
    for source in sources:
        if not clipping.is_address(source) and Path(source).is_dir():
            found = sorted(path for path in Path(source).iterdir() if path.suffix.lower() in _SUFFIXES)
            yield from map(str, found)
        else:
            yield source
