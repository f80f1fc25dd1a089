"""What editors write: an issue made of entries, each with its sources."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from newsletter.domain import numbering

#: The title of a Markdown link that makes a button of it where it stands alone in its paragraph.
BUTTON = "button"


class Status(enum.StrEnum):
    """How far the editors are with an issue."""

    DRAFT = "draft"
    READY = "ready"


class Layout(enum.StrEnum):
    """How an issue is laid out."""

    #: Headlines first, then the same entries in detail.
    DIGEST = "digest"
    #: One long text with an optional hero.
    LETTER = "letter"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A page that an entry rests on."""

    url: str
    title: str = ""
    publisher: str = ""
    line: int = 0


@dataclass(frozen=True, kw_only=True)
class Hero:
    """The picture at the head of an issue."""

    #: A URL, or a path relative to the issue file. Empty when only the credit is known yet.
    src: str
    alt: str
    credit: str
    credit_url: str = ""
    caption: str = ""
    line: int = 0

    @property
    def is_remote(self) -> bool:
        """Whether the picture lies on a web server."""
        return self.src.startswith(("https://", "http://"))


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A headline, its body and its sources: the unit that an issue is made of."""

    #: Stable within an issue and shared by its editions; an ASCII slug.
    id: str
    headline: str
    #: Markdown.
    body: str
    headline_short: str = ""
    topics: tuple[str, ...] = ()
    date: date | None = None
    sources: tuple[Source, ...] = ()
    #: Names of the clippings that it was drafted from.
    clippings: tuple[str, ...] = ()
    #: 1-based line of the headline and of the first line of the body in the issue file.
    line: int = 0
    body_line: int = 0


@dataclass(frozen=True, kw_only=True)
class Issue:
    """What the editors wrote: one file, numbered volume.number."""

    number: numbering.IssueNumber
    date: date
    title: str
    subject: str
    preheader: str
    language: str
    entries: tuple[Entry, ...]
    layout: Layout = Layout.DIGEST
    hero: Hero | None = None
    #: Markdown before the first entry.
    intro: str = ""
    intro_line: int = 0
    #: Markdown after the last entry.
    closing: str = ""
    closing_line: int = 0
    status: Status = Status.DRAFT
    send_at: datetime | None = None
    #: Rule id → reason, for findings that the editors decided to live with.
    waivers: Mapping[str, str] = field(default_factory=dict)
    #: Line of each front-matter key in the file.
    lines: Mapping[str, int] = field(default_factory=dict)
    path: Path = Path()

    @property
    def slug(self) -> str:
        """``vol-2-23``: the issue's name in files, addresses and commands."""
        return self.number.slug
