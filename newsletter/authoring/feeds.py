"""Feeds: read politely what others announce, and clip what is new."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import html
import json
import re
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from newsletter.authoring import clipping, clippings, dates, downloads, extraction, gathering, saving
from newsletter.domain import errors

STATE = ".feeds.json"
#: Newest items of one feed that one run looks at.
_ITEMS = 60
#: Pages that one run fetches from one host; items beyond are clipped from what the feed says of them.
_PAGES_A_HOST = 5
#: Items that are remembered as seen, a feed.
_MEMORY = 4_000
#: A feed may be larger than a page: 10,000 items take some megabytes.
FEED_LIMITS = downloads.Limits(size=20_000_000)


@dataclass(frozen=True, kw_only=True)
class Feed:
    """One feed to read."""

    name: str
    url: str
    topic: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Item:
    """One announcement."""

    key: str
    title: str
    url: str
    summary: str
    published: datetime.date | None


@dataclass(kw_only=True)
class Report:
    """What became of one feed."""

    name: str
    #: Items that were not seen before.
    new: int = 0
    clipped: list[str] = field(default_factory=list)
    #: Items whose source lies in the inbox already.
    known: int = 0
    #: Items that the feed's words leave out.
    left_out: int = 0
    #: Items beyond what one run looks at.
    too_many: int = 0
    unchanged: bool = False
    error: str = ""

    @property
    def said(self) -> str:
        """What there is to tell, in one line."""
        if self.unchanged:
            return "nothing new"
        parts = [f"{len(self.clipped)} clipped"]
        parts += [f"{self.known} known"] if self.known else []
        parts += [f"{self.left_out} left out"] if self.left_out else []
        parts += [f"{self.too_many} older ones passed over"] if self.too_many else []
        return ", ".join(parts)


@dataclass(frozen=True, kw_only=True)
class Collector:
    """Reads feeds into an inbox and remembers what it has seen."""

    feeds: Sequence[Feed]
    gatherer: gathering.Gatherer
    #: Downloads the feeds themselves.
    downloader: downloads.Downloader
    #: Waits between two requests to one host; injected, so that tests need not.
    pause: Callable[[], None]

    def collect(self) -> list[Report]:
        """Read every feed; one that is broken is told and does not keep the others from being read.

        Raises:
            WorkspaceError: what was seen cannot be written down.
        """
        path = self.gatherer.into.folder / STATE
        memory = _remembered(path)
        reports = []
        fetched: Counter[str] = Counter()
        for feed in self.feeds:
            reports.append(self._read(feed, memory.setdefault(feed.url, {}), fetched))
            saving.save(path, json.dumps(memory, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
        return reports

    def _read(self, feed: Feed, memory: dict[str, Any], fetched: Counter[str]) -> Report:
        report = Report(name=feed.name)
        try:
            page = self.downloader.fetch(feed.url, headers=_conditions(memory))
            if page.status == 304:
                report.unchanged = True
                return report
            items = list(parse(page.content, page.headers.get("content-type", "")))
        except errors.NewsletterError as error:
            report.error = str(error)
            return report
        seen = set(memory.get("seen", ()))
        fresh = [item for item in items if item.key not in seen]
        report.new, report.too_many = len(fresh), max(0, len(fresh) - _ITEMS)
        for item in fresh[:_ITEMS]:
            self._take(item, feed, report, fetched)
        memory["etag"], memory["modified"] = (
            page.headers.get("etag", ""),
            page.headers.get("last-modified", ""),
        )
        current = [item.key for item in items]
        older = [key for key in memory.get("seen", ()) if key not in set(current)]
        memory["seen"] = [*current, *older][: max(_MEMORY, len(current))]
        report.unchanged = not fresh
        return report

    def _take(self, item: Item, feed: Feed, report: Report, fetched: Counter[str]) -> None:
        if not _wanted(item, feed):
            report.left_out += 1
            return
        if self.gatherer.into.knows_page(item.url):
            report.known += 1
            return
        topics = (feed.topic,) if feed.topic else ()
        try:
            taken = self.gatherer.keep(self._made(item, feed, fetched), item.url, topics=topics)
        except errors.NewsletterError:
            report.left_out += 1
            return
        if taken.known:
            report.known += 1
        else:
            report.clipped.append(taken.path.stem)

    def _made(self, item: Item, feed: Feed, fetched: Counter[str]) -> clippings.Clipping:
        """Return a clipping of an item's page, or of what the feed says where the page cannot be had."""
        host = urllib.parse.urlsplit(item.url).hostname or ""
        if host and fetched[host] < _PAGES_A_HOST:
            if fetched[host]:
                self.pause()
            fetched[host] += 1
            try:
                return _dated(self.gatherer.page(item.url), item)
            except errors.NewsletterError:
                pass  # the summary is still worth keeping
        publisher = host.removeprefix("www.") or feed.name
        made = clipping.of_words(
            item.title, item.summary, today=self.gatherer.today, url=item.url, publisher=publisher
        )
        return _dated(made, item)


def parse(content: bytes, kind: str = "") -> Iterator[Item]:
    """Yield the items of a feed, newest first where it says when.

    Raises:
        ExtractError: it is no feed, or breaks off before its first item.
    """
    import feedparser

    # Tags are taken out below: cleaning them first would take most of the time.
    found = feedparser.parse(
        content, response_headers={"content-type": kind} if kind else None, sanitize_html=False
    )
    if not found.entries and (found.get("bozo") or not found.get("version")):
        reason = str(found.get("bozo_exception", "") or "it is no feed").strip()
        raise extraction.ExtractError(f"cannot be read: {reason}")
    items = [item for entry in found.entries if (item := _item(entry))]
    yield from sorted(items, key=lambda item: item.published or datetime.date.min, reverse=True)


def _item(entry: Mapping[str, Any]) -> Item | None:
    title = _plain(str(entry.get("title", "")))
    url = str(entry.get("link", ""))
    content = entry.get("content") or [{}]
    summary = _plain(str(content[0].get("value", "") or entry.get("summary", "")))
    if not _is_address(url):
        url = ""
    key = str(entry.get("id", "")) or url or title
    if not key or not (title or summary):
        return None
    return Item(
        key=hashlib.sha256(key.encode()).hexdigest()[:16],
        title=title,
        url=url,
        summary=summary,
        published=_published(entry),
    )


def _is_address(url: str) -> bool:
    try:
        return urllib.parse.urlsplit(url).scheme in {"http", "https"} and clipping.is_address(url)
    except ValueError:  # “https://[bad/”
        return False


def _published(entry: Mapping[str, Any]) -> datetime.date | None:
    for key in ("published", "updated", "created"):
        if (parsed := entry.get(f"{key}_parsed")) and 1900 < parsed[0] < 3000:
            return datetime.date(*parsed[:3])
        if text := entry.get(key):
            return dates.stamp(str(text))
    return None


def _wanted(item: Item, feed: Feed) -> bool:
    text = f"{item.title} {item.summary}".casefold()
    if any(word.casefold() in text for word in feed.exclude):
        return False
    return not feed.include or any(word.casefold() in text for word in feed.include)


def _conditions(memory: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers by which a server can say that nothing has changed (RFC 9110, section 13)."""
    headers = {"If-None-Match": memory.get("etag", ""), "If-Modified-Since": memory.get("modified", "")}
    accept = {"Accept": "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.5"}
    return accept | {key: str(value) for key, value in headers.items() if value}


def _dated(made: clippings.Clipping, item: Item) -> clippings.Clipping:
    return made if made.published else dataclasses.replace(made, published=item.published)


def _plain(markup: str) -> str:
    return html.unescape(
        re.sub(r"<[^>]*>", " ", html.unescape(markup) if "&lt;" in markup else markup)
    ).strip()


def _remembered(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # What was seen is lost with the file; what lies in the inbox is still not clipped again.
        return {}
    return (
        {key: value for key, value in found.items() if isinstance(value, dict)}
        if isinstance(found, dict)
        else {}
    )


def of_settings(settings: Mapping[str, Any]) -> list[Feed]:
    """Return the feeds that the settings name."""
    return [
        Feed(name=name, url=one.url, topic=one.topic, include=one.include, exclude=one.exclude)
        for name, one in settings.items()
    ]
