"""The public pages over a list of three: one active, one who never confirmed, one who left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from newsletter import ports
from newsletter.authoring import issue_files
from newsletter.domain import deliveries, letters, messages, numbering, publications, subscribers, tokens
from newsletter.domain.subscribers import Status
from newsletter.domain.tokens import Purpose
from newsletter.rendering import theme
from newsletter.store.allowances import MemoryLimiter
from newsletter.store.memory import MemoryDirectory
from newsletter.store.memory_ledger import MemoryLedger
from newsletter.subscribing import joining, leaving
from newsletter.subscribing.letters import Writer
from newsletter.web import app, desk, forms

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
NUMBER = numbering.IssueNumber(2, 23)
SENDER = publications.Sender(name="Weekly", email="news@example.org", reply_to="")
PUBLICATION = publications.Publication(
    title="Weekly <Digest>",
    url="https://digest.example.org",
    language="en",
    postal_address="1 Sample Street, Sampleton",
    contact="editors@example.org",
    sender=SENDER,
)
TEMPLATE = messages.MessageTemplate(
    number=NUMBER,
    rendered=messages.Rendered(
        language="en",
        subject="Ships",
        preheader="",
        html=(
            "<h1>Ships</h1><p>Dear ",
            messages.Field("subscriber.first_name", "reader"),
            '</p><a href="',
            messages.Field("unsubscribe_url"),
            '">Unsubscribe</a>',
        ),
        text=("Ships\n",),
    ),
    from_name="Weekly",
    from_email="news@example.org",
    reply_to="",
    list_id="weekly.example.org",
    list_name="Weekly",
    domain="example.org",
    feedback_id="v2n23:weekly:news:exmplorg",
)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class PostedLetters:
    """What is to be mailed: kind, address and the token of the link, as the reader gets them."""

    def __init__(self, directory: MemoryDirectory, signer: tokens.Signer) -> None:
        self._directory = directory
        self._writer = Writer(PUBLICATION, theme.packaged(), signer)

    @property
    def sent(self) -> list[tuple[str, str, str]]:
        """Return every letter that was put down, oldest first."""
        return [self._told(letter) for letter in self._directory.letters.every()]

    def _told(self, letter: letters.Letter) -> tuple[str, str, str]:
        person = self._directory.get(letter.subscriber)
        assert person is not None
        written = self._writer.write(letter, person)
        token = re.search(r"/(?:confirm|address)/([\w-]+)", written.text)
        return letter.kind.value, written.to, token[1] if token else ""


@dataclass(frozen=True)
class House:
    """Everything behind the pages, for tests to look at."""

    desk: desk.Desk
    directory: MemoryDirectory
    ledger: MemoryLedger
    mailing: deliveries.Mailing
    active: subscribers.Subscriber
    pending: subscribers.Subscriber
    left: subscribers.Subscriber
    letters: PostedLetters
    clock: Clock

    def token(self, purpose: Purpose, subscriber: subscribers.Subscriber) -> str:
        own = purpose in (Purpose.PREFERENCES, Purpose.UNDO)
        second = tokens.fingerprint(subscriber.email) if own else self.mailing.id
        return self.desk.signer.sign(purpose, subscriber.id, second)

    def status(self, subscriber: subscribers.Subscriber) -> Status:
        found = self.directory.get(subscriber.id)
        assert found is not None
        return found.status


def reception(**changes: Any) -> desk.Reception:
    """A reception that nobody reports to."""
    given: dict[str, Any] = {"gates": {}, "keep": lambda reports: None, "work_off": lambda: None}
    return desk.Reception(**{**given, "clock": lambda: NOW, **changes})


def hand_over(ledger: ports.Ledger, mailing: deliveries.Mailing, *, now: datetime = NOW) -> None:
    """Have a provider take the first message of a mailing."""
    lease = ports.Lease(owner="here:1:1", until=now + ports.LEASE)
    [first] = ledger.turn(mailing.id, lease, [], limit=1, now=now).claimed
    taken = deliveries.Outcome(
        delivery=first.id, state=deliveries.State.SENT, at=now, attempts=1, first_tried=now, merged_at=now
    )
    ledger.turn(mailing.id, lease, [taken], limit=0, now=now)
    ledger.leave(mailing.id, lease.owner)


@pytest.fixture
def house(tmp_path: Path) -> House:
    directory = MemoryDirectory()
    people = [
        join(directory, "ada@example.org", Status.ACTIVE),
        join(directory, "ben@example.org", Status.PENDING),
        join(directory, "cleo@example.org", Status.UNSUBSCRIBED),
    ]
    ledger = MemoryLedger(directory)
    draft = ports.MailingDraft(
        templates={"en": TEMPLATE}, audience=ports.Audience(), provider="outbox", now=NOW
    )
    signer, clock = tokens.Signer(b"k" * 32), Clock()
    at = desk.Desk(
        publication=PUBLICATION,
        signer=signer,
        directory=directory,
        ledger=ledger,
        clock=clock,
        reception=reception(),
        hall=joining.Hall(directory, directory.letters, MemoryLimiter(), signer),
        exit=leaving.OneByOne(directory, ledger),
        call_mailroom=lambda: None,
        forms=forms.Forms(signer, clock=clock, new_id=lambda: "c00k1e", secure=True),
        topics={"security": "Security", "trade": "Trade"},
        trusted=(),
        data=lambda person: {"subscriber": person, "history": list(directory.history(person.id))},
        issues=tmp_path / "issues",
        read=lambda path: issue_files.read(path, title=PUBLICATION.title),
        theme=theme.packaged(),
    )
    at.issues.mkdir()
    active, pending, left = people
    mailing = ledger.plan(draft)
    hand_over(ledger, mailing)
    return House(
        at,
        directory,
        ledger,
        ledger.get(mailing.id),
        active,
        pending,
        left,
        PostedLetters(directory, signer),
        clock,
    )


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    with TestClient(app.create(house.desk), base_url=PUBLICATION.url, follow_redirects=False) as client:
        yield client


def join(directory: MemoryDirectory, email: str, status: Status) -> subscribers.Subscriber:
    person = subscribers.Subscriber(email=email, status=status, joined_at=NOW)
    record = subscribers.ConsentRecord(status=status, at=NOW, how=subscribers.How.STAFF)
    return directory.add(person, record)
