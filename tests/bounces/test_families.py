"""Every family of reports is read as its mailer means it."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.bounces import Kind, examine, read
from newsletter.domain.events import Cause

MAILS = Path(__file__).parent / "mails"

ANN, BOB = "ann@example.com", "bob@example.org"
HARD, SOFT = "hard", "soft"

#: The file, and for every recipient the address, the verdict and the cause.
BOUNCES: dict[str, list[tuple[str, str, Cause]]] = {
    "activehunter_failure": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "alias_of_exchange": [(ANN, SOFT, Cause.POLICY)],
    "au_account_disabled": [("ann@ezweb.ne.jp", SOFT, Cause.INACTIVE)],
    "au_domain_gone": [("ann@gone.example", HARD, Cause.BAD_DOMAIN)],
    "au_rejected_at_rcpt": [("ann@ezweb.ne.jp", HARD, Cause.UNKNOWN_USER)],
    "barracuda_bulk_filter": [(ANN, SOFT, Cause.CONTENT)],
    "biglobe_full": [(ANN, SOFT, Cause.MAILBOX_FULL)],
    "courier_failure": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "dmarc_refused": [(ANN, SOFT, Cause.AUTHENTICATION)],
    "domain_takes_no_mail": [(ANN, HARD, Cause.BAD_DOMAIN)],
    "dragonfly_failure": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "exchange_2003": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "exchange_in_portuguese": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "exim_failure": [(ANN, HARD, Cause.UNKNOWN_USER), ("bob@gone.example", HARD, Cause.BAD_DOMAIN)],
    "facebook_preferences": [(ANN, SOFT, Cause.POLICY)],
    "forwarded_by_a_person": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "google_missing": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "groupwise_html": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "imail_full": [(ANN, SOFT, Cause.MAILBOX_FULL)],
    "imail_unknown": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "internationalised_address": [("zoë@bücher.example", HARD, Cause.UNKNOWN_USER)],
    "interscan_rejected": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "listed_at_spamhaus": [(ANN, SOFT, Cause.REPUTATION)],
    "mailmarshal_failure": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "mdaemon_session": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "mfilter_after_data": [(ANN, SOFT, Cause.POLICY)],
    "mimecast_rejected": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "name_and_address": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "notes_failure": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "office365_moved_edge": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "opensmtpd_failure": [
        (ANN, HARD, Cause.UNKNOWN_USER),
        ("bob@example.com", SOFT, Cause.EXPIRED),
        ("eve@gone.example", HARD, Cause.BAD_DOMAIN),
    ],
    "policy_block_of_the_domain": [(ANN, SOFT, Cause.POLICY)],
    "postfix_no_such_host": [("ann@gone.example", HARD, Cause.BAD_DOMAIN)],
    "postfix_session": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "postfix_two_verdicts": [
        (ANN, HARD, Cause.UNKNOWN_USER),
        ("bob@example.com", SOFT, Cause.MAILBOX_FULL),
    ],
    "postfix_unknown_after_data": [(ANN, SOFT, Cause.POLICY)],
    "postfix_unknown_user": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "qmail_failure": [(ANN, HARD, Cause.UNKNOWN_USER), (BOB, SOFT, Cause.POLICY)],
    "qq_in_chinese": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "report_in_base64": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "report_without_a_name": [(ANN, SOFT, Cause.MAILBOX_FULL)],
    "sender_refused": [(ANN, SOFT, Cause.POLICY)],
    "sendmail_5_transcript": [(ANN, HARD, Cause.UNKNOWN_USER), (BOB, SOFT, Cause.ROUTING)],
    "sendmail_transcript": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "ses_notice": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "ses_notice_in_cover": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "too_big": [(ANN, SOFT, Cause.TOO_BIG)],
    "two_in_a_list": [(ANN, HARD, Cause.UNKNOWN_USER), (BOB, HARD, Cause.UNKNOWN_USER)],
    "workmail_report": [(ANN, SOFT, Cause.MAILBOX_FULL)],
    "yahoo_failure": [(ANN, HARD, Cause.UNKNOWN_USER)],
    "zoho_busy": [(ANN, SOFT, Cause.ROUTING)],
}
OTHERS: dict[str, Kind] = {
    "arf_abuse": Kind.COMPLAINT,
    "microsoft_complaint": Kind.COMPLAINT,
    "postfix_delivered": Kind.DELIVERED,
    "out_of_office": Kind.AUTO_REPLY,
    "vacation_without_headers": Kind.AUTO_REPLY,
    "unsubscribe_by_mail": Kind.UNSUBSCRIBE,
    "human_reply": Kind.REPLY,
}


def raw(name: str) -> bytes:
    return (MAILS / f"{name}.eml").read_bytes()


def test_every_mail_in_the_folder_is_expected_to_mean_something() -> None:
    assert {path.stem for path in MAILS.glob("*.eml")} == {*BOUNCES, *OTHERS, "postfix_delayed"}


@pytest.mark.parametrize("name", BOUNCES)
def test_a_bounce_names_its_recipients_and_what_became_of_them(name: str) -> None:
    report = examine(raw(name))
    assert report.kind is Kind.BOUNCE
    assert [(each.address, each.verdict, each.cause) for each in report.recipients] == BOUNCES[name]
    assert read(raw(name)) == [(address, verdict) for address, verdict, _ in BOUNCES[name]]


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_bounce_is_not_read_as_one(name: str) -> None:
    assert examine(raw(name)).kind is OTHERS[name]
    assert read(raw(name)) == []


def test_a_warning_is_soft_and_says_that_it_is_no_end() -> None:
    report = examine(raw("postfix_delayed"))
    assert report.kind is Kind.DELAYED
    assert [(each.verdict, each.given_up) for each in report.recipients] == [("soft", False)]
    assert read(raw("postfix_delayed")) == [(ANN, "soft")]


@pytest.mark.parametrize("name", [*BOUNCES, *OTHERS, "postfix_delayed"])
@pytest.mark.parametrize("ending", [b"\r\n", b"\r"], ids=["CRLF", "CR"])
def test_every_line_ending_reads_the_same(name: str, ending: bytes) -> None:
    assert examine(raw(name).replace(b"\n", ending)) == examine(raw(name))


@pytest.mark.parametrize("name", sorted(set(BOUNCES) - {"ses_notice"}))
def test_the_token_of_the_bounce_address_is_found(name: str) -> None:
    assert examine(raw(name)).token == "mz2gk3tbnfxg6"


@pytest.mark.parametrize(
    "name", ["postfix_unknown_user", "exim_failure", "qmail_failure", "notes_failure", "arf_abuse"]
)
def test_our_own_marks_are_found_in_the_returned_message(name: str) -> None:
    report = examine(raw(name))
    assert report.message_id == "<v2n23.abcdefgh@news.example.org>"
    assert report.list_unsubscribe[0] == "https://news.example.org/leave/tok-en_1"
    assert report.unsubscribe_token == "bGVhdmUtdGhpcy1saXN0"


def test_a_mailed_unsubscription_carries_its_token_in_the_subject() -> None:
    assert examine(raw("unsubscribe_by_mail")).unsubscribe_token == "bGVhdmUtdGhpcy1saXN0"


def test_a_complaint_says_what_kind_it_is_and_names_no_culprit() -> None:
    report = examine(raw("arf_abuse"))
    assert report.feedback_type == "abuse"
    assert [each.address for each in report.recipients] == ["redacted@example.net"]


def test_the_diagnosis_is_kept_for_people() -> None:
    (recipient,) = examine(raw("postfix_unknown_user")).recipients
    assert recipient.diagnostic == "550 <ann@example.com>: Recipient address rejected: User unknown"
    assert recipient.reply_code == 550
