"""The two bodies of a message, encoded once, with holes that each recipient's values fill."""

from __future__ import annotations

import hashlib
import html
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from newsletter.domain import messages
from newsletter.rendering import mime

#: Values that stand in HTML, in text and in quoted-printable as they are; runs of one character class are
#: what `re` is fast at, and it looks at every value of every message.
_AS_IS: Final = re.compile(
    r"(?!From |\.)[A-Za-z0-9/:_~?+@,;!$*()|.-]+(?: [A-Za-z0-9/:_~?+@,;!$*()|.-]+)*"
).fullmatch
#: Characters of such a value that fit on one line.
_LONGEST_AS_IS: Final = 75
_PART = 'Content-Type: text/{}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'


class _Hole(NamedTuple):
    field: messages.Field
    #: Where in the segments it stands, in the plain text, in the HTML, and in both.
    in_text: list[int]
    in_html: list[int]
    everywhere: list[int]


class Bodies:
    """``multipart/alternative`` with plain text first (RFC 2046 §5.1.4), in segments."""

    def __init__(self, text: messages.Pieces, html_pieces: messages.Pieces) -> None:
        self._holes: dict[messages.Field, _Hole] = {}
        #: Segment 0 is the message's head, which the caller fills.
        self._segments: list[bytes] = [b""]
        self._add(_PART.format("plain").encode(), text, html=False)
        between = len(self._segments)
        self._add(_PART.format("html").encode(), html_pieces, html=True)
        #: “=_” never occurs in quoted-printable (RFC 2045 §6.7), so no body can hold it.
        self.boundary = f"=_{hashlib.sha256(b''.join(self._segments)).hexdigest()[:32]}"
        line = f"--{self.boundary}".encode()
        self._segments[1] = line + b"\r\n" + self._segments[1]
        self._segments[between] = b"\r\n" + line + b"\r\n" + self._segments[between]
        self._segments.append(b"\r\n" + line + b"--\r\n")
        self._plan = [(hole.field.name, hole.field.default, hole) for hole in self._holes.values()]
        places = {place for hole in self._holes.values() for place in hole.everywhere}
        self._personal = (0, *sorted(places))
        self._constant = b""

    def close_head(self, tail: bytes) -> None:
        """Take what ends the head of every message; from now on bodies can be filled."""
        self._segments[1] = tail + self._segments[1]
        constant = (part for place, part in enumerate(self._segments) if place not in self._personal)
        #: Commits to every constant segment; NUL stands in none of them.
        self._constant = hashlib.sha256(b"\0".join(constant)).digest()

    def digest(self, segments: list[bytes]) -> bytes:
        """Return a SHA-256 that commits to every byte of filled segments; only personal ones cost time."""
        personal = b"\0".join([segments[place] for place in self._personal])
        return hashlib.sha256(self._constant + personal).digest()

    def filled(self, values: Mapping[str, str]) -> list[bytes]:
        """Return the segments with every hole filled; the first is empty and waits for the head."""
        segments = self._segments.copy()
        for name, default, hole in self._plan:
            value = values.get(name) or default
            if _AS_IS(value) and len(value) <= _LONGEST_AS_IS:
                encoded = value.encode("ascii")
                for place in hole.everywhere:
                    segments[place] = encoded
            else:
                _encode_into(segments, hole, value)
        return segments

    def _add(self, head: bytes, pieces: messages.Pieces, *, html: bool) -> None:
        """Encode one part; a hole stands at the start of a line, between soft line breaks."""
        literal = head
        for piece in _joined(pieces):
            if isinstance(piece, str):
                literal += mime.encode(piece)
                continue
            if not literal.endswith(b"\r\n"):
                literal += mime.SOFT_BREAK
            hole = self._holes.setdefault(piece, _Hole(piece, [], [], []))
            self._segments += [literal, b""]
            for places in (hole.everywhere, hole.in_html if html else hole.in_text):
                places.append(len(self._segments) - 1)
            literal = mime.SOFT_BREAK
        self._segments.append(literal)


def _encode_into(segments: list[bytes], hole: _Hole, value: str) -> None:
    """Fill one hole with a value that text, HTML or quoted-printable would read otherwise."""
    encoded, in_markup = mime.encode_value(value), mime.encode_value(html.escape(value))
    for place in hole.in_text:
        segments[place] = encoded
    for place in hole.in_html:
        segments[place] = in_markup


def _joined(pieces: messages.Pieces) -> Iterator[str | messages.Field]:
    """Yield pieces with neighbouring literals made one: lines are counted from a literal's start."""
    for is_text, run in itertools.groupby(pieces, key=lambda piece: isinstance(piece, str)):
        if is_text:
            yield "".join(map(str, run))
        else:
            yield from run
