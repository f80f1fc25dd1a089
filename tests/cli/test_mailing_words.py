"""`newsletter mailing` read by somebody who has never seen it: what it says is so, and leads on."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from newsletter.cli import output
from newsletter.cli.mailing import watching
from newsletter.domain import deliveries
from newsletter.domain.deliveries import MailingStatus, State
from tests.cli import mailings
from tests.cli.conftest import House, Run

LATER = "2099-12-04 09:00"


def only(house: House, *addresses: str) -> None:
    """Leave just these readers on the list."""
    for address in mailings.READERS.keys() - set(addresses):
        mailings.leave(house.app, address)


def mailing(house: House) -> deliveries.Mailing:
    return house.app.ledger.mailings()[0]


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 subscribers"), (1, "1 subscriber"), (1200, "1,200 subscribers")]
)
def test_a_number_agrees_with_its_noun(number: int, said: str) -> None:
    assert output.counted(number, "subscriber") == said
    assert output.counted(number, "delivery", "deliveries").endswith("y" if number == 1 else "ies")


def test_one_reader_is_one_subscriber_everywhere(house: House) -> None:
    house.serve()
    only(house, "ada@example.net")
    assert "everyone: 1 subscriber\n" in house.mail("plan", "1.1").out
    assert "Send issue 1.1 to 1 subscriber?" in house.mail("send", "1.1").err
    house.mail("schedule", "1.1", "--at", LATER, "--yes")
    assert "with 1 delivery open?" in house.mail("cancel", "1.1").err
    house.mail("pause", "1.1")
    assert "Go on with the 1 that is open?" in house.mail("send", "1.1").err
    assert house.mail("send", "1.1", "--yes").code == 0
    assert "for 1 subscriber on 20" in house.mail("report", "1.1").out
    assert "adds up: 1 delivery, 1 sent." in house.mail("verify", "1.1").out


def test_who_was_not_reached_is_shown_by_the_very_command_that_is_named(house: House) -> None:
    house.serve(**{"bob@example.net": ["550 5.1.1 no such user"]})
    said = house.mail("send", "1.1", "--yes").out
    found = re.search(r"Who was not reached, and why: newsletter mailing (who .*)", said)
    assert found is not None
    assert "bob@example.net" in house.mail(*found[1].split()).out


def test_a_plan_for_an_issue_that_was_sent_says_so(house: House) -> None:
    house.serve()
    assert "mailing" not in house.mail("plan", "1.1").out
    house.mail("send", "1.1", "--yes")
    again = house.mail("plan", "1.1")
    assert again.code == 0
    assert "Issue 1.1 was sent on 20" in again.out
    assert "newsletter mailing plan 1.1 --only-missing" in again.out
    assert "was sent" not in house.mail("plan", "1.1", "--only-missing").out
    refused = house.mail("send", "1.1", "--only-missing", "--yes")
    assert "nobody in the audience “everyone” is without issue 1.1: 3 have the issue" in refused.err
    assert "newsletter mailing who 1.1" in refused.err


def test_a_plan_for_an_issue_that_is_scheduled_says_so(house: House) -> None:
    house.mail("schedule", "1.1", "--at", LATER, "--yes")
    assert "Issue 1.1 has a mailing already" in house.mail("plan", "1.1").out
    assert "newsletter mailing status 1.1" in house.mail("plan", "1.1", "--only-missing").out


def test_whoever_sends_before_the_time_is_told_of_it(house: House) -> None:
    house.mail("schedule", "1.1", "--at", LATER, "--yes")
    asked = house.mail("send", "1.1")
    assert "Issue 1.1 is scheduled for 2099-12-04 09:00 EST." in asked.out
    assert "Send it now, and not then?" in asked.err
    assert mailing(house).status is MailingStatus.SCHEDULED


def test_a_schedule_that_was_paused_goes_on_at_its_time_and_not_at_once(house: House) -> None:
    house.mail("schedule", "1.1", "--at", LATER, "--yes")
    house.mail("pause", "1.1")
    resumed = house.mail("resume", "1.1")
    assert "scheduled again: newsletter serve sends it on 2099-12-04 09:00 EST" in resumed.out
    assert mailing(house).status is MailingStatus.SCHEDULED
    assert house.app.ledger.due(house.app.now()) == []


def test_one_that_was_begun_before_its_time_goes_on_at_once(house: House) -> None:
    house.serve(**{"bob@example.net": ["450 4.2.1 full"]})
    house.mail("schedule", "1.1", "--at", LATER, "--yes")
    assert house.mail("send", "1.1", "--yes").code == 3
    house.mail("pause", "1.1")
    assert "Issue 1.1 goes on" in house.mail("resume", "1.1").out
    assert mailing(house).status is MailingStatus.SENDING
    assert house.app.ledger.tally(mailing(house).id).states[State.SENT] == 2


def test_pausing_twice_does_not_take_the_reason_away(house: House) -> None:
    house.mail("schedule", "1.1", "--at", LATER, "--yes")
    house.mail("pause", "1.1", "--reason", "535 who are you")
    again = house.mail("pause", "1.1")
    assert (again.code, again.out) == (0, "Issue 1.1 is paused already: 535 who are you.\n")
    house.mail("pause", "1.1", "--reason", "a wrong name")
    assert mailing(house).reason == "a wrong name"


def test_an_issue_whose_mailing_was_cancelled_has_none_and_had_one(house: House) -> None:
    assert "Error: issue 1.1 has no mailing\n" in house.mail("status", "1.1").err
    house.mail("schedule", "1.1", "--at", LATER, "--yes")
    house.mail("cancel", "1.1", "--yes", "--reason", "a wrong date")
    for command in ("status", "who", "pause"):
        refused = house.mail(command, "1.1")
        assert "issue 1.1 has no mailing: its last one was cancelled (a wrong date)\n" in refused.err
        assert "newsletter mailing plan 1.1" in refused.err


def test_a_hint_that_asks_something_is_a_sentence_of_its_own(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_PROVIDERS__SMTP__PORT", "1")
    said = house.mail("send", "1.1", "--yes").err
    assert "? Then `newsletter mailing send 1.1` goes on" in said


def test_what_changes_nothing_says_so(house: House) -> None:
    house.serve()
    house.mail("send", "1.1", "--yes")
    retried = house.mail("retry", "1.1", "--status", "failed", "--status", "rejected")
    assert retried.out == "No delivery of issue 1.1 is failed or rejected: nothing is planned again.\n"
    assert house.mail("resolve", "1.1", "--unknown", "sent").out == (
        "No delivery of issue 1.1 is unknown: nothing is changed.\n"
    )


def test_a_mailing_that_nobody_sends_says_who_could(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_PROVIDERS__SMTP__PORT", "1")
    assert house.mail("send", "1.1", "--yes").code == 1
    assert "Sent by   nobody: newsletter serve does it, or newsletter mailing send 1.1" in (
        house.mail("status", "1.1").out
    )
    house.serve(**{"bob@example.net": ["450 4.2.1 full"]})
    assert house.mail("send", "1.1", "--yes").code == 3
    # What is put off is nobody's yet.
    assert "nobody" not in house.mail("status", "1.1").out


def test_who_is_watched_and_sent_by_nobody_is_said_to_be(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_PROVIDERS__SMTP__PORT", "1")
    house.mail("send", "1.1", "--yes")
    said: list[str] = []
    monkeypatch.setattr(output, "line", said.append)
    # The next look, a second later, finds it paused.
    monkeypatch.setattr("newsletter.cli.mailing.watching.time.sleep", lambda seconds: _pause(house))
    watching.watch(house.app, mailing(house))
    assert "nobody is sending it: newsletter serve does, or newsletter mailing send 1.1" in said[0]
    assert "nobody" not in said[1]


def _pause(house: House) -> None:
    now = house.app.now() + timedelta(seconds=1)
    house.app.ledger.set_status(mailing(house).id, MailingStatus.PAUSED, reason="by hand", now=now)


def test_a_word_that_is_no_state_is_refused_in_plain_words(house: House) -> None:
    house.serve()
    house.mail("send", "1.1", "--yes")
    refused = house.mail("who", "1.1", "--status", "nonsense")
    assert refused.code == 2
    assert "Invalid value for '--status': 'nonsense' is not one of 'planned'" in refused.err


def test_an_address_that_was_not_mailed_leads_to_those_that_were(house: House) -> None:
    house.serve()
    house.mail("send", "1.1", "--yes")
    assert "`newsletter mailing who 1.1` lists who is" in house.mail("message", "1.1", "x@example.org").err


def test_an_audience_that_nobody_knows_is_answered_in_one_sentence(house: House, run: Run) -> None:
    refused = house.mail("plan", "1.1", "--audience", "nobodies")
    assert "Hint: known are: everyone; or type a rule, such as tag:press\n" in refused.err
