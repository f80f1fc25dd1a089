"""Newsroom: what entries rest on, and the links that say so."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode, urlsplit

from newsletter.checking import prose, reading, rulebook, wordlists
from newsletter.domain import findings, issues

Hits = Iterable[rulebook.Hit]
rule = rulebook.family("newsroom")
_rule_of_html = rulebook.family("newsroom", needs=("html",))

#: How many issues back a link counts as known.
_MEMORY = 12
_DEFINED = re.compile(r"^ {0,3}\[(?!\^)([^\]\n]+)\]:", re.MULTILINE)
_REFERENCE = re.compile(r"(?<![\\!\]])\[(?!\^)([^\[\]\n]+)\]\[(?!\^)([^\[\]\n]*)\]")
_TRACKING_PREFIXES = ("utm_", "pk_", "mtm_", "matomo_", "hsa_", "trk_")


def comparable(url: str) -> str:
    """Return an address as it compares: no scheme, www, fragment, tracking or closing slash."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode([pair for pair in pairs if not is_tracking(pair[0])])
    host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
    return f"{host}{parts.path.rstrip('/')}{'?' + query if query else ''}"


def is_tracking(parameter: str) -> bool:
    """Say whether a query parameter only watches who follows the link."""
    name = parameter.lower()
    return name in wordlists.read("tracking") or name.startswith(_TRACKING_PREFIXES)


def _real(links: Iterable[prose.Link]) -> Iterable[prose.Link]:
    return (link for link in links if link.is_web and not link.is_placeholder)


@rule("placeholder-link", findings.Severity.WARNING, source="newsroom practice")
def placeholder_link(page: reading.Reading) -> Hits:
    """A link to “#” was meant to be filled in; readers who follow it go nowhere, or to the top of the
    mail."""
    for link in page.links:
        if link.is_placeholder:
            yield rulebook.Hit(
                message=f"“{link.text}” leads nowhere: its address is still to be filled in",
                place=link.place,
                fix="put the page's address between the brackets",
            )
    for passage in page.content:
        yield from _undefined(passage)


def _undefined(passage: prose.Passage) -> Hits:
    """Find reference links whose address does not stand in the same text: readers see their brackets."""
    text = passage.uncoded
    defined = {_label(match[1]) for match in _DEFINED.finditer(text)}
    for match in _REFERENCE.finditer(text):
        if (label := match[2] or match[1]) and _label(label) not in defined:
            yield rulebook.Hit(
                message=f"“{match[0]}” has no address in this entry",
                place=passage.place(*match.span()),
                fix=f"write “[{label}]: https://…” on a line of its own below the text",
            )


def _label(text: str) -> str:
    return " ".join(text.split()).casefold()


@_rule_of_html("button-in-text", findings.Severity.WARNING, source="docs/theme.md")
def button_in_text(page: reading.Reading) -> Hits:
    """A link becomes a button where it is a paragraph of its own; in running text its title is no more than
    a hint that few see."""
    for link in page.html.all("a"):
        if link.get("title") == issues.BUTTON:
            yield rulebook.Hit(
                message=f"“{page.html.name(link)}” asks to be a button, and does not stand alone",
                place=page.places.href(link.get("href") or ""),
                fix="put it in a paragraph of its own, or take its title away",
            )


@rule(
    "entry-without-source",
    findings.Severity.WARNING,
    source="practice of policy digests: every claim has its source",
)
def entry_without_source(page: reading.Reading) -> Hits:
    """A digest is trusted for what it rests on: each entry links to at least one page where it can be
    checked."""
    if page.issue.layout is not issues.Layout.DIGEST:
        return
    sourced = {link.place.entry for link in _real(page.sources)}
    for entry in page.issue.entries:
        if entry.id not in sourced:
            yield rulebook.Hit(
                message="the entry links to no source",
                place=page.entry(entry),
                fix="link the words that report the fact, or list the page under sources:",
            )


@rule("duplicate-link", findings.Severity.WARNING, source="newsroom practice")
def duplicate_link(page: reading.Reading) -> Hits:
    """The same page linked twice is either one story told twice, or the wrong address pasted."""
    first: dict[str, prose.Link] = {}
    for link in _real(page.sources):
        known = first.setdefault(comparable(link.url), link)
        if known is not link:
            yield rulebook.Hit(
                message=f"this page is linked in line {known.place.line} already",
                place=link.place,
                fix="link each page once, where it says most",
            )


@rule(
    "link-seen-before", findings.Severity.WARNING, source="newsroom practice; asked for by editors of digests"
)
def link_seen_before(page: reading.Reading) -> Hits:
    """A page that an earlier issue linked to is old news, unless the entry says what is new."""
    seen: dict[str, str] = {}
    for issue in page.subject.past[:_MEMORY]:
        for url in _linked(issue):
            seen.setdefault(comparable(url), issue.number.label)
    for link in _real(page.sources):
        if label := seen.get(comparable(link.url)):
            yield rulebook.Hit(
                message=f"also in {label}",
                place=link.place,
                fix="link to what is new, or say in the text that it was reported before",
            )


def _linked(issue: issues.Issue) -> Iterable[str]:
    for entry in issue.entries:
        yield from (source.url for source in entry.sources)
        passage = prose.Passage(prose.Part.BODY, entry.body, entry.body_line, 1, entry.id)
        yield from (link.url for link in _real(prose.links([passage])) if not link.is_image)


@rule(
    "tracking-parameter",
    findings.Severity.WARNING,
    source="newsroom practice: readers are not watched for others",
)
def tracking_parameter(page: reading.Reading) -> Hits:
    """Parameters such as utm_source tell the other site where our readers come from, and make two links of
    one page."""
    for link in _real([*page.links, *page.sources]):
        names = [name for name, _ in parse_qsl(urlsplit(link.url).query) if is_tracking(name)]
        if names:
            yield rulebook.Hit(
                message=f"the link carries {', '.join(names)}",
                place=link.place,
                fix="link to the page without it",
            )


@rule(
    "link-shortener",
    findings.Severity.WARNING,
    source="newsroom practice; spam filters distrust shortened links",
)
def link_shortener(page: reading.Reading) -> Hits:
    """A shortened link hides where it leads, dies with its service, and is held against a mail by spam
    filters."""
    for link in _real([*page.links, *page.sources]):
        host = (urlsplit(link.url).hostname or "").removeprefix("www.")
        if host in wordlists.read("shorteners"):
            yield rulebook.Hit(
                message=f"{host} hides where the link leads", place=link.place, fix="link to the page itself"
            )
