"""The staff hear of a mailing that paused by itself."""

from __future__ import annotations

import pytest

from newsletter.domain import errors
from newsletter.domain.deliveries import MailingStatus
from newsletter.domain.verdicts import ACCEPTED
from newsletter.sending.alarms import Alarm
from newsletter.sending.notes import Note
from tests.sending import samples
from tests.sending.conftest import Bench
from tests.sending.providers import STOP, Memory


class Postman:
    """Keeps notes, and fails for one address."""

    def __init__(self) -> None:
        self.notes: list[Note] = []

    def send(self, note: Note) -> None:
        if note.to == "broken@example.org":
            raise errors.ProviderError("refused")
        self.notes.append(note)


def test_everybody_is_told_why_and_what_to_type_though_one_cannot_be_reached(bench: Bench) -> None:
    mailing = bench.plan(1)
    paused = bench.ledger.set_status(
        mailing.id, MailingStatus.PAUSED, reason="50 failures in a row", now=samples.NOW
    )
    postman = Postman()
    Alarm(staff=("broken@example.org", "desk@example.org"), postman=postman).ring(paused)
    [note] = postman.notes
    assert (note.to, note.subject) == ("desk@example.org", "The mailing of issue 2.23 has paused")
    assert "50 failures in a row" in note.text
    assert "newsletter mailing resume 2.23" in note.text


@pytest.mark.parametrize("stops", [True, False])
async def test_a_sender_knows_whether_it_paused_for_a_reason_of_its_own(bench: Bench, stops: bool) -> None:
    mailing = bench.plan(3)
    working = bench.sender(Memory(lambda message: STOP if stops else ACCEPTED))
    await working.send(mailing.id)
    assert working.paused is stops
