"""A subject read once, so that every rule finds it taken apart already."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from urllib.parse import unquote

from lxml import etree

from newsletter.checking import cascade, document, features, places, prose, rulebook, subjects, tracking
from newsletter.domain import findings, issues


class Reading:
    """One subject, its passages, links and places: each worked out when first asked for."""

    def __init__(self, subject: subjects.Subject) -> None:
        self.subject = subject

    @property
    def issue(self) -> issues.Issue:
        """The issue itself."""
        return self.subject.issue

    @property
    def language(self) -> str:
        """Language of the issue, without region, lower case."""
        return self.issue.language.partition("-")[0].lower()

    @cached_property
    def passages(self) -> tuple[prose.Passage, ...]:
        """Everything the issue says, in reading order."""
        return prose.passages(self.issue, self.subject.lines)

    @cached_property
    def content(self) -> tuple[prose.Passage, ...]:
        """The passages outside the front matter."""
        return tuple(passage for passage in self.passages if passage.part is not prose.Part.FRONT)

    @cached_property
    def links(self) -> tuple[prose.Link, ...]:
        """Links and pictures of the Markdown, in reading order."""
        return tuple(prose.links(self.passages))

    @cached_property
    def sources(self) -> tuple[prose.Link, ...]:
        """Links that entries rest on: those of their bodies and those listed under the headline."""
        listed = [
            prose.Link(
                source.url, source.title, self.places.href(source.url, source.line, entry.id), prose.Part.BODY
            )
            for entry in self.issue.entries
            for source in entry.sources
        ]
        inline = [link for link in self.links if link.place.entry and not link.is_image]
        return tuple(sorted([*listed, *inline], key=lambda link: link.place.line))

    @cached_property
    def addresses(self) -> tuple[prose.Link, ...]:
        """Every address of the letter: those of the issue, and those that the template adds.

        Pages of our own are left out: they stand or fall together with the publication's address.
        """
        written = dict.fromkeys([*(link for link in self.links if not link.is_image), *self.sources])
        known = {link.url for link in written}
        known |= {unquote(url) for url in known}
        own = self.subject.publication.url
        added = [
            prose.Link(url, self.html.name(element), self.places.href(url), prose.Part.CLOSING)
            for element in self.html.all("a")
            if not known & {url := element.get("href") or "", unquote(url)}
            and url
            and not url.startswith(("#", own))
        ]
        return (*written, *added)

    @cached_property
    def places(self) -> places.Places:
        """Where in the issue file a text or an address stands."""
        return places.Places(self.issue, self.subject.lines)

    @cached_property
    def html(self) -> document.Page:
        """The HTML part, taken apart; empty when the issue could not be rendered."""
        return document.Page(self.subject.html)

    @cached_property
    def delivered(self) -> str:
        """The HTML part as it weighs with what counting opens and clicks adds to it."""
        return tracking.tracked(self.subject.html, self.subject.publication, self.subject.counted)

    @cached_property
    def light(self) -> cascade.Cascade:
        """How the HTML part looks by day."""
        return cascade.Cascade(self.html)

    @cached_property
    def dark(self) -> cascade.Cascade:
        """How it looks where the reader prefers the dark."""
        return cascade.Cascade(self.html, dark=True)

    @cached_property
    def features(self) -> Mapping[str, features.Use]:
        """Features of HTML and CSS that the page makes use of."""
        return features.used(self.html)

    def key(self, name: str) -> rulebook.Place:
        """Return the place of a front-matter key, or of the issue as a whole."""
        for passage in self.passages:
            if passage.key == name:
                return passage.place(0, len(passage.text))
        line = self.issue.lines.get(name, 0)
        return rulebook.Place(line=line, column=1 if line else 0)

    def hit(
        self,
        element: etree._Element,
        message: str,
        *,
        fix: str = "",
        severity: findings.Severity | None = None,
    ) -> rulebook.Hit:
        """Return a hit on an element, at the place of the issue file that it came from."""
        return rulebook.Hit(message=message, place=self.origin(element), fix=fix, severity=severity)

    def origin(self, element: etree._Element) -> rulebook.Place:
        """Find where in the issue file an element came from; the issue as a whole for the template's own."""
        if element.tag == "img" and (name := self.written_as(element.get("src", ""))):
            return self.places.href(name)
        if element.tag == "a" and (place := self.places.href(element.get("href", ""))).line:
            return place
        return self.places.text(self.html.name(element))

    def written_as(self, src: str) -> str:
        """Return how the issue names a picture that the page shows; empty for one of the template's."""
        shown = src.partition("?")[0]
        hero = [self.issue.hero.src] if self.issue.hero else []
        for written in [*hero, *(link.url for link in self.links if link.is_image)]:
            name = written.partition("?")[0].rpartition("/")[2]
            if name and shown.rpartition("/")[2] == name:
                return written
        return ""

    def entry(self, entry: issues.Entry) -> rulebook.Place:
        """Return the place of an entry's headline."""
        for passage in self.content:
            if passage.entry == entry.id and passage.part is prose.Part.HEADLINE:
                return passage.place(0, len(passage.text))
        return rulebook.Place(entry=entry.id)
