"""What a reader gets to see of an issue, line by line, and how two versions of it differ word by word."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from newsletter.domain import messages

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_BLOCKS = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "td", "th", "tr", "table", "div", "blockquote"}
)
_BLOCKS |= {"ul", "ol", "br", "hr", "section", "article", "figure", "figcaption", "pre"}
_HIDDEN = frozenset({"head", "style", "script", "title", "noscript"})
_BREAK = "\0"
_WORDS = re.compile(r"\S+|\s+")


class Change(NamedTuple):
    """A stretch of words that both versions have (`` ``), only the old (``-``) or only the new (``+``)."""

    sign: str
    text: str


def lines(templates: Mapping[str, messages.MessageTemplate]) -> list[str]:
    """Return what readers see in each language: subject, preheader, then the text with every link."""
    found = []
    for language, template in templates.items():
        rendered = template.rendered
        if len(templates) > 1:
            found.append(f"Language: {language}")
        found += [f"From: {template.from_name} <{template.from_email}>", f"Subject: {rendered.subject}"]
        found += [f"Preheader: {rendered.preheader}", *_body(_joined(rendered.html))]
    return found


def compare(old: Sequence[str], new: Sequence[str]) -> list[list[Change]]:
    """Return the lines that differ, each as stretches of words; equal lines are left out."""
    found: list[list[Change]] = []
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            continue
        before, after = list(old[a:b]), list(new[c:d])
        for i in range(max(len(before), len(after))):
            left = before[i] if i < len(before) else ""
            right = after[i] if i < len(after) else ""
            found.append(list(_words(left, right)))
    return found


def _words(old: str, new: str) -> Iterator[Change]:
    left, right = _WORDS.findall(old), _WORDS.findall(new)
    for kind, a, b, c, d in difflib.SequenceMatcher(a=left, b=right, autojunk=False).get_opcodes():
        if kind == "equal":
            yield Change(" ", "".join(left[a:b]))
            continue
        if a < b:
            yield Change("-", "".join(left[a:b]))
        if c < d:
            yield Change("+", "".join(right[c:d]))


def _joined(pieces: messages.Pieces) -> str:
    return "".join(piece if isinstance(piece, str) else f"&lt;{piece.name}&gt;" for piece in pieces)


def _body(html: str) -> list[str]:
    import lxml.html

    text = "".join(_walk(lxml.html.document_fromstring(html)))
    found = (" ".join(line.split()) for line in text.split(_BREAK))
    # The preheader is padded with invisible characters, and stands above already.
    return [line for line in found if line.strip("\u200b\u200c\u200d\u2007\u034f\u00ad\ufeff ")]


def _walk(element: HtmlElement) -> Iterator[str]:
    tag = element.tag
    if not isinstance(tag, str) or tag in _HIDDEN or "display:none" in _style(element):
        return
    is_block = tag in _BLOCKS
    if is_block:
        yield _BREAK
    if tag == "img" and (element.get("alt") or element.get("src")):
        yield f"[image: {element.get('alt') or ''} ‹{element.get('src') or ''}›] "
    yield element.text or ""
    for child in element:
        yield from _walk(child)
        yield child.tail or ""
    if tag == "a" and element.get("href"):
        yield f" ‹{element.get('href')}›"
    if is_block:
        yield _BREAK


def _style(element: HtmlElement) -> str:
    return (element.get("style") or "").replace(" ", "")
