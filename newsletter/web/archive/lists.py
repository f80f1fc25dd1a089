"""Lists of what is public: all issues, those about a topic, and what a search found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from newsletter.domain import publications
from newsletter.web import joining, languages, pages
from newsletter.web.archive import editions, library, searching

#: Issues on one page, and headlines of one issue: a page stays under 30 KB whatever is in them.
PER_PAGE, _HEADLINES = 8, 8
#: Topics that the first page names.
_TOPICS = 30
_LONGEST_HEADLINE = 90


@dataclass(frozen=True, kw_only=True)
class Line:
    """An entry in a list."""

    id: str
    headline: str
    excerpt: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """An issue in a list, with some of its entries."""

    edition: editions.Edition
    items: tuple[Line, ...]


class Other(NamedTuple):
    """The same list in another language."""

    name: str
    href: str


@dataclass(frozen=True, kw_only=True)
class Paging:
    """Where a page of a list is, and the ones beside it."""

    path: str
    newer: str = ""
    older: str = ""
    #: By language.
    others: Mapping[str, Other] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Lists:
    """Writes the lists of one publication."""

    publication: publications.Publication
    #: Topics that subscribers choose, by the name they read.
    topics: Mapping[str, str]
    #: Whether a service answers: files cannot search, and each language has a folder of its own.
    is_served: bool = True

    def front(self, held: library.Holdings, language: str, page: int) -> str | None:
        """Write a page of all issues, newest first; None where there is none of that number."""
        rows = [_row(issue.edition(language)) for issue in held.issues]
        named = editions.topic_names(held.issues, self.topics)
        topics = dict(list(named.items())[:_TOPICS]) if page == 1 else {}
        text = _Text("All issues")
        return self._list(
            text, rows, language, _Place("", page, spoken(held, self.publication)), topics=topics
        )

    def topic(self, held: library.Holdings, language: str, topic: str, page: int) -> str | None:
        """Write a page of the issues about a topic; None where there is none."""
        rows = list(_about(held, language, topic))
        if not rows:
            return None
        name = editions.topic_names(held.issues, self.topics)[topic]
        title = _Text("Issues about %(topic)s", {"topic": name})
        place = _Place(f"/topics/{topic}", page, spoken(held, self.publication))
        return self._list(title, rows, language, place)

    def found(self, held: library.Holdings, language: str, query: str) -> str:
        """Write what a search found."""
        query = searching.cleaned(query)
        hits = searching.search(held.issues, query)
        grouped = groupby(hits, key=lambda hit: hit.edition.path)
        rows = [_found(list(group)) for _, group in grouped]
        title = _Text("Found for “%(words)s”", {"words": query}) if query else _Text("Search")
        return self._page(title, rows, language, Paging(path="/search"), query=query)

    def headlines(self, held: library.Holdings, language: str, year: int | None) -> str:
        """Write every headline of a year, for the search of a browser: what files have instead of ours."""
        found = [issue.edition(language) for issue in held.issues]
        return pages.render(
            "headlines",
            self.publication,
            language=language,
            year=year,
            years=years(held),
            found=[each for each in found if each.day.year == year],
            topics=editions.topic_names(held.issues, self.topics),
        )

    def _in_language(self, path: str, tag: str) -> str:
        if self.is_served:
            return f"{path}?lang={tag}"
        return path if tag == languages.of(self.publication.language) else f"/{tag}{path.rstrip('/')}"

    def _list(
        self,
        title: _Text,
        rows: Sequence[Row],
        language: str,
        place: _Place,
        *,
        topics: Mapping[str, str] | None = None,
    ) -> str | None:
        path, page = place.path, place.page
        last = max(1, -(-len(rows) // PER_PAGE))
        if not 1 <= page <= last:
            return None
        paging = Paging(
            path=_address(path, page),
            newer=_address(path, page - 1) if page > 1 else "",
            older=_address(path, page + 1) if page < last else "",
            others={
                tag: Other(
                    name=joining.NAMES.get(tag, tag), href=self._in_language(_address(path, page), tag)
                )
                for tag in place.languages
                if tag != language
            },
        )
        shown = rows[(page - 1) * PER_PAGE : page * PER_PAGE]
        return self._page(title, shown, language, paging, topics=topics or {})

    def _page(
        self,
        title: _Text,
        rows: Sequence[Row],
        language: str,
        paging: Paging,
        *,
        query: str = "",
        topics: Mapping[str, str] | None = None,
    ) -> str:
        words = pages.words(language)
        missing = "Nothing was found." if query else "No issue has come out yet."
        return pages.render(
            "list",
            self.publication,
            language=language,
            title=words(title.text) % title.values if title.values else words(title.text),
            rows=rows,
            paging=paging,
            query=query,
            topics=topics or {},
            nothing=words(missing) if query or paging.path != "/search" else "",
            searchable=self.is_served,
        )


class _Place(NamedTuple):
    """Which page of a list, and in which languages there are lists."""

    path: str
    page: int
    languages: Sequence[str]


@dataclass(frozen=True)
class _Text:
    """Words of a page, still to be put into its language."""

    text: str
    values: Mapping[str, str] | None = None


def spoken(held: library.Holdings, publication: publications.Publication) -> list[str]:
    """Return the languages that lists are worth having in: the publication's, then those of editions."""
    tags = {languages.base(each.language) for each in held.by_name.values()}
    return list(dict.fromkeys([languages.of(publication.language), *sorted(tags & set(languages.known()))]))


def years(held: library.Holdings) -> list[int]:
    """Return the years that issues bear, newest first."""
    return sorted({each.day.year for each in held.by_name.values()}, reverse=True)


def page_count(held: library.Holdings, topic: str = "") -> int:
    """Return how many pages a list has."""
    count = sum(1 for _ in _about(held, "", topic)) if topic else len(held.issues)
    return max(1, -(-count // PER_PAGE))


def _address(path: str, page: int) -> str:
    return f"{path}/page/{page}" if page > 1 else path or "/"


def _row(edition: editions.Edition) -> Row:
    items = tuple(Line(id=item.id, headline=_short(item.headline)) for item in edition.items[:_HEADLINES])
    return Row(edition=edition, items=items)


def _about(held: library.Holdings, language: str, topic: str) -> Iterator[Row]:
    """Yield what was written about a topic, in a reader's language where that edition names the topic."""
    for issue in held.issues:
        for edition in (issue.edition(language), *issue.editions):
            items = [item for item in edition.items if topic in item.topics][:_HEADLINES]
            if items:
                lines = (Line(id=item.id, headline=_short(item.headline)) for item in items)
                yield Row(edition=edition, items=tuple(lines))
                break


def _found(hits: Sequence[searching.Hit]) -> Row:
    lines = (Line(id=hit.item.id, headline=_short(hit.item.headline), excerpt=hit.excerpt) for hit in hits)
    return Row(edition=hits[0].edition, items=tuple(lines))


def _short(headline: str) -> str:
    cut = headline[:_LONGEST_HEADLINE].rstrip()
    return headline if cut == headline else f"{cut}…"
