"""A manuscript: what could be read of an issue that was written elsewhere, and the issue file made of it."""

from __future__ import annotations

import enum
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from newsletter.authoring import extraction, markup
from newsletter.domain import numbering

_PLACEHOLDER = re.compile(r"\[([^\[\]]*)\]\(\s*#?\s*\)")

#: Fields that hold Markdown, which reads best as a block.
_TEXTS = ("intro", "closing")


class Kind(enum.StrEnum):
    """How sure the reader of a manuscript is of something."""

    READ = "read"
    #: Taken for something on good grounds; an editor should look.
    GUESSED = "guessed"
    #: Not taken over.
    LEFT = "left"


class Note(NamedTuple):
    """One thing that was read, guessed or left."""

    kind: Kind
    what: str


class Piece(NamedTuple):
    """A headline and its detail, either of which may be missing."""

    headline: str
    body: str
    sources: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Manuscript:
    """Everything that could be read."""

    number: numbering.IssueNumber | None = None
    date: date | None = None
    title: str = ""
    subject: str = ""
    language: str = ""
    layout: str = ""
    credit: str = ""
    credit_url: str = ""
    #: Name of the picture beside the issue file, or its address.
    picture: str = ""
    alt: str = ""
    intro: str = ""
    pieces: list[Piece] = field(default_factory=list)
    closing: str = ""
    status: str = ""
    #: Pictures that come along: name → what reads it.
    pictures: dict[str, Callable[[], bytes]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def note(self, kind: Kind, what: str) -> None:
        """Remember one thing to tell the editor."""
        self.notes.append(Note(kind, what))

    def name_pictures(self, prefix: str) -> None:
        """Put a prefix before the names of pictures, so that issues do not overwrite each other's."""
        for name in list(self.pictures):
            self.pictures[f"{prefix}-{name}"] = self.pictures.pop(name)
            old, new = f"]({name})", f"]({prefix}-{name})"
            self.intro, self.closing = self.intro.replace(old, new), self.closing.replace(old, new)
            self.pieces = [piece._replace(body=piece.body.replace(old, new)) for piece in self.pieces]

    def text(self) -> str:
        """Return the text of the issue file.

        Number and date must be known by now.
        """
        assert self.number is not None
        assert self.date is not None
        fields: dict[str, object] = {
            "volume": self.number.volume,
            "number": self.number.number,
            "date": self.date,
            "title": self.title,
            "subject": self.subject,
            "language": self.language,
            "layout": self.layout,
            "hero": self._hero(),
            "closing": self.closing,
            "status": self.status,
        }
        parts = [f"---\n{dump(fields)}---\n"]
        if self.intro:
            parts.append(f"{guarded(self.intro)}\n")
        parts += [_entry(piece) for piece in self.pieces]
        return "\n".join(parts)

    def _hero(self) -> dict[str, str]:
        if not self.credit and not self.picture:
            return {}
        key = "url" if self.picture.startswith(("https://", "http://")) else "file"
        hero = {key: self.picture, "alt": self.alt, "credit": self.credit}
        return hero | ({"credit_url": self.credit_url} if self.credit_url else {})


def dump(fields: Mapping[str, object]) -> str:
    """Write front matter in the order given; empty values are left out, long texts become blocks."""
    from ruamel.yaml import YAML
    from ruamel.yaml.scalarstring import LiteralScalarString

    def plain(key: str, value: object) -> object:
        if isinstance(value, Mapping):
            return {name: plain(name, inner) for name, inner in value.items()}
        if not isinstance(value, str):
            return value
        value = extraction.clean(value)  # YAML takes no control characters
        if "\n" in value or (key in _TEXTS and len(value) > 90):
            lines = (line.rstrip() for line in value.split("\n"))
            return LiteralScalarString("\n".join(lines) + "\n")
        return value

    yaml = YAML(typ="rt")
    yaml.width = 1_000_000
    yaml.allow_unicode = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    kept = {key: plain(key, value) for key, value in fields.items() if value not in ("", None, {}, ())}
    yaml.dump(kept, out)
    return out.getvalue()


def guarded(markdown: str) -> str:
    """Return Markdown in which no line is taken for an entry's headline."""
    lines = markdown.split("\n")
    prose = markup.without_code(lines)
    return "\n".join(
        re.sub("#", r"\\#", line, count=1) if markup.heading(seen) is not None else line
        for line, seen in zip(lines, prose, strict=True)
    )


def placeholders(text: str) -> list[str]:
    """Return the words of links that lead to “#” or nowhere."""
    return _PLACEHOLDER.findall(text)


def _entry(piece: Piece) -> str:
    sources = "".join(f"  - {source}\n" for source in piece.sources)
    fields = f"sources:\n{sources}" if sources else ""
    return (
        f"## {piece.headline}\n{fields}\n{guarded(piece.body)}\n"
        if piece.body
        else f"## {piece.headline}\n{fields}"
    )
