"""A mail that came back is told in the same words as a webhook."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from newsletter.bounces import events, examine
from newsletter.domain.events import Cause, Event, Kind

MAILS = Path(__file__).parent / "mails"
NOW = datetime(2026, 3, 3, 10, tzinfo=UTC)


def told(name: str, old: bytes = b"", new: bytes = b"") -> list[Event]:
    raw = (MAILS / f"{name}.eml").read_bytes()
    return list(events(examine(raw.replace(old, new) if old else raw), at=NOW, key="mail-1"))


def test_every_recipient_of_a_bounce_is_an_event_of_its_own() -> None:
    first, second = told("postfix_two_verdicts")
    assert (first.kind, first.recipient, first.hard, first.cause) == (
        Kind.BOUNCED,
        "ann@example.com",
        True,
        Cause.UNKNOWN_USER,
    )
    assert (second.recipient, second.hard, second.cause) == ("bob@example.com", False, Cause.MAILBOX_FULL)
    assert first.message_id == second.message_id == "v2n23.abcdefgh@news.example.org"
    assert first.key != second.key
    assert first.at == NOW
    assert "No such user" in first.detail


def test_reading_a_mail_twice_tells_the_same() -> None:
    assert told("postfix_two_verdicts") == told("postfix_two_verdicts")


def test_a_warning_is_deferred_and_never_hard() -> None:
    (event,) = told("postfix_delayed")
    assert (event.kind, event.hard) == (Kind.DEFERRED, False)


def test_a_complaint_is_told_even_when_the_address_is_redacted() -> None:
    (event,) = told("microsoft_complaint")
    assert (event.kind, event.recipient, event.message_id) == (
        Kind.COMPLAINED,
        "",
        "v2n23.abcdefgh@news.example.org",
    )


def test_opting_out_through_the_provider_is_an_unsubscription() -> None:
    (event,) = told("arf_abuse", b"Feedback-Type: abuse", b"Feedback-Type: opt-out")
    assert event.kind is Kind.UNSUBSCRIBED


def test_a_mail_saved_from_the_spam_folder_is_no_complaint() -> None:
    (event,) = told("arf_abuse", b"Feedback-Type: abuse", b"Feedback-Type: not-spam")
    assert event.kind is Kind.AUTO_REPLIED


def test_a_report_of_a_forged_sender_is_no_complaint() -> None:
    (event,) = told("arf_abuse", b"Feedback-Type: abuse", b"Feedback-Type: auth-failure")
    assert event.kind is Kind.AUTO_REPLIED


def test_a_persons_reply_is_no_event() -> None:
    assert told("human_reply") == []
    assert [event.kind for event in told("out_of_office")] == [Kind.AUTO_REPLIED]
    assert [event.kind for event in told("unsubscribe_by_mail")] == [Kind.UNSUBSCRIBED]
    assert [event.kind for event in told("postfix_delivered")] == [Kind.DELIVERED]
