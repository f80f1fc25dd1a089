"""The two bodies of a message, encoded once, with holes that each recipient's values fill."""

from __future__ import annotations

import hashlib
import html
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from newsletter.domain import fields, messages
from newsletter.rendering import mime

#: Values that stand in HTML, in text and in quoted-printable as they are; runs of one character class are
#: what `re` is fast at, and it looks at every value of every message.
_AS_IS: Final = re.compile(
    r"(?!From |\.)[A-Za-z0-9/:_~?+@,;!$*()|.-]+(?: [A-Za-z0-9/:_~?+@,;!$*()|.-]+)*"
).fullmatch
#: Characters of such a value that fit on one line.
LONGEST_AS_IS: Final = 75
_PART = 'Content-Type: text/{}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'


class Written(NamedTuple):
    """A value as it stands in a body: between soft line breaks, in quoted-printable."""

    in_text: bytes
    in_html: bytes

    @property
    def committed(self) -> bytes:
        """What a digest holds of it; no control character but a line end stands in quoted-printable."""
        in_text, in_html = self
        return in_text if in_text == in_html else in_text + b"\1" + in_html


class Hole(NamedTuple):
    """A field, and where in the segments it stands."""

    field: messages.Field
    in_text: list[int]
    in_html: list[int]


class Bodies:
    """``multipart/alternative`` with plain text first (RFC 2046 §5.1.4), in segments.

    Segments with even numbers are personal, the first is the message's head; those between are constant.
    """

    def __init__(self, text: messages.Pieces, html_pieces: messages.Pieces) -> None:
        literals, text_fields = _encoded(_PART.format("plain").encode(), text)
        in_html, html_fields = _encoded(_PART.format("html").encode(), html_pieces)
        whole = b"".join((*literals, *in_html))
        #: “=_” never occurs in quoted-printable (RFC 2045 §6.7), so no body can hold it.
        self.boundary = f"=_{hashlib.sha256(whole).hexdigest()[:32]}"
        line = f"--{self.boundary}".encode()
        literals[0] = line + b"\r\n" + literals[0]
        literals[-1] += b"\r\n" + line + b"\r\n" + in_html[0]
        literals += in_html[1:]
        literals[-1] += b"\r\n" + line + b"--\r\n"
        #: With every hole, and the head, empty.
        self.segments = [part for literal in literals for part in (b"", literal)]
        #: In the order in which a digest commits to them.
        self.holes = _holes(text_fields, html_fields)
        #: Commits to every constant segment.
        self.constant = b""

    def close_head(self, tail: bytes) -> None:
        """Take what ends the head of every message; from now on bodies can be filled."""
        self.segments[1] = tail + self.segments[1]
        # NUL stands in no segment, and in no head.
        self.constant = hashlib.sha256(b"\0".join(self.segments[1::2])).digest()

    def filled(self, head: bytes, values: Mapping[str, str]) -> tuple[list[bytes], bytes]:
        """Return the segments of a message, and a SHA-256 that commits to every byte of them.

        What is the same for everybody is hashed once per mailing, and each value once per message.
        """
        segments = self.segments.copy()
        segments[0] = head
        committed = [self.constant, head]
        for field, in_text, in_html in self.holes:
            value = write(fields.value(field, values))
            committed.append(value.committed)
            for place in in_text:
                segments[place] = value.in_text
            for place in in_html:
                segments[place] = value.in_html
        return segments, hashlib.sha256(b"\0".join(committed)).digest()


def write(value: str) -> Written:
    """Encode a value for a hole."""
    if _AS_IS(value) and len(value) <= LONGEST_AS_IS:
        encoded = value.encode("ascii")
        return Written(encoded, encoded)
    encoded, escaped = mime.encode_value(value), html.escape(value)
    return Written(encoded, encoded if escaped == value else mime.encode_value(escaped))


def _encoded(head: bytes, pieces: messages.Pieces) -> tuple[list[bytes], list[messages.Field]]:
    """Encode one part: its literals, and the fields between them.

    A hole stands at the start of a line, between soft line breaks.
    """
    literals, found, literal = [], [], head
    for piece in _joined(pieces):
        if isinstance(piece, str):
            literal += mime.encode(piece)
            continue
        literals.append(literal if literal.endswith(b"\r\n") else literal + mime.SOFT_BREAK)
        found.append(piece)
        literal = mime.SOFT_BREAK
    return [*literals, literal], found


def _holes(in_text: list[messages.Field], in_html: list[messages.Field]) -> list[Hole]:
    holes: dict[messages.Field, Hole] = {}
    for number, field in enumerate((*in_text, *in_html)):
        hole = holes.setdefault(field, Hole(field, [], []))
        (hole.in_text if number < len(in_text) else hole.in_html).append(2 * number + 2)
    return list(holes.values())


def _joined(pieces: messages.Pieces) -> Iterator[str | messages.Field]:
    """Yield pieces with neighbouring literals made one: lines are counted from a literal's start."""
    for is_text, run in itertools.groupby(pieces, key=lambda piece: isinstance(piece, str)):
        if is_text:
            yield "".join(map(str, run))
        else:
            yield from run
