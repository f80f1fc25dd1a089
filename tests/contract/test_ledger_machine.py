"""Every ledger against a model of it: claims, receipts, crashes and decisions in any order."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from newsletter import ports
from newsletter.domain import deliveries, numbering, subscribers, tokens
from newsletter.domain.deliveries import AfterCrash, Claimed, MailingStatus, Outcome, State
from newsletter.store.directory import StoredDirectory
from newsletter.store.ledger import StoredLedger
from newsletter.store.memory import MemoryDirectory
from newsletter.store.memory_ledger import MemoryLedger
from tests.sending import samples

PEOPLE = 9
OWNERS = ("here:1:1", "here:2:2", "there:3:3")
owners = st.sampled_from(OWNERS)
_numbers = itertools.count(1)


@dataclass
class Row:
    """What the model knows of one delivery."""

    subscriber: int
    state: State = State.PLANNED
    owner: str = ""
    attempts: int = 0
    not_before: datetime | None = None
    tried: bool = False


class LedgerMachine(RuleBasedStateMachine):
    """One mailing, three senders, and whatever may happen to them."""

    ledger: ports.Ledger
    directory: ports.Directory
    reset: Callable[[], None]

    @initialize()
    def plan(self) -> None:
        type(self).reset()
        self.now = samples.NOW
        number = numbering.IssueNumber(1, next(_numbers))
        draft = samples.draft(templates={"en": samples.template(number=number)})
        self.mailing = self.ledger.plan(draft)
        self.rows = {one.id: Row(one.subscriber) for one in self.ledger.deliveries(self.mailing.id)}
        self.people = {row.subscriber for row in self.rows.values()}
        assert len(self.rows) == PEOPLE
        self.status = MailingStatus.SENDING
        self.until: dict[str, datetime] = {}
        #: What each living sender has in hand; one that crashed has forgotten.
        self.hand: dict[str, list[Claimed]] = {owner: [] for owner in OWNERS}

    # -- senders

    @rule(owner=owners, limit=st.integers(0, 5), settled=st.integers(0, 5), data=st.data())
    def turn(self, owner: str, limit: int, settled: int, data: st.DataObject) -> None:
        outcomes = [self._outcome(owner, data) for _ in range(min(settled, len(self.hand[owner])))]
        lease = ports.Lease(owner=owner, until=self.now + ports.LEASE)
        turn = self.ledger.turn(self.mailing.id, lease, outcomes, limit=limit, now=self.now)
        self.until[owner] = lease.until
        for outcome in outcomes:
            self._settle(owner, outcome)
        self._claim(owner, turn, limit)

    def _outcome(self, owner: str, data: st.DataObject) -> Outcome:
        claimed = self.hand[owner].pop(0)
        state = data.draw(
            st.sampled_from([State.SENT, State.PLANNED, State.REJECTED, State.FAILED, State.UNKNOWN])
        )
        released = state is State.PLANNED and data.draw(st.booleans())
        wait = timedelta(minutes=data.draw(st.sampled_from([0, 5, 60])))
        return Outcome(
            delivery=claimed.id,
            state=state,
            at=self.now,
            attempts=claimed.attempts + (not released),
            first_tried=claimed.first_tried or (None if released else self.now),
            not_before=self.now + wait if state is State.PLANNED else None,
            merged_at=None if released else self.now,
        )

    def _settle(self, owner: str, outcome: Outcome) -> None:
        row = self.rows[outcome.delivery]
        if row.owner != owner or row.state not in (State.SENDING, State.UNKNOWN, State.PLANNED):
            return
        row.state, row.not_before = outcome.state, outcome.not_before
        if outcome.merged_at is not None:
            row.attempts = outcome.attempts

    def _claim(self, owner: str, turn: deliveries.Turn, limit: int) -> None:
        assert turn.status is self.status
        due = [
            (number, row)
            for number, row in self.rows.items()
            if row.state is State.PLANNED and (row.not_before is None or row.not_before <= self.now)
        ]
        due.sort(key=lambda one: (one[1].not_before is None, one[1].not_before or self.now, one[0]))
        chosen = due[:limit] if self.status is MailingStatus.SENDING else []
        going = [(number, row) for number, row in chosen if self._may_be_mailed(row.subscriber)]
        assert [one.id for one in turn.claimed] == [number for number, _ in going]
        assert turn.skipped == len(chosen) - len(going)
        for claimed, (_, row) in zip(turn.claimed, going, strict=True):
            assert claimed.attempts == row.attempts
            row.state, row.owner = State.SENDING, owner
        for _, row in chosen:
            if not self._may_be_mailed(row.subscriber):
                row.state = State.SKIPPED
        if limit > len(chosen) and self.status is MailingStatus.SENDING:
            waiting = [row.not_before for row in self.rows.values() if row.state is State.PLANNED]
            assert turn.next_due == min((when for when in waiting if when), default=None)
        self.hand[owner] += turn.claimed

    def _may_be_mailed(self, subscriber: int) -> bool:
        person = self.directory.get(subscriber)
        assert person is not None
        return person.status is subscribers.Status.ACTIVE and not self.directory.is_suppressed(person.email)

    @rule(owner=owners)
    def crash(self, owner: str) -> None:
        """End a sender without a word; the next of its name has another start time, and so another lease."""
        self.hand[owner] = []

    @rule(owner=owners)
    def leave(self, owner: str) -> None:
        """Have a sender go that has nothing in hand."""
        if self.hand[owner]:
            return
        self.ledger.leave(self.mailing.id, owner)
        if not any(row.owner == owner and row.state is State.SENDING for row in self.rows.values()):
            self.until.pop(owner, None)

    @rule(dead=st.sets(owners), after_crash=st.sampled_from(AfterCrash))
    def recover(self, dead: set[str], after_crash: AfterCrash) -> None:
        found = self.ledger.recover(
            self.mailing.id, dead=dead.__contains__, after_crash=after_crash, now=self.now
        )
        gone = {owner for owner, until in self.until.items() if until <= self.now or owner in dead}
        lost = [row for row in self.rows.values() if row.state is State.SENDING and row.owner in gone]
        assert found == len(lost)
        for row in lost:
            row.attempts += 1
            planned = after_crash is AfterCrash.RESEND
            row.state = State.PLANNED if planned else State.UNKNOWN
            row.not_before = self.now if planned else None

    @rule(minutes=st.sampled_from([1, 5, 6, 61, -60]))
    def pass_time(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    # -- people, at the desk and on the list

    @rule()
    def pause(self) -> None:
        self.ledger.set_status(self.mailing.id, MailingStatus.PAUSED, reason="wait", now=self.now)
        self.status = MailingStatus.PAUSED

    @rule()
    def resume(self) -> None:
        self.ledger.begin(self.mailing.id, now=self.now)
        self.status = MailingStatus.SENDING

    @rule()
    def join(self) -> None:
        """Have one more sender come, who does not undo what a person said."""
        assert self.ledger.begin(self.mailing.id, now=self.now, resume=False).status is self.status

    @rule(states=st.sets(st.sampled_from([State.FAILED, State.REJECTED, State.UNKNOWN]), min_size=1))
    def retry(self, states: set[State]) -> None:
        found = self.ledger.retry(self.mailing.id, sorted(states), now=self.now)
        again = [row for row in self.rows.values() if row.state in states]
        assert found == len(again)
        for row in again:
            row.state, row.not_before, row.attempts = State.PLANNED, self.now, 0

    @rule(state=st.sampled_from([State.PLANNED, State.SENT]))
    def resolve(self, state: State) -> None:
        found = self.ledger.resolve_unknown(self.mailing.id, state, now=self.now)
        unknown = [row for row in self.rows.values() if row.state is State.UNKNOWN]
        assert found == len(unknown)
        for row in unknown:
            row.state = state
            if state is State.PLANNED:
                row.not_before, row.attempts = self.now, 0

    @rule(which=st.integers(0, PEOPLE - 1))
    def unsubscribe(self, which: int) -> None:
        person = self.directory.get(sorted(self.people)[which])
        assert person is not None
        samples.leave(self.directory, person)

    @rule(which=st.integers(0, PEOPLE - 1))
    def suppress(self, which: int) -> None:
        person = self.directory.get(sorted(self.people)[which])
        assert person is not None
        self.directory.suppress(person.email, reason="complained", now=self.now)

    # -- what always holds

    @invariant()
    def the_books_agree(self) -> None:
        if not hasattr(self, "rows"):
            return
        found = {one.id: (one.state, one.attempts) for one in self.ledger.deliveries(self.mailing.id)}
        assert found == {number: (row.state, row.attempts) for number, row in self.rows.items()}
        tally = self.ledger.tally(self.mailing.id)
        assert +Counter(tally.states) == Counter(row.state for row in self.rows.values())
        assert tally.total == self.mailing.planned == PEOPLE


def machine(ledger: ports.Ledger, directory: ports.Directory, reset: Callable[[], None]) -> Any:
    """Return the machine over one ledger."""
    fields = {"ledger": ledger, "directory": directory, "reset": staticmethod(reset)}
    return type("Machine", (LedgerMachine,), fields)


def memory() -> Any:
    """Return a machine whose ledger is made anew for every run."""

    class Machine(LedgerMachine):
        def __init__(self) -> None:
            directory = MemoryDirectory()
            samples.people(directory, PEOPLE)
            self.directory, self.ledger = directory, MemoryLedger(directory)
            super().__init__()

        reset = staticmethod(lambda: None)

    return Machine


def stored(database: Any) -> Any:
    """Return a machine over one database, whose people come back to the list before every run."""
    hashed = tokens.Signer(samples.KEY).keyed_hash
    directory, ledger = StoredDirectory(database, hashed), StoredLedger(database, hashed)
    samples.people(directory, PEOPLE)

    def reset() -> None:
        ledger.close()
        with database.writing() as connection:
            connection.execute(sa.text("UPDATE subscriber SET status = 'active'"))
            connection.execute(sa.text("DELETE FROM suppression"))

    return machine(ledger, directory, reset)


def run(subject: Any, *, examples: int) -> None:
    run_state_machine_as_test(
        subject,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize(("kind", "examples"), [("memory", 60), ("sqlite", 20), ("postgres", 5)])
def test_no_order_of_events_parts_a_ledger_from_its_model(
    kind: str, examples: int, request: pytest.FixtureRequest
) -> None:
    subject = memory() if kind == "memory" else stored(request.getfixturevalue(f"{kind}_database"))
    run(subject, examples=examples)


@pytest.mark.soak
@pytest.mark.parametrize(("kind", "examples"), [("memory", 3000), ("sqlite", 1000), ("postgres", 500)])
def test_no_order_of_events_parts_a_ledger_from_its_model_in_the_long_run(
    kind: str, examples: int, request: pytest.FixtureRequest
) -> None:
    test_no_order_of_events_parts_a_ledger_from_its_model(kind, examples, request)
