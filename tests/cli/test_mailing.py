"""`newsletter mailing`: the plan is shown, the mailing sent, and every question about it answered."""

from __future__ import annotations

import asyncio
import csv
import io
import sqlite3
import sys

import pytest

from newsletter import wiring
from newsletter.domain.deliveries import MailingStatus, State
from tests.cli import mailings
from tests.cli.conftest import House


def states(house: House) -> dict[State, int]:
    [mailing] = house.app.ledger.mailings()
    return dict(house.app.ledger.tally(mailing.id).states)


# -- plan and send -----------------------------------------------------------------------------


def test_a_plan_shows_who_would_get_it_and_who_not_and_writes_nothing(house: House) -> None:
    mailings.leave(house.app, "bob@example.net")
    result = house.mail("plan", "1.1")
    assert result.code == 0
    assert "everyone: 2 subscribers" in result.out
    assert "1 unsubscribed" in result.out
    assert "Vol 1.1 of 2026-01-09" in result.out
    assert house.app.ledger.mailings() == []
    assert house.mail("plan", "latest", "--json").json == {
        "number": {"volume": 1, "number": 1},
        "audience": "everyone",
        "included": 2,
        "left_out": {"unsubscribed": 1},
    }


def test_a_mailing_reaches_everybody_once_and_a_second_send_refuses(house: House) -> None:
    postbox = house.serve()
    result = house.mail("send", "1.1", "--yes")
    assert (result.code, result.err) == (0, "")
    assert sorted(postbox.recipients) == sorted(mailings.READERS)
    assert "Issue 1.1 is done: 3 sent." in result.out
    again = house.mail("send", "1.1", "--yes")
    assert again.code == 1
    assert "issue 1.1 was sent on" in again.err
    assert "--only-missing" in again.err
    assert len(postbox.taken) == 3


def test_nothing_is_sent_without_a_yes(house: House) -> None:
    postbox = house.serve()
    result = house.mail("send", "1.1")
    assert result.code == 2
    assert "Send issue 1.1 to 3 subscribers?" in result.err
    assert "--yes" in result.err
    assert postbox.taken == []
    assert house.app.ledger.mailings() == []


def test_an_issue_that_nobody_approved_is_refused(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_DELIVERY__SKIP_APPROVAL", "false")
    for words in (("send", "1.1", "--yes"), ("schedule", "1.1", "--at", "2030-01-01 09:00", "--yes")):
        result = house.mail(*words)
        assert result.code == 1
        assert "not approved" in result.err
    assert house.app.ledger.mailings() == []


def test_an_issue_edited_after_its_approval_is_refused(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_DELIVERY__SKIP_APPROVAL", "false")
    approved = house.run("-C", house.app.workspace.root, "issue", "approve", "1.1", "--as", "Mina Ode")
    assert approved.code == 0, approved.err
    path = house.app.workspace.issues / "vol-1-1.md"
    path.write_text(path.read_text(encoding="utf-8").replace("new pier", "newest pier"), encoding="utf-8")
    result = house.mail("send", "1.1", "--yes")
    assert result.code == 1
    assert "edited since" in result.err
    assert house.app.ledger.mailings() == []


def test_an_empty_audience_is_an_error_that_says_why(house: House) -> None:
    for address in mailings.READERS:
        mailings.leave(house.app, address)
    result = house.mail("send", "1.1", "--yes")
    assert result.code == 1
    assert "nobody is in the audience “everyone”: 3 unsubscribed" in result.err
    assert house.app.ledger.mailings() == []


def test_a_dry_run_writes_files_and_records_nothing(house: House) -> None:
    postbox = house.serve()
    result = house.mail("send", "1.1", "--dry-run")
    assert (result.code, result.err) == (0, "")
    assert "3 sent" in result.out
    assert len(list((house.app.workspace.root / "outbox" / "new").glob("*.eml"))) == 3
    assert postbox.taken == []
    assert house.app.ledger.mailings() == []


def test_a_provider_that_is_not_described_is_named(house: House) -> None:
    result = house.mail("send", "1.1", "--yes", "--provider", "pigeon")
    assert result.code == 2
    assert "there is no [providers.pigeon]" in result.err
    assert "smtp, outbox" in result.err


def test_another_provider_can_be_chosen(house: House) -> None:
    assert house.mail("send", "1.1", "--yes", "--provider", "outbox").code == 0
    assert len(list((house.app.workspace.root / "outbox" / "new").glob("*.eml"))) == 3
    [mailing] = house.app.ledger.mailings()
    assert mailing.provider == "outbox"


def test_those_missing_get_it_later_and_nobody_twice(house: House) -> None:
    postbox = house.serve()
    house.mail("send", "1.1", "--yes")
    mailings.join(house.app, "new@example.org")
    result = house.mail("send", "1.1", "--only-missing", "--yes")
    assert result.code == 0
    assert "3 have the issue" in result.out
    assert postbox.recipients[3:] == ["new@example.org"]
    assert house.mail("send", "1.1", "--only-missing", "--yes").code == 1


# -- what goes wrong ---------------------------------------------------------------------------


def test_a_server_that_is_down_loses_nobody_and_the_same_command_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_PROVIDERS__SMTP__PORT", "1")
    result = house.mail("send", "1.1", "--yes")
    assert result.code == 1
    assert "127.0.0.1:1 cannot be reached" in result.err
    assert "`newsletter mailing send 1.1` goes on" in result.err
    assert states(house) == {State.PLANNED: 3}
    postbox = house.serve()
    again = house.mail("send", "1.1", "--yes")
    assert again.code == 0
    assert "3 planned" in again.out
    assert sorted(postbox.recipients) == sorted(mailings.READERS)


def test_a_recipient_refused_for_good_costs_only_itself_and_is_never_mailed_again(house: House) -> None:
    postbox = house.serve(**{"bob@example.net": ["550 5.1.1 no such user"]})
    result = house.mail("send", "1.1", "--yes")
    assert result.code == 3
    assert "2 sent, 1 rejected" in result.out
    assert sorted(postbox.recipients) == ["ada@example.net", "cy@example.com"]
    who = house.mail("who", "1.1", "--status", "rejected")
    assert "bob@example.net" in who.out
    assert "550 5.1.1 no such user" in who.out
    assert "1 suppressed" in house.mail("plan", "1.1").out or house.app.directory.is_suppressed(
        "bob@example.net"
    )


def test_a_recipient_put_off_is_tried_again_later(house: House) -> None:
    postbox = house.serve(**{"bob@example.net": ["450 4.2.1 mailbox busy"]})
    result = house.mail("send", "1.1", "--yes")
    assert result.code == 3
    assert "1 will be tried again" in result.out
    assert states(house) == {State.SENT: 2, State.PLANNED: 1}
    [mailing] = house.app.ledger.mailings()
    assert mailing.status is MailingStatus.SENDING
    with house.app.database.writing() as connection:
        connection.exec_driver_sql("UPDATE delivery SET not_before = 0 WHERE state = 'planned'")
    assert house.mail("send", "1.1", "--yes").code == 0
    assert sorted(postbox.recipients) == sorted(mailings.READERS)


def test_a_database_that_another_process_holds_is_said_to_be_locked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.serve()
    # The wait for another writer is a constant of the store; a test need not sit through it.
    monkeypatch.setattr("newsletter.store.database.BUSY_SECONDS", 0.05)
    holder = sqlite3.connect(house.app.workspace.root / "subscribers.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        result = house.mail("send", "1.1", "--yes")
    finally:
        holder.close()
    assert result.code == 1
    assert "locked by another process" in result.err


# -- schedule, pause, cancel -------------------------------------------------------------------


def test_a_mailing_is_scheduled_in_the_zone_that_was_named(house: House) -> None:
    words = ("schedule", "1.1", "--at", "2099-12-04 09:00", "--tz", "Asia/Tokyo", "--yes")
    result = house.mail(*words)
    assert result.code == 0
    assert "2099-12-03 19:00 EST" in result.out
    [mailing] = house.app.ledger.mailings()
    assert mailing.status is MailingStatus.SCHEDULED
    assert mailing.due_at is not None
    assert mailing.due_at.isoformat() == "2099-12-04T00:00:00+00:00"
    assert house.mail(*words).code == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--at", "2001-01-01 09:00"), 1, "is past"),
        (("--at", "2099-01-01 09:00", "--tz", "Mars/Olympus"), 2, "not a time zone"),
        (("--at", "tomorrow"), 2, "tomorrow"),
    ],
)
def test_a_time_that_cannot_be_is_refused(house: House, words: tuple[str, ...], code: int, said: str) -> None:
    result = house.mail("schedule", "1.1", *words, "--yes")
    assert result.code == code
    assert said in result.err
    assert house.app.ledger.mailings() == []


def test_a_scheduled_issue_that_was_edited_since_is_not_sent_by_hand(house: House) -> None:
    house.serve()
    house.mail("schedule", "1.1", "--at", "2099-12-04 09:00", "--yes")
    path = house.app.workspace.issues / "vol-1-1.md"
    path.write_text(path.read_text(encoding="utf-8").replace("new pier", "newest pier"), encoding="utf-8")
    result = house.mail("send", "1.1", "--yes")
    assert result.code == 1
    assert "edited since its mailing was scheduled" in result.err


def test_a_paused_mailing_says_why_and_goes_on(house: House) -> None:
    postbox = house.serve()
    house.mail("schedule", "1.1", "--at", "2099-12-04 09:00", "--yes")
    assert house.mail("pause", "1.1", "--reason", "a wrong name").code == 0
    status = house.mail("status", "1.1")
    assert status.code == 3
    assert "paused: a wrong name" in status.out
    assert house.mail("resume", "1.1").code == 0
    assert house.mail("resume", "1.1").code == 1
    assert house.mail("send", "1.1", "--yes").code == 0
    assert len(postbox.taken) == 3


def test_a_cancelled_mailing_makes_room_for_another(house: House) -> None:
    postbox = house.serve()
    house.mail("schedule", "1.1", "--at", "2099-12-04 09:00", "--yes")
    assert house.mail("cancel", "1.1").code == 2
    assert house.mail("cancel", "1.1", "--yes").code == 0
    assert house.mail("status", "1.1").code == 1
    assert house.mail("send", "1.1", "--yes").code == 0
    assert len(postbox.taken) == 3


def test_nobody_is_mailed_twice_who_got_a_mailing_that_was_cancelled(house: House) -> None:
    postbox = house.serve(**{"bob@example.net": ["450 4.2.1 mailbox busy"]})
    house.mail("send", "1.1", "--yes")
    cancelled = house.mail("cancel", "1.1", "--yes")
    assert "2 subscribers have it already" in cancelled.out
    house.mail("send", "1.1", "--only-missing", "--yes")
    assert len(postbox.taken) == 3


# -- accounts ----------------------------------------------------------------------------------


def test_every_question_about_a_mailing_has_an_answer(house: House) -> None:
    house.serve(**{"bob@example.net": ["550 5.1.1 no such user"]})
    house.mail("send", "1.1", "--yes")
    report = house.mail("report", "1.1")
    assert "2 sent, 1 rejected" in report.out
    assert "550 5.1.1 no such user" in report.out
    plain = house.mail("status", "1.1", "--json")
    assert plain.code == 3
    assert plain.json["states"]["sent"] == 2
    assert plain.json["errors"] == [{"reply": "550 5.1.1 no such user", "count": 1}]
    assert "1.1" in house.mail("status").out
    assert house.mail("status", "1.1", "--watch").code == 3


def test_the_account_of_everybody_can_be_handed_on(house: House) -> None:
    house.serve()
    house.mail("send", "1.1", "--yes")
    rows = list(csv.DictReader(io.StringIO(house.mail("who", "1.1", "--format", "csv").out)))
    assert {row["email"]: row["state"] for row in rows} == dict.fromkeys(mailings.READERS, "sent")
    assert {row["provider_id"] for row in rows} == {"Q1", "Q2", "Q3"}
    only = house.mail("who", "1.1", "--domain", "example.com", "--format", "json")
    assert '"cy@example.com"' in only.out
    assert only.out.count("\n") == 1
    assert house.mail("who", "1.1", "--status", "failed").out == "Nobody.\n"
    assert house.mail("who", "1.1", "--format", "xml").code == 2


def test_what_was_sent_can_be_written_again_to_the_byte(house: House) -> None:
    postbox = house.serve()
    house.mail("send", "1.1", "--yes")
    sent = dict(postbox.taken)["ada@example.net"]
    [mailing] = house.app.ledger.mailings()
    again = house.app.audit.message(mailing, "ada@example.net")
    assert again.raw.rstrip(b"\r\n") == sent.rstrip(b"\r\n")


def test_a_message_is_refused_when_it_cannot_be_the_one_that_was_sent(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.serve()
    house.mail("send", "1.1", "--yes")
    assert "is not in the mailing" in house.mail("message", "1.1", "eve@example.org").err
    monkeypatch.setenv("NEWSLETTER_SIGNING_KEY", "another-key-another-key-another-key")
    result = house.mail("message", "1.1", "ada@example.net")
    assert result.code == 1
    assert "its hash differs" in result.err


def test_a_ledger_that_adds_up_is_said_to_and_one_that_does_not_is_an_error(house: House) -> None:
    house.serve()
    house.mail("send", "1.1", "--yes")
    result = house.mail("verify", "1.1")
    assert (result.code, "adds up: 3 deliveries, 3 sent" in result.out) == (0, True)
    with house.app.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM delivery WHERE email = 'bob@example.net'")
        connection.exec_driver_sql("UPDATE mailing_template SET body = replace(body, 'pier', 'peer')")
    broken = house.mail("verify", "1.1")
    assert broken.code == 1
    assert "3 deliveries were planned, the states add up to 2" in broken.err
    assert "the frozen template is not the one that was planned" in broken.err


def test_what_failed_can_be_tried_anew_and_what_is_unknown_resolved(house: House) -> None:
    postbox = house.serve(**{"bob@example.net": ["550 5.7.1 we do not like this"]})
    house.mail("send", "1.1", "--yes")
    assert states(house)[State.REJECTED] == 1
    assert house.mail("retry", "1.1", "--status", "sent").code == 1
    assert "1 delivery is planned again" in house.mail("retry", "1.1", "--status", "rejected").out
    assert house.mail("send", "1.1", "--yes").code == 0
    assert sorted(postbox.recipients) == sorted(mailings.READERS)
    with house.app.database.writing() as connection:
        connection.exec_driver_sql("UPDATE delivery SET state = 'unknown' WHERE email = 'ada@example.net'")
    assert house.mail("resolve", "1.1", "--unknown", "forget").code == 2
    assert "1 delivery is taken for sent" in house.mail("resolve", "1.1", "--unknown", "sent").out
    assert house.mail("status", "1.1").code == 0


def test_a_mailing_can_be_sent_on_another_event_loop(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def kind() -> str:
        return type(asyncio.get_running_loop()).__module__.partition(".")[0]

    assert house.app.run(kind()) == "asyncio"
    monkeypatch.setenv("NEWSLETTER_DELIVERY__EVENT_LOOP", "uvloop")
    assert wiring.build(house.app.workspace.root).run(kind()) == "uvloop"
    postbox = house.serve()
    assert house.mail("send", "1.1", "--yes").code == 0
    assert sorted(postbox.recipients) == sorted(mailings.READERS)


def test_an_event_loop_that_this_machine_does_not_have_is_named(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_DELIVERY__EVENT_LOOP", "uvloop")
    monkeypatch.setitem(sys.modules, "uvloop", None)
    house.serve()
    result = house.mail("send", "1.1", "--yes")
    assert result.code == 1
    assert 'delivery.event_loop is "uvloop", which this machine does not have' in result.err
    assert 'event_loop = "asyncio"' in result.err


def test_an_issue_without_a_mailing_is_said_to_have_none(house: House) -> None:
    for words in (("status", "1.1"), ("report", "1.1"), ("pause", "1.1"), ("verify", "1.1"), ("who", "1.1")):
        result = house.mail(*words)
        assert result.code == 1
        assert "issue 1.1 has no mailing" in result.err
        assert "mailing plan 1.1" in result.err
