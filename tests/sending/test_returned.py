"""Mails that came back: the signed token names the delivery, and a mail goes only when its effect is kept."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from newsletter.bounces.mailbox import Incoming
from newsletter.domain import errors, feedback, tokens
from newsletter.domain.events import Kind
from newsletter.domain.tokens import Purpose
from newsletter.sending import returned
from newsletter.sending.feedback import Account
from tests.sending.samples import KEY

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SIGNER = tokens.Signer(KEY)

DSN = """\
Return-Path: <>
To: bounce+{token}@example.org
From: MAILER-DAEMON@mx.example.net
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

This is the mail system at host mx.example.net.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; ada@example.net
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <ada@example.net>: user unknown
--b
Content-Type: text/rfc822-headers

Message-ID: <v2n23.abc@example.org>
--b--
"""
LEAVE = """\
To: unsubscribe@example.org
From: Ada <ada@example.net>
Subject: {token}

"""
REPLY = """\
To: news@example.org
From: Ada <ada@example.net>
Subject: Re: The harbour opens
Message-ID: <1@example.net>

I enjoyed this, thank you.
"""


OTHERS = tokens.Signer(b"another key of that length here.")


def report(text: str) -> feedback.Report:
    return feedback.Report(id=1, provider=returned.MAIL, received_at=NOW, body=text.encode())


def find(mailing: int, subscriber: int) -> int:
    return 4711 if (mailing, subscriber) == (7, 23) else 0


def test_a_bounce_with_our_token_names_the_delivery() -> None:
    text = DSN.format(token=SIGNER.bounce_token(23, 7))
    (event,) = returned.read(report(text), SIGNER, find)
    assert (event.delivery, event.kind, event.hard) == (4711, Kind.BOUNCED, True)


@pytest.mark.parametrize(
    "token",
    ["aaaaaaaaaaaaaaaaaa", "x", OTHERS.bounce_token(23, 7)],
)
def test_a_forged_token_names_nobody(token: str) -> None:
    (event,) = returned.read(report(DSN.format(token=token)), SIGNER, find)
    assert event.delivery == 0


def test_the_same_mail_has_the_same_key_whenever_it_is_read() -> None:
    text = DSN.format(token="aaaaaaaaaaaaaaaaaa")
    keys = {returned.read(report(text), SIGNER, find)[0].key for _ in range(2)}
    assert len(keys) == 1
    assert returned.read(report(text + "\n\n."), SIGNER, find)[0].key not in keys


def test_leaving_by_mail_is_honoured_by_its_token() -> None:
    text = LEAVE.format(token=SIGNER.sign(Purpose.LEAVE, 23, 7))
    (event,) = returned.read(report(text), SIGNER, find)
    assert (event.kind, event.delivery) == (Kind.UNSUBSCRIBED, 4711)


def test_leaving_by_mail_with_a_forged_token_takes_nobody_off() -> None:
    for token in ("AAAA", OTHERS.sign(Purpose.LEAVE, 23, 7)):
        assert all(
            event.delivery == 0 for event in returned.read(report(LEAVE.format(token=token)), SIGNER, find)
        )


class Box:
    """A mailbox that, as POP3's, removes what is done when it is closed, and not before."""

    def __init__(self, *texts: str) -> None:
        self.left = list(texts)
        self._done: list[str] = []

    def fetch(self) -> Iterator[Incoming]:
        for text in tuple(self.left):
            yield Incoming(raw=text.encode(), key=text, done=functools.partial(self._done.append, text))

    def tells(self) -> bool:
        return False

    def wait(self, seconds: float) -> bool:
        return False

    def close(self) -> None:
        self.left = [text for text in self.left if text not in self._done]


class Desk:
    """Keeps what it is given, unless it is full."""

    def __init__(self, *, full: bool = False) -> None:
        self.kept: list[bytes] = []
        self.worked_off: list[bytes] = []
        self.full = full

    def keep(self, reports: list[tuple[str, bytes]]) -> None:
        if self.full:
            raise errors.StoreError("the disk is full")
        self.kept += [body for _, body in reports]

    def work_off(self) -> Account:
        self.worked_off = list(self.kept)
        return Account(reports=len(self.kept))


def test_a_mail_goes_from_its_mailbox_only_when_it_is_kept() -> None:
    box, forwarded = Box(DSN, REPLY), list[bytes]()
    full = returned.Intake(box, Desk(full=True), forwarded.append)  # type: ignore[arg-type]  # a desk in miniature
    with pytest.raises(errors.StoreError):
        full.take_in()
    assert box.left == [DSN, REPLY]
    desk = Desk()
    account, replies = returned.Intake(box, desk, forwarded.append).take_in()  # type: ignore[arg-type]  # a desk in miniature
    assert (account.reports, replies) == (1, 1)
    assert box.left == []
    assert forwarded == [REPLY.encode()]


def test_a_reply_that_cannot_be_handed_on_stays_in_the_mailbox() -> None:
    def refuse(_: bytes) -> None:
        raise errors.ProviderError("no connection")

    box = Box(REPLY)
    with pytest.raises(errors.ProviderError):
        returned.Intake(box, Desk(), refuse).take_in()  # type: ignore[arg-type]  # a desk in miniature
    assert box.left == [REPLY]


def test_a_reply_that_another_process_is_handing_on_is_left_to_it() -> None:
    box, forwarded = Box(DSN, REPLY), list[bytes]()
    theirs = returned.Intake(box, Desk(), forwarded.append, claim=lambda key: key != REPLY)  # type: ignore[arg-type]  # a desk in miniature
    assert theirs.take_in()[1] == 0
    assert (box.left, forwarded) == ([REPLY], [])


@pytest.mark.parametrize(
    "subject", ["unsubscribe", "Please take me off your list", "Re: The harbour opens"], ids=str
)
def test_who_asks_by_mail_to_leave_and_brings_no_token_is_heard_by_people(subject: str) -> None:
    text, forwarded, desk = LEAVE.format(token=subject), list[bytes](), Desk()
    account, replies = returned.Intake(Box(text), desk, forwarded.append).take_in()  # type: ignore[arg-type]  # a desk in miniature
    assert (account.reports, replies, forwarded) == (0, 1, [text.encode()])


def test_a_reply_that_cannot_be_handed_on_holds_up_no_bounce_behind_it() -> None:
    def refuse(_: bytes) -> None:
        raise errors.ProviderError("too big")

    box, desk = Box(REPLY, DSN), Desk()
    with pytest.raises(errors.ProviderError):
        returned.Intake(box, desk, refuse).take_in()  # type: ignore[arg-type]  # a desk in miniature
    assert box.left == [REPLY]
    assert desk.worked_off == desk.kept == [DSN.encode()]
