"""Whoever was forgotten at their own wish may come back at their own wish, and by nobody else's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.domain import errors, tokens
from newsletter.domain.subscribers import ConsentRecord, How, Status, Subscriber
from newsletter.store.allowances import MemoryLimiter
from newsletter.store.memory import MemoryDirectory
from newsletter.subscribing import joining, signup
from tests.web.conftest import PostedLetters

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=2)


@pytest.fixture
def directory() -> MemoryDirectory:
    """A directory that had one person, who was forgotten."""
    found = MemoryDirectory()
    person = Subscriber(email="ada@example.org", status=Status.ACTIVE, joined_at=NOW)
    record = ConsentRecord(status=Status.ACTIVE, at=NOW, how=How.FORM)
    found.forget(found.add(person, record).id, now=NOW)
    return found


def ask(directory: MemoryDirectory) -> tuple[joining.Hall, PostedLetters]:
    signer = tokens.Signer(b"k" * 32)
    hall = joining.Hall(directory, directory.letters, MemoryLimiter(), signer)
    hall.ask(joining.Request(email="ada@example.org"), now=LATER)
    return hall, PostedLetters(directory, signer)


def test_the_form_takes_them_in_and_their_confirmation_lifts_the_bar(directory: MemoryDirectory) -> None:
    hall, letters = ask(directory)
    [(kind, address, token)] = letters.sent
    assert (kind, address) == ("confirm", "ada@example.org")
    person = hall.confirm(token, visitor="192.0.2.1", wording="yes", now=LATER)
    assert person is not None
    assert person.status is Status.ACTIVE
    assert directory.is_suppressed("ada@example.org") == ""


def test_until_they_confirm_the_bar_stands(directory: MemoryDirectory) -> None:
    ask(directory)
    assert directory.is_suppressed("ada@example.org")


def test_staff_cannot_put_them_back(directory: MemoryDirectory) -> None:
    record = signup.added_by_staff(confirmed=True, attest="", now=LATER)
    with pytest.raises(errors.AddressError, match="must not be mailed"):
        signup.add(directory, "ada@example.org", record=record)


def test_an_address_that_staff_suppressed_gets_no_letter() -> None:
    directory = MemoryDirectory()
    directory.suppress("ada@example.org", reason="asked us by phone", now=NOW)
    _, letters = ask(directory)
    assert letters.sent == []
