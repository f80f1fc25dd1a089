"""Delivery status notifications as they come in the wild, and what the standards say of them."""

from __future__ import annotations

import pytest

from newsletter.bounces import Kind, examine, read
from newsletter.domain.events import Cause

HEAD = """From: MAILER-DAEMON@mx.example.net
To: {to}
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary="=cut"

--=cut
Content-Type: text/plain

Something went wrong.
--=cut
Content-Type: {kind}

Reporting-MTA: dns; mx.example.net

"""
TAIL = """
--=cut
Content-Type: {kind}

{returned}
--=cut--
"""


def notification(
    status: str,
    *,
    to: str = "bounce+mz2gk3tbnfxg6@news.example.org",
    kind: str = "message/delivery-status",
    returned: str = "Message-ID: <1@news.example.org>\nTo: ann@example.com\n",
    returned_kind: str = "text/rfc822-headers",
) -> bytes:
    tail = TAIL.format(kind=returned_kind, returned=returned)
    return (HEAD.format(to=to, kind=kind) + status + tail).encode()


FAILED = "Final-Recipient: rfc822; ann@example.com\nAction: failed\nStatus: 5.1.1\n"


def test_a_delayed_recipient_beside_a_failed_one_is_soft() -> None:
    delayed = "\nFinal-Recipient: rfc822; bob@example.com\nAction: delayed\nStatus: 4.4.1\n"
    report = examine(notification(FAILED + delayed))
    assert report.kind is Kind.BOUNCE
    assert [(each.address, each.verdict, each.given_up) for each in report.recipients] == [
        ("ann@example.com", "hard", True),
        ("bob@example.com", "soft", False),
    ]


def test_a_delivered_recipient_beside_a_failed_one_is_left_out() -> None:
    delivered = "\nFinal-Recipient: rfc822; bob@example.com\nAction: relayed\nStatus: 2.0.0\n"
    assert read(notification(FAILED + delivered)) == [("ann@example.com", "hard")]


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded", "Delivered (to mailbox)"])
def test_success_is_no_bounce(action: str) -> None:
    status = f"Final-Recipient: rfc822; ann@example.com\nAction: {action}\nStatus: 2.1.5\n"
    assert examine(notification(status)).kind is Kind.DELIVERED
    assert read(notification(status)) == []


def test_the_address_is_the_one_we_mailed_and_the_one_it_led_to_is_kept() -> None:
    status = "Original-Recipient: rfc822;ann@example.com\n" + FAILED.replace("ann@", "inbox-7@hosts.")
    (recipient,) = examine(notification(status)).recipients
    assert (recipient.address, recipient.final_address) == ("ann@example.com", "inbox-7@hosts.example.com")


def test_recipients_without_a_blank_line_between_them_are_told_apart() -> None:
    assert read(notification(FAILED + FAILED.replace("ann@", "bob@").replace("5.1.1", "5.2.2"))) == [
        ("ann@example.com", "hard"),
        ("bob@example.com", "soft"),
    ]


def test_a_program_behind_an_alias_is_named_by_the_address_in_its_command() -> None:
    status = FAILED.replace("ann@example.com", "|/usr/bin/filter ann@example.com /home/ann")
    assert [address for address, _ in read(notification(status))] == ["ann@example.com"]


def test_a_source_route_is_stripped() -> None:
    status = FAILED.replace("ann@example.com", "@relay.example.net:ann@example.com")
    assert read(notification(status)) == [("ann@example.com", "hard")]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("utf-8; zo\\x{EB}@example.com", "zoë@example.com"),
        ("utf-8;zoë@example.com", "zoë@example.com"),
        ("RFC822;<Ann.Doe@Example.COM>", "Ann.Doe@Example.COM"),
        ("ann@example.com", "ann@example.com"),
    ],
)
def test_an_address_is_read_in_every_notation(written: str, meant: str) -> None:
    status = f"Final-Recipient: {written}\nAction: failed\nStatus: 5.1.1\n"
    assert read(notification(status)) == [(meant, "hard")]


def test_a_reply_where_the_status_should_stand_is_read() -> None:
    status = "Final-Recipient: rfc822; ann@example.com\nAction: failed\nStatus: 552 Mailbox full\n"
    (recipient,) = examine(notification(status)).recipients
    assert (recipient.cause, recipient.reply_code) == (Cause.MAILBOX_FULL, 552)


def test_exchange_may_give_the_reply_as_supplementary_information() -> None:
    """Its gateway maps PidTagSupplementaryInfo to a field of its own."""
    told = "X-Supplementary-Info: <mx.example.com #5.0.0 smtp;\n 552 mailbox full>\n"
    (recipient,) = examine(notification(FAILED.replace("5.1.1", "5.0.0") + told)).recipients
    assert (recipient.verdict, recipient.cause) == ("soft", Cause.MAILBOX_FULL)


def test_the_global_form_of_rfc_6533_is_read() -> None:
    raw = notification(FAILED, kind="message/global-delivery-status", returned_kind="message/global-headers")
    assert read(raw) == [("ann@example.com", "hard")]


def test_a_report_without_recipients_falls_back_to_the_only_one_of_the_returned_message() -> None:
    assert [address for address, _ in read(notification("X-Nothing: here\n"))] == ["ann@example.com"]
    two = "Message-ID: <1@news.example.org>\nTo: ann@example.com, bob@example.com\n"
    assert read(notification("X-Nothing: here\n", returned=two)) == []


def test_a_report_passed_on_whole_keeps_the_token_it_came_to() -> None:
    inner = notification(FAILED, to="postmaster@example.com").decode()
    outer = (
        "From: Postmaster <postmaster@example.com>\nTo: bounce+mz2gk3tbnfxg6@news.example.org\n"
        "Subject: Delivery Status Notification (Failure)\n"
        'Content-Type: multipart/mixed; boundary="=outer"\n\n'
        f"--=outer\nContent-Type: message/rfc822\n\n{inner}\n--=outer--\n"
    )
    report = examine(outer.encode())
    assert [each.address for each in report.recipients] == ["ann@example.com"]
    assert (report.token, report.sender) == ("mz2gk3tbnfxg6", "Postmaster <postmaster@example.com>")


RECEIPT = """From: Ann <ann@example.com>
To: editors@news.example.org
Subject: {subject}
Content-Type: multipart/report; report-type={kind}; boundary="=cut"

--=cut
Content-Type: text/plain

{text}
--=cut
Content-Type: message/{kind}

Final-Recipient: rfc822; ann@example.com
Disposition: {disposition}
--=cut--
"""


def test_a_read_receipt_is_no_bounce() -> None:
    raw = RECEIPT.format(
        subject="Gelesen: Fern Weekly",
        kind="disposition-notification",
        text="Empfangen: ann@example.com, gelesen um 10 Uhr.",
        disposition="manual-action/MDN-sent-manually; displayed",
    )
    assert examine(raw.encode()).kind is Kind.DELIVERED
    assert read(raw.encode()) == []


def test_a_mail_that_a_filter_sent_back_as_a_receipt_is_one() -> None:
    raw = RECEIPT.format(
        subject="Automatically rejected mail",
        kind="disposition-notification",
        text="Your message to <ann@example.com> was automatically rejected:\nQuota exceeded",
        disposition="automatic-action/MDN-sent-automatically; deleted",
    )
    assert read(raw.encode()) == [("ann@example.com", "soft")]


def test_another_kind_of_report_is_no_bounce() -> None:
    raw = RECEIPT.format(
        subject="Report domain: example.org", kind="tlsrpt", text="ann@example.com: report", disposition=""
    )
    assert examine(raw.encode()).kind is Kind.REPLY


def test_a_feedback_report_without_its_part_is_still_a_complaint() -> None:
    raw = RECEIPT.format(subject="Abuse", kind="feedback-report", text="spam", disposition="")
    broken = raw.replace("message/feedback-report", "text/plain").encode()
    assert examine(broken).kind is Kind.COMPLAINT


def test_somebody_who_quotes_a_report_has_not_bounced() -> None:
    person = (
        "From: Ann <ann@example.com>\nTo: editors@news.example.org\nSubject: A question\n\n"
        "My server told me this, what does it mean?\n\n> Final-Recipient: rfc822; bob@example.com\n"
        "> Action: failed\n> Status: 5.1.1\n"
    )
    assert examine(person.encode()).kind is Kind.REPLY
    assert read(person.encode()) == []


def test_a_robot_that_names_addresses_has_not_bounced() -> None:
    robot = (
        "Return-Path: <>\nFrom: ann@example.com\nAuto-Submitted: auto-replied\nSubject: Away\n\n"
        "Your message was not delivered to me, I am away.\nbob@example.com: user unknown to me\n"
    )
    assert examine(robot.encode()).kind is Kind.AUTO_REPLY
    assert read(robot.encode()) == []
