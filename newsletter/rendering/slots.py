"""Slots: ASCII words that stand where content goes while MJML and Markdown do their work.

The MJML renderer is written in Rust and mangles white space and characters beyond ASCII in
attributes; it sees these words only. Content is filled in afterwards, byte for byte.
"""

from __future__ import annotations

import hashlib
import html
import re
from dataclasses import dataclass

from newsletter.domain import fields, messages

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


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
        digest = hashlib.sha256(everything.encode("utf-8", "surrogatepass")).hexdigest()
        starts = (f"q{digest[i : i + 8]}n" for i in range(len(digest) - 8))
        self._word = next(word for word in starts if word not in everything)
        self._contents: list[str | messages.Field] = []
        self._known: dict[str | messages.Field, str] = {}
        self._entries: dict[int, str] = {}
        self.pattern = re.compile(rf"{self._word}(\d+)x")

    def html(self, content: Html) -> str:
        """Return a slot for HTML."""
        if content.entry:
            self._entries[len(self._contents)] = content.entry
        return self._new(content.code)

    def text(self, text: str) -> str:
        """Return a slot for text: in an element or in a double-quoted attribute."""
        return self._slot(html.escape(text))

    def field(self, field: messages.Field) -> str:
        """Return a slot that stays open until a message is merged."""
        return self._slot(field)

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
        content = self._contents[int(match[1])] if match else None
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
                content = self._content(next(stack[-1], None))
                if isinstance(content, messages.Field):
                    pieces += [_clean("".join(literal)), content]
                    literal = []
                elif content:
                    stack.append(iter(self.pattern.split(content)))
                    break
            else:
                stack.pop()
        return tuple(piece for piece in (*pieces, _clean("".join(literal))) if piece)

    def bytes_by_entry(self) -> dict[str, int]:
        """Return how many bytes of HTML each entry's own slots hold."""
        sizes: dict[str, int] = {}
        for number, entry in self._entries.items():
            content = self._contents[number]
            if isinstance(content, str):
                sizes[entry] = sizes.get(entry, 0) + len(content.encode())
        return sizes

    def _slot(self, content: str | messages.Field) -> str:
        if content not in self._known:
            self._known[content] = self._new(content)
        return self._known[content]

    def _new(self, content: str | messages.Field) -> str:
        self._contents.append(content)
        return f"{self._word}{len(self._contents) - 1}x"

    def _content(self, number: str | None) -> str | messages.Field | None:
        return self._contents[int(number)] if number and int(number) < len(self._contents) else None


def _clean(text: str) -> str:
    return _CONTROLS.sub(lambda match: _meant(match[0]), text) if _CONTROLS.search(text) else text


def _meant(control: str) -> str:
    """Return the character that Windows-1252 has in the place of a C1 control."""
    return bytes((ord(control),)).decode("cp1252", "ignore") if control >= "\x80" else ""
