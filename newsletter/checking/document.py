"""The HTML part as a mail program sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from lxml import etree, html

#: Elements that start and end a line of their own.
BLOCKS = frozenset(
    {"address", "article", "blockquote", "body", "center", "dd", "div", "dl", "dt", "footer", "form", "h1"}
    | {"h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section"}
    | {"table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"}
)
_SILENT = frozenset({"script", "style", "template", "head", "title", "noscript"})
_CONDITIONAL = re.compile(r"<!--\[if[^\]]*\]>(.*?)<!\[endif\]-->", re.DOTALL)
_HIDDEN = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)


def tag(element: etree._Element) -> str:
    """Return an element's name."""
    return element.tag if isinstance(element.tag, str) else ""


class Page:
    """A parsed HTML part."""

    def __init__(self, source: str) -> None:
        self.source = source
        # XML knows no control characters; lxml would refuse the whole page for one of them.
        clean = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", source) or "<html></html>"
        parser = html.HTMLParser(encoding="utf-8", remove_comments=True, huge_tree=True)
        self.root: etree._Element = html.document_fromstring(clean.encode(), parser=parser)

    @cached_property
    def elements(self) -> tuple[etree._Element, ...]:
        """Every element in document order."""
        return tuple(element for element in self.root.iter() if isinstance(element.tag, str))

    def all(self, *tags: str) -> Iterator[etree._Element]:
        """Yield the elements of some names, in document order."""
        return (element for element in self.elements if element.tag in tags)

    @cached_property
    def body(self) -> etree._Element:
        """The body, or the root where there is none."""
        found = self.root.find("body")
        return self.root if found is None else found

    @cached_property
    def style_blocks(self) -> tuple[str, ...]:
        """The text of each ``<style>``."""
        return tuple("".join(element.itertext()) for element in self.all("style"))

    @cached_property
    def conditional(self) -> str:
        """What only Outlook for Windows reads."""
        return "\n".join(_CONDITIONAL.findall(self.source))

    @cached_property
    def _hidden(self) -> dict[etree._Element, bool]:
        hidden: dict[etree._Element, bool] = {}
        for element in self.elements:
            parent = element.getparent()
            above = hidden.get(parent, False) if parent is not None else False
            own = element.tag in _SILENT or "hidden" in element.attrib
            hidden[element] = above or own or bool(_HIDDEN.search(element.get("style", "")))
        return hidden

    def is_visible(self, element: etree._Element) -> bool:
        """Say whether an element is shown to those who see."""
        return not self._hidden[element]

    @cached_property
    def text(self) -> str:
        """The visible text of the whole body."""
        return self.words(self.body)

    def words(self, element: etree._Element) -> str:
        """Return the visible text of an element, white space collapsed."""
        return " ".join("".join(self._texts(element)).split())

    def _texts(self, element: etree._Element) -> Iterator[str]:
        if not isinstance(element.tag, str) or not self.is_visible(element):
            return
        edge = " " if element.tag in BLOCKS or element.tag == "br" else ""
        yield edge + (element.text or "")
        for child in element:
            yield from self._texts(child)
            yield child.tail or ""
        yield edge

    def name(self, element: etree._Element) -> str:
        """Return the accessible name: aria-label, or text together with the alt of images."""
        if label := (element.get("aria-label") or "").strip():
            return label
        alts = [(image.get("alt") or "").strip() for image in element.iter("img") if self.is_visible(image)]
        return " ".join(part for part in (self.words(element), *alts) if part)
