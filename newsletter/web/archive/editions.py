"""Editions that everybody may read: from the issue file, or as the mailing froze them where it is gone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from newsletter.domain import fields, issues, messages, numbering

_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)")
_MARKS = re.compile(r"[*_`#>|]+|^\s*[-+]\s+|^\s*\d+\.\s+", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Item:
    """An entry as lists and the search show it."""

    #: Anchor within the issue; empty for the issue as a whole.
    id: str
    headline: str
    text: str = ""
    topics: tuple[str, ...] = ()

    @cached_property
    def index(self) -> tuple[str, str]:
        """The headline, and all there is to find, as the search sees them."""
        headline = folded(self.headline)
        return headline, f"{headline} {' '.join(self.topics)} {folded(self.text)}"


@dataclass(frozen=True, kw_only=True)
class Edition:
    """An issue that went out, in one language."""

    number: numbering.IssueNumber
    language: str
    subject: str
    preheader: str
    day: date
    #: When it went out, and when it was last written.
    sent_at: datetime
    modified_at: datetime
    items: tuple[Item, ...]
    #: What its page is made of.
    source: issues.Issue | messages.Rendered
    is_original: bool = True

    @property
    def name(self) -> str:
        """The last part of its address: ``vol-2-23``, or ``vol-2-23.ja`` for a translation."""
        return self.number.slug if self.is_original else f"{self.number.slug}.{self.language}"

    @property
    def path(self) -> str:
        """Its address without the publication's."""
        return f"/issues/{self.name}"


@dataclass(frozen=True, kw_only=True)
class Published:
    """An issue that went out, in all its languages."""

    #: The original first.
    editions: tuple[Edition, ...]

    @property
    def original(self) -> Edition:
        """The edition that the others are translations of."""
        return self.editions[0]

    def edition(self, language: str) -> Edition:
        """Return the edition in a language, or the original."""
        wanted = language.partition("-")[0].lower()
        fits = (each for each in self.editions if each.language.partition("-")[0].lower() == wanted)
        return next(fits, self.original)


def of_issue(issue: issues.Issue, *, sent_at: datetime, modified_at: datetime, is_original: bool) -> Edition:
    """Return the edition that an issue file holds."""
    around = Item(id="", headline=_filled(issue.subject), text=_plain(f"{issue.intro}\n{issue.closing}"))
    items = tuple(
        Item(
            id=entry.id,
            headline=_filled(entry.headline),
            text=_plain(entry.body),
            topics=tuple(filter(None, map(topic_id, entry.topics))),
        )
        for entry in issue.entries
    )
    return Edition(
        number=issue.number,
        language=issue.language,
        subject=_filled(issue.subject),
        preheader=_filled(issue.preheader),
        day=issue.date,
        sent_at=sent_at,
        modified_at=modified_at,
        items=items or (around,),
        source=issue,
        is_original=is_original,
    )


def of_template(template: messages.MessageTemplate, *, sent_at: datetime, is_original: bool) -> Edition:
    """Return the edition that a mailing froze."""
    rendered = template.rendered
    text = "".join(piece if isinstance(piece, str) else piece.default for piece in rendered.text)
    subject = _filled(rendered.subject)
    return Edition(
        number=template.number,
        language=rendered.language,
        subject=subject,
        preheader=_filled(rendered.preheader),
        day=sent_at.date(),
        sent_at=sent_at,
        modified_at=sent_at,
        items=(Item(id="", headline=subject, text=" ".join(text.split())),),
        source=rendered,
        is_original=is_original,
    )


def folded(text: str) -> str:
    """Return a text as the search sees it: half-width letters and capitals make no difference."""
    return unicodedata.normalize("NFKC", text).casefold()


def topic_id(topic: str) -> str:
    """Return a topic as it stands in an address."""
    return re.sub(r"\W+", "-", folded(topic)).strip("-")


def topic_names(published: tuple[Published, ...], declared: Mapping[str, str]) -> dict[str, str]:
    """Return every topic that something was written about, by its id; declared names go before our own."""
    known = {topic_id(each): name for each, name in declared.items()}
    found = {
        topic
        for issue in published
        for edition in issue.editions
        for item in edition.items
        for topic in item.topics
    }
    named = {topic: known.get(topic, topic.replace("-", " ")) for topic in found}
    return dict(sorted(named.items(), key=lambda each: each[1].casefold()))


def _plain(markdown: str) -> str:
    """Return what a reader sees of Markdown, about: for the search, never for a page of its own."""
    return " ".join(_MARKS.sub("", _LINK.sub(r"\1", _filled(markdown))).split())


def _filled(text: str) -> str:
    """Return a text with what is true of every reader; a field that is badly written stays as it stands."""
    if "{{" not in text or any(found.problem or found.snippet for found in fields.find(text)):
        return text
    return fields.fill(text, {})
