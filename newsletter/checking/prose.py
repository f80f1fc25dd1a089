"""The words an editor wrote, with markup blanked out in place, so that every match knows its line."""

from __future__ import annotations

import bisect
import enum
import itertools
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from newsletter.checking import rulebook
from newsletter.domain import issues

#: Stands where markup stood: neither a letter nor white space, and nothing that anybody types.
FILL = "\ue000"

_FENCE = re.compile(r"^[ \t]*(`{3,}+|~{3,}+)[^\n]*\n.*?(?:^[ \t]*\1[^\n]*$|\Z)", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(?<!`)(`+)(?!`)[^\n]+?(?<!`)\1(?!`)")
_MARKUP = re.compile(
    r"(?P<field>\{\{[^{}\n]*\}\}|\{%[^{%\n]*%\})"
    r"|(?P<reference>^\[(?!\^)[^\]\n]+\]:[ \t]*\S+[^\n]*$)"
    r"|(?P<target>\]\((?:[^()\n]|\([^()\n]*\))*\)|\]\[[^\]\n]*\])"
    r"|(?P<url><?(?:https?://|mailto:|www\.)[^\s<>)\]]+>?)"
    r"|(?P<mark>!?\[|\]|(?<!\w)[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}(?!\w)|\*{1,3}|~~)",
    re.MULTILINE,
)
_LINK = re.compile(
    r"(?P<image>!?)\[(?P<text>(?:[^\[\]\n]|\n(?![ \t]*\n)|!?\[[^\[\]\n]*\](?:\([^()\n]*\))?+)*+)\]"
    r"\((?P<url><[^>\n]*>|(?:[^()\s]|\([^()\s]*\))*)(?:\s+(?:\"[^\"\n]*\"|'[^'\n]*'))?\s*\)"
    r"|<(?P<auto>(?:https?://|mailto:)[^\s<>]+)>"
    r"|^\[(?P<name>(?!\^)[^\]\n]+)\]:[ \t]*(?P<ref>\S+)",
    re.MULTILINE,
)


#: Lines and columns that may lie between two words of a text in the front matter.
_GAP_LINES, _GAP = 4, 200
#: Brackets that never close are looked for to the end of the text, each.
_MOST_BRACKETS = 5_000


class Part(enum.StrEnum):
    """Where in an issue a passage stands."""

    HEADLINE = "headline"
    BODY = "body"
    INTRO = "intro"
    CLOSING = "closing"
    #: A value of the front matter.
    FRONT = "front"


@dataclass(frozen=True)
class Passage:
    """A piece of text with its place in the issue file."""

    part: Part
    text: str
    #: 1-based line and column of its first character.
    line: int
    column: int = 1
    entry: str = ""
    #: Columns by which its further lines are indented in the file.
    indent: int = 0
    #: The front-matter key.
    key: str = ""
    #: Offset, line and column of each word, where YAML wraps or quotes the text otherwise than it reads.
    spots: tuple[tuple[int, int, int], ...] = ()

    @cached_property
    def uncoded(self) -> str:
        """The text at the same length, code blanked out."""
        return _CODE.sub(_blank, _FENCE.sub(_blank, self.text))

    @cached_property
    def words(self) -> str:
        """The text at the same length, code, links' targets and markup blanked out."""
        return _MARKUP.sub(_blank, self.uncoded)

    @cached_property
    def plain(self) -> str:
        """The words without the blanks."""
        return re.sub(FILL + "+", "", self.words)

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a 1-based line and column of the text."""
        return sum(len(row) + 1 for row in self.text.split("\n")[: line - 1]) + column - 1

    def place(self, start: int, end: int | None = None) -> rulebook.Place:
        """Return where in the issue file a stretch of the text lies."""
        if self.spots:
            return self._spot(start, len(self.text) if end is None else end)
        before = self.text[:start]
        row = before.count("\n")
        column = start - (before.rfind("\n") + 1) + (self.column if row == 0 else 1 + self.indent)
        length = len(self.text[start : start if end is None else end].partition("\n")[0])
        return rulebook.Place(line=self.line + row, column=column, length=length, entry=self.entry)

    def _spot(self, start: int, end: int) -> rulebook.Place:
        at = max(bisect.bisect_right(self.spots, (start, sys.maxsize, 0)) - 1, 0)
        offset, line, column = self.spots[at]
        last = max(bisect.bisect_left(self.spots, (end,)) - 1, at)
        while self.spots[last][1] != line:
            last -= 1
        further, _, there = self.spots[last]
        column += max(start - offset, 0)
        word = len(self.text[further:end].split(maxsplit=1)[0]) if further < end else 0
        return rulebook.Place(
            line=line, column=column, length=max(there + word - column, 1), entry=self.entry
        )

    def find(self, pattern: re.Pattern[str]) -> Iterator[tuple[re.Match[str], rulebook.Place]]:
        """Yield each match among the words with its place."""
        for match in pattern.finditer(self.words):
            yield match, self.place(*match.span())

    def paragraphs(self) -> Iterator[tuple[int, str]]:
        """Yield each paragraph of the words with its offset."""
        for match in re.finditer(r"(?:[^\n]|\n(?![ \t]*\n))+", self.words):
            if match[0].strip():
                yield match.start(), match[0]


@dataclass(frozen=True)
class Link:
    """A link or picture in Markdown."""

    url: str
    text: str
    place: rulebook.Place
    part: Part
    is_image: bool = False

    @property
    def is_placeholder(self) -> bool:
        """Whether the address is still to be filled in."""
        return self.url.strip("<> ").lower() in {"", "#", "url", "link", "tk", "todo", "http://", "https://"}

    @property
    def is_web(self) -> bool:
        """Whether it leads to a web page."""
        try:
            return urlsplit(self.url.lower()).scheme in {"http", "https"} and "://" in self.url
        except ValueError:  # “https://[bad/”
            return False


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", FILL, match[0])


def passages(issue: issues.Issue, lines: Sequence[str]) -> tuple[Passage, ...]:
    """Return everything an issue says to its readers, in reading order."""
    found = list(_front(issue, lines))
    if issue.intro:
        first = issue.lines.get("intro", issue.intro_line)
        found.append(_block(Part.INTRO, issue.intro, issue.intro_line, lines, first))
    for entry in issue.entries:
        column = _column(lines, entry.line, entry.headline)
        found.append(Passage(Part.HEADLINE, entry.headline, entry.line, column, entry.id))
        if entry.body:
            found.append(Passage(Part.BODY, entry.body, entry.body_line, 1, entry.id))
    if issue.closing:
        first = issue.lines.get("closing", issue.closing_line)
        found.append(_block(Part.CLOSING, issue.closing, issue.closing_line, lines, first))
    return tuple(found)


def _block(part: Part, text: str, line: int, lines: Sequence[str], first: int) -> Passage:
    """Return a passage that may stand indented in the front matter, whose key is on line ``first``."""
    if spots := _spots(text, line, lines, first):
        return Passage(part, text, line, spots[0][2], spots=spots)
    column = _column(lines, line, text)
    row = lines[line - 1] if 0 < line <= len(lines) else ""
    indent = column - 1 if not row[: column - 1].strip() else 0
    return Passage(part, text, line, column, "", indent)


def _front(issue: issues.Issue, lines: Sequence[str]) -> Iterator[Passage]:
    hero = issue.hero
    values = {
        "title": issue.title,
        "subject": issue.subject,
        "preheader": issue.preheader,
        **({"alt": hero.alt, "caption": hero.caption, "credit": hero.credit} if hero else {}),
    }
    for key, value in values.items():
        line = issue.lines.get(key, 0) or _line_of_key(lines, key)
        if value and line:
            column, spots = _column(lines, line, value), _spots(value, line, lines, line)
            yield Passage(Part.FRONT, value, line, column, key=key, spots=spots)


def _spots(text: str, line: int, lines: Sequence[str], first: int) -> tuple[tuple[int, int, int], ...]:
    """Return where the words of a text stand from a line on; nothing where its rows stand as they are."""
    rows = text.split("\n")
    shown = itertools.chain(lines[line - 1 : line - 1 + len(rows)], itertools.repeat(""))
    if not line or all(row.strip() in there for row, there in zip(rows, shown, strict=False)):
        return ()
    found: list[tuple[int, int, int]] = []
    row, column = first - 1, lines[first - 1].find(":") + 1
    for word in re.finditer(r"\S+", text):
        for at in range(row, min(row + _GAP_LINES, len(lines))):
            begin = column if at == row else 0
            # A word that YAML spells otherwise is passed over.
            if (start := lines[at].find(word[0], begin, begin + _GAP + len(word[0]))) >= 0:
                row, column = at, start + len(word[0])
                found.append((word.start(), at + 1, start + 1))
                break
    return tuple(found)


def _line_of_key(lines: Sequence[str], key: str) -> int:
    """Find a nested front-matter key, which `Issue.lines` may not list."""
    for number, line in enumerate(lines[1:], start=2):
        if line.startswith("---"):
            return 0
        if re.match(rf"\s*{re.escape(key)}\s*:", line):
            return number
    return 0


def _column(lines: Sequence[str], line: int, text: str) -> int:
    row = lines[line - 1] if 0 < line <= len(lines) else ""
    return max(row.find(text.partition("\n")[0]), 0) + 1


def links(found: Sequence[Passage]) -> Iterator[Link]:
    """Yield every link and picture of the passages, nested ones first."""
    for passage in found:
        if passage.part in {Part.HEADLINE, Part.FRONT}:
            continue
        yield from _links(passage, passage.uncoded, 0)


def _links(passage: Passage, text: str, offset: int) -> Iterator[Link]:
    if text.count("[") > _MOST_BRACKETS:
        return  # no letter, and refused when it is rendered
    for match in _LINK.finditer(text):
        start, end = match.span()
        place = passage.place(offset + start, offset + end)
        url = match["auto"] or match["ref"] or (match["url"] or "").strip("<>")
        words = " ".join((match["text"] or match["name"] or url).split())
        if match["text"]:
            yield from _links(passage, match["text"], offset + match.start("text"))
        yield Link(url, words, place, passage.part, is_image=bool(match["image"]))
