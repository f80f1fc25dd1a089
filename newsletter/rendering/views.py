"""What templates may speak of: an issue and its publication, read, set and ready to be shown."""

from __future__ import annotations

import dataclasses
import functools
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from newsletter.domain import errors, fields, issues, messages, publications
from newsletter.rendering import (
    columns,
    labels,
    markdown,
    passages,
    shaping,
    slots,
    snippets,
    templating,
    tokens,
)
from newsletter.rendering import theme as themes

#: Languages that are written from right to left.
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "yi"})
#: Languages whose letters fill their squares, and want more room between lines.
_DENSE = frozenset({"ja", "zh", "ko"})
#: Ten times what Gmail shows: no letter, whatever it was meant to be.
_MAX_CHARACTERS = 1_000_000
#: Parts of issues kept as what they say, and the longest of them.
_KEPT, _MAX_KEPT = 64, 20_000
#: The level of an entry's headline: in a digest, “Details” stands above it.
_LEVELS = {issues.Layout.DIGEST: 3, issues.Layout.LETTER: 2}

_WRAP, _RULED = templating.Function(columns.wrap), templating.Function(columns.ruled)
#: What templates may speak of in every render.
_ALWAYS = {
    "wrap": _WRAP,
    "ruled": _RULED,
    **{name: messages.Field(name) for name in messages.FIELDS if "." not in name},
}
#: What no single address holds.
_APART = re.compile(r"[\s<>]")

templating.record(issues.Hero)


@templating.record
@dataclass(frozen=True, kw_only=True)
class Reference:
    """A source as a template shows it."""

    url: str
    label: str
    publisher: str


@templating.record
@dataclass(frozen=True, kw_only=True)
class Contact:
    """Where readers write to."""

    text: str
    #: Empty where it is no single mail address.
    url: str


@templating.record
@dataclass(frozen=True, kw_only=True)
class Passage:
    """A stretch of the editors' Markdown, as HTML and as plain text."""

    html: slots.Html
    text: str
    #: Link notes of the text.
    notes: str = ""

    def __bool__(self) -> bool:
        return bool(self.html.code)


@templating.record
@dataclass(frozen=True, kw_only=True)
class Article:
    """An entry as a template shows it."""

    id: str
    headline: str
    short: str
    #: 2 or 3: headings inside the body stand below it.
    level: int
    body: Passage
    date: date | None
    sources: tuple[Reference, ...]


class Views:
    """Reads the texts of one issue for one render."""

    def __init__(
        self,
        issue: issues.Issue,
        publication: publications.Publication,
        theme: themes.Theme,
        *,
        image_base: str = "",
        in_mail: bool = True,
    ) -> None:
        """Begin a render, for mail or for browsers."""
        everything = _everything(issue, publication)
        if "{{" in everything:
            kept = snippets.available(theme.folders).values()
            everything += "".join(path.read_text("utf-8", "replace") for path in kept)
        if len(everything) > _MAX_CHARACTERS:
            raise errors.RenderError(
                f"{issue.path}: some {len(everything):,} characters make no letter that a mail program shows",
                hint="Gmail cuts a mail at 102,000 bytes; put what is long on the web and link to it",
            )
        self.slots = slots.Slots(everything)
        self._issue, self._publication, self._folders = issue, publication, theme.folders
        self._words = labels.read(theme.folders, issue.language)
        language = issue.language.partition("-")[0].lower()
        self._is_dense = language in _DENSE
        page = f"{publication.url}/issues/{issue.slug}"
        self._manner = passages.Manner(
            tokens=tokens.for_language(theme.tokens, language),
            language=language,
            direction="rtl" if language in _RIGHT_TO_LEFT else "ltr",
            in_mail=in_mail,
            image_base=image_base or f"{page}/",
            page=page,
            credit_label=self._words["credit"],
            image=self._words["image"],
        )
        self._last_note = 0

    def context(self) -> dict[str, Any]:
        """Return what templates may speak of, by name; link notes are numbered in this order."""
        issue = self._issue
        return {
            templating.SLOTS: self.slots,
            **self._edges(),
            "intro": self._passage(issue.intro, level=2, line=issue.intro_line),
            "articles": tuple(map(self._article, issue.entries)),
            "closing": self._passage(issue.closing, level=2, line=issue.closing_line),
            "about": self._passage(self._publication.about, level=2),
            "labels": templating.Words(**self._words),
            "theme": templating.trusted(self._manner.tokens),
            **_ALWAYS,
        }

    def _edges(self) -> Mapping[str, Any]:
        """Return what stands around the texts."""
        issue = self._issue
        right_to_left = self._manner.direction == "rtl"
        return {
            "language": issue.language,
            "direction": self._manner.direction,
            "start": "right" if right_to_left else "left",
            "end": "left" if right_to_left else "right",
            "leading": "1.8" if self._is_dense else "1.6",
            "heading_leading": "1.45" if self._is_dense else "1.3",
            "publication": self._publication,
            "postal_lines": tuple(
                filter(None, map(str.strip, self._publication.postal_address.splitlines()))
            ),
            "contact": _contact(self._publication.contact),
            "issue": issue,
            "title": markdown.typeset(issue.title or self._publication.title),
            "subject": self._opened(issue.subject, issue.lines.get("subject", 0)),
            "preheader": self._opened(issue.preheader, issue.lines.get("preheader", 0)),
            "number": issue.number.label,
            "date": labels.written_date(issue.date, self._words),
            "logo": self._manner.address(self._manner.tokens.logo, True),
            "logo_dark": self._manner.address(self._manner.tokens.logo_dark, True),
            "hero": issue.hero and self._hero(issue.hero),
        }

    def _hero(self, hero: issues.Hero) -> issues.Hero:
        if not markdown.may_lead(hero.credit_url):
            raise errors.RenderError(f"the credit cannot have the address “{hero.credit_url}”")
        caption = markdown.typeset(hero.caption)
        return dataclasses.replace(
            hero,
            src=self._manner.address(hero.src, True),
            caption=shaping.sentence(caption) if hero.credit else caption,
        )

    def _article(self, entry: issues.Entry) -> Article:
        level = _LEVELS[self._issue.layout]
        return Article(
            id=entry.id,
            headline=self._line(entry.headline, entry.line),
            short=self._line(entry.headline_short or entry.headline, entry.line),
            level=level,
            body=self._passage(entry.body, level=level, line=entry.body_line, entry=entry.id),
            date=entry.date,
            sources=_references(entry.sources),
        )

    def _line(self, line: str, number: int) -> str:
        """Return one line of editors' text, its fields open and its quotes and dashes set well."""
        return markdown.typeset(self._opened(line, number) if "{{" in line else line)

    def _passage(self, source: str, *, level: int, line: int = 0, entry: str = "") -> Passage:
        opened = self._markdown(source, line)
        try:
            read = passages.read(opened, self._manner, level=level, after=self._last_note, holder=self.slots)
        except errors.RenderError as error:
            raise errors.RenderError(f"{self._place(line, 1)}{error}", hint=error.hint) from error
        self._last_note = read.last
        return Passage(html=slots.Html(read.html, entry), text=read.text, notes=read.notes)

    def _markdown(self, source: str, line: int) -> str:
        """Return editors' Markdown with its snippets in their places and slots for its personal fields."""
        if "{{" not in source:
            return source
        self._hold(source, line)
        place = functools.partial(self._place, line)
        return self.slots.opened(snippets.expand(source, self._folders, where=place))

    def _opened(self, source: str, line: int) -> str:
        """Return a text with slots for its personal fields; ``line`` is its first in the issue file."""
        self._hold(source, line)
        return self.slots.opened(source)

    def _hold(self, source: str, line: int) -> None:
        """Refuse personal fields that are not known, by their line in the issue file."""
        for found in fields.find(source) if "{{" in source else ():
            if found.problem:
                raise errors.RenderError(self._place(line, found.line) + found.problem, hint=fields.HINT)

    def _place(self, first: int, line: int) -> str:
        """Return what an error begins with: the place in the issue file, as far as it is known."""
        return f"{self._issue.path}:{first + line - 1}: " if first else ""


def _everything(issue: issues.Issue, publication: publications.Publication) -> str:
    """Return everything that an issue and its publication say, and a little more."""
    try:
        said = "".join(map(_said, (publication, *issue.entries)))
    except OverflowError:
        return f"{issue}{publication}"
    return f"{vars(issue) | {'entries': ()}}{said}"


@functools.lru_cache(maxsize=_KEPT)
def _said(part: issues.Entry | publications.Publication) -> str:
    """Return everything that a part of an issue says.

    Raises:
        OverflowError: it is too much to be kept.
    """
    said = f"{part}"
    if len(said) > _MAX_KEPT:
        raise OverflowError
    return said


def forget() -> None:
    """Let go of what was said, referred to and wrapped."""
    for kept in (_said, _references, _WRAP.call, _RULED.call):
        kept.cache_clear()


def _contact(contact: str) -> Contact:
    is_address = "@" in contact and not _APART.search(contact)
    return Contact(text=contact, url=f"mailto:{contact}" if is_address else "")


@functools.lru_cache(maxsize=_KEPT)
def _references(sources: tuple[issues.Source, ...]) -> tuple[Reference, ...]:
    """Return sources with a text for each link; two links never say the same and lead elsewhere."""
    taken: dict[str, int] = {}
    references = []
    for source in sources:
        host = (urllib.parse.urlsplit(source.url).hostname or source.url).removeprefix("www.")
        if not markdown.may_lead(source.url):
            raise errors.RenderError(f"a source cannot have the address “{source.url}”")
        label = source.title or source.publisher or host
        taken[label] = taken.get(label, 0) + 1
        if taken[label] > 1:
            label = f"{label} ({taken[label]})"
        publisher = source.publisher if source.title else ""
        references.append(Reference(url=source.url, label=label, publisher=publisher))
    return tuple(references)
