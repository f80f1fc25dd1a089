"""Newsroom: two editions of one issue tell the same story."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from newsletter.checking import prose, reading, rulebook, sourcing
from newsletter.domain import findings, issues

Hits = Iterable[rulebook.Hit]
rule = rulebook.family("editions", needs=("editions",))

#: Months and large numbers are words in one language and figures in another: 12月, 1.2 billion, 12億.
_FIGURE = re.compile(
    r"(?<![A-Za-z\d.,])\d[\d,]*+(?:\.\d++)?+(?![A-Za-z])(?!\s*(?:月|万|億|兆|thousand|million|billion|trillion))"
)
#: 2万5000, 1億1000万, 1.2 million: as much in the other language, and told there by other digits.
_SCALED = re.compile(
    r"(?<![\d.,])(?:(?:\d[\d,]*+(?:\.\d++)?(?:千万|百万|千|万|億|兆))+(?:\d[\d,]*+)?"
    r"|\d[\d,]*+(?:\.\d++)?[ \u00a0-]?(?:thousand|million|billion|trillion)\b)"
)
_SCALES = {"千": 10**3, "万": 10**4, "百万": 10**6, "千万": 10**7, "億": 10**8, "兆": 10**12}
_SCALES |= {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_TERM = re.compile(r"(\d[\d,]*+(?:\.\d++)?)[ \u00a0-]?([千百]?[万億兆]|千|[a-z]+)?")
#: In the other edition, also as a part of FY2026, 21st or 1990s.
_DIGITS = re.compile(r"\d[\d,]*+(?:\.\d++)?+")
#: English spells out round and small numbers; those below ten are not compared at all.
_FROM_TEN = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_BY_TENS = "twenty thirty forty fifty sixty seventy eighty ninety hundred"
_SPELT = {word: str(number) for number, word in enumerate(_FROM_TEN.split(), start=10)}
_SPELT |= {word: f"{number}0" for number, word in enumerate(_BY_TENS.split(), start=2)}
_WORD = re.compile(rf"\b(?:{'|'.join(_SPELT)})\b", re.IGNORECASE)
_WIDE = str.maketrans("０１２３４５６７８９，．", "0123456789,.")


def _pairs(page: reading.Reading) -> Iterable[tuple[issues.Issue, issues.Entry, issues.Entry]]:
    for edition in page.subject.editions:
        others = {entry.id: entry for entry in edition.entries}
        for entry in page.issue.entries:
            if entry.id in others:
                yield edition, entry, others[entry.id]


@rule("edition-entries", findings.Severity.ERROR, source="docs/writing.md: editions share their entry ids")
def edition_entries(page: reading.Reading) -> Hits:
    """An entry that one language has and another lacks gives two readers two different issues."""
    ours = {entry.id for entry in page.issue.entries}
    for edition in page.subject.editions:
        theirs = {entry.id: entry for entry in edition.entries}
        for entry in page.issue.entries:
            if entry.id not in theirs:
                yield rulebook.Hit(
                    message=f"the “{edition.language}” edition has no entry “{entry.id}”",
                    place=page.entry(entry),
                    fix=f"translate it, or give its translation the line id: {entry.id}",
                )
        for name in theirs.keys() - ours:
            yield rulebook.Hit(
                message=f"the “{edition.language}” edition has an entry “{name}” that this one lacks",
                fix=f"{edition.path.name}:{theirs[name].line}",
            )


@rule("edition-order", findings.Severity.WARNING, source="docs/writing.md: editions share their entry ids")
def edition_order(page: reading.Reading) -> Hits:
    """The order of the entries is a judgement of weight; it does not change with the language."""
    ours = [entry.id for entry in page.issue.entries]
    for edition in page.subject.editions:
        shared = [entry.id for entry in edition.entries if entry.id in ours]
        if shared != [name for name in ours if name in shared]:
            yield rulebook.Hit(message=f"the “{edition.language}” edition has the entries in another order")


@rule("edition-date", findings.Severity.ERROR, source="docs/writing.md: editions share number and date")
def edition_date(page: reading.Reading) -> Hits:
    """Number and date name the issue, whatever its language."""
    for edition in page.subject.editions:
        if (edition.number, edition.date) != (page.issue.number, page.issue.date):
            yield rulebook.Hit(
                message=f"the “{edition.language}” edition is {edition.number.label} of {edition.date},"
                f" this one {page.issue.number.label} of {page.issue.date}",
                place=page.key("date"),
            )
    for edition, ours, theirs in _pairs(page):
        if ours.date != theirs.date:
            yield rulebook.Hit(
                message=f"dated {ours.date or '–'} here, {theirs.date or '–'} in “{edition.language}”",
                place=page.entry(ours),
            )


@rule("edition-links", findings.Severity.WARNING, source="practice of bilingual digests")
def edition_links(page: reading.Reading) -> Hits:
    """Both editions rest on the same sources; a link in one only was forgotten, or changed since the
    translation."""
    for edition, ours, theirs in _pairs(page):
        missing = _links(ours) - _links(theirs)
        for url in sorted(missing):
            yield rulebook.Hit(
                message=f"the “{edition.language}” edition lacks this link",
                place=page.places.href(url, entry=ours.id),
                fix=f"{edition.path.name}:{theirs.line}",
            )


def _links(entry: issues.Entry) -> set[str]:
    passage = prose.Passage(prose.Part.BODY, entry.body, entry.body_line, 1, entry.id)
    urls = [link.url for link in prose.links([passage])] + [source.url for source in entry.sources]
    return {url for url in urls if url.startswith("http") and sourcing.comparable(url)}


@rule("edition-figures", findings.Severity.WARNING, source="practice of bilingual digests")
def edition_figures(page: reading.Reading) -> Hits:
    """Figures survive translation: one that stands in a single edition is a slip in one of them."""
    for edition, ours, theirs in _pairs(page):
        here, there = _figures(ours), _numbers(theirs)
        lost = sorted(here.keys() - there)
        if lost:
            first = here[lost[0]]
            yield rulebook.Hit(
                message=f"the “{edition.language}” edition does not have {', '.join(lost)}",
                place=page.places.text(first, entry=ours.id),
                fix=f"{edition.path.name}:{theirs.line}",
            )


def _figures(entry: issues.Entry) -> dict[str, str]:
    """Return the figures of an entry, each with how it is written."""
    found = {_bare(match[0]): match[0] for match in _FIGURE.finditer(_SCALED.sub(" ", _text(entry)))}
    # Single digits are often words in one of the two languages.
    return {number: written for number, written in found.items() if len(number) > 1}


def _numbers(entry: issues.Entry) -> set[str]:
    """Return every number that an entry has in any form."""
    text = _text(entry)
    scaled = {_value(match[0]) for match in _SCALED.finditer(text)}
    spelt = {_SPELT[match[0].lower()] for match in _WORD.finditer(text)}
    return scaled | spelt | {_bare(match[0]) for match in _DIGITS.finditer(text)}


def _value(scaled: str) -> str:
    terms = (Decimal(_bare(digits)) * _SCALES.get(unit, 1) for digits, unit in _TERM.findall(scaled))
    return f"{sum(terms, Decimal()).normalize():f}"


def _text(entry: issues.Entry) -> str:
    passage = prose.Passage(prose.Part.BODY, entry.headline + "\n" + entry.body, entry.line, 1, entry.id)
    return passage.words.translate(_WIDE)


def _bare(figure: str) -> str:
    return figure.rstrip(",").replace(",", "")
