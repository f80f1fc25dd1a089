"""Accessibility of the structure: headings, lists and tables that are what they look like."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from lxml import etree

from newsletter.checking import document, reading, rulebook
from newsletter.domain import findings

Hits = Iterable[rulebook.Hit]
rule = rulebook.family("accessibility", needs=("html",))

_ERROR, _WARNING, _ADVICE = findings.Severity.ERROR, findings.Severity.WARNING, findings.Severity.ADVICE
_TEMPLATE = "mend the template"
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BULLET = re.compile(r"\s*(?:[-*•–●○▪・]|\d{1,2}[.)])\s*\S")
_OBSOLETE = ("center", "font", "marquee", "blink", "big", "tt")
_INTERACTIVE = (
    "form",
    "input",
    "select",
    "textarea",
    "button",
    "video",
    "audio",
    "iframe",
    "object",
    "script",
    "embed",
)


def _headings(page: reading.Reading) -> list[etree._Element]:
    return [heading for heading in page.html.all(*_HEADINGS) if page.html.is_visible(heading)]


def _own(table: etree._Element, *tags: str) -> Iterator[etree._Element]:
    """Yield the cells and parts of a table that are not those of a table inside it."""
    for element in table.iter(*tags):
        if next(element.iterancestors("table"), None) is table:
            yield element


@rule("h1-missing", _ADVICE, source="Email Markup Consortium: 77 % of mails fail; WCAG 1.3.1")
def h1_missing(page: reading.Reading) -> Hits:
    """People who listen jump from heading to heading; the first level says what all of it is."""
    if len(re.findall(r"[.!?。](?:\s|$|(?<=。))", page.html.text)) < 2:
        return
    if not any(heading.tag == "h1" for heading in _headings(page)):
        yield rulebook.Hit(message="the letter has no heading of the first level", fix=_TEMPLATE)


@rule("h1-many", _ADVICE, source="WCAG 1.3.1")
def h1_many(page: reading.Reading) -> Hits:
    """A letter is about one thing: with two first headings nobody knows which."""
    firsts = [heading for heading in _headings(page) if heading.tag == "h1"]
    for heading in firsts[1:]:
        yield page.hit(heading, "another heading of the first level", fix="begin headings in text with ###")


@rule("heading-skip", _WARNING, source="WCAG 1.3.1; W3C G141")
def heading_skip(page: reading.Reading) -> Hits:
    """A level left out sounds like a part left out."""
    before = 0
    for heading in _headings(page):
        level = int(str(heading.tag)[1])
        if before and level > before + 1:
            yield page.hit(
                heading, f"a heading of level {level} follows one of level {before}", fix="use the next level"
            )
        before = level


@rule("heading-empty", _ERROR, source="WCAG 1.3.1, 2.4.6; axe empty-heading")
def heading_empty(page: reading.Reading) -> Hits:
    """A heading without words is announced as “heading”, and then silence."""
    for heading in _headings(page):
        if not page.html.name(heading):
            yield page.hit(heading, f"an empty <{document.tag(heading)}>", fix="write it, or take it out")


@rule("table-role", _ERROR, source="Email Markup Consortium: 86 % of mails fail; WCAG 1.3.1")
def table_role(page: reading.Reading) -> Hits:
    """A table used for layout is read out as “table, 2 columns, 9 rows” unless its role says that it is
    none."""
    for table in page.html.all("table"):
        if table.get("role") not in {"presentation", "none"} and next(_own(table, "th"), None) is None:
            yield page.hit(table, 'a table without headings has no role="presentation"', fix=_TEMPLATE)


@rule("layout-table-semantics", _ERROR, source="WCAG 1.3.1; axe presentation-role-conflict")
def layout_table_semantics(page: reading.Reading) -> Hits:
    """A table cannot be layout and data at once: with the role “presentation” its headings are silenced."""
    for table in page.html.all("table"):
        if table.get("role") in {"presentation", "none"}:
            for part in _own(table, "th", "caption", "thead"):
                yield page.hit(
                    part,
                    f'a <{document.tag(part)}> in a table with role="{table.get("role")}"',
                    fix=_TEMPLATE,
                )
                break


@rule("th-scope", _WARNING, source="WCAG 1.3.1; W3C H63")
def th_scope(page: reading.Reading) -> Hits:
    """Scope says whether a heading belongs to its row or its column; without it, cells are read without
    either."""
    for table in page.html.all("table"):
        for cell in _own(table, "th"):
            if cell.get("scope") not in {"col", "row", "colgroup", "rowgroup"}:
                yield page.hit(cell, "a table heading has no scope", fix=_TEMPLATE)
                break


@rule("fake-heading", _ADVICE, source="WCAG 1.3.1; W3C F2")
def fake_heading(page: reading.Reading) -> Hits:
    """A bold line looks like a heading and is none: nobody can jump to it."""
    for paragraph in page.html.all("p"):
        inside = [child for child in paragraph if isinstance(child.tag, str)]
        bare = not (paragraph.text or "").strip() and not any((child.tail or "").strip() for child in inside)
        if bare and inside and all(child.tag in {"b", "strong"} for child in inside):
            words = page.html.words(paragraph)
            if words and len(words) < 80 and words[-1] not in ".!?。":
                yield page.hit(paragraph, f"“{words}” is bold, not a heading", fix="write it as ### heading")


@rule("fake-list", _WARNING, source="WCAG 1.3.1; axe list")
def fake_list(page: reading.Reading) -> Hits:
    """Lines that begin with a dash or bullet look like a list, but nobody is told how many there are."""
    for block in page.html.all("p", "td", "div"):
        lines = [line for line in _lines(block) if line.strip()]
        bulleted = [line for line in lines if _BULLET.match(line)]
        if len(bulleted) > 1 or (bulleted and _follows_bullet(page, block)):
            yield page.hit(
                block, "a list made of line breaks", fix="begin each point with “- ” on a line of its own"
            )


def _lines(block: etree._Element) -> list[str]:
    """Return the lines of a block that holds nothing but text and phrases, broken at <br>."""
    if any(
        child.tag in {"p", "div", "table", "ul", "ol", "td", "tr"}
        for child in block.iter()
        if child is not block
    ):
        return []
    text = block.text or ""
    for child in block:
        text += "\n" if child.tag == "br" else "".join(str(piece) for piece in child.itertext())
        text += child.tail or ""
    return text.split("\n")


def _follows_bullet(page: reading.Reading, block: etree._Element) -> bool:
    before = block.getprevious()
    return (
        block.tag == "p"
        and before is not None
        and before.tag == "p"
        and bool(_BULLET.match(page.html.words(before)))
    )


@rule("br-br", _ADVICE, source="WCAG 1.3.1")
def br_br(page: reading.Reading) -> Hits:
    """Two line breaks look like a paragraph and are none; some screen readers say “blank” for each."""
    for line_break in page.html.all("br"):
        following = line_break.getnext()
        if following is not None and following.tag == "br" and not (line_break.tail or "").strip():
            parent = line_break.getparent()
            yield page.hit(
                parent if parent is not None else line_break,
                "two line breaks in a row",
                fix="leave an empty line",
            )


@rule("list-children", _ERROR, source="WCAG 1.3.1; axe list")
def list_children(page: reading.Reading) -> Hits:
    """A list holds points and nothing else, or the count that is read out is wrong."""
    for block in page.html.all("ul", "ol"):
        others = [
            document.tag(child)
            for child in block
            if isinstance(child.tag, str) and child.tag not in {"li", "script", "template"}
        ]
        if others or (block.text or "").strip():
            yield page.hit(
                block,
                f"a list holds {f'a <{others[0]}>' if others else 'text'} outside its points",
                fix=_TEMPLATE,
            )


@rule("li-parent", _ERROR, source="WCAG 1.3.1; axe listitem")
def li_parent(page: reading.Reading) -> Hits:
    """A point without its list is read as plain text."""
    for point in page.html.all("li"):
        parent = point.getparent()
        if parent is None or parent.tag not in {"ul", "ol", "menu"}:
            yield page.hit(point, "a point of a list stands outside one", fix=_TEMPLATE)


@rule("dup-id", _ADVICE, source="HTML Living Standard 3.2.6; WCAG 4.1.1")
def dup_id(page: reading.Reading) -> Hits:
    """Two elements of one id: labels and links find the first only."""
    counts = Counter(element.get("id") for element in page.html.elements if element.get("id"))
    for name, count in counts.items():
        if count > 1:
            yield rulebook.Hit(message=f"{count} elements have the id “{name}”", fix=_TEMPLATE)


@rule("obsolete-element", _ADVICE, source="HTML Living Standard 16.2")
def obsolete_element(page: reading.Reading) -> Hits:
    """Elements of the nineties are dropped by some programs and mean nothing to those who listen."""
    for element in page.html.all(*_OBSOLETE):
        yield page.hit(element, f"<{document.tag(element)}> is obsolete", fix=_TEMPLATE)


@rule("tabindex", _ERROR, source="WCAG 2.4.3; axe tabindex")
def tabindex(page: reading.Reading) -> Hits:
    """A positive tabindex pulls the keyboard out of the reading order."""
    for element in page.html.elements:
        if (value := element.get("tabindex", "").strip()).isdigit() and int(value) > 0:
            yield page.hit(element, f'tabindex="{value}"', fix=_TEMPLATE)


@rule("unsupported-element", _ERROR, source="caniemail html-form, html-video, html-button-*; WCAG 4.1.2")
def unsupported_element(page: reading.Reading) -> Hits:
    """Forms, players and scripts are taken out by most mail programs, and what is left makes no sense."""
    for element in page.html.all(*_INTERACTIVE):
        yield page.hit(
            element, f"<{document.tag(element)}> does not work in mail", fix="link to a page that has it"
        )
