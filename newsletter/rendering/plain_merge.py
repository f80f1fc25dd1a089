"""The quick way of merging: for recipients, nearly all, whose name and address stand in mail as they are.

Everything that need not be looked at per message is looked at once: what the house makes itself (tokens,
links), what everybody shares, and where each value goes. The bytes and the digest are those of
`merge.Merger`, to the letter.
"""

from __future__ import annotations

import hashlib
import operator
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from newsletter.domain import deliveries, fields, messages, tokens
from newsletter.rendering import bodies, headers

#: A mailbox that a header, HTML, text and quoted-printable all take as it is.
_ADDRESS = r"(?!\.)[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+"
_NAMELESS: Final = re.compile(_ADDRESS).fullmatch
_NAMED: Final = re.compile(rf'"(?!From |\.)[A-Za-z0-9.-]+(?: [A-Za-z0-9.-]+)*" <{_ADDRESS}>').fullmatch
#: Characters of such a mailbox that fit on one line behind “To: ”, and so on a line of a body.
_LONGEST_MAILBOX: Final = 72
#: What a link may begin with so that, with any token behind it, head and bodies take it as it is.
_LINK: Final = re.compile(r"https?://[A-Za-z0-9/:_~?+@,;!$*()|.-]{1,66}/").fullmatch
#: What neither ends an SMTP path nor needs xtext (RFC 3461 §4).
_NAME: Final = re.compile(r"[A-Za-z0-9.-]{1,253}").fullmatch

#: Where the values of one message stand; 0 is its head. A name's are there in text, in HTML, and for digests.
_PLACES: Final = {
    "unsubscribe_url": 1,
    "preferences_url": 2,
    "subscriber.email": 3,
    "subscriber.name": 4,
    "subscriber.first_name": 5,
}
_OF_THE_NAME: Final = frozenset({"subscriber.name", "subscriber.first_name"})
_Names = tuple[bytes, bytes, bytes, bytes, bytes, bytes]
#: Where the values begin that are the same for everybody; the first is what commits to the constant segments.
_FIXED: Final = 10
#: The constructor of a NamedTuple is Python code, and takes twice the time.
_record: Final = tuple.__new__

_Pick = Callable[[tuple[bytes, ...]], tuple[bytes, ...]]


class Links(NamedTuple):
    """What stands before the token in the links of a mailing."""

    leave: str
    preferences: str


class Frame(NamedTuple):
    """What all messages of one edition share."""

    bodies: bodies.Bodies
    #: The From header and the Subject header, each with its line end.
    from_line: bytes
    subject_line: bytes
    #: Writes the Date header.
    dated: Callable[[datetime], bytes]
    #: What stands in a Message-ID before the delivery's key, without the dot.
    prefix: str
    domain: str


def serves(frame: Frame, links: Links) -> bool:
    """Say whether an edition can be merged this way: none of what is shared needs a second look."""
    names, lines = (frame.prefix, frame.domain), frame.from_line + frame.subject_line
    return all(map(_NAME, names)) and all(map(_LINK, links)) and lines.isascii()


class PlainMerge:
    """One edition for the recipients who share a language, and who have a name or have none."""

    def __init__(self, frame: Frame, links: Links, *, known: Mapping[str, str], named: bool) -> None:
        """Take what is the same for all of them; ``known`` gives the fields that are."""
        self._frame = frame
        self._named, self._is_plain = named, _NAMED if named else _NAMELESS
        self._leave, self._preferences = links.leave.encode(), links.preferences.encode()
        self._leave_room, self._preferences_room = (bodies.LONGEST_AS_IS - len(link) for link in links)
        self._segments = frame.bodies.segments
        self._says_name = any(hole.field.name == "subscriber.name" for hole in frame.bodies.holes)
        self._fixed, self._fill, self._commit = _routes(frame.bodies, known, named=named)
        self._from = f"{frame.from_line.decode()}To: "
        self._at = f"@{frame.domain}"
        self._link = f"{self._at}>\r\nList-Unsubscribe: <{links.leave}"
        self._mail = f">, <mailto:unsubscribe{self._at}?subject="
        self._prefix = f"{frame.prefix}."
        self._date: datetime | None = None
        self._dated = ""

    def merge(
        self, claimed: deliveries.Claimed, stamps: tokens.Stamps, date: datetime
    ) -> messages.Merged | None:
        """Write the message of one recipient and its digest; None where the recipient needs a closer look.

        Raises:
            RenderError: the name holds a control character, or the date has no zone.
        """
        number, _, email, name = claimed[:4]
        mailbox = f'"{name}" <{email}>' if self._named else email
        if len(mailbox) <= _LONGEST_MAILBOX and self._is_plain(mailbox):
            whole, first = name.encode(), name.partition(" ")[0].encode()
            names: _Names = (whole, first, whole, first, whole, first)
        else:
            encoded = self._encoded(name, email)
            if encoded is None:
                return None
            mailbox, names = encoded
        if date is not self._date:
            self._take(date)
        leave, preferences, bounce, key = stamps
        head = f"{self._from}{mailbox}{self._dated}{key}{self._link}{leave}{self._mail}{leave}>\r\n".encode()
        own: tuple[bytes, ...] = (
            head,
            self._leave + leave.encode() if len(leave) <= self._leave_room else _torn(self._leave, leave),
            self._preferences + preferences.encode()
            if len(preferences) <= self._preferences_room
            else _torn(self._preferences, preferences),
            email.encode(),
        )
        own += names + self._fixed
        segments = self._segments.copy()
        segments[::2] = self._fill(own)
        sender, message_id = f"bounce+{bounce}{self._at}", f"{self._prefix}{key}{self._at}"
        message = _record(
            messages.Message, (number, sender, email, message_id, segments, None, True, "+" not in email)
        )
        digest = hashlib.sha256(b"\0".join(self._commit(own))).digest()
        return _record(messages.Merged, (message, digest))

    def _encoded(self, name: str, email: str) -> tuple[str, _Names] | None:
        """Return the mailbox and the values of a name that does not stand as it is; the address must.

        Raises:
            RenderError: the name holds a control character.
        """
        words = name.split(None, 1)
        if not words or len(email) > _LONGEST_MAILBOX or not _NAMELESS(email):
            return None
        field = headers.mailbox("To", name, email).decode()
        whole = bodies.write(name if self._says_name else "")
        first = bodies.write(words[0])
        names = whole.in_text, first.in_text, whole.in_html, first.in_html, whole.committed, first.committed
        return field.removeprefix("To: ").removesuffix("\r\n"), names

    def _take(self, date: datetime) -> None:
        between = self._frame.subject_line + self._frame.dated(date)
        self._dated = f"\r\n{between.decode()}Message-ID: <{self._prefix}"
        self._date = date


def _torn(base: bytes, token: str) -> bytes:
    """Write a link of ours that is longer than a line: nothing in it is encoded, only its token is torn."""
    room = bodies.LONGEST_AS_IS - len(base)
    return base + f"{token[:room]}=\r\n{token[room:]}".encode()


def _routes(
    found: bodies.Bodies, known: Mapping[str, str], *, named: bool
) -> tuple[tuple[bytes, ...], _Pick, _Pick]:
    """Return the values that are fixed, what picks the personal segments, and what picks for the digest."""
    fixed = [found.constant]
    fill, commit = [0] * (len(found.segments) // 2), [_FIXED, 0]
    for hole in found.holes:
        place = _PLACES.get(hole.field.name, 0)
        in_text = in_html = committed = place
        if not place or (not named and hole.field.name in _OF_THE_NAME):
            written = bodies.write(fields.value(hole.field, known))
            in_text = _FIXED + len(fixed)
            in_html, committed = in_text + 1, in_text + 2
            fixed += [*written, written.committed]
        elif hole.field.name in _OF_THE_NAME:
            in_html, committed = place + 2, place + 4
        for at in hole.in_text:
            fill[at // 2] = in_text
        for at in hole.in_html:
            fill[at // 2] = in_html
        commit.append(committed)
    return tuple(fixed), _picks(fill), _picks(commit)


def _picks(places: list[int]) -> _Pick:
    # Of one place alone itemgetter returns no tuple.
    return operator.itemgetter(*places) if len(places) > 1 else lambda own: (own[places[0]],)
