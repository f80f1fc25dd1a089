"""Single mails of the house's own: well-formed, safe in their headers, answered by no robot."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from newsletter import ports
from newsletter.domain import deliveries, errors, messages, publications, verdicts
from newsletter.domain.verdicts import Kind
from newsletter.providers.tray import Tray
from newsletter.sending import notes
from newsletter.sending.notes import Messenger, Note

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SENDER = publications.Sender(name="Weekly “News”", email="news@example.org", reply_to="editors@example.org")


class Provider:
    """Takes every message, or says what it is told to."""

    def __init__(self, kind: Kind = Kind.ACCEPTED) -> None:
        self.taken: list[messages.Message] = []
        self._verdict = verdicts.Verdict(kind=kind)

    @property
    def limits(self) -> ports.Limits:
        return ports.Limits()

    async def probe(self) -> str:
        return "here"

    async def send(self, feed: ports.Feed) -> None:
        while await feed.ready():
            message = feed.take()
            assert message is not None
            self.taken.append(message)
            feed.give(deliveries.Receipt(message.delivery, self._verdict, "as told"))


def sent(note: Note) -> EmailMessage:
    provider = Provider()
    messenger = Messenger(provider, SENDER, tray=Tray, clock=lambda: NOW, new_id=lambda: "id1")
    messenger.send(note)
    policy = email.policy.default.clone(raise_on_defect=True)
    return email.message_from_bytes(provider.taken[0].raw, _class=EmailMessage, policy=policy)


def test_a_note_is_a_mail_that_no_robot_answers() -> None:
    mail = sent(Note(to="ada@example.net", name="Ada 茶", subject="Bitte — bestätigen", text="Grüße\n.\n"))
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Reply-To"] == "editors@example.org"
    assert mail["Message-ID"] == "<id1@example.org>"
    assert mail["To"].addresses[0].addr_spec == "ada@example.net"
    assert mail["Subject"] == "Bitte — bestätigen"
    assert mail.get_content().splitlines() == ["Grüße", "."]
    assert "List-Unsubscribe-Post" not in mail


@pytest.mark.parametrize("name", ["Ada\r\nBcc: x@example.org", "Ada <x@example.org>", '"', "\x00"])
def test_a_name_cannot_break_out_of_its_header(name: str) -> None:
    mail = sent(Note(to="ada@example.net", name=name, subject="s", text="t"))
    assert [each.addr_spec for each in mail["To"].addresses] == ["ada@example.net"]
    assert "Bcc" not in mail


def test_an_address_outside_ascii_is_written_to_as_it_is() -> None:
    provider = Provider()
    messenger = Messenger(provider, SENDER, tray=Tray, clock=lambda: NOW, new_id=lambda: "id1")
    messenger.send(Note(to="jörg@bücher.example.net", subject="s", text="t"))
    assert "To: jörg@bücher.example.net\r\n".encode() in provider.taken[0].raw


@pytest.mark.parametrize("address", ["", "no address", "a@example.net\r\nBcc: x@example.org", "@example.net"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(errors.NewsletterError):
        sent(Note(to=address, subject="s", text="t"))


def test_a_reply_is_handed_on_as_it_came() -> None:
    raw = b"From: a@example.net\r\nSubject: \xff\r\n\r\nbroken \x00 mail"
    mail = sent(notes.handed_on(raw, to="editors@example.org", title="Weekly"))
    (attached,) = mail.iter_attachments()
    assert attached.get_content() == raw


def test_a_note_that_is_not_taken_is_an_error() -> None:
    messenger = Messenger(Provider(Kind.REJECT), SENDER, tray=Tray, clock=lambda: NOW, new_id=lambda: "id1")
    with pytest.raises(errors.ProviderError, match="was not taken"):
        messenger.send(Note(to="ada@example.net", subject="s", text="t"))
