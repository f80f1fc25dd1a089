"""HTML as Markdown: what an issue may hold, and nothing of the layout around it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_HIDDEN = frozenset(
    {"head", "style", "script", "title", "noscript", "template", "iframe", "form", "button", "nav"}
)
_HIDDEN |= {"svg", "footer", "input", "select", "object"}
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*"}
_BLOCKS = frozenset(
    {"p", "div", "section", "article", "main", "table", "tr", "td", "th", "figure", "figcaption"}
)
_BLOCKS |= {"ul", "ol", "header", "center", "body", "html", "tbody", "thead", "dl", "dt", "dd", "address"}
_SPACE = re.compile(r"[\s\u200b\u200c\u034f\ufeff\u00ad]+")
_SPECIAL = re.compile(r"([\\`*_\[\]<])")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")


def convert(html: str) -> str:
    """Return a page or mail as Markdown; of a page only its article, where it says which part that is."""
    import lxml.etree
    import lxml.html

    if not html.strip():
        return ""
    try:
        whole = lxml.html.document_fromstring(html)
    except (lxml.etree.LxmlError, ValueError):
        return ""
    for name in ("article", "main"):
        found = whole.findall(f".//{name}")
        if len(found) == 1:
            whole = found[0]
            break
    text = "".join(_walk(whole, ""))
    return _BLANK_LINES.sub("\n\n", "\n".join(_tidied(text.split("\n")))).strip()


def _tidied(lines: list[str]) -> Iterator[str]:
    is_code = False
    for line in lines:
        is_code ^= line.lstrip().startswith("```")
        # Two spaces at the end of a line break it; between words they are one.
        plain = line if is_code else re.sub(r"(?<=\S) {2,}(?=\S)", " ", line)
        yield plain if plain.endswith("  ") and plain.strip() else plain.rstrip()


def title(html: str) -> str:
    """Return the title of a page."""
    match = re.search(r"<title[^>]*>(.*?)</title>", html, re.IGNORECASE | re.DOTALL)
    if match is None:
        return ""
    import html as entities

    return " ".join(entities.unescape(match[1]).split())


def _walk(element: HtmlElement, indent: str) -> Iterator[str]:
    tag = element.tag
    if not isinstance(tag, str) or tag in _HIDDEN or _is_hidden(element):
        return
    if tag in _HEADINGS:
        words = " ".join("".join(_inside(element, indent)).replace("**", "").split())
        yield f"\n\n{_HEADINGS[tag]} {words}\n\n" if words else ""
    elif tag == "pre":
        yield f"\n\n```\n{element.text_content().strip()}\n```\n\n"
    elif tag == "blockquote":
        quoted = "".join(_inside(element, "")).strip()
        yield (
            "\n\n"
            + "\n".join(f"> {line}".rstrip() for line in _BLANK_LINES.sub("\n\n", quoted).split("\n"))
            + "\n\n"
        )
    elif tag == "li":
        bullet = _bullet(element)
        words = "".join(_inside(element, indent + " " * (len(bullet) + 1))).strip()
        yield f"\n{indent}{bullet} {_BLANK_LINES.sub(chr(10), words)}"
    elif tag in {"ul", "ol"}:
        yield ("" if indent else "\n\n") + "".join(_inside(element, indent)) + ("" if indent else "\n\n")
    elif tag in _BLOCKS:
        yield f"\n\n{''.join(_inside(element, indent))}\n\n"
    else:
        yield _inline(element, tag, indent)


def _inline(element: HtmlElement, tag: str, indent: str) -> str:
    if tag in {"br", "hr"}:
        return "  \n" + indent if tag == "br" else "\n\n* * *\n\n"
    if tag == "img":
        return _image(element)
    if tag == "code":
        return f"`{element.text_content()}`" if element.text_content() else ""
    words = "".join(_inside(element, indent))
    if tag == "a":
        return _link(element, words)
    return _marked(words, _MARKS[tag]) if tag in _MARKS else words


def _marked(words: str, mark: str) -> str:
    """Put marks at the words, and leave the spaces outside them."""
    inner = words.strip()
    if not inner or "\n\n" in inner:
        return words
    start, end = words[: len(words) - len(words.lstrip())], words[len(words.rstrip()) :]
    return f"{start}{mark}{inner}{mark}{end}"


def _inside(element: HtmlElement, indent: str) -> Iterator[str]:
    yield _words(element.text)
    for child in element:
        yield from _walk(child, indent)
        yield _words(child.tail)


def _words(text: str | None) -> str:
    return _SPECIAL.sub(r"\\\1", _SPACE.sub(" ", text)) if text else ""


def _link(element: HtmlElement, words: str) -> str:
    url = (element.get("href") or "").strip().replace(" ", "%20").replace("(", "%28").replace(")", "%29")
    if not words.strip():
        return ""
    if not url or "\n\n" in words.strip():
        return words
    start, end = words[: len(words) - len(words.lstrip())], words[len(words.rstrip()) :]
    return f"{start}[{' '.join(words.split())}]({url}){end}"


def _image(element: HtmlElement) -> str:
    src = (element.get("src") or "").strip()
    # A picture of one pixel counts who opens a mail.
    if not src or element.get("width") in {"0", "1"} or element.get("height") in {"0", "1"}:
        return ""
    alt = _SPECIAL.sub("", " ".join((element.get("alt") or "").split()))
    return f"![{alt}]({src.replace(' ', '%20').replace('(', '%28').replace(')', '%29')})"


def _bullet(element: HtmlElement) -> str:
    parent = element.getparent()
    if parent is None or parent.tag != "ol":
        return "-"
    return f"{[one for one in parent if one.tag == 'li'].index(element) + 1}."


def _is_hidden(element: HtmlElement) -> bool:
    style = (element.get("style") or "").replace(" ", "").lower()
    return "display:none" in style or "visibility:hidden" in style or element.get("hidden") is not None
