"""Accessibility of the page as a whole: language, direction, title, zoom, and its plain twin."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lxml import etree

from newsletter.checking import document, reading, rulebook
from newsletter.domain import findings

Hits = Iterable[rulebook.Hit]
rule = rulebook.family("accessibility", needs=("html",))

_ERROR, _WARNING, _ADVICE = findings.Severity.ERROR, findings.Severity.WARNING, findings.Severity.ADVICE
_EMC = "Email Markup Consortium, accessibility report"
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_TEMPLATE = "mend the template"


def _visible_children(page: reading.Reading) -> list[etree._Element]:
    children = [child for child in page.html.body if isinstance(child.tag, str)]
    return [child for child in children if page.html.is_visible(child)]


@rule("lang-html", _ERROR, source=f"{_EMC}; WCAG 3.1.1")
def lang_html(page: reading.Reading) -> Hits:
    """Screen readers choose their voice by the language of the page; without one, English is read with
    German rules."""
    if not page.html.root.get("lang", "").strip():
        yield rulebook.Hit(message="<html> has no lang", fix=_TEMPLATE)


@rule("lang-valid", _ERROR, source="BCP 47; WCAG 3.1.1")
def lang_valid(page: reading.Reading) -> Hits:
    """A language that is not one, such as “und” or “english”, is worth as little as none."""
    values = {element.get("lang", "") for element in page.html.elements if element.get("lang")}
    for value in sorted(values):
        if not _LANGUAGE.fullmatch(value) or value.lower() == "und":
            yield rulebook.Hit(message=f'lang="{value}" is not a language', fix="write it as en, ja or pt-BR")


@rule("dir-html", _WARNING, source=_EMC)
def dir_html(page: reading.Reading) -> Hits:
    """The direction of writing belongs on the page, or punctuation jumps to the wrong end of lines."""
    if page.html.root.get("dir", "") not in {"ltr", "rtl", "auto"}:
        yield rulebook.Hit(message="<html> has no dir", fix=_TEMPLATE)


@rule("lang-body", _ERROR, source=f"{_EMC}: 97 % of mails fail")
def lang_body(page: reading.Reading) -> Hits:
    """Webmail throws <html> away and keeps what the body holds: the language must stand there again."""
    for child in _visible_children(page):
        if not child.get("lang", "").strip():
            yield rulebook.Hit(
                message=f"a <{document.tag(child)}> directly in the body has no lang", fix=_TEMPLATE
            )


@rule("dir-body", _ERROR, source=f"{_EMC}: 98 % of mails fail")
def dir_body(page: reading.Reading) -> Hits:
    """Webmail throws <html> away and keeps what the body holds: the direction must stand there again."""
    for child in _visible_children(page):
        if child.get("dir", "") not in {"ltr", "rtl", "auto"}:
            yield rulebook.Hit(
                message=f"a <{document.tag(child)}> directly in the body has no dir", fix=_TEMPLATE
            )


@rule("lang-mismatch", _WARNING, source="WCAG 3.1.1")
def lang_mismatch(page: reading.Reading) -> Hits:
    """Two languages for one text make its voice depend on the mail program."""
    whole = page.html.root.get("lang", "").lower()
    for child in _visible_children(page):
        own = child.get("lang", "").lower()
        if whole and own and own != whole:
            yield rulebook.Hit(message=f"the page is “{whole}”, its body “{own}”", fix=_TEMPLATE)


@rule("title", _ERROR, source=f"{_EMC}: 41 % of mails fail; WCAG 2.4.2")
def title(page: reading.Reading) -> Hits:
    """The title names the browser tab and is read out first where a mail is opened as a page."""
    if not _title(page):
        yield rulebook.Hit(message="the page has no <title>", fix=_TEMPLATE)


def _title(page: reading.Reading) -> str:
    return next((" ".join((element.text or "").split()) for element in page.html.all("title")), "")


@rule("title-subject", _ADVICE, source="WCAG 2.4.2")
def title_subject(page: reading.Reading) -> Hits:
    """A title that has nothing of the subject leaves people in doubt whether they opened the right mail."""
    ours, subject = _title(page).casefold(), page.issue.subject.casefold()
    if ours and subject and not (_pieces(ours) & _pieces(subject)):
        yield rulebook.Hit(
            message=f"the title “{_title(page)}” shares no word with the subject", fix=_TEMPLATE
        )


def _pieces(text: str) -> set[str]:
    """Return words, and for languages without blanks pairs of characters."""
    words = set(re.findall(r"[^\W_]+", text))
    return words | {word[at : at + 2] for word in words if not word.isascii() for at in range(len(word) - 1)}


@rule("zoom", _ERROR, source="WCAG 1.4.4")
def zoom(page: reading.Reading) -> Hits:
    """People with low vision enlarge what they read; a viewport that forbids it locks them out."""
    for meta in page.html.all("meta"):
        content = meta.get("content", "").replace(" ", "").lower()
        if meta.get("name", "").lower() == "viewport" and (
            "user-scalable=no" in content
            or "user-scalable=0" in content
            or re.search(r"maximum-scale=(?:0?\.\d+|1(?:\.0*)?)(?![\d.])", content)
        ):
            yield rulebook.Hit(message="the viewport forbids enlarging", fix=_TEMPLATE)


@rule("charset", _ERROR, source="HTML Living Standard 4.2.5.4")
def charset(page: reading.Reading) -> Hits:
    """Saved or printed mail loses its headers; without a charset of its own it is read as gibberish."""
    for meta in page.html.all("meta"):
        if meta.get("charset") or "charset=" in meta.get("content", "").lower():
            return
    yield rulebook.Hit(message="the page names no charset", fix=_TEMPLATE)


@rule("preheader", _ADVICE, source="practice: the first text of the body is shown beside the subject")
def preheader(page: reading.Reading) -> Hits:
    """Without a hidden first text inboxes show whatever comes first: “View in browser”, or a picture's
    name."""
    hidden = [
        child
        for child in page.html.body
        if isinstance(child.tag, str)
        and not page.html.is_visible(child)
        and "".join(child.itertext()).strip()
    ]
    first = next((child for child in page.html.body.iter() if _is_preheader(page, child)), None)
    if not hidden and first is None:
        yield rulebook.Hit(message="the body does not begin with a hidden preheader", fix=_TEMPLATE)


def _is_preheader(page: reading.Reading, element: etree._Element) -> bool:
    """Say whether an element is hidden text that nothing visible goes before."""
    if (
        not isinstance(element.tag, str)
        or element.tag in {"style", "script"}
        or page.html.is_visible(element)
    ):
        return False
    if not "".join(element.itertext()).strip():
        return False
    return not any(
        isinstance(before.tag, str) and page.html.words(before)
        for before in element.itersiblings(preceding=True)
    )


@rule("text-part", _ERROR, source="practice: RFC 2046 § 5.1.4; filters distrust unequal parts")
def text_part(page: reading.Reading) -> Hits:
    """The text part is the letter for those who read it on a watch, in a terminal or by braille: it must
    hold all."""
    visible = len(page.html.text)
    plain = len(" ".join(page.subject.text.split()))
    if visible > 200 and plain < visible / 4:
        yield rulebook.Hit(
            message=f"the text part has {plain} characters, the HTML {visible}", fix="mend the text template"
        )
