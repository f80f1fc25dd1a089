"""Single mails of the house's own: well-formed, safe in their headers, answered by no robot."""

from __future__ import annotations

import asyncio
import email
import email.policy
from datetime import UTC, datetime, timedelta
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


# -- carried together --------------------------------------------------------------------------


def carried(provider: Provider, *wanted: Note, seconds: float = 30) -> dict[int, deliveries.Receipt]:
    messenger = Messenger(provider, SENDER, tray=Tray, clock=lambda: NOW, new_id=lambda: "id1")
    receipts = messenger.carry(dict(enumerate(wanted, 7)), patience=timedelta(seconds=seconds))
    assert len(receipts) == len(wanted)
    return {receipt.delivery: receipt for receipt in receipts}


def test_notes_that_go_together_have_a_receipt_each_and_one_that_cannot_be_written_costs_no_other() -> None:
    provider = Provider()
    notes = [Note(to=to, subject="s", text="t") for to in ("ada@example.net", "no address", "bo@example.net")]
    kinds = {number: receipt.verdict.kind for number, receipt in carried(provider, *notes).items()}
    assert kinds == {7: Kind.ACCEPTED, 8: Kind.REJECT, 9: Kind.ACCEPTED}
    assert [message.recipient for message in provider.taken] == ["ada@example.net", "bo@example.net"]


def test_a_note_with_a_key_is_the_same_to_the_byte_at_every_try() -> None:
    provider = Provider()
    note = Note(to="ada@example.net", subject="s", text="t", key="letter.1", at=NOW - timedelta(hours=1))
    carried(provider, note)
    carried(provider, note)
    first, second = provider.taken
    assert first.raw == second.raw
    assert first.message_id == "letter.1@example.org"
    assert b"Message-ID: <letter.1@example.org>\r\n" in first.raw


def test_what_nobody_took_because_the_provider_is_down_comes_again() -> None:
    class Down(Provider):
        async def send(self, feed: ports.Feed) -> None:
            raise errors.ProviderError("connection refused")

    (receipt,) = carried(Down(), Note(to="ada@example.net", subject="s", text="t")).values()
    assert (receipt.verdict.kind, receipt.verdict.scope) == (Kind.RETRY, verdicts.Scope.MAILING)
    assert receipt.reply == "connection refused"


def test_a_provider_that_hangs_is_left_in_time_and_what_it_holds_is_in_doubt() -> None:
    class Hanging(Provider):
        async def send(self, feed: ports.Feed) -> None:
            feed.take()
            await asyncio.Event().wait()

    (receipt,) = carried(Hanging(), Note(to="ada@example.net", subject="s", text="t"), seconds=0.01).values()
    assert receipt.verdict.kind is Kind.UNKNOWN


WORDS = "Grüße,\n\n.a line with a dot\nFrom here on\n" + "long " * 60 + "\n絵文字 🦊 end "


@pytest.mark.parametrize("text", [WORDS, "", "\n", "no line end", "trailing blank \n"])
@pytest.mark.parametrize("name", ["", "Ada", 'Ada "the" Löw', "茶" * 40, "a\nb\tc", "=?utf-8?q?x?="])
def test_a_plain_note_says_what_the_standard_library_would_have_said(text: str, name: str) -> None:
    note = Note(to="ada@example.net", name=name, subject="Bitte — bestätigen " * 5, text=text)
    ours = sent(note)
    theirs = email.message_from_bytes(
        notes._written(note, SENDER, "id1@example.org", NOW).as_bytes(),
        _class=EmailMessage,
        policy=email.policy.default,
    )
    assert ours.get_content().rstrip("\n") == theirs.get_content().rstrip("\n")
    # What looks like an encoded-word comes through as it is, which it does not by `email`; that puts blanks
    # between encoded-words when it reads them.
    assert ours["To"].addresses[0].display_name.replace(" ", "") == "".join(name.split())
    for field in ("From", "Message-ID", "Date", "Auto-Submitted", "Reply-To"):
        assert ours[field] == theirs[field], field
    assert ours["Subject"].strip() == theirs["Subject"].strip()
    assert not ours.defects


def test_a_plain_note_has_no_line_that_begins_with_a_dot_or_is_too_long() -> None:
    provider = Provider()
    carried(provider, Note(to="ada@example.net", subject="s", text=WORDS))
    (message,) = provider.taken
    assert message.canonical
    assert not any(line.startswith(b".") or len(line) > 76 for line in message.raw.split(b"\r\n"))
