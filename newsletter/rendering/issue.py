"""An issue poured into its theme, once: HTML and plain text with the personal fields left open."""

from __future__ import annotations

import dataclasses
import urllib.parse
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import Any

from newsletter.domain import issues, messages, publications
from newsletter.rendering import (
    columns,
    labels,
    markdown,
    mjml,
    slots,
    styles,
    templating,
    text,
)
from newsletter.rendering import (
    theme as themes,
)

#: Keeps the text under the preheader out of the inbox row: a joiner, a non-joiner, a blank that holds.
_FILLER = "\u034f\u200c\u00a0"
#: Languages that are written from right to left.
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "yi"})


def render(
    issue: issues.Issue,
    publication: publications.Publication,
    theme: themes.Theme,
    *,
    image_base: str = "",
) -> messages.Rendered:
    """Pour an issue into its theme: the same issue, publication and theme give the same bytes.

    Args:
        issue: what the editors wrote.
        publication: what stays the same from issue to issue.
        theme: templates and tokens.
        image_base: what the names of local images are put behind; the issue's own public address
            when empty.

    Raises:
        RenderError: a template, a personal field or a text cannot be rendered; says which.
    """
    work = _Work(issue, publication, theme, image_base=image_base)
    return messages.Rendered(
        language=issue.language,
        subject=issue.subject,
        preheader=issue.preheader,
        html=work.html(),
        text=work.text(),
        bytes_by_entry=work.slots.bytes_by_entry(),
    )


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A source as a template shows it."""

    url: str
    label: str
    publisher: str


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A stretch of the editors' Markdown, as HTML and as plain text."""

    html: slots.Html
    text: str
    #: Link notes of the text.
    notes: str = ""

    def __bool__(self) -> bool:
        return bool(self.html.code)


@dataclass(frozen=True, kw_only=True)
class Article:
    """An entry as a template shows it."""

    id: str
    headline: str
    short: str
    body: Passage
    date: date | None
    sources: tuple[Reference, ...]


class _Work:
    """One render: the slots it fills and the texts it reads."""

    def __init__(
        self,
        issue: issues.Issue,
        publication: publications.Publication,
        theme: themes.Theme,
        *,
        image_base: str,
    ) -> None:
        self.slots = slots.Slots(f"{issue}{publication}")
        self._issue, self._publication, self._theme = issue, publication, theme
        self._image_base = image_base or f"{publication.url}/issues/{issue.slug}/"
        self._styles = styles.inline(theme.tokens, language=issue.language)
        self._notes = text.Notes()
        self._context = self._everything()

    def html(self) -> messages.Pieces:
        """Return the HTML with its fields open."""
        source = templating.run(
            themes.environment(self._theme.folders, escaping=True),
            f"{self._issue.layout}.mjml.j2",
            self._context,
        )
        return self.slots.fill(mjml.to_html(source))

    def text(self) -> messages.Pieces:
        """Return the plain text with its fields open."""
        written = templating.run(
            themes.environment(self._theme.folders, escaping=False),
            f"{self._issue.layout}.txt.j2",
            self._context,
        )
        return self.slots.fill(columns.tidy(written))

    def _everything(self) -> dict[str, Any]:
        """Return what templates may speak of."""
        issue, language = self._issue, self._issue.language
        words = labels.read(self._theme.folders, language)
        open_fields = {name: messages.Field(name) for name in messages.FIELDS if "." not in name}
        return {
            templating.SLOTS: self.slots,
            "language": language,
            "direction": "rtl" if language.partition("-")[0] in _RIGHT_TO_LEFT else "ltr",
            "publication": self._publication,
            "issue": issue,
            "title": issue.title,
            "subject": self.slots.opened(issue.subject),
            "preheader": self.slots.opened(issue.preheader),
            "preheader_filler": slots.Html(_FILLER * max(16, 110 - len(issue.preheader))),
            "number": issue.number.label,
            "date": labels.written_date(issue.date, words),
            "hero": self._hero(),
            "intro": self._passage(issue.intro, level=2),
            "articles": tuple(map(self._article, issue.entries)),
            "closing": self._passage(issue.closing, level=2),
            "about": self._passage(self._publication.about, level=2),
            "labels": words,
            "theme": templating.trusted(self._theme.tokens),
            "wrap": columns.wrap,
            "ruled": columns.ruled,
            **open_fields,
        }

    def _hero(self) -> issues.Hero | None:
        hero = self._issue.hero
        return hero and dataclasses.replace(hero, src=self._address(hero.src, True))

    def _article(self, entry: issues.Entry) -> Article:
        return Article(
            id=entry.id,
            headline=self._line(entry.headline),
            short=self._line(entry.headline_short or entry.headline),
            body=self._passage(entry.body, level=3, entry=entry.id),
            date=entry.date,
            sources=tuple(map(self._reference, entry.sources)),
        )

    def _line(self, line: str) -> str:
        """Return one line of editors' text, with its fields open and its quotes and dashes set well."""
        return markdown.typeset(self.slots.opened(line))

    def _passage(self, source: str, *, level: int, entry: str = "") -> Passage:
        tokens = markdown.parse(self.slots.opened(source))
        markdown.prepare(tokens, level=level, address=self._address, slots=self.slots)
        return Passage(
            html=slots.Html(markdown.to_html(tokens, self._styles), entry),
            text=text.from_tokens(tokens, self._notes),
            notes=self._notes.take(),
        )

    def _reference(self, source: issues.Source) -> Reference:
        host = urllib.parse.urlsplit(source.url).hostname or source.url
        return Reference(
            url=source.url,
            label=source.title or source.publisher or host.removeprefix("www."),
            publisher=source.publisher if source.title else "",
        )

    def _address(self, url: str, is_image: bool) -> str:
        """Make an address absolute: local images lie beside the issue, other pages under the publication."""
        if urllib.parse.urlsplit(url).scheme or not url:
            return url
        if is_image:
            return self._image_base + urllib.parse.quote(PurePosixPath(urllib.parse.unquote(url)).name)
        return urllib.parse.urljoin(f"{self._publication.url}/issues/{self._issue.slug}", url)
