"""From what a reader sees back to the line that an editor wrote."""

from __future__ import annotations

import bisect
import html
import re
from collections.abc import Sequence
from functools import cached_property
from urllib.parse import unquote

from newsletter.checking import rulebook
from newsletter.domain import issues

#: What Markdown and its typographer change between the file and the page.
_FOLDED = {
    **dict.fromkeys("“”„«»", '"'),
    **dict.fromkeys("‘’‚`", "'"),
    **dict.fromkeys("–—―‐‑", "-"),
    **dict.fromkeys("*_~[]\\#>|", ""),
    "…": "...",
}
_TABLE = str.maketrans(_FOLDED)
_TARGET = re.compile(r"\]\((?:[^()\n]|\([^()\n]*\))*\)")
#: Behind a whole address, its closing slash aside, and not behind the beginning of a longer one.
_END = r"(?!/?[^\s()<>\[\]\"'/,;]|,\S)"
_CAP = 400_000


def fold(text: str) -> str:
    """Return a text as it compares: no markup, plain quotes and dashes, single blanks, lower case."""
    return re.sub("-+", "-", " ".join(text.translate(_TABLE).split())).lower()


class Places:
    """Finds texts and addresses in an issue file."""

    def __init__(self, issue: issues.Issue, lines: Sequence[str]) -> None:
        self._lines = lines
        self._starts = [entry.line for entry in issue.entries]
        self._ids = [entry.id for entry in issue.entries]

    def entry_at(self, line: int) -> str:
        """Return the id of the entry that a line belongs to."""
        index = bisect.bisect_right(self._starts, line) - 1
        return self._ids[index] if index >= 0 else ""

    def href(self, url: str, line: int = 0, entry: str = "") -> rulebook.Place:
        """Return where an address stands; the line given, or the issue as a whole, when it does not."""
        wanted = html.unescape(url).rstrip("/")
        rows = range(line, line + 1) if line else range(1, len(self._lines) + 1)
        # Markdown writes what is not ASCII by percent signs.
        part = re.compile("|".join(map(re.escape, {wanted: 0, unquote(wanted): 0})))
        for pattern in (re.compile(f"(?:{part.pattern}){_END}"), part) if wanted else ():
            for number in rows:
                found = pattern.search(self._lines[number - 1]) if number <= len(self._lines) else None
                if found and (not entry or self.entry_at(number) == entry):
                    return self.at(number, found.start() + 1, len(found[0]))
        return self.at(line, 1, 0) if line else rulebook.Place(entry=entry)

    def text(self, words: str, entry: str = "") -> rulebook.Place:
        """Return where the beginning of a text stands, or the issue as a whole."""
        needle = fold(words)[:60].strip()
        if len(needle) < 2:
            return rulebook.Place(entry=entry)
        start = 0
        while (start := self._folded.find(needle, start)) >= 0:
            line, column = self._positions[start]
            if not entry or self.entry_at(line) == entry:
                end_line, end_column = self._positions[start + len(needle) - 1]
                return self.at(line, column, end_column - column + 1 if end_line == line else 0)
            start += 1
        return rulebook.Place(entry=entry)

    def at(self, line: int, column: int, length: int) -> rulebook.Place:
        """Return a place, with the entry that it lies in."""
        return rulebook.Place(line=line, column=column, length=length, entry=self.entry_at(line))

    @property
    def _folded(self) -> str:
        return self._index[0]

    @property
    def _positions(self) -> list[tuple[int, int]]:
        return self._index[1]

    @cached_property
    def _index(self) -> tuple[str, list[tuple[int, int]]]:
        """The whole file folded, and for each character of it its line and column."""
        out: list[str] = []
        positions: list[tuple[int, int]] = []
        for number, line in enumerate(self._lines, start=1):
            blanked = _TARGET.sub(lambda match: "\0" * len(match[0]), line)
            for column, char in enumerate(blanked + " ", start=1):
                for piece in _pieces(char, out):
                    out.append(piece)
                    positions.append((number, column))
            if len(out) > _CAP:
                break
        return "".join(out), positions


def _pieces(char: str, out: list[str]) -> str:
    """Fold one character, given what went before."""
    if char == "\0":
        return ""
    if char.isspace():
        return " " if out and out[-1] != " " else ""
    piece = _FOLDED.get(char, char).lower()
    return "" if piece == "-" and out and out[-1] == "-" else piece
