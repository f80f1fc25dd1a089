"""Slots: ASCII words that stand where content goes while MJML and Markdown do their work.

The MJML renderer is written in Rust and mangles white space and characters beyond ASCII in
attributes; it sees these words only. Content is filled in afterwards, byte for byte. They are
written in capitals, so that headings in capitals keep them.
"""

from __future__ import annotations

import functools
import hashlib
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from newsletter.domain import fields, messages

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
#: The same in UTF-8, where looking for them takes a third of the time.
_C0 = bytes((*range(0x09), *range(0x0B, 0x20), 0x7F))
_C1 = re.compile(rb"\xc2[\x80-\x9f]")
#: What slots are named by wherever a text does not say it: one skeleton is then the same for many issues.
_WORD = "Q5D0E7C1AN"
#: Skeletons kept, and the longest of them: issues that have as much of everything share one.
_KEPT, _MAX_KEPT = 16, 500_000


@dataclass(frozen=True)
class Html:
    """HTML that is ready to be filled in as it stands."""

    code: str
    #: Id of the entry that it belongs to, for the size meter.
    entry: str = ""


class _Row(NamedTuple):
    """A row of a table: the bytes of what is written in it, and the numbers of its slots."""

    size: int
    numbers: tuple[str, ...]


class Skeleton:
    """A document cut at its slots."""

    def __init__(self, document: str, word: str) -> None:
        """Cut a document at the slots that begin with a word."""
        #: Text and the numbers of slots, in turns.
        self.pieces = re.split(rf"{word}(\d+)X", document)
        self.is_clean = _is_clean(document)
        self._rows: dict[str, _Row] = {}

    def row(self, number: str) -> _Row:
        """Return the row that a slot stands in first; an empty one where it stands in none."""
        if number not in self._rows:
            self._rows[number] = self._around(number)
        return self._rows[number]

    def _around(self, number: str) -> _Row:
        numbers, count = self.pieces[1::2], len(self.pieces)
        place = 2 * numbers.index(number) + 1 if number in numbers else count
        start = next((at for at in range(place - 1, -1, -2) if "<tr" in self.pieces[at]), count)
        end = next((at for at in range(place + 1, count, 2) if "</tr>" in self.pieces[at]), 0)
        if start >= end:
            return _Row(0, ())
        first, last = self.pieces[start], self.pieces[end]
        written = (
            first[first.rfind("<tr") :],
            *self.pieces[start + 2 : end : 2],
            last[: last.find("</tr>") + 5],
        )
        return _Row(sum(map(_size, written)), tuple(self.pieces[start + 1 : end : 2]))


class Slots:
    """The slots of one render, and what they stand for."""

    def __init__(self, everything: str) -> None:
        """Choose a word that occurs nowhere in ``everything``, the same for the same text."""
        capitals = everything.upper()
        self._word = _WORD if _WORD not in capitals else _another(capitals)
        #: By their numbers, as slots write them.
        self._contents: dict[str, str | messages.Field] = {}
        self._texts: dict[str, str] = {}
        self._fields: dict[messages.Field, str] = {}
        self._entries: dict[str, str] = {}
        #: Whether contents hold slots, whether they hold no control characters, and of how many that is said.
        self._is_nested, self._is_clean, self._looked_at = False, True, 0
        self.pattern = re.compile(rf"{self._word}(\d+)X")

    def html(self, content: Html) -> str:
        """Return a slot for HTML."""
        if content.entry:
            self._entries[str(len(self._contents))] = content.entry
        return self._new(content.code)

    def text(self, text: str) -> str:
        """Return a slot for text: in an element or in a double-quoted attribute."""
        slot = self._texts.get(text)
        if slot is None:
            slot = self._texts[text] = self._new(html.escape(text))
        return slot

    def field(self, field: messages.Field) -> str:
        """Return a slot that stays open until a message is merged."""
        if field not in self._fields:
            self._fields[field] = self._new(field)
        return self._fields[field]

    def opened(self, text: str) -> str:
        """Return editors' text with a slot in place of each personal field.

        Raises:
            RenderError: a field is unknown or badly written.
        """
        if "{{" not in text:
            return text
        return "".join(piece if isinstance(piece, str) else self.field(piece) for piece in fields.parse(text))

    def field_in(self, text: str) -> messages.Field | None:
        """Return the field whose slot a text is or holds, or None."""
        match = self.pattern.search(text)
        content = self._contents.get(match[1]) if match else None
        return content if isinstance(content, messages.Field) else None

    def skeleton(self, document: str) -> Skeleton:
        """Cut a document at its slots; the same document is cut once."""
        return (_cut if len(document) <= _MAX_KEPT else Skeleton)(document, self._word)

    def fill(self, document: str | Skeleton) -> messages.Pieces:
        """Replace every slot by what it stands for; fields stay open.

        Control characters, which make Gmail cut a mail short, become what Windows means by them, or nothing.
        """
        skeleton = document if isinstance(document, Skeleton) else Skeleton(document, self._word)
        self._look()
        pieces = list(self._nested(skeleton) if self._is_nested else self._flat(skeleton))
        if not (skeleton.is_clean and self._is_clean):
            # Only now: what stands between two control characters must not become a slot.
            pieces = [_clean(piece) if isinstance(piece, str) else piece for piece in pieces]
        return tuple(filter(None, pieces))

    def _look(self) -> None:
        """Find out what the contents are like, unless nothing has come to them since."""
        if self._looked_at != len(self._contents):
            everything = "".join(content for content in self._contents.values() if isinstance(content, str))
            self._is_nested, self._is_clean = self._word in everything, _is_clean(everything)
            self._looked_at = len(self._contents)

    def _flat(self, skeleton: Skeleton) -> Iterator[str | messages.Field]:
        """Yield text and fields, where no content holds a slot."""
        filled: list[Any] = skeleton.pieces.copy()
        filled[1::2] = [self._contents.get(number, "") for number in filled[1::2]]
        start = 0
        for at in [place for place, piece in enumerate(filled) if type(piece) is messages.Field]:
            yield "".join(filled[start:at])
            yield filled[at]
            start = at + 1
        yield "".join(filled[start:])

    def _nested(self, skeleton: Skeleton) -> Iterator[str | messages.Field]:
        """Yield text and fields, where contents hold slots too."""
        literal: list[str] = []
        stack = [iter(skeleton.pieces)]
        while stack:
            for text in stack[-1]:
                literal.append(text)
                content = self._contents.get(next(stack[-1], ""))
                if isinstance(content, messages.Field):
                    yield "".join(literal)
                    yield content
                    literal = []
                elif content and self._word in content:
                    stack.append(iter(self.pattern.split(content)))
                    break
                elif content:
                    literal.append(content)
            else:
                stack.pop()
        yield "".join(literal)

    def bytes_by_entry(self, document: str | Skeleton = "") -> dict[str, int]:
        """Return how many bytes of HTML each entry takes, as far as rows of the document are its own.

        A row holds headline, text and sources; where entries share one, their texts alone are counted.
        """
        skeleton = document if isinstance(document, Skeleton) else Skeleton(document, self._word)
        sizes: dict[str, int] = {}
        for number, entry in self._entries.items():
            row = skeleton.row(number)
            if len(self._entries.keys() & row.numbers) != 1:
                row = _Row(0, (number,))
            filled = (str(self._contents[one]) for one in row.numbers if one in self._contents)
            sizes[entry] = sizes.get(entry, 0) + row.size + sum(map(_size, filled))
        return sizes

    def _new(self, content: str | messages.Field) -> str:
        number = str(len(self._contents))
        self._contents[number] = content
        return f"{self._word}{number}X"


def _another(everything: str) -> str:
    """Return a word that a text does not say."""
    digest = hashlib.sha256(everything.encode("utf-8", "surrogatepass")).hexdigest().upper()
    starts = (f"Q{digest[i : i + 8]}N" for i in range(len(digest) - 8))
    return next(word for word in starts if word not in everything)


@functools.lru_cache(maxsize=_KEPT)
def _cut(document: str, word: str) -> Skeleton:
    return Skeleton(document, word)


def forget() -> None:
    """Let go of every skeleton."""
    _cut.cache_clear()


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _is_clean(text: str) -> bool:
    written = text.encode("utf-8", "surrogatepass")
    return len(written.translate(None, _C0)) == len(written) and not (
        len(written) > len(text) and _C1.search(written)
    )


def _clean(text: str) -> str:
    return _CONTROLS.sub(lambda match: _meant(match[0]), text)


def _meant(control: str) -> str:
    """Return the character that Windows-1252 has in the place of a C1 control."""
    return bytes((ord(control),)).decode("cp1252", "ignore") if control >= "\x80" else ""
