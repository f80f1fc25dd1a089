"""Columns: how wide text is in a terminal or a plain mail, and where its lines may be broken."""

from __future__ import annotations

import functools
import re
import unicodedata

#: What mail has been wrapped at since terminals had 80 columns and answers a “> ”.
WIDTH = 72
#: Kinsoku: what no line may begin with, and what none may end with.
_NEVER_FIRST = "、。，．・：；？！）」』】〕〉》］｝ー々ゝゞっゃゅょッャュョぁぃぅぇぉァィゥェォ％%"
_NEVER_LAST = "（「『【〔〈《［｛"
#: Outside of these, every character takes one column.
_UNEVEN = re.compile(
    "[^\0-\u00ac\u00ae-\u02ff\u0391-\u03a1\u03a3-\u0482\u2010-\u2027\u2030-\u205e\u20ac\u2190-\u21ff]"
)
#: No character below is wide.
_WIDE = re.compile("[\u1100-\u1fff\u2070-\U0010ffff]")
_CLINGING = "\u200d\ufe0e\ufe0f"


def width(text: str) -> int:
    """Return how many columns a text takes; wide East Asian characters and emoji take two."""
    if _is_even(text):
        return len(text)
    columns, joined = 0, False
    for character in text:
        columns += 0 if joined else _columns(character)
        joined = character == "\u200d"
    return columns


def wrap(text: str, *, columns: int = WIDTH, first: str = "", rest: str = "") -> str:
    """Break text into lines; words wider than a line, such as addresses, stay whole.

    Args:
        text: one paragraph; a line end in it is a forced one.
        columns: the widest line.
        first: stands before the first line.
        rest: stands before every other line.
    """
    fill = _fill if _is_even(text) else _fill_unevenly
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += fill(paragraph, rest if lines else first, rest, columns)
    return "\n".join(lines)


def ruled(text: str, mark: str, *, columns: int = WIDTH) -> str:
    """Return a heading with a line of marks under it, as long as its longest line."""
    lines = wrap(text, columns=columns)
    return f"{lines}\n{mark * max(map(width, lines.split(chr(10))))}"


def tidy(text: str) -> str:
    """Drop blanks at line ends and empty lines beyond one; end with one line end."""
    if " \n" in text or ("\t" in text and "\t\n" in text) or text.endswith((" ", "\t")):
        text = "\n".join([line.rstrip(" \t") for line in text.split("\n")])
    blocks = [block.strip("\n") for block in text.split("\n\n")]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _is_even(text: str) -> bool:
    """Say whether every character of a text takes one column."""
    return text.isascii() or not _UNEVEN.search(text)


def _fill(paragraph: str, prefix: str, rest: str, columns: int) -> list[str]:
    """Break a paragraph whose characters all take one column."""
    text = paragraph
    if "  " in f" {text} " or "\t" in text:
        text = " ".join(filter(None, text.replace("\t", " ").split(" ")))
    lines: list[str] = []
    start, room, after = 0, max(1, columns - width(prefix)), max(1, columns - width(rest))
    while len(text) - start > room:
        end = text.rfind(" ", start, start + room + 1)
        if end < 0:
            end = text.find(" ", start + room)
        if end < 0:
            break
        lines.append(prefix + text[start:end])
        prefix, start, room = rest, end + 1, after
    lines.append((prefix + text[start:]).rstrip())
    return lines


def _fill_unevenly(paragraph: str, prefix: str, rest: str, columns: int) -> list[str]:
    lines: list[str] = []
    line, used, room = [prefix], 0, columns - width(prefix)
    for blank, word in _words(paragraph):
        takes = len(word) if word.isascii() else width(word)
        if used and used + len(blank) + takes > room:
            lines.append("".join(line))
            line, used, room = [rest], 0, columns - width(rest)
        elif used:
            line.append(blank)
            used += len(blank)
        line.append(word)
        used += takes
    lines.append("".join(line).rstrip())
    return lines


def _words(paragraph: str) -> list[tuple[str, str]]:
    """Split into (blank before it, word); wide characters are words of their own, save at kinsoku."""
    chunks = [chunk for chunk in paragraph.replace("\t", " ").split(" ") if chunk]
    if not _WIDE.search(paragraph):
        return [(" ", chunk) for chunk in chunks]
    words: list[tuple[str, str]] = []
    for chunk in chunks:
        blank = " "
        for piece in _pieces(chunk) if _WIDE.search(chunk) else [chunk]:
            words.append((blank, piece))
            blank = ""
    return words


def _pieces(chunk: str) -> list[str]:
    pieces: list[str] = []
    for character in chunk:
        if pieces and not _may_break(pieces[-1], character):
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def _may_break(before: str, character: str) -> bool:
    if before.endswith("\u200d") or _columns(character) == 0:
        return False
    if character in _NEVER_FIRST or before[-1] in _NEVER_LAST:
        return False
    return _columns(character) == 2 or _columns(before[-1]) == 2


@functools.lru_cache(maxsize=8192)
def _columns(character: str) -> int:
    """Return the columns of one character; what adds to the one before it takes none."""
    clings = (
        character in _CLINGING
        or unicodedata.category(character) in {"Mn", "Me", "Cf"}
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )
    if clings:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
