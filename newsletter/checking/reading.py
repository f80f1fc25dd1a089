"""A subject read once, so that every rule finds it taken apart already."""

from __future__ import annotations

from functools import cached_property

from newsletter.checking import document, places, prose, rulebook, subjects
from newsletter.domain import issues


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
    def places(self) -> places.Places:
        """Where in the issue file a text or an address stands."""
        return places.Places(self.issue, self.subject.lines)

    @cached_property
    def html(self) -> document.Page:
        """The HTML part, taken apart; empty when the issue could not be rendered."""
        return document.Page(self.subject.html)

    def key(self, name: str) -> rulebook.Place:
        """Return the place of a front-matter key, or of the issue as a whole."""
        for passage in self.passages:
            if passage.key == name:
                return passage.place(0, len(passage.text))
        line = self.issue.lines.get(name, 0)
        return rulebook.Place(line=line, column=1 if line else 0)

    def entry(self, entry: issues.Entry) -> rulebook.Place:
        """Return the place of an entry's headline."""
        column = self.subject.lines[entry.line - 1].find(entry.headline) + 1 if entry.line else 0
        return rulebook.Place(
            line=entry.line, column=max(column, 1), length=len(entry.headline), entry=entry.id
        )
