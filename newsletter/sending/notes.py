"""Single mails that the house writes itself: to editors and staff, and to people about their subscription."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from typing import Protocol

from newsletter import ports
from newsletter.domain import deliveries, errors, messages, publications
from newsletter.domain.verdicts import Kind

#: One address and nothing else; that it exists was checked when it came onto the list.
_MAILABLE = re.compile(
    r"{word}+@{word}+\.{word}+".format(word=r"""[^\s<>@,;:"\\()\[\]\x00-\x1f]""")
).fullmatch

#: What an editor needs to see of a mail that is handed on, where it cannot be attached.
_EXCERPT = 20_000

#: Makes the feed that hands one message to a provider, and keeps its receipt.
Tray = Callable[[list[messages.Message]], "OneFeed"]


class OneFeed(ports.Feed, Protocol):
    """A feed that keeps its receipts."""

    receipts: list[deliveries.Receipt]


@dataclass(frozen=True, kw_only=True)
class Note:
    """One mail to one person."""

    to: str
    subject: str
    text: str
    html: str = ""
    name: str = ""
    #: A mail that is handed on, as it came.
    attached: bytes = b""


class Messenger:
    """Sends notes through a provider, one at a time."""

    def __init__(
        self,
        provider: ports.Provider,
        sender: publications.Sender,
        *,
        tray: Tray,
        clock: ports.Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._provider = provider
        self._sender = sender
        self._tray = tray
        self._clock = clock
        self._new_id = new_id

    def send(self, note: Note) -> None:
        """Send a note.

        Raises:
            ProviderError: it was not taken.
        """
        message = self._message(note, self._clock())
        tray = self._tray([message])
        asyncio.run(self._provider.send(tray))
        (receipt,) = tray.receipts
        if receipt.verdict.kind not in {Kind.ACCEPTED, Kind.UNKNOWN}:
            raise errors.ProviderError(
                f"the mail to {note.to} was not taken: {receipt.reply}", hint="newsletter doctor"
            )

    def _message(self, note: Note, now: datetime) -> messages.Message:
        identity = f"{self._new_id()}@{self._sender.domain}"
        mail = _written(note, self._sender, identity, now)
        return messages.Message(
            delivery=1,
            sender=self._sender.email,
            recipient=note.to,
            message_id=identity,
            pieces=(mail.as_bytes(),),
            parts=_parts(note, self._sender, identity),
        )


def _written(note: Note, sender: publications.Sender, identity: str, now: datetime) -> EmailMessage:
    mail = EmailMessage(policy=SMTP if note.to.isascii() else SMTPUTF8)
    mail["From"] = _address(sender.name, sender.email)
    mail["To"] = _address(note.name, note.to)
    mail["Subject"] = note.subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{identity}>"
    for name, value in _headers(sender).items():
        mail[name] = value
    mail.set_content(note.text, cte="quoted-printable")
    if note.html:
        mail.add_alternative(note.html, subtype="html", cte="quoted-printable")
    if note.attached:
        # As text: what came may be broken, and must come through all the same.
        mail.add_attachment(
            note.attached, maintype="application", subtype="octet-stream", filename="reply.eml"
        )
    return mail


def _parts(note: Note, sender: publications.Sender, identity: str) -> messages.Parts:
    quoted = note.attached[:_EXCERPT].decode("utf-8", "replace")
    text = f"{note.text}\n\n{quoted}" if quoted else note.text
    return messages.Parts(
        from_name=sender.name,
        from_email=sender.email,
        to_name=note.name,
        subject=note.subject,
        text=text,
        html=note.html,
        headers={"Message-ID": f"<{identity}>", **_headers(sender)},
    )


def _headers(sender: publications.Sender) -> dict[str, str]:
    """Return the headers that keep robots from answering (RFC 3834 §5)."""
    own = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
    return {**({"Reply-To": sender.reply_to} if sender.reply_to else {}), **own}


def _address(name: str, address: str) -> Address:
    """Return a mailbox; whatever is in the name, it is one.

    Raises:
        AddressError: the address cannot stand in a header.
    """
    if not _MAILABLE(address):
        raise errors.AddressError(f"“{address}” is not an address that can be mailed")
    local, _, host = address.rpartition("@")
    return Address("".join(c if c.isprintable() else " " for c in name).strip(), local, host)


def handed_on(raw: bytes, *, to: str, title: str) -> Note:
    """Write the note that brings a person's reply to the editors."""
    return Note(
        to=to,
        subject=f"[{title}] A reader replied",
        text="A reader answered a mail of ours; their own mail is attached as it came.\n",
        attached=raw,
    )
