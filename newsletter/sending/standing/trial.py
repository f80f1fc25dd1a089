"""The test mail of the doctor: an issue's headers around two lines, and the wait for it to come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from newsletter import ports
from newsletter.bounces.mailbox import Mailbox
from newsletter.domain import deliveries, errors, messages, numbering, publications
from newsletter.domain.messages import Field
from newsletter.domain.tokens import Purpose, Signer
from newsletter.domain.verdicts import Kind
from newsletter.rendering import merge
from newsletter.sending.notes import Tray

_TEXT = "This mail shows how an issue would arrive. Nothing has to be done about it.\n\nUnsubscribe: "
#: Seconds between two looks into the mailbox at most.
_LOOK = 5.0


def leave_url(publication: publications.Publication, signer: Signer) -> str:
    """Return a valid link of one-click unsubscription that is nobody's."""
    return f"{publication.url}/u/{signer.sign(Purpose.LEAVE, 0, 0)}"


def write(
    publication: publications.Publication, signer: Signer, *, to: str, identity: str, now: datetime, raw: bool
) -> messages.Message:
    """Write the test mail."""
    url = leave_url(publication, signer)
    sender = publication.sender
    template = messages.MessageTemplate(
        number=numbering.IssueNumber(1, 1),
        rendered=messages.Rendered(
            language=publication.language,
            subject=f"[TEST] {publication.title}: the way to your mailbox",
            preheader="",
            html=("<p>", _TEXT.replace("\n\n", "</p><p>"), Field("unsubscribe_url"), "</p>"),
            text=(_TEXT, Field("unsubscribe_url"), "\n"),
        ),
        from_name=sender.name,
        from_email=sender.email,
        reply_to=sender.reply_to,
        list_id=publication.list_id,
        list_name=publication.title,
        domain=sender.domain,
        feedback_id=f"doctor:{publication.list_id.partition('.')[0]}:test:newsletter",
    )
    recipient = messages.Recipient(
        delivery=1,
        email=to,
        name="",
        message_key=f"doctor-{identity}",
        bounce_token=signer.bounce_token(0, 0),
        values=dict.fromkeys(messages.FIELDS, "") | {"unsubscribe_url": url},
    )
    merger = merge.compile(template)
    return merger.merge(recipient, now) if raw else merger.parts(recipient, now)


async def send(message: messages.Message, provider: ports.Provider, tray: Tray) -> deliveries.Receipt:
    """Hand the test mail over.

    Raises:
        ProviderError: it was not taken.
    """
    feed = tray([message])
    await provider.send(feed)
    (receipt,) = feed.receipts
    if receipt.verdict.kind is not Kind.ACCEPTED:
        raise errors.ProviderError(f"the test mail was not taken: {receipt.reply}", hint="newsletter doctor")
    return receipt


@dataclass(frozen=True, kw_only=True)
class Post:
    """The mailbox that a test mail is waited for in."""

    mailbox: Mailbox
    #: Seconds of a clock that never goes back.
    steady: Callable[[], float]

    def wait_for(self, marks: tuple[str, ...], *, seconds: float) -> bytes | None:
        """Return the mail that one of the marks stands in, and take it out; None where none came in time.

        Every other mail stays where it is.
        """
        until = self.steady() + seconds
        while True:
            for incoming in self.mailbox.fetch():
                if any(mark.encode() in incoming.raw for mark in marks):
                    incoming.done()
                    self.mailbox.close()
                    return incoming.raw
            left = until - self.steady()
            if left <= 0:
                self.mailbox.close()
                return None
            self.mailbox.wait(min(_LOOK, left))
