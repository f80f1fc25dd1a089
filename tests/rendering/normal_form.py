"""The normal form of a mail: two that differ in it differ for some reader, two that do not are one.

What MJML's two engines write differently and no mail program can tell is made one, and nothing else:

- white space between tags, and around the marks of CSS;
- the order of attributes, and of the words of a class;
- an empty ``class`` or ``style``, which is as good as none;
- a conditional comment that ends where one of the same condition begins, which MJML 4 joins;
- a plain style sheet that ends where another begins, which MJML 4 joins.

Declarations keep their order, in which a later one wins; text, comments for Outlook, links and
attributes are compared as they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_PIECE = re.compile(
    r"<!--\[if [^\]]*\]>(?:<!-->)?|(?:<!--)?<!\[endif\]-->|<!--.*?-->|<style[^>]*>.*?</style>|<[^>]*>|[^<]+"
)
_SHEET = re.compile(r"(<style[^>]*>)(.*)(</style>)")
_TAG = re.compile(r"<([a-zA-Z0-9:]+)(\s[^>]*?)?\s*/?>")
_ATTRIBUTE = re.compile(r'([\w:-]+)="([^"]*)"')
_JOINED = (
    re.compile(r"<!\[endif\]-->\n<!--\[if mso \| IE\]>\n"),
    re.compile(r'\n</style>\n<style type="text/css">(?=\n)'),
)


def of(html: str) -> list[str]:
    """Return tags, texts and style rules, each on a line of its own."""
    lines = "\n".join(_lines(html))
    for seam in _JOINED:
        lines = seam.sub("", lines)
    return lines.split("\n")


def _lines(html: str) -> Iterator[str]:
    for piece in map(str.strip, _PIECE.findall(re.sub(r"[ \t\r\n]+", " ", html))):
        if sheet := _SHEET.fullmatch(piece):
            yield _tag(sheet[1])
            yield from re.findall(r"[^{}]*[{}]|[^{}]+", _css(sheet[2]))
            yield sheet[3]
        elif piece:
            yield _tag(piece)


def _tag(piece: str) -> str:
    match = _TAG.fullmatch(piece)
    if match is None:
        return piece
    values = ((name, _value(name, value)) for name, value in sorted(_ATTRIBUTE.findall(match[2] or "")))
    kept = [f'{name}="{value}"' for name, value in values if value or name not in {"class", "style"}]
    return f"<{' '.join([match[1], *kept])}>"


def _value(name: str, value: str) -> str:
    if name == "class":
        return " ".join(sorted(value.split()))
    return _css(value) if name == "style" else value


def _css(text: str) -> str:
    return re.sub(r";(?=}|$)", "", re.sub(r"\s*([{}:;,])\s*", r"\1", text.strip()))
