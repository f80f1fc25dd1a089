"""Markdown read line by line: where code is, where a link leads, and which words an editor left behind.

Everything here keeps line numbers, which a Markdown parser only has per paragraph.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^`]*)$")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_HEADING = re.compile(r" {0,3}##(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_INLINE_LINK = re.compile(
    r"(!?)\[((?:[^\[\]\\]|\\.|\[[^\[\]]*\])*)\]\(\s*(?:<([^>\n]*)>|((?:[^()\s]|\([^()\s]*\))*))"
)
_AUTOLINK = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^>\s]*)>")
_REFERENCE = re.compile(r" {0,3}\[([^\]^][^\]]*)\]:\s*<?([^\s>]+)")
_BARE_URL = re.compile(r"(?:https?|ftp)://[^\s<>)\]]+|www\.[^\s<>)\]]+")
_UNFINISHED = re.compile(r"(?<![\w-])(?:TK(?:TK)*|TODO|FIXME)(?![\w-])")
#: Schemes that run code or read the reader's machine.
_UNSAFE = ("javascript:", "vbscript:", "data:", "file:")


class Link(NamedTuple):
    """A link or an image of one line."""

    line: int
    text: str
    url: str
    is_image: bool


def without_code(lines: Sequence[str]) -> list[str]:
    """Return the lines with code blanked out, so that nothing in it is taken for prose or headings."""
    result: list[str] = []
    fence = ""
    for line in lines:
        match = _FENCE.match(line)
        if fence:
            closing = line.strip()
            if match and closing[0] == fence[0] and len(closing) >= len(fence) and not match[2].strip():
                fence = ""
            result.append("")
        elif match:
            fence = match[1]
            result.append("")
        else:
            result.append(_CODE_SPAN.sub(_blank, line))
    return result


def heading(line: str) -> str | None:
    """Return the text of a ``##`` heading, or None for any other line."""
    match = _HEADING.match(line)
    return None if match is None else (match[1] or "").strip()


def links(lines: Sequence[str], first: int) -> Iterator[Link]:
    """Yield the links and images of lines without code; ``first`` is the number of the first line."""
    for number, line in enumerate(lines, first):
        for match in _INLINE_LINK.finditer(line):
            yield Link(number, match[2], match[3] or match[4] or "", bool(match[1]))
        for match in _AUTOLINK.finditer(line):
            yield Link(number, match[1], match[1], is_image=False)
        if reference := _REFERENCE.match(line):
            yield Link(number, reference[1], reference[2], is_image=False)


def is_unsafe(url: str) -> bool:
    """Whether a link would run code instead of leading somewhere, however it is disguised."""
    bare = re.sub(r"[\x00-\x20\x7f-\x9f]", "", html.unescape(url)).lower()
    return bare.startswith(_UNSAFE)


def unfinished(lines: Sequence[str], first: int) -> Iterator[tuple[int, str]]:
    """Yield line and word of each TK, TODO or FIXME that is neither in code nor in an address."""
    for number, line in enumerate(lines, first):
        prose = _BARE_URL.sub(_blank, _INLINE_LINK.sub(_keep_text, _AUTOLINK.sub(_blank, line)))
        if _REFERENCE.match(prose):
            continue
        for match in _UNFINISHED.finditer(prose):
            yield number, match[0]


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _keep_text(match: re.Match[str]) -> str:
    return f"{match[1]}[{match[2]}]("
