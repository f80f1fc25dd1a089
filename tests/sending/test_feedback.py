"""What the world reports, from the raw report to the list, on both databases."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from newsletter.domain import deliveries, errors, feedback, subscribers, tokens
from newsletter.domain.deliveries import MailingStatus, Outcome, State
from newsletter.domain.events import Cause, Event, Kind
from newsletter.domain.subscribers import Status
from newsletter.sending.feedback import Account, Desk
from newsletter.store.database import Database
from newsletter.store.directory import StoredDirectory
from newsletter.store.feedback import StoredFeedback
from newsletter.store.ledger import StoredLedger
from newsletter.subscribing import leaving
from tests.sending import samples
from tests.sending.samples import NOW, draft, lease, people

LATER = NOW + timedelta(hours=1)


@dataclass
class House:
    """A mailing that went out to some people, and the desk that takes in what comes back."""

    directory: StoredDirectory
    ledger: StoredLedger
    book: StoredFeedback
    desk: Desk
    signer: tokens.Signer
    mailing: deliveries.Mailing
    sent: list[deliveries.Delivery] = field(default_factory=list)

    def report(self, *told: dict[str, Any], provider: str = "api") -> Account:
        self.desk.keep([(provider, json.dumps(each).encode()) for each in told])
        return self.desk.work_off()

    def delivery(self, index: int = 0) -> deliveries.Delivery:
        return list(self.ledger.deliveries(self.mailing.id))[index]

    def person(self, index: int = 0) -> subscribers.Subscriber:
        found = self.directory.get(self.sent[index].subscriber)
        assert found is not None
        return found


#: Kinds that the reader of the tests has learned to read.
MENDED: dict[object, dict[str, Any]] = {}


def read(report: feedback.Report) -> Sequence[Event]:
    """Read events in a notation of the tests' own."""
    plain = json.loads(report.body)
    plain = dict(MENDED.get(plain.get("kind"), plain))
    if plain.get("broken"):
        raise errors.ProviderError("this is no report of ours")
    at = NOW + timedelta(minutes=plain.pop("minutes", 0))
    kind, cause = Kind(plain.pop("kind")), Cause(plain.pop("cause", Cause.OTHER.value))
    return [Event(kind=kind, cause=cause, at=at, **plain)]


def clock() -> datetime:
    return LATER


@pytest.fixture
def house(database: Database) -> House:
    signer = tokens.Signer(samples.KEY)
    directory = StoredDirectory(database, signer.keyed_hash)
    ledger = StoredLedger(database, signer.keyed_hash)
    book = StoredFeedback(database, signer.keyed_hash, signer.message_key)
    desk = Desk(book, ledger, read, policy=feedback.Policy(), clock=clock)
    people(directory, 12)
    mailing = ledger.plan(draft())
    claimed = ledger.turn(mailing.id, lease(), [], limit=100, now=NOW).claimed
    taken = [
        Outcome(
            delivery=each.id,
            state=State.SENT,
            at=NOW,
            attempts=1,
            reply="250 ok",
            provider_id=f"api-{each.id}",
            merged_at=NOW,
        )
        for each in claimed
    ]
    ledger.turn(mailing.id, lease(), taken, limit=0, now=NOW)
    ledger.close()
    return House(directory, ledger, book, desk, signer, mailing, list(ledger.deliveries(mailing.id)))


def test_a_dead_address_is_suppressed_and_the_record_says_why(house: House) -> None:
    dead = {"kind": "bounced", "hard": True, "cause": "unknown user", "detail": "550 5.1.1 no such user"}
    account = house.report({**dead, "key": "1", "delivery": house.sent[0].id})
    assert account.new == 1
    assert house.delivery().state is State.BOUNCED
    assert house.person().status is Status.BOUNCED
    assert house.directory.is_suppressed(house.person().email) == "bounced: unknown user"
    record = house.directory.history(house.person().id)[-1]
    assert record.how is subscribers.How.FEEDBACK
    assert "550 5.1.1 no such user" in record.source
    assert house.person(1).status is Status.ACTIVE


def test_a_provider_that_tells_of_a_delivery_nobody_answered_for_makes_the_mailing_public(
    house: House,
) -> None:
    number = dataclasses.replace(house.mailing.number, number=house.mailing.number.number + 1)
    mailing = house.ledger.plan(draft(templates={"en": samples.template(number=number)}))
    lost, refused, *_ = house.ledger.turn(mailing.id, lease(), [], limit=100, now=NOW).claimed
    unknown = [Outcome(delivery=each.id, state=State.UNKNOWN, at=NOW, attempts=1) for each in (lost, refused)]
    unknown = [each._replace(merged_at=NOW) for each in unknown]
    house.ledger.turn(mailing.id, lease(), unknown, limit=0, now=NOW)
    house.ledger.close()
    house.report({"kind": "rejected", "key": "1", "delivery": refused.id})
    assert not house.ledger.get(mailing.id).is_public
    house.report({"kind": "delivered", "key": "2", "delivery": lost.id})
    assert house.ledger.get(mailing.id).first_sent_at == LATER
    assert house.ledger.get(house.mailing.id).first_sent_at == NOW


def test_the_same_report_twice_counts_once(house: House) -> None:
    told = {"kind": "complained", "key": "1", "delivery": house.sent[0].id}
    assert house.report(told, told).known == 1
    assert house.report(told).known == 1
    assert len(house.directory.history(house.person().id)) == 2


def test_the_same_key_of_two_providers_is_two_events(house: House) -> None:
    told = {"kind": "delivered", "key": "1", "delivery": house.sent[0].id}
    assert house.report(told).new == 1
    assert house.report(told, provider="other").new == 1


def test_a_delivery_is_found_by_the_provider_s_own_id(house: House) -> None:
    house.report({"kind": "delivered", "key": "1", "provider_id": house.sent[3].provider_id})
    assert house.delivery(3).state is State.DELIVERED
    assert house.delivery(2).state is State.SENT


def message_id(house: House, index: int) -> str:
    sent = house.sent[index]
    key = house.signer.message_key(sent.mailing, sent.subscriber)
    return f"{house.mailing.number.key}.{key}@example.org"


def test_a_delivery_is_found_by_our_own_message_id_and_its_address(house: House) -> None:
    told = {"kind": "delivered", "key": "1", "message_id": message_id(house, 2)}
    house.report({**told, "recipient": house.sent[2].email.upper()})
    assert house.delivery(2).state is State.DELIVERED


def test_an_address_alone_never_suppresses_anybody(house: House) -> None:
    dead = {"kind": "bounced", "hard": True, "cause": "unknown user", "recipient": house.sent[0].email}
    forged = f"{house.mailing.number.key}.aaaaaaaaaaaaaaaa@example.org"
    account = house.report({**dead, "key": "1"}, {**dead, "key": "2", "message_id": forged})
    assert account.foreign == 2
    assert house.person().status is Status.ACTIVE
    assert house.delivery().state is State.SENT


def test_another_person_s_message_id_does_not_name_this_address(house: House) -> None:
    told = {"kind": "complained", "key": "1", "message_id": message_id(house, 1)}
    assert house.report({**told, "recipient": house.sent[0].email}).foreign == 1
    assert house.person(0).status is Status.ACTIVE


def test_whatever_order_events_come_in_the_weightier_one_stands(house: House) -> None:
    hard = {"kind": "bounced", "hard": True, "cause": "unknown user", "delivery": house.sent[0].id}
    house.report({**hard, "key": "b", "minutes": 1})
    house.report({"kind": "delivered", "key": "d", "delivery": house.sent[0].id, "minutes": 2})
    assert house.delivery().state is State.BOUNCED


def test_a_report_that_cannot_be_read_is_kept_with_its_problem_and_holds_nothing_up(house: House) -> None:
    account = house.report({"broken": True}, {"kind": "delivered", "key": "1", "delivery": house.sent[0].id})
    assert (account.reports, account.problems, account.new) == (2, 1, 1)
    assert house.book.waiting(limit=10) == []


def test_a_report_that_trips_its_reader_holds_nobody_up_and_can_be_read_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"kind": "delivered", "key": "1", "delivery": house.sent[0].id}
    account = house.report({"kind": 7}, told)
    assert (account.reports, account.problems, account.new) == (2, 1, 1)
    assert house.delivery().state is State.DELIVERED
    assert house.desk.work_off().reports == 0
    # The reader is mended: what it could not read is read now.
    plain = {"kind": "opened", "key": "2", "delivery": house.sent[0].id}
    monkeypatch.setitem(MENDED, 7, plain)
    assert house.desk.replay(NOW).new == 1


def test_an_unknown_kind_of_event_is_kept_and_counted(house: House) -> None:
    house.report({"kind": "unknown", "key": "1", "delivery": house.sent[0].id})
    assert house.book.tally() == {("api", "unknown"): 1}
    assert house.delivery().state is State.SENT


def test_replaying_after_a_mended_rule_decides_anew(house: House) -> None:
    dead = {"kind": "bounced", "hard": True, "cause": "other", "key": "1", "delivery": house.sent[0].id}
    house.report(dead)
    assert house.person().status is Status.ACTIVE

    def mended(report: feedback.Report) -> Sequence[Event]:
        (event,) = read(report)
        return [dataclasses.replace(event, cause=Cause.INACTIVE)]

    desk = Desk(house.book, house.ledger, mended, policy=feedback.Policy(), clock=clock)
    assert desk.replay(NOW).known == 1
    assert house.person().status is Status.BOUNCED
    assert house.book.tally() == {("api", "bounced"): 1}


def test_a_person_who_changed_address_since_is_not_taken_off_for_the_old_one(
    house: House, database: Database
) -> None:
    import sqlalchemy as sa

    with database.writing() as connection:
        connection.execute(
            sa.text(
                "UPDATE subscriber SET email = 'new@example.org', email_key = email || id WHERE id = :id"
            ),
            {"id": house.sent[0].subscriber},
        )
    house.report(
        {"kind": "bounced", "hard": True, "cause": "inactive", "key": "1", "delivery": house.sent[0].id}
    )
    assert house.person().status is Status.ACTIVE
    assert house.directory.is_suppressed(house.sent[0].email)


def test_a_mailing_to_a_list_of_dead_addresses_pauses_itself(house: House) -> None:
    house.ledger.set_status(house.mailing.id, MailingStatus.SENDING, now=NOW)
    dead = {"kind": "bounced", "hard": True, "cause": "unknown user"}
    account = house.report(*({**dead, "key": str(each.id), "delivery": each.id} for each in house.sent[:10]))
    assert account.paused == {}
    account = house.report({**dead, "key": "11", "delivery": house.sent[10].id})
    assert "do not exist" in account.paused[house.mailing.id]
    mailing = house.ledger.get(house.mailing.id)
    assert mailing.status is MailingStatus.PAUSED
    assert "11 of 12" in mailing.reason


def test_refusals_for_the_mail_s_own_fault_are_held_against_the_mailing_alone(house: House) -> None:
    blamed = {"kind": "bounced", "hard": True, "cause": "reputation"}
    house.report(*({**blamed, "key": str(each.id), "delivery": each.id} for each in house.sent))
    assert house.book.figures(house.mailing.id).blamed == 12
    assert all(house.person(index).status is Status.ACTIVE for index in range(12))


def test_reports_of_one_run_know_of_each_other(house: House) -> None:
    """They are applied many in one transaction: what a later one means depends on the earlier."""
    first, second = house.sent[0].id, house.sent[1].id
    dead = {"kind": "bounced", "hard": True, "cause": "unknown user"}
    account = house.report(
        {"kind": "delivered", "key": "1", "delivery": first},
        {**dead, "key": "2", "delivery": first, "minutes": 5},
        {"kind": "delivered", "key": "3", "delivery": first, "minutes": 1},
        {"kind": "bounced", "key": "4", "delivery": second, "minutes": 9},
        {"kind": "delivered", "key": "5", "delivery": second, "minutes": 1},
        {**dead, "key": "2", "delivery": first, "minutes": 5},
    )
    assert (account.reports, account.new, account.known) == (6, 5, 1)
    assert [house.delivery(index).state for index in (0, 1)] == [State.BOUNCED, State.BOUNCED]
    assert house.person().status is Status.BOUNCED
    assert len(house.directory.history(house.person().id)) == 2


def test_a_run_of_more_reports_than_one_transaction_takes_loses_none(house: House) -> None:
    told = [{"kind": "opened", "key": str(number), "delivery": house.sent[0].id} for number in range(901)]
    assert house.report(*told).new == 901
    assert house.book.tally() == {("api", "opened"): 901}


@pytest.mark.parametrize("odd", ["nul \x00 byte", "half a pair \ud800"])
def test_words_that_no_database_keeps_hold_up_nobody(house: House, odd: str) -> None:
    strange = {"kind": "bounced", "key": odd, "detail": odd, "recipient": odd, "message_id": odd}
    account = house.report(
        {**strange, "provider_id": odd}, {"kind": "delivered", "key": "2", "delivery": house.sent[1].id}
    )
    assert account.new == 2
    assert house.delivery(1).state is State.DELIVERED


def test_who_leaves_by_mail_leaves_by_their_own_will_also_after_a_change_of_address(house: House) -> None:
    person = house.person()
    house.directory.readdress(person.id, "moved@example.com", now=LATER)
    told = {"kind": "unsubscribed", "key": "m", "delivery": house.sent[0].id}
    house.report(told, provider=feedback.MAIL)
    assert house.person().status is Status.UNSUBSCRIBED
    assert house.directory.history(person.id)[-1].how is subscribers.How.MAIL
    back = leaving.come_back(house.directory, person.id, source="own page", now=LATER)
    assert back is not None
    assert back.status is Status.ACTIVE


def test_what_is_told_of_somebody_who_was_forgotten_leaves_no_words_about_them(house: House) -> None:
    words = f"550 5.1.1 <{house.person().email}>: user unknown"
    told = {
        "kind": "bounced",
        "hard": True,
        "cause": "unknown user",
        "detail": words,
        "delivery": house.sent[0].id,
    }
    house.desk.keep([("api", json.dumps({**told, "key": "before"}).encode())])
    house.directory.forget(house.person().id, now=LATER)
    house.desk.work_off()
    house.report({**told, "key": "after"})
    kept = [report.body for report in house.book.since(NOW)]
    assert kept == [b"", b""]
    assert words not in house.delivery().reply
    assert (
        house.book.about(house.sent[0].subscriber)
        == [feedback.Told(kind=Kind.BOUNCED, at=NOW, cause=Cause.UNKNOWN_USER, detail="", machine=False)] * 2
    )


def test_what_was_told_about_a_person_can_be_told_to_them(house: House) -> None:
    number = house.sent[0].id
    house.report({"kind": "opened", "key": "o", "delivery": number, "machine": True})
    house.report({"kind": "bounced", "key": "b", "delivery": number, "detail": "452 full", "minutes": 5})
    house.report({"kind": "opened", "key": "other", "delivery": house.sent[1].id})
    assert house.book.about(house.person().id) == [
        feedback.Told(kind=Kind.OPENED, at=NOW, cause=Cause.OTHER, detail="", machine=True),
        feedback.Told(
            kind=Kind.BOUNCED,
            at=NOW + timedelta(minutes=5),
            cause=Cause.OTHER,
            detail="452 full",
            machine=False,
        ),
    ]


def test_a_leaving_told_late_or_again_does_not_undo_a_coming_back_after_it(house: House) -> None:
    left = {"kind": "unsubscribed", "key": "u", "delivery": house.sent[0].id}
    house.report(left)
    assert house.person().status is Status.UNSUBSCRIBED
    record = subscribers.ConsentRecord(status=Status.ACTIVE, at=LATER, how=subscribers.How.FORM)
    assert house.directory.apply(subscribers.move(house.person(), record))
    house.desk.replay(NOW)
    house.report({**left, "key": "late", "minutes": 30})
    assert house.person().status is Status.ACTIVE
    house.report({**left, "key": "after", "minutes": 90})
    assert house.person().status is Status.UNSUBSCRIBED
