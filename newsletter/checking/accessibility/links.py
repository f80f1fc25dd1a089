"""Accessibility of links: each says where it leads, to every sense."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from lxml import etree

from newsletter.checking import reading, rulebook
from newsletter.domain import findings

Hits = Iterable[rulebook.Hit]
rule = rulebook.family("accessibility", needs=("html",))

_ERROR, _WARNING, _ADVICE = findings.Severity.ERROR, findings.Severity.WARNING, findings.Severity.ADVICE
_GENERIC = {
    "en": "click here|here|read more|more|learn more|link|this link|this|see more|view|view more|details"
    "|continue|find out more|click|read|download|this page|this article|article|website|info|more info|go"
    "|full story|source",
    "de": "hier|hier klicken|klicken sie hier|mehr|mehr lesen|mehr erfahren|weiterlesen|link|details",
    "fr": "ici|cliquez ici|en savoir plus|lire la suite|lire plus|plus|lien|voir",
    "es": "aquí|haga clic aquí|haz clic aquí|leer más|más|ver más|enlace",
    "ja": "こちら|ここ|ここをクリック|こちらをクリック|詳細|詳しくはこちら|もっと見る|続きを読む|リンク",
}
_WORDS = {language: frozenset(words.split("|")) for language, words in _GENERIC.items()}


def _links(page: reading.Reading) -> Iterator[etree._Element]:
    return (link for link in page.html.all("a") if page.html.is_visible(link))


def _with_href(page: reading.Reading) -> Iterator[etree._Element]:
    return (link for link in _links(page) if "href" in link.attrib)


@rule("link-name", _ERROR, source="Email Markup Consortium: 72 % of mails fail; WCAG 2.4.4; axe link-name")
def link_name(page: reading.Reading) -> Hits:
    """A link without words is read out as its address, letter by letter, or as “link”."""
    for link in _with_href(page):
        if next(link.iter("img"), None) is None and not page.html.name(link):
            yield page.hit(link, "a link without words", fix="write where it leads")


@rule("link-href", _ERROR, source="WCAG 2.1.1; newsroom practice")
def link_href(page: reading.Reading) -> Hits:
    """A link that leads nowhere wastes the attention it asked for; one that runs code is blocked
    everywhere."""
    for link in _links(page):
        href = link.get("href", "").strip().lower()
        if href in {"", "#"}:
            # What an editor left open is a warning; see placeholder-link.
            severity = _WARNING if any(one.is_placeholder for one in page.links) else _ERROR
            yield page.hit(link, f"“{page.html.name(link)}” leads nowhere", severity=severity)
        elif href.startswith(("javascript:", "vbscript:", "data:")):
            yield page.hit(link, f"“{page.html.name(link)}” runs code", fix="link to a page")


@rule("link-generic", _WARNING, source="Email Markup Consortium: 18 % of mails fail; WCAG 2.4.4; W3C F63")
def link_generic(page: reading.Reading) -> Hits:
    """“Click here” says nothing in a list of links, and that is how many people read: from link to link."""
    words = _WORDS.get(page.language, frozenset()) | _WORDS["en"]
    for link in _with_href(page):
        name = re.sub(r"[^\w\s]", "", page.html.name(link)).strip().casefold()
        if name in words:
            yield page.hit(
                link,
                f"“{page.html.name(link)}” does not say where the link leads",
                fix="link the words that do",
            )


@rule("link-url-text", _WARNING, source="WCAG 2.4.4")
def link_url_text(page: reading.Reading) -> Hits:
    """An address as the text of a link is read out letter by letter."""
    for link in _with_href(page):
        if re.match(r"(?:https?://|www\.)", page.html.name(link), re.IGNORECASE):
            yield page.hit(link, "the link shows its address", fix="write the title of the page instead")


@rule("link-ambiguous", _WARNING, source="WCAG 2.4.4, 2.4.9")
def link_ambiguous(page: reading.Reading) -> Hits:
    """Links of the same words that lead to different pages cannot be told apart in a list of links."""
    seen: dict[str, str] = {}
    for link in _with_href(page):
        name = page.html.name(link).casefold()
        target = _page(link.get("href", ""))
        if name and seen.setdefault(name, target) != target:
            yield page.hit(
                link, f"another link “{page.html.name(link)}” leads elsewhere", fix="link words that differ"
            )


def _page(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return f"{parts.netloc}{parts.path.rstrip('/')}"


@rule("link-colour-only", _ERROR, source="WCAG 1.4.1; axe link-in-text-block")
def link_colour_only(page: reading.Reading) -> Hits:
    """Who does not see the colour does not see the link: inside running text links are underlined."""
    for link in _with_href(page):
        look = page.light.look(link)
        if look.shown and not look.underlined and not look.has_ground and _in_running_text(page, link):
            yield page.hit(
                link, f"“{page.html.name(link)}” is told from its text by colour alone", fix="underline it"
            )


def _in_running_text(page: reading.Reading, link: etree._Element) -> bool:
    block = next(link.iterancestors("p", "li", "td", "div", "blockquote", "dd"), None)
    if block is None or next(link.iter("img"), None) is not None:
        return False
    around = page.html.words(block)
    for other in block.iter("a"):
        around = around.replace(page.html.words(other), "", 1)
    return sum(char.isalnum() for char in around) > 3


@rule("role-on-link", _ERROR, source="WCAG 4.1.2; axe presentation-role-conflict")
def role_on_link(page: reading.Reading) -> Hits:
    """A link with the role “presentation” is no longer announced as one."""
    for link in page.html.all("a"):
        if link.get("role") in {"presentation", "none"}:
            yield page.hit(link, f'a link with role="{link.get("role")}"', fix="mend the template")


@rule("aria-hidden-focus", _ERROR, source="WCAG 4.1.2; axe aria-hidden-focus")
def aria_hidden_focus(page: reading.Reading) -> Hits:
    """A link inside aria-hidden can be reached by keyboard and not be heard."""
    for link in _with_href(page):
        hidden = [link, *link.iterancestors()]
        if any(element.get("aria-hidden") == "true" for element in hidden):
            yield page.hit(link, "a link inside aria-hidden", fix="mend the template")
