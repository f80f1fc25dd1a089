"""Merging: one message template, one recipient, the bytes on the wire, in microseconds.

Headers and bodies are encoded once per mailing; a recipient's values are encoded on their own and
spliced in between.
"""

from __future__ import annotations

import html
import re
import urllib.parse
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import format_datetime
from types import MappingProxyType
from typing import Final

from newsletter.domain import errors, fields, messages
from newsletter.rendering import bodies, headers, plain_merge

_LOCAL_PART: Final = re.compile(r"[A-Za-z0-9._+=-]+").fullmatch
#: Printable ASCII without what would end the angle brackets around it.
_URL: Final = re.compile(r"https?://[!#-;=?-~]+").fullmatch
#: A link as nearly all are: short, and its last part can stand in an address.
_SHORT_LINK: Final = re.compile(r"https?://[!#-;=?-~]{1,200}/([A-Za-z0-9._+=-]{1,200})").fullmatch
#: A recipient whose To header needs neither encoding nor folding.
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9 .'-]{1,30}").fullmatch
_PLAIN_ADDRESS: Final = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]{0,30}@[A-Za-z0-9.-]{1,255}").fullmatch


def compile(  # noqa: A001 -- merge.compile reads like re.compile
    template: messages.MessageTemplate, known: Mapping[str, str] = MappingProxyType({})
) -> Merger:
    """Encode everything in a message template that is the same for every recipient.

    ``known`` gives the fields that have one value for everybody.

    Raises:
        RenderError: a header of the template cannot be sent, or a field in its subject is unknown.
    """
    return Merger(template, known)


class Merger:
    """A message template with its constant parts encoded; merges one recipient at a time."""

    def __init__(
        self, template: messages.MessageTemplate, known: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._template, self._known = template, known
        self._subject = fields.parse(template.subject_prefix + template.rendered.subject)
        self._bodies = bodies.Bodies(
            _with_known(template.rendered.text, known, str),
            _with_known(template.rendered.html, known, html.escape),
        )
        self._constants = _constant_headers(template)
        self._from = headers.mailbox("From", template.from_name, template.from_email)
        #: Encoded once, unless the subject is personal.
        self._subject_line = self._encoded_subject({})
        self._subject_is_personal = any(isinstance(piece, messages.Field) for piece in self._subject)
        self._domain = headers.ascii_domain(template.domain)
        self._message_id = f"{template.number.key}.%s@{self._domain}"
        self._sender = f"bounce+%s@{self._domain}"
        tail = self._closing_head()
        self._bodies.close_head(tail)
        # Only the local part of an address may be other than ASCII (RFC 6532); bodies are quoted-printable.
        self._is_ascii = (self._from + tail).isascii()
        self._date: datetime | None = None
        self._date_line = b""

    def merge(self, recipient: messages.Recipient, date: datetime) -> messages.Message:
        """Write the message of one recipient as bytes; ``date`` is the sending time, with a zone.

        Raises:
            RenderError: a value of the recipient's cannot stand in a header.
        """
        return self.merge_with_digest(recipient, date)[0]

    def merge_with_digest(
        self, recipient: messages.Recipient, date: datetime
    ) -> tuple[messages.Message, bytes]:
        """Write the message of one recipient, and a digest that commits to every byte of it.

        Raises:
            RenderError: a value of the recipient's cannot stand in a header.
        """
        message_id, sender = self._envelope(recipient)
        subject = self._encoded_subject(recipient.values) if self._subject_is_personal else self._subject_line
        unsubscribe = self._unsubscribe(recipient.values["unsubscribe_url"])
        own = f"Message-ID: <{message_id}>\r\nList-Unsubscribe: {unsubscribe}\r\n"
        head = b"".join((self._from, _to(recipient), subject, self._dated(date), own.encode("ascii")))
        segments, digest = self._bodies.filled(head, recipient.values)
        canonical = self._is_ascii and head.isascii()
        message = messages.Message(
            recipient.delivery, sender, recipient.email, message_id, segments, None, canonical
        )
        return message, digest

    def plainly(
        self, links: plain_merge.Links, *, language: str, named: bool
    ) -> plain_merge.PlainMerge | None:
        """Return the quick way for recipients of a language, with names or without, where there is one."""
        frame = plain_merge.Frame(
            self._bodies,
            self._from,
            self._subject_line,
            self._dated,
            self._template.number.key,
            self._domain,
        )
        if self._subject_is_personal or not self._is_ascii or not plain_merge.serves(frame, links):
            return None
        known = {**self._known, "subscriber.language": language}
        return plain_merge.PlainMerge(frame, links, known=known, named=named)

    def parts(self, recipient: messages.Recipient, date: datetime) -> messages.Message:
        """Take the message of one recipient apart, for providers that build the MIME themselves.

        Raises:
            RenderError: a value of the recipient's cannot stand in a header.
        """
        message_id, sender = self._envelope(recipient)
        subject = fields.join(self._subject, recipient.values)
        headers.check("Subject", subject)
        headers.check("To", recipient.name + recipient.email)
        filled = messages.Parts(
            from_name=self._template.from_name,
            from_email=self._template.from_email,
            to_name=recipient.name,
            subject=subject,
            text=self.text(recipient),
            html=self.html(recipient),
            headers={
                "Date": _written(date),
                "Message-ID": f"<{message_id}>",
                "List-Unsubscribe": self._unsubscribe(recipient.values["unsubscribe_url"]),
                **self._constants,
            },
            template=self._template,
            values=recipient.values,
        )
        return messages.Message(recipient.delivery, sender, recipient.email, message_id, (), filled)

    def html(self, recipient: messages.Recipient) -> str:
        """Return the HTML that one recipient sees."""
        return fields.join(self._template.rendered.html, recipient.values, escape=html.escape)

    def text(self, recipient: messages.Recipient) -> str:
        """Return the plain text that one recipient sees."""
        return fields.join(self._template.rendered.text, recipient.values)

    def _envelope(self, recipient: messages.Recipient) -> tuple[str, str]:
        """Return the Message-ID and the VERP address that replies about this delivery come back to."""
        key, token = recipient.message_key, recipient.bounce_token
        if not (_LOCAL_PART(key) and _LOCAL_PART(token)):
            raise errors.RenderError(f"“{key}” or “{token}” cannot stand in the local part of an address")
        return self._message_id % key, self._sender % token

    def _unsubscribe(self, url: str) -> str:
        """Return the value of List-Unsubscribe (RFC 8058 §3.1): for one click, and for programs that mail."""
        if short := _SHORT_LINK(url):
            return f"<{url}>, <mailto:unsubscribe@{self._domain}?subject={short[1]}>"
        token = url.rpartition("/")[2]
        if not _LOCAL_PART(token):
            token = urllib.parse.quote(token, safe="")
        value = f"<{url}>, <mailto:unsubscribe@{self._domain}?subject={token}>"
        if not _URL(url) or len(value) > headers.MAX_LINE - len("List-Unsubscribe: "):
            headers.check("List-Unsubscribe", url)
            raise errors.RenderError(f"List-Unsubscribe cannot hold the address “{url}”")
        return value

    def _dated(self, date: datetime) -> bytes:
        # Equal times of two zones are written differently.
        if date is not self._date:
            self._date, self._date_line = date, headers.field("Date", _written(date))
        return self._date_line

    def _encoded_subject(self, values: Mapping[str, str]) -> bytes:
        return headers.text("Subject", fields.join(self._subject, values))

    def _closing_head(self) -> bytes:
        """Return the header fields that close the head, and the empty line under it."""
        template = self._template
        special = {
            "Reply-To": lambda name: headers.mailbox(name, "", template.reply_to),
            "List-Id": lambda name: headers.identified(
                name, template.list_name, headers.ascii_domain(template.list_id)
            ),
        }
        lines = [
            special[name](name) if name in special else headers.field(name, value)
            for name, value in self._constants.items()
        ]
        kind = f'multipart/alternative; boundary="{self._bodies.boundary}"'
        lines += [headers.field("MIME-Version", "1.0"), headers.field("Content-Type", kind), b"\r\n"]
        return b"".join(lines)


def _with_known(
    pieces: messages.Pieces, known: Mapping[str, str], write: Callable[[str], str]
) -> messages.Pieces:
    """Fill the fields that have one value for everybody; what no line can hold is left to the merging."""
    return tuple(
        write(known[piece.name] or piece.default)
        if isinstance(piece, messages.Field) and known.get(piece.name, "\n").isprintable()
        else piece
        for piece in pieces
    )


def _written(date: datetime) -> str:
    if date.tzinfo is None:
        raise errors.RenderError("a message cannot be dated with a time that has no zone")
    return format_datetime(date)


def _to(recipient: messages.Recipient) -> bytes:
    """Write the To header: exactly one recipient."""
    _, email, name, *_ = recipient
    if len(email) <= 34 and _PLAIN_NAME(name) and _PLAIN_ADDRESS(email):
        return f'To: "{name}" <{email}>\r\n'.encode("ascii")
    return headers.mailbox("To", name, email)


def _constant_headers(template: messages.MessageTemplate) -> dict[str, str]:
    """Return the header fields that every message of the mailing has, decoded."""
    owner = urllib.parse.quote(headers.ascii_address(template.reply_to or template.from_email), safe="@+")
    found = {
        "Reply-To": "" if template.reply_to == template.from_email else template.reply_to,
        "List-Id": f"{template.list_name} <{headers.ascii_domain(template.list_id)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Archive": f"<{template.archive_url}>" if template.archive_url else "",
        "List-Owner": f"<mailto:{owner}>",
        "List-Post": "NO",
        "Feedback-ID": template.feedback_id,
        "Precedence": "bulk",
        # Exchange's own way to hold back holiday notes (MS-OXCMAIL §2.2.3.2.14).
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "Content-Language": template.rendered.language,
    }
    return {name: value for name, value in found.items() if value}
