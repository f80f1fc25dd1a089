"""Single mails that the house writes itself: to editors and staff, and to people about their subscription."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from typing import Protocol

from newsletter import ports
from newsletter.domain import deliveries, errors, messages, publications
from newsletter.domain.verdicts import Kind, Scope, Verdict
from newsletter.rendering import headers, mime

#: One address and nothing else; that it exists was checked when it came onto the list.
_MAILABLE = re.compile(
    r"{word}+@{word}+\.{word}+".format(word=r"""[^\s<>@,;:"\\()\[\]\x00-\x1f]""")
).fullmatch

#: What an editor needs to see of a mail that is handed on, where it cannot be attached.
_EXCERPT = 20_000

_TEXT = (
    b'MIME-Version: 1.0\r\nContent-Type: text/plain; charset="utf-8"\r\n'
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
)
_LATE = "no answer came in time"

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
    #: What its Message-ID and its Date are made of, where they must be the same at each try.
    key: str = ""
    at: datetime | None = None


class Messenger:
    """Sends notes through a provider, one alone or some together."""

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

    def carry(self, notes: Mapping[int, Note], *, patience: timedelta) -> Sequence[deliveries.Receipt]:
        """Hand numbered notes over together, and return a receipt for each by its number."""
        written, receipts = self._messages(notes)
        if not written:
            return receipts
        tray = self._tray(written)
        trouble = asyncio.run(_handed_over(self._provider, tray, patience))
        answered = {receipt.delivery for receipt in tray.receipts}
        silent = [message.delivery for message in written if message.delivery not in answered]
        verdict = Verdict(kind=Kind.UNKNOWN if trouble == _LATE else Kind.RETRY, scope=Scope.MAILING)
        missing = [deliveries.Receipt(number, verdict, trouble) for number in silent]
        return [*receipts, *tray.receipts, *missing]

    def _messages(self, notes: Mapping[int, Note]) -> tuple[list[messages.Message], list[deliveries.Receipt]]:
        """Write what can be written; what cannot has its receipt at once."""
        written: list[messages.Message] = []
        refused: list[deliveries.Receipt] = []
        for number, note in notes.items():
            try:
                written.append(self._message(note, self._clock(), number=number))
            except (errors.AddressError, errors.RenderError) as error:
                refused.append(deliveries.Receipt(number, Verdict(kind=Kind.REJECT), str(error)))
        return written, refused

    def _message(self, note: Note, now: datetime, *, number: int = 1) -> messages.Message:
        identity = f"{note.key or self._new_id()}@{self._sender.domain}"
        plain = _plain(note, self._sender, identity, note.at or now)
        mail = plain or _written(note, self._sender, identity, note.at or now).as_bytes()
        return messages.Message(
            delivery=number,
            sender=self._sender.email,
            recipient=note.to,
            message_id=identity,
            pieces=(mail,),
            parts=_parts(note, self._sender, identity),
            canonical=bool(plain),
        )


async def _handed_over(provider: ports.Provider, tray: OneFeed, patience: timedelta) -> str:
    """Have a provider empty a tray; return why it did not, or an empty text."""
    try:
        async with asyncio.timeout(patience.total_seconds()):
            await provider.send(tray)
    except TimeoutError:
        return _LATE
    except errors.ProviderError as error:
        return str(error)
    return "the provider ended without an answer"


def _plain(note: Note, sender: publications.Sender, identity: str, now: datetime) -> bytes:
    """Return a mail of ASCII addresses and text alone, by our own hand: `email` takes ten times as long."""
    addresses = (note.to, sender.email, sender.reply_to)
    if note.html or note.attached or not all(map(str.isascii, addresses)) or not _MAILABLE(note.to):
        return b""
    text = note.text if note.text.endswith("\n") else f"{note.text}\n"
    return b"".join(
        [
            headers.mailbox("From", _one_line(sender.name), sender.email),
            headers.mailbox("To", _one_line(note.name), note.to),
            headers.text("Subject", _one_line(note.subject)),
            headers.field("Date", format_datetime(now)),
            headers.field("Message-ID", f"<{identity}>"),
            *(headers.field(name, value) for name, value in _headers(sender).items()),
            _TEXT,
            mime.encode(text),
        ]
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
    return Address(_one_line(name), local, host)


def _one_line(name: str) -> str:
    return "".join(c if c.isprintable() else " " for c in name).strip()


def handed_on(raw: bytes, *, to: str, title: str) -> Note:
    """Write the note that brings a person's reply to the editors."""
    return Note(
        to=to,
        subject=f"[{title}] A reader replied",
        text="A reader answered a mail of ours; their own mail is attached as it came.\n",
        attached=raw,
    )
