"""An issue on its way to mail: rendered, frozen with open fields, merged for one subscriber."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from newsletter.domain import numbering


@dataclass(frozen=True, slots=True)
class Field:
    """A place in a text that each recipient's own value fills."""

    name: str
    default: str = ""


#: Text with open fields, in reading order.
Pieces = tuple[str | Field, ...]

#: The fields that every template may use; the first five are filled for every recipient.
FIELDS = (
    "unsubscribe_url",
    "preferences_url",
    "view_url",
    "subscriber.email",
    "subscriber.language",
    "subscriber.name",
    "subscriber.first_name",
)


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """One edition of an issue as readers will see it, personal fields still open."""

    language: str
    #: As the editors wrote them; personal fields stand in them between braces (`fields.fill`).
    subject: str
    preheader: str
    #: HTML; values are escaped when they are merged.
    html: Pieces
    #: Plain text with LF line ends, at most 72 columns.
    text: Pieces
    #: Bytes of HTML that each entry id costs, for the size meter.
    bytes_by_entry: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MessageTemplate:
    """An issue rendered once for a mailing, with per-recipient merge fields left open.

    It is what a mailing freezes: the same template, values and time give the same bytes for ever.
    """

    number: numbering.IssueNumber
    rendered: Rendered
    #: Display names and addresses, not yet encoded.
    from_name: str
    from_email: str
    reply_to: str
    list_id: str
    list_name: str
    #: Domain of Message-ID and of the bounce address.
    domain: str
    feedback_id: str
    archive_url: str = ""
    #: Put before every subject, as in “[TEST] ”.
    subject_prefix: str = ""


class Recipient(NamedTuple):
    """Everything personal that one message needs."""

    delivery: int
    email: str
    name: str
    #: RFC 5322 local part of the Message-ID; the same on every retry.
    message_key: str
    #: Signed token of the bounce address, RFC 5321 local part safe.
    bounce_token: str
    #: Values of `FIELDS`, plain text.
    values: Mapping[str, str]


class Parts(NamedTuple):
    """A message taken apart, for providers that build the MIME themselves."""

    from_name: str
    from_email: str
    to_name: str
    subject: str
    text: str
    html: str
    #: The remaining headers, decoded: Reply-To, List-Unsubscribe, List-Id, Message-ID …
    headers: Mapping[str, str]
    #: What the message was merged from: APIs that take one body and many values need both.
    template: MessageTemplate | None = None
    values: Mapping[str, str] = MappingProxyType({})


class Message(NamedTuple):
    """A message template merged for one subscriber: the bytes on the wire."""

    delivery: int
    #: RFC 5321 MAIL FROM; carries the signed bounce token.
    sender: str
    #: RFC 5321 RCPT TO.
    recipient: str
    #: Message-ID without its angle brackets.
    message_id: str
    #: RFC 5322 bytes with CRLF line ends, in pieces: messages of one mailing share most of them. Empty where
    #: `parts` is asked for.
    pieces: Sequence[bytes] = ()
    parts: Parts | None = None
    #: Whether the pieces are known to be ASCII, to end with a line, and to have no line that starts with a
    #: dot, so that nobody needs to look again.
    canonical: bool = False
    #: Whether sender, recipient and message id are known to be printable ASCII without what would end an SMTP
    #: path or need xtext (RFC 3461 §4: no “+” and no “=” in recipient and message id), so that nobody needs
    #: to look again; their lengths are not promised.
    plain: bool = False

    @property
    def raw(self) -> bytes:
        """The pieces as one."""
        return b"".join(self.pieces)

    @property
    def size(self) -> int:
        """Bytes of all pieces."""
        return sum(map(len, self.pieces))


class Merged(NamedTuple):
    """A message, and what commits to its bytes."""

    message: Message
    digest: bytes
