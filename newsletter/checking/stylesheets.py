"""Limits: styles that make a mail program drop more than the style itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import tinycss2
from tinycss2 import ast

from newsletter.checking import reading, rulebook, stylebook
from newsletter.domain import findings

Hits = Iterable[rulebook.Hit]
rule = rulebook.family("limits")

_STYLE_MOST, _STYLE_WARNED = 16_384, 12_000
#: A page's template is at fault, not a line of the issue.
_TEMPLATE = "mend the template"
_URL = re.compile(r"url\(", re.IGNORECASE)
_BARE_URL = re.compile(r"url\(\s*[^'\"\s)]", re.IGNORECASE)
_IMPORTANT = re.compile(r"\S?!\s*important", re.IGNORECASE)
_HEX3 = re.compile(r"#[0-9a-fA-F]{3}")


def _declarations(page: reading.Reading) -> Iterator[tuple[str, str]]:
    """Yield the element name and style attribute of every element that has one, equal ones once."""
    seen: set[tuple[str, str]] = set()
    for element in page.html.elements:
        style = element.get("style")
        if style and (pair := (str(element.tag), style)) not in seen:
            seen.add(pair)
            yield pair


@rule("style-total", findings.Severity.ERROR, source="github.com/hteumeuleu/caniemail #144; email-bugs #90")
def style_total(page: reading.Reading) -> Hits:
    """Gmail reads 16,384 bytes of styles in all; the block that goes past them is dropped whole."""
    total = sum(len(block.encode()) for block in page.html.style_blocks)
    if total > _STYLE_WARNED:
        over = total > _STYLE_MOST
        yield rulebook.Hit(
            message=f"the styles take {total:,} bytes; Gmail reads {_STYLE_MOST:,}",
            fix=_TEMPLATE,
            severity=None if over else findings.Severity.WARNING,
        )


@rule("style-nested-at", findings.Severity.ERROR, source="github.com/hteumeuleu/email-bugs #21")
def style_nested_at(page: reading.Reading) -> Hits:
    """Gmail drops a whole style block that holds an at-rule inside an at-rule."""
    for block in page.html.style_blocks:
        for node in stylebook.parsed(block):
            if isinstance(node, ast.AtRule) and _holds_at_rule(node):
                yield rulebook.Hit(message=f"an at-rule stands inside @{node.at_keyword}", fix=_TEMPLATE)


def _holds_at_rule(node: ast.AtRule) -> bool:
    return any(token.type == "at-keyword" for token in node.content or ())


@rule("style-parse", findings.Severity.ERROR, source="github.com/hteumeuleu/email-bugs #21")
def style_parse(page: reading.Reading) -> Hits:
    """Gmail drops a whole style block for one error of syntax in it."""
    for block in page.html.style_blocks:
        for node in _parsed(block):
            if isinstance(node, ast.ParseError):
                yield rulebook.Hit(message=f"a style cannot be read: {node.message}", fix=_TEMPLATE)


def _parsed(block: str) -> Iterator[ast.Node]:
    for node in stylebook.parsed(block):
        yield node
        if isinstance(node, ast.QualifiedRule):
            yield from tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True)


@rule("style-url", findings.Severity.WARNING, source="caniemail css-background-image, note 6")
def style_url(page: reading.Reading) -> Hits:
    """Programs that know no background pictures drop the rule that holds url(), and a remote one is a
    request per open."""
    texts = [*page.html.style_blocks, *(style for _, style in _declarations(page))]
    if any(_URL.search(text) for text in texts):
        yield rulebook.Hit(message="a style loads a file by url()", fix="use an <img> with alt text")


@rule("style-comment", findings.Severity.ERROR, source="caniemail css-comments")
def style_comment(page: reading.Reading) -> Hits:
    """A comment inside a style attribute makes some programs drop the whole attribute."""
    for tag, style in _declarations(page):
        if "/*" in style:
            yield rulebook.Hit(message=f"the style of a <{tag}> holds a comment", fix=_TEMPLATE)


@rule("important-space", findings.Severity.WARNING, source="caniemail css-important")
def important_space(page: reading.Reading) -> Hits:
    """Orange, GMX and WEB.DE drop a declaration whose !important has no space before it or is in capitals."""
    for text in [*page.html.style_blocks, *(style for _, style in _declarations(page))]:
        if any(written != "!important" for written in _IMPORTANT.findall(text)):
            yield rulebook.Hit(
                message="write “ !important” with a space before it, in small letters", fix=_TEMPLATE
            )


@rule("bg-url-quotes", findings.Severity.ERROR, source="github.com/hteumeuleu/email-bugs #79")
def bg_url_quotes(page: reading.Reading) -> Hits:
    """Yahoo and AOL drop a background whose url() has no quotes."""
    for tag, style in _declarations(page):
        if _BARE_URL.search(style):
            yield rulebook.Hit(
                message=f"url() without quotes in the style of a <{tag}>", fix="write url('…')"
            )


@rule("hex3", findings.Severity.WARNING, source="measured against npm mjml; Lotus Notes and old Outlook")
def hex3(page: reading.Reading) -> Hits:
    """Some programs read a bgcolor of three digits as another colour than six."""
    values = {element.get("bgcolor", "") for element in page.html.elements}
    for value in sorted(value for value in values if _HEX3.fullmatch(value)):
        yield rulebook.Hit(message=f'bgcolor="{value}" has three digits', fix="write all six")


@rule("fractional-width", findings.Severity.WARNING, source="Outlook for Windows reads whole pixels only")
def fractional_width(page: reading.Reading) -> Hits:
    """Outlook takes the digits before the point of a width, or none at all, and the columns no longer add
    up."""
    values = {element.get("width", "") for element in page.html.elements}
    for value in sorted(value for value in values if re.fullmatch(r"\d+\.\d+(?:px)?", value)):
        yield rulebook.Hit(message=f'width="{value}" is not whole', fix=_TEMPLATE)


@rule(
    "content-width", findings.Severity.WARNING, source="caniemail css-max-width; practice: 600 to 640 pixels"
)
def content_width(page: reading.Reading) -> Hits:
    """Reading panes are about 640 pixels wide; what is wider is cut, or shrunk until nobody can read it."""
    widest = max((_pixels(e.get("width", "")) for e in page.html.all("table", "td", "img")), default=0)
    if widest > 640:
        yield rulebook.Hit(message=f"an element is {widest} pixels wide; 640 fit everywhere", fix=_TEMPLATE)


def _pixels(value: str) -> int:
    match = re.fullmatch(r"(\d+)(?:px)?", value)
    return int(match[1]) if match else 0


@rule("remote-css", findings.Severity.ERROR, source="practice: a request per open; Gmail drops the block")
def remote_css(page: reading.Reading) -> Hits:
    """A style sheet or font from elsewhere is a request that tells a third party who opened the mail, and
    when."""
    linked = any("stylesheet" in (element.get("rel") or "").lower() for element in page.html.all("link"))
    if linked or any("@import" in block.lower() for block in page.html.style_blocks):
        yield rulebook.Hit(
            message="a style sheet is loaded from elsewhere", fix="put the styles into the template"
        )
