"""What every ledger promises, whatever it is written in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from newsletter import ports
from newsletter.domain import deliveries, errors, freezing, numbering, subscribers, tokens
from newsletter.domain.deliveries import AfterCrash, Claimed, MailingStatus, Outcome, State
from newsletter.sending import plan
from newsletter.store.directory import StoredDirectory
from newsletter.store.ledger import StoredLedger
from newsletter.store.memory import MemoryDirectory
from newsletter.store.memory_ledger import MemoryLedger
from tests.sending import samples
from tests.sending.samples import NOW, NUMBER, draft, lease, people, person, template

LATER = NOW + timedelta(minutes=10)
MUCH_LATER = NOW + timedelta(hours=1)
OTHER = numbering.IssueNumber(NUMBER.volume, NUMBER.number + 1)


@dataclass
class House:
    """A ledger and the directory beside it."""

    ledger: ports.Ledger
    directory: ports.Directory

    def plan(self, count: int = 3, **fields: Any) -> deliveries.Mailing:
        """Plan a mailing to so many fresh subscribers."""
        people(self.directory, count)
        return self.ledger.plan(draft(**fields))

    def claim(
        self, mailing: deliveries.Mailing, limit: int = 10, *, owner: str = "here:1:1", now: datetime = NOW
    ) -> list[Claimed]:
        held = lease(owner, until=now + timedelta(minutes=5))
        return self.ledger.turn(mailing.id, held, [], limit=limit, now=now).claimed

    def settle(
        self, mailing: deliveries.Mailing, outcomes: Sequence[Outcome], *, owner: str = "here:1:1"
    ) -> None:
        self.ledger.turn(mailing.id, lease(owner), outcomes, limit=0, now=NOW)

    def states(self, mailing: deliveries.Mailing) -> dict[State, int]:
        return {state: number for state, number in self.ledger.tally(mailing.id).states.items() if number}

    def recover(self, mailing: deliveries.Mailing, **fields: Any) -> int:
        given: dict[str, Any] = {
            "dead": lambda owner: False,
            "after_crash": AfterCrash.RESEND,
            "now": LATER,
        }
        return self.ledger.recover(mailing.id, **(given | fields))


@pytest.fixture(params=["memory", "sqlite_database", "postgres_database"])
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    if request.param == "memory":
        directory = MemoryDirectory()
        yield House(MemoryLedger(directory), directory)
        return
    hashed = tokens.Signer(samples.KEY).keyed_hash
    database = request.getfixturevalue(request.param)
    ledger = StoredLedger(database, hashed)
    yield House(ledger, StoredDirectory(database, hashed))
    ledger.close()


def outcome(claimed: Claimed, state: State = State.SENT, **fields: Any) -> Outcome:
    given: dict[str, Any] = {
        "delivery": claimed.id,
        "state": state,
        "at": NOW,
        "attempts": claimed.attempts + 1,
        "first_tried": claimed.first_tried or NOW,
        "reply": "250 2.0.0 Ok: queued as 4Xy",
        "merged_at": NOW,
    }
    return Outcome(**(given | fields))


# -- planning ----------------------------------------------------------------------------------


def test_a_plan_holds_one_delivery_for_every_active_subscriber(house: House) -> None:
    ada = person(house.directory, "Ada@Example.org", name="Ada Lovelace", language="en")
    mailing = house.ledger.plan(draft(rate=5, content_hash="c0ffee"))
    [row] = house.ledger.deliveries(mailing.id)
    assert (row.subscriber, row.email, row.name, row.language) == (
        ada.id,
        "Ada@Example.org",
        "Ada Lovelace",
        "en",
    )
    assert (row.state, row.attempts, row.mailing) == (State.PLANNED, 0, mailing.id)
    assert (mailing.number, mailing.provider, mailing.rate) == (NUMBER, "smtp", 5)
    assert (mailing.status, mailing.planned, mailing.audience) == (MailingStatus.SENDING, 1, "everyone")
    assert (mailing.content_hash, mailing.created_at, mailing.due_at) == ("c0ffee", NOW, None)
    assert house.ledger.get(mailing.id) == mailing == house.ledger.mailing(NUMBER)
    assert house.ledger.mailings() == [mailing]


def test_everybody_left_out_is_counted_under_a_reason(house: House) -> None:
    people(house.directory, 2)
    for status in subscribers.Status:
        person(house.directory, f"{status}@example.org", status)
    person(house.directory, "away@example.org", paused_until=LATER)
    person(house.directory, "back@example.org", paused_until=NOW)
    person(house.directory, "Dead@example.org")
    person(house.directory, "someone@gone.example.org")
    house.directory.suppress("dead@example.org", reason="unknown user", now=NOW)
    house.directory.suppress("gone.example.org", reason="no such domain", now=NOW)
    included, left_out = house.ledger.preview(ports.Audience(), now=NOW)
    assert included == 4
    assert left_out == {
        "bounced": 1,
        "complained": 1,
        "paused": 1,
        "pending": 1,
        "suppressed": 2,
        "unsubscribed": 1,
    }
    mailing = house.ledger.plan(draft())
    assert mailing.planned == house.ledger.subscribers(mailing.id) == 4


def test_the_frozen_templates_come_back_as_they_were_with_the_default_first(house: House) -> None:
    frozen = {"ja": template("ja"), "en": template("en")}
    mailing = house.plan(templates=frozen)
    found = house.ledger.template(mailing.id)
    assert list(found) == ["ja", "en"]
    assert found == frozen
    assert mailing.template_hash == freezing.digest(found)


def test_an_empty_audience_is_no_mailing(house: House) -> None:
    person(house.directory, "ada@example.org", subscribers.Status.PENDING)
    with pytest.raises(errors.MailingError, match="nobody is in the audience “everyone”"):
        house.ledger.plan(draft())
    assert house.ledger.mailings() == []
    assert house.ledger.mailing(NUMBER) is None


def test_an_issue_is_mailed_once(house: House) -> None:
    house.plan()
    with pytest.raises(errors.MailingError, match=r"issue 2\.23 has a mailing already \(sending\)"):
        house.ledger.plan(draft())
    assert len(house.ledger.mailings()) == 1


def test_a_cancelled_mailing_makes_room_for_another(house: House) -> None:
    first = house.plan()
    house.ledger.set_status(first.id, MailingStatus.CANCELLED, now=NOW)
    assert house.ledger.mailing(NUMBER) is None
    second = house.ledger.plan(draft())
    assert house.ledger.mailing(NUMBER) == second
    assert [one.id for one in house.ledger.mailings()] == [second.id, first.id]


def test_issues_are_told_apart(house: House) -> None:
    first = house.plan()
    other = numbering.IssueNumber(2, 24)
    second = house.ledger.plan(draft(templates={"en": template(number=other)}))
    assert house.ledger.mailing(NUMBER) == first
    assert house.ledger.mailing(other) == second
    assert {claimed.id for claimed in house.claim(first)} == {
        one.id for one in house.ledger.deliveries(first.id)
    }


def test_only_those_missing_get_a_second_mailing(house: House) -> None:
    mailing = house.plan(3)
    with pytest.raises(errors.MailingError, match="is not finished"):
        house.ledger.plan(draft(only_missing=True))
    sent, failed, unknown = house.claim(mailing)
    house.settle(mailing, [outcome(sent), outcome(failed, State.FAILED), outcome(unknown, State.UNKNOWN)])
    house.ledger.set_status(mailing.id, MailingStatus.DONE, now=LATER)
    person(house.directory, "new@example.org")
    included, left_out = house.ledger.preview(ports.Audience(), now=NOW, missing=NUMBER)
    assert (included, left_out) == (2, {"has the issue": 2})
    second = house.ledger.plan(draft(only_missing=True))
    assert [one.email for one in house.ledger.deliveries(second.id)] == [failed.email, "new@example.org"]
    assert house.ledger.mailing(NUMBER) == second


def test_who_got_a_cancelled_mailing_is_not_missing(house: House) -> None:
    mailing = house.plan(4)
    sent, unknown, failed = house.claim(mailing, 3)
    house.settle(mailing, [outcome(sent), outcome(unknown, State.UNKNOWN), outcome(failed, State.FAILED)])
    house.ledger.set_status(mailing.id, MailingStatus.CANCELLED, now=NOW)
    assert house.ledger.preview(ports.Audience(), now=NOW, missing=NUMBER) == (2, {"has the issue": 2})
    second = house.ledger.plan(draft(only_missing=True, due_at=LATER))
    assert second.planned == 2
    begun = house.ledger.begin(second.id, now=LATER)
    assert [one.email for one in house.claim(begun)] == [failed.email, "reader4@example.net"]


def test_a_scheduled_mailing_freezes_its_audience_when_it_begins(house: House) -> None:
    first, second = people(house.directory, 2)
    mailing = house.ledger.plan(draft(due_at=LATER))
    assert (mailing.status, mailing.due_at, mailing.planned) == (MailingStatus.SCHEDULED, LATER, 2)
    assert house.claim(mailing) == []
    assert house.ledger.due(NOW) == []
    assert [one.id for one in house.ledger.due(LATER)] == [mailing.id]
    samples.leave(house.directory, first)
    person(house.directory, "new@example.org")
    begun = house.ledger.begin(mailing.id, now=LATER)
    assert (begun.status, begun.planned) == (MailingStatus.SENDING, 2)
    assert [one.email for one in house.claim(begun)] == [second.email, "new@example.org"]


@pytest.mark.parametrize("status", [MailingStatus.PAUSED, MailingStatus.HELD])
def test_stopped_before_it_began_a_scheduled_mailing_freezes_its_audience_anew_too(
    house: House, status: MailingStatus
) -> None:
    first, second = people(house.directory, 2)
    mailing = house.ledger.plan(draft(due_at=LATER))
    house.ledger.set_status(mailing.id, status, reason="wait", now=NOW)
    samples.leave(house.directory, first)
    person(house.directory, "new@example.org")
    begun = house.ledger.begin(mailing.id, now=LATER)
    assert (begun.status, begun.planned, begun.reason) == (MailingStatus.SENDING, 2, "")
    assert [one.email for one in house.claim(begun)] == [second.email, "new@example.org"]


# -- turns -------------------------------------------------------------------------------------


def test_a_claim_gives_each_delivery_once_and_in_order(house: House) -> None:
    mailing = house.plan(5)
    first = house.claim(mailing, 2)
    second = house.claim(mailing, 2, owner="there:1:1")
    third = house.claim(mailing, 2)
    assert [one.email for one in first + second + third] == [f"reader{n}@example.net" for n in range(1, 6)]
    assert house.claim(mailing) == []
    assert house.states(mailing) == {State.SENDING: 5}
    assert (first[0].attempts, first[0].first_tried) == (0, None)


def test_a_turn_settles_and_claims_at_once(house: House) -> None:
    mailing = house.plan(3)
    first = house.claim(mailing, 2)
    turn = house.ledger.turn(mailing.id, lease(), [outcome(one) for one in first], limit=2, now=NOW)
    assert turn.status is MailingStatus.SENDING
    assert [one.email for one in turn.claimed] == ["reader3@example.net"]
    assert house.states(mailing) == {State.SENT: 2, State.SENDING: 1}


def test_everything_of_an_outcome_is_recorded(house: House) -> None:
    mailing = house.plan(1)
    [claimed] = house.claim(mailing)
    done = outcome(
        claimed, at=LATER, provider_id="pm-1", reply="250 Ok", merged_at=NOW, digest=b"\x00\xff" * 16
    )
    house.settle(mailing, [done])
    [row] = house.ledger.deliveries(mailing.id)
    assert (row.state, row.attempts, row.reply, row.provider_id) == (State.SENT, 1, "250 Ok", "pm-1")
    assert (row.settled_at, row.merged_at, row.digest) == (LATER, NOW, b"\x00\xff" * 16)
    assert row.not_before is None


def test_a_retry_waits_for_its_time_and_remembers_its_first_try(house: House) -> None:
    mailing = house.plan(2)
    late, good = house.claim(mailing)
    again = outcome(late, State.PLANNED, not_before=LATER, reply="450 4.2.1 busy")
    house.settle(mailing, [again, outcome(good)])
    assert house.claim(mailing) == []
    assert house.ledger.tally(mailing.id).next_try == LATER
    assert house.ledger.due(NOW) == []
    assert [one.id for one in house.ledger.due(LATER)] == [mailing.id]
    [claimed] = house.claim(mailing, now=LATER)
    assert (claimed.id, claimed.attempts, claimed.first_tried) == (late.id, 1, NOW)


def test_retries_that_are_due_go_before_fresh_deliveries(house: House) -> None:
    mailing = house.plan(4)
    [first] = house.claim(mailing, 1)
    house.settle(mailing, [outcome(first, State.PLANNED, not_before=LATER)])
    assert [one.id for one in house.claim(mailing, 2, now=LATER)] == [first.id, first.id + 1]


def test_a_delivery_given_back_untried_counts_no_try_and_keeps_its_reply(house: House) -> None:
    mailing = house.plan(1)
    [first] = house.claim(mailing)
    house.settle(mailing, [outcome(first, State.PLANNED, not_before=NOW, reply="450 busy")])
    [second] = house.claim(mailing)
    untried = Outcome(
        delivery=second.id, state=State.PLANNED, at=NOW, attempts=second.attempts, not_before=LATER
    )
    house.settle(mailing, [untried])
    [row] = house.ledger.deliveries(mailing.id)
    assert (row.state, row.attempts, row.reply, row.not_before) == (State.PLANNED, 1, "450 busy", LATER)
    [third] = house.claim(mailing, now=LATER)
    assert third.first_tried == NOW


def test_who_left_or_was_suppressed_since_the_plan_is_skipped(house: House) -> None:
    gone, dead, fine = people(house.directory, 3)
    away = person(house.directory, "away@example.org")
    mailing = house.ledger.plan(draft())
    samples.leave(house.directory, gone)
    house.directory.suppress(dead.email, reason="unknown user", now=NOW)
    house.directory.save(dataclasses.replace(away, paused_until=LATER), now=NOW)
    turn = house.ledger.turn(mailing.id, lease(), [], limit=10, now=NOW)
    assert [one.subscriber for one in turn.claimed] == [fine.id]
    assert turn.skipped == 3
    replies = {
        one.subscriber: one.reply for one in house.ledger.deliveries(mailing.id, states=[State.SKIPPED])
    }
    assert replies == {
        gone.id: "unsubscribed since the plan",
        dead.id: "suppressed since the plan: unknown user",
        away.id: "paused since the plan",
    }


def test_a_suppression_reaches_the_person_and_every_later_mailing(house: House) -> None:
    mailing = house.plan(2)
    dead, fine = house.claim(mailing)
    refused = outcome(dead, State.REJECTED, suppress="unknown user", reply="550 5.1.1 no such user")
    house.settle(mailing, [refused, outcome(fine)])
    assert house.directory.is_suppressed(dead.email) == "unknown user"
    found = house.directory.get(dead.subscriber)
    assert found is not None
    assert found.status is subscribers.Status.BOUNCED
    last = house.directory.history(dead.subscriber)[-1]
    assert last.status is subscribers.Status.BOUNCED
    assert last.source == f"delivery {dead.id}: 550 5.1.1 no such user"
    assert house.states(mailing) == {State.REJECTED: 1, State.SENT: 1}
    assert house.claim(mailing) == []


def test_a_suppression_does_not_bring_back_who_left_meanwhile(house: House) -> None:
    [ada] = people(house.directory, 1)
    mailing = house.ledger.plan(draft())
    [claimed] = house.claim(mailing)
    samples.leave(house.directory, ada)
    house.settle(mailing, [outcome(claimed, State.REJECTED, suppress="unknown user")])
    found = house.directory.get(ada.id)
    assert found is not None
    assert found.status is subscribers.Status.UNSUBSCRIBED


@pytest.mark.parametrize(
    "status", [MailingStatus.PAUSED, MailingStatus.HELD, MailingStatus.CANCELLED, MailingStatus.DONE]
)
def test_a_mailing_that_is_not_being_sent_gives_nothing_and_takes_everything(
    house: House, status: MailingStatus
) -> None:
    mailing = house.plan(2)
    [claimed] = house.claim(mailing, 1)
    house.ledger.set_status(mailing.id, status, reason="because", now=NOW)
    turn = house.ledger.turn(mailing.id, lease(), [outcome(claimed)], limit=10, now=NOW)
    assert (turn.status, turn.claimed) == (status, [])
    assert house.states(mailing) == {State.SENT: 1, State.PLANNED: 1}


# -- senders that die --------------------------------------------------------------------------


def test_deliveries_of_a_dead_sender_are_planned_again_at_once(house: House) -> None:
    mailing = house.plan(3)
    lost = house.claim(mailing, 2, owner="here:1:1")
    kept = house.claim(mailing, 1, owner="here:2:2")
    assert house.recover(mailing, dead=lambda owner: owner == "here:1:1", now=NOW) == 2
    assert house.states(mailing) == {State.PLANNED: 2, State.SENDING: 1}
    again = house.claim(mailing, owner="here:3:3")
    assert [(one.id, one.attempts, one.first_tried) for one in again] == [(one.id, 1, NOW) for one in lost]
    house.settle(mailing, [outcome(one) for one in kept], owner="here:2:2")
    assert house.states(mailing) == {State.SENDING: 2, State.SENT: 1}


def test_deliveries_of_a_silent_sender_are_taken_back_when_its_lease_is_over(house: House) -> None:
    mailing = house.plan(1)
    house.claim(mailing)
    assert house.recover(mailing, now=NOW + timedelta(minutes=4)) == 0
    assert house.recover(mailing, now=NOW + timedelta(minutes=5)) == 1
    assert house.recover(mailing, now=MUCH_LATER) == 0


def test_a_sender_that_gives_signs_of_life_keeps_its_deliveries(house: House) -> None:
    mailing = house.plan(1)
    house.claim(mailing)
    house.ledger.turn(mailing.id, lease(until=MUCH_LATER), [], limit=0, now=LATER)
    assert house.recover(mailing, now=LATER) == 0


def test_deliveries_in_doubt_are_held_where_a_person_is_to_decide(house: House) -> None:
    mailing = house.plan(2)
    house.claim(mailing, 1)
    assert house.recover(mailing, after_crash=AfterCrash.HOLD) == 1
    assert house.states(mailing) == {State.UNKNOWN: 1, State.PLANNED: 1}
    assert house.claim(mailing, now=LATER, limit=1)[0].attempts == 0


@pytest.mark.parametrize("after_crash", AfterCrash)
def test_a_receipt_that_comes_late_still_counts(house: House, after_crash: AfterCrash) -> None:
    mailing = house.plan(1)
    [claimed] = house.claim(mailing)
    house.recover(mailing, dead=lambda owner: True, after_crash=after_crash)
    house.settle(mailing, [outcome(claimed)], owner="somebody:else:1")
    assert State.SENT not in house.states(mailing)
    house.settle(mailing, [outcome(claimed)])
    assert house.states(mailing) == {State.SENT: 1}


def test_receipts_of_which_some_come_late_all_count(house: House) -> None:
    mailing = house.plan(3)
    [late] = house.claim(mailing, limit=1)
    house.recover(mailing, dead=lambda owner: True, after_crash=AfterCrash.HOLD)
    claimed = [*house.claim(mailing), late]
    house.settle(mailing, [outcome(one, reply=f"250 {one.id}") for one in claimed])
    rows = house.ledger.deliveries(mailing.id)
    assert [(one.state, one.reply) for one in rows] == [
        (State.SENT, f"250 {number}") for number in sorted(one.id for one in claimed)
    ]


def test_a_late_receipt_does_not_disturb_who_has_the_delivery_now(house: House) -> None:
    mailing = house.plan(1)
    [claimed] = house.claim(mailing, owner="here:1:1")
    house.recover(mailing, dead=lambda owner: True)
    house.claim(mailing, owner="here:2:2", now=LATER)
    house.settle(mailing, [outcome(claimed, State.FAILED)], owner="here:1:1")
    assert house.states(mailing) == {State.SENDING: 1}


def test_a_lease_given_back_is_not_recovered_from(house: House) -> None:
    mailing = house.plan(1)
    [claimed] = house.claim(mailing)
    house.settle(mailing, [outcome(claimed, State.PLANNED, not_before=NOW)])
    house.ledger.leave(mailing.id, "here:1:1")
    assert house.recover(mailing, dead=lambda owner: True) == 0
    assert house.states(mailing) == {State.PLANNED: 1}


def test_a_lease_with_deliveries_in_the_air_is_not_given_back(house: House) -> None:
    mailing = house.plan(1)
    house.claim(mailing)
    house.ledger.leave(mailing.id, "here:1:1")
    assert house.recover(mailing, dead=lambda owner: True) == 1


# -- a person's decisions ----------------------------------------------------------------------


def test_a_reason_stands_with_the_status_until_the_mailing_goes_on(house: House) -> None:
    mailing = house.plan()
    paused = house.ledger.set_status(mailing.id, MailingStatus.PAUSED, reason="the printer burns", now=LATER)
    assert (paused.status, paused.reason, paused.finished_at) == (
        MailingStatus.PAUSED,
        "the printer burns",
        None,
    )
    begun = house.ledger.begin(mailing.id, now=LATER)
    assert (begun.status, begun.reason) == (MailingStatus.SENDING, "")
    assert len(house.claim(mailing)) == 3


@pytest.mark.parametrize("status", [MailingStatus.PAUSED, MailingStatus.HELD])
def test_who_joins_in_late_does_not_undo_what_a_person_said(house: House, status: MailingStatus) -> None:
    mailing = house.plan()
    house.ledger.set_status(mailing.id, status, reason="wait", now=NOW)
    assert house.ledger.begin(mailing.id, now=NOW, resume=False).status is status
    assert house.ledger.get(mailing.id).reason == "wait"
    assert house.ledger.begin(mailing.id, now=NOW).status is MailingStatus.SENDING


@pytest.mark.parametrize(
    ("status", "word"), [(MailingStatus.DONE, "finished"), (MailingStatus.CANCELLED, "cancelled")]
)
def test_what_is_over_stays_over(house: House, status: MailingStatus, word: str) -> None:
    mailing = house.plan()
    over = house.ledger.set_status(mailing.id, status, now=LATER)
    assert over.finished_at == LATER
    acts: list[Callable[[], object]] = [
        lambda: house.ledger.set_status(mailing.id, MailingStatus.PAUSED, now=LATER),
        lambda: house.ledger.begin(mailing.id, now=LATER),
    ]
    for act in acts:
        with pytest.raises(errors.MailingError, match=rf"issue 2\.23 is {word} already"):
            act()


def test_deliveries_that_failed_can_be_planned_anew_even_after_the_end(house: House) -> None:
    mailing = house.plan(3)
    sent, failed, rejected = house.claim(mailing)
    house.settle(mailing, [outcome(sent), outcome(failed, State.FAILED), outcome(rejected, State.REJECTED)])
    house.ledger.set_status(mailing.id, MailingStatus.DONE, now=LATER)
    assert house.ledger.retry(mailing.id, [State.FAILED], now=LATER) == 1
    assert house.ledger.get(mailing.id).status is MailingStatus.SENDING
    assert house.ledger.get(mailing.id).finished_at is None
    [again] = house.claim(mailing, now=LATER)
    assert (again.id, again.attempts, again.first_tried) == (failed.id, 0, None)


def test_a_mailing_is_done_only_once_nothing_is_open(house: House) -> None:
    """A person may plan some again in the moment in which a sender, finding none open, calls it done."""
    mailing = house.plan(1)
    assert house.ledger.finish(mailing.id, now=NOW).status is MailingStatus.SENDING
    [claimed] = house.claim(mailing)
    assert house.ledger.finish(mailing.id, now=NOW).status is MailingStatus.SENDING
    house.settle(mailing, [outcome(claimed, State.FAILED)])
    house.ledger.retry(mailing.id, [State.FAILED], now=NOW)
    assert house.ledger.finish(mailing.id, now=NOW).status is MailingStatus.SENDING
    [again] = house.claim(mailing)
    house.settle(mailing, [outcome(again)])
    done = house.ledger.finish(mailing.id, now=LATER)
    assert (done.status, done.finished_at) == (MailingStatus.DONE, LATER)


@pytest.mark.parametrize("status", [MailingStatus.PAUSED, MailingStatus.HELD, MailingStatus.CANCELLED])
def test_what_a_person_stopped_is_not_done(house: House, status: MailingStatus) -> None:
    mailing = house.plan(1)
    [claimed] = house.claim(mailing)
    house.settle(mailing, [outcome(claimed)])
    house.ledger.set_status(mailing.id, status, now=NOW)
    assert house.ledger.finish(mailing.id, now=NOW).status is status


def test_a_mailing_with_nothing_open_that_nobody_called_done_is_due(house: House) -> None:
    mailing = house.plan(1)
    [claimed] = house.claim(mailing)
    assert house.ledger.due(NOW) == []
    house.settle(mailing, [outcome(claimed)])
    assert [one.id for one in house.ledger.due(NOW)] == [mailing.id]


def test_what_arrived_cannot_be_planned_anew(house: House) -> None:
    mailing = house.plan(1)
    [claimed] = house.claim(mailing)
    house.settle(mailing, [outcome(claimed)])
    with pytest.raises(errors.MailingError, match="that are sent cannot be planned again"):
        house.ledger.retry(mailing.id, [State.FAILED, State.SENT], now=LATER)
    assert house.ledger.retry(mailing.id, [State.FAILED], now=LATER) == 0


@pytest.mark.parametrize("state", [State.PLANNED, State.SENT])
def test_a_person_can_resolve_what_is_unknown(house: House, state: State) -> None:
    mailing = house.plan(2)
    one, other = house.claim(mailing)
    house.settle(mailing, [outcome(one, State.UNKNOWN), outcome(other, State.FAILED)])
    assert house.ledger.resolve_unknown(mailing.id, state, now=LATER) == 1
    assert house.states(mailing) == {state: 1, State.FAILED: 1}
    assert house.ledger.resolve_unknown(mailing.id, state, now=LATER) == 0


def test_a_mailing_that_was_paused_can_wait_for_its_time_again(house: House) -> None:
    mailing = house.plan(1, due_at=MUCH_LATER)
    house.ledger.set_status(mailing.id, MailingStatus.PAUSED, reason="by hand", now=NOW)
    again = plan.resume(house.ledger, house.ledger.get(mailing.id), now=LATER)
    assert (again.status, again.reason) == (MailingStatus.SCHEDULED, "")
    assert house.ledger.due(LATER) == []
    assert house.ledger.due(MUCH_LATER) == [again]
    person(house.directory, "new@example.org")
    assert house.ledger.begin(mailing.id, now=MUCH_LATER).planned == 2


def test_one_that_was_paused_past_its_time_or_after_a_try_goes_on_at_once(house: House) -> None:
    late = house.plan(1, due_at=LATER)
    house.ledger.set_status(late.id, MailingStatus.HELD, reason="too late", now=LATER)
    person(house.directory, "new@example.org")
    resumed = plan.resume(house.ledger, late, now=MUCH_LATER)
    assert (resumed.status, resumed.planned) == (MailingStatus.SENDING, 2)
    tried = house.ledger.plan(draft(templates={"en": template(number=OTHER)}, due_at=MUCH_LATER))
    house.ledger.begin(tried.id, now=NOW)
    claimed, _ = house.claim(tried)
    house.settle(tried, [outcome(claimed, State.PLANNED, not_before=LATER)])
    house.ledger.set_status(tried.id, MailingStatus.PAUSED, now=NOW)
    assert plan.resume(house.ledger, tried, now=LATER).status is MailingStatus.SENDING
    assert house.ledger.tally(tried.id).next_try == LATER


@pytest.mark.parametrize("state", [State.PLANNED, State.REJECTED, State.FAILED, State.UNKNOWN])
def test_a_mailing_whose_messages_nobody_took_is_not_public_until_one_was_taken(
    house: House, state: State
) -> None:
    mailing = house.plan(3)
    one, other, third = house.claim(mailing)
    house.settle(mailing, [outcome(one, state, not_before=LATER if state is State.PLANNED else None)])
    assert house.ledger.get(mailing.id).first_sent_at is None
    assert not house.ledger.get(mailing.id).is_public
    house.settle(mailing, [outcome(other, at=LATER)])
    house.settle(mailing, [outcome(third, at=MUCH_LATER)])
    assert house.ledger.get(mailing.id).first_sent_at == LATER
    assert [each.is_public for each in house.ledger.mailings()] == [True]


def test_a_message_believed_to_have_arrived_is_the_first_one_too(house: House) -> None:
    mailing = house.plan(1)
    [claimed] = house.claim(mailing)
    house.settle(mailing, [outcome(claimed, State.UNKNOWN)])
    assert house.ledger.resolve_unknown(mailing.id, State.SENT, now=LATER) == 1
    assert house.ledger.get(mailing.id).first_sent_at == LATER


@pytest.mark.parametrize(
    ("status", "unsent", "sent"),
    [
        (MailingStatus.PAUSED, False, True),
        (MailingStatus.HELD, False, True),
        (MailingStatus.CANCELLED, False, False),
        (MailingStatus.DONE, True, True),
    ],
)
def test_stopped_before_its_first_message_a_mailing_is_not_public(
    house: House, status: MailingStatus, unsent: bool, sent: bool
) -> None:
    mailing = house.plan(1)
    assert not mailing.is_public
    stopped = house.ledger.set_status(mailing.id, status, now=NOW)
    assert stopped.is_public is unsent
    [claimed] = house.claim(second := house.ledger.plan(draft(templates={"en": template(number=OTHER)})))
    house.settle(second, [outcome(claimed)])
    assert house.ledger.set_status(second.id, status, now=NOW).is_public is sent


def test_leaving_by_a_mailing_is_noted_beside_the_delivery_once(house: House) -> None:
    mailing = house.plan(2)
    first, _ = house.ledger.deliveries(mailing.id)
    house.ledger.mark_unsubscribed(mailing.id, first.subscriber, now=LATER)
    house.ledger.mark_unsubscribed(mailing.id, first.subscriber, now=MUCH_LATER)
    assert [one.unsubscribed_at for one in house.ledger.deliveries(mailing.id)] == [LATER, None]
    assert house.ledger.tally(mailing.id).unsubscribed == 1


# -- accounts ----------------------------------------------------------------------------------


def test_a_tally_adds_up(house: House) -> None:
    mailing = house.plan(5)
    one, two, three = house.claim(mailing, 3)
    house.settle(mailing, [outcome(one), outcome(two, State.FAILED)])
    tally = house.ledger.tally(mailing.id)
    assert house.states(mailing) == {State.SENT: 1, State.FAILED: 1, State.SENDING: 1, State.PLANNED: 2}
    assert (tally.total, tally.open, tally.troubled) == (5, 3, 1)
    assert tally.mailing == house.ledger.get(mailing.id)
    assert tally.total == mailing.planned
    del three


def test_deliveries_are_found_by_state_domain_and_address(house: House) -> None:
    person(house.directory, "Ada@Example.ORG")
    mailing = house.plan(3)
    found = house.ledger.deliveries
    assert [one.email for one in found(mailing.id, domain="example.org")] == ["Ada@Example.ORG"]
    assert [one.email for one in found(mailing.id, email="ada@example.org")] == ["Ada@Example.ORG"]
    assert len(list(found(mailing.id, states=[State.PLANNED]))) == 4
    assert list(found(mailing.id, states=[State.SENT, State.FAILED])) == []


def test_refusals_are_grouped_by_their_reply(house: House) -> None:
    mailing = house.plan(4)
    a, b, c, d = house.claim(mailing)
    house.settle(
        mailing,
        [
            outcome(a, State.REJECTED, reply="550 no"),
            outcome(b, State.FAILED, reply="450 busy"),
            outcome(c, State.PLANNED, reply="450 busy", not_before=LATER),
            outcome(d, reply="250 fine"),
        ],
    )
    assert list(house.ledger.errors(mailing.id)) == [("450 busy", 2), ("550 no", 1)]


def test_domains_are_counted_by_state(house: House) -> None:
    person(house.directory, "ada@example.org")
    mailing = house.plan(2)
    [claimed] = house.claim(mailing, 1)
    house.settle(mailing, [outcome(claimed)])
    assert list(house.ledger.domains(mailing.id)) == [
        ("example.net", State.PLANNED, 2),
        ("example.org", State.SENT, 1),
    ]


def test_a_mailing_that_does_not_exist_is_said_so(house: House) -> None:
    acts: list[Callable[[], object]] = [
        lambda: house.ledger.get(7),
        lambda: house.ledger.template(7),
        lambda: house.ledger.turn(7, lease(), [], limit=1, now=NOW),
    ]
    for act in acts:
        with pytest.raises(errors.MailingError, match="there is no mailing 7"):
            act()


def test_what_was_handed_to_a_provider_is_counted_over_all_mailings(house: House) -> None:
    mailing = house.plan(4)
    one, two, three, four = house.claim(mailing)
    house.settle(
        mailing,
        [
            outcome(one, merged_at=NOW, first_tried=NOW),
            outcome(two, State.REJECTED, merged_at=LATER, first_tried=NOW),
            outcome(three, merged_at=LATER, first_tried=LATER),
            Outcome(delivery=four.id, state=State.PLANNED, at=NOW, attempts=0, not_before=NOW),
        ],
    )
    assert house.ledger.handed_over("smtp", since=NOW) == (3, NOW)
    assert house.ledger.handed_over("smtp", since=LATER) == (2, NOW)
    assert house.ledger.handed_over("postmark", since=NOW) == (0, None)
