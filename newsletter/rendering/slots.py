"""Slots: ASCII words that stand where content goes while MJML and Markdown do their work.

The MJML renderer is written in Rust and mangles white space and characters beyond ASCII in
attributes; it sees these words only. Content is filled in afterwards, byte for byte. They are
written in capitals, so that headings in capitals keep them.
"""

from __future__ import annotations

import hashlib
import html
import re
from dataclasses import dataclass

from newsletter.domain import fields, messages

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
#: The same in UTF-8, where looking for them takes a third of the time.
_C0 = bytes((*range(0x09), *range(0x0B, 0x20), 0x7F))
_C1 = re.compile(rb"\xc2[\x80-\x9f]")
#: What slots are named by wherever a text does not say it: one skeleton is then the same for many issues.
_WORD = "Q5D0E7C1AN"


@dataclass(frozen=True)
class Html:
    """HTML that is ready to be filled in as it stands."""

    code: str
    #: Id of the entry that it belongs to, for the size meter.
    entry: str = ""


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
        self.pattern = re.compile(rf"{self._word}(\d+)X")

    def html(self, content: Html) -> str:
        """Return a slot for HTML."""
        if content.entry:
            self._entries[str(len(self._contents))] = content.entry
        return self._new(content.code)

    def text(self, text: str) -> str:
        """Return a slot for text: in an element or in a double-quoted attribute."""
        if text not in self._texts:
            self._texts[text] = self._new(html.escape(text))
        return self._texts[text]

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

    def fill(self, document: str) -> messages.Pieces:
        """Replace every slot by what it stands for; fields stay open.

        Control characters, which make Gmail cut a mail short, become what Windows means by them, or nothing.
        """
        pieces: list[str | messages.Field] = []
        literal: list[str] = []
        stack = [iter(self.pattern.split(document))]
        while stack:
            for text in stack[-1]:
                literal.append(text)
                content = self._contents.get(next(stack[-1], ""))
                if isinstance(content, messages.Field):
                    pieces += [_clean("".join(literal)), content]
                    literal = []
                elif content and self._word in content:
                    stack.append(iter(self.pattern.split(content)))
                    break
                elif content:
                    literal.append(content)
            else:
                stack.pop()
        return tuple(piece for piece in (*pieces, _clean("".join(literal))) if piece)

    def bytes_by_entry(self, document: str = "") -> dict[str, int]:
        """Return how many bytes of HTML each entry takes, as far as rows of the document are its own.

        A row holds headline, text and sources; where entries share one, their texts alone are counted.
        """
        sizes: dict[str, int] = {}
        for number, entry in self._entries.items():
            row = self._row(document, f"{self._word}{number}X")
            pieces = self.pattern.split(row)
            if len(self._entries.keys() & set(pieces[1::2])) != 1:
                pieces = ["", number]
            filled = (str(self._contents[one]) for one in pieces[1::2] if one in self._contents)
            size = sum(len(piece.encode()) for piece in (*pieces[::2], *filled))
            sizes[entry] = sizes.get(entry, 0) + size
        return sizes

    def _row(self, document: str, slot: str) -> str:
        at = document.find(slot)
        start, end = document.rfind("<tr", 0, at), document.find("</tr>", at)
        return document[start : end + 5] if at >= 0 and start >= 0 and end >= 0 else ""

    def _new(self, content: str | messages.Field) -> str:
        number = str(len(self._contents))
        self._contents[number] = content
        return f"{self._word}{number}X"


def _another(everything: str) -> str:
    """Return a word that a text does not say."""
    digest = hashlib.sha256(everything.encode("utf-8", "surrogatepass")).hexdigest().upper()
    starts = (f"Q{digest[i : i + 8]}N" for i in range(len(digest) - 8))
    return next(word for word in starts if word not in everything)


def _clean(text: str) -> str:
    written = text.encode("utf-8", "surrogatepass")
    if len(written.translate(None, _C0)) == len(written) and not _C1.search(written):
        return text
    return _CONTROLS.sub(lambda match: _meant(match[0]), text)


def _meant(control: str) -> str:
    """Return the character that Windows-1252 has in the place of a C1 control."""
    return bytes((ord(control),)).decode("cp1252", "ignore") if control >= "\x80" else ""
