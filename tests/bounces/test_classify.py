"""What servers say at the end of a delivery, and what it says about the address."""

from __future__ import annotations

import pytest

from newsletter.bounces import classify
from newsletter.bounces.classify import Evidence
from newsletter.domain.events import Cause

AT_RCPT = "(in reply to RCPT TO command)"
AT_DATA = "(in reply to end of DATA command)"
AT_MAIL = "(in reply to MAIL FROM command)"


def verdict(text: str, context: str = "", *, status: str = "", address: str = "ann@example.com") -> str:
    return classify.judge(Evidence(text=text, context=context, status=status, address=address)).verdict


def cause(text: str, *, status: str = "") -> Cause:
    return classify.judge(Evidence(text=text, status=status)).cause


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.1.1 User unknown",
        "550 5.1.1 <ann@example.com>: inactive email address",
        "553 5.1.3 not a valid RFC 5321 address",
        "550 5.1.6 recipient no longer on server",
        "550 #5.1.0 Address rejected.",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
        "550 5.4.1 Recipient address rejected: Access denied",
        "Sorry, no mailbox here by that name. (#5.1.1)",
        "unrouteable address",
        "550 5.1.2 Host unknown",
        "556 5.1.10 Recipient address has a null MX",
        "550 5.4.310 DNS domain gone.example does not exist",
        "Host or domain name not found. Name service error for name=gone.example type=A: Host not found",
        "5.1.0 - Unknown address error 550-'5.1.1 no such user'",
    ],
)
def test_a_dead_address_is_hard(reply: str) -> None:
    assert verdict(reply) == "hard"


@pytest.mark.parametrize(
    "reply",
    [
        "550 User unknown",
        "450 4.1.1 User unknown",
        "550 5.2.2 <ann@example.com>: Recipient address rejected: Mailbox full",
        "550 5.1.1 Refused due to recipient preferences",
        "550 5.1.1 mailbox over quota",
        "550 5.2.1 The email account that you tried to reach is disabled",
        "553 5.1.8 Domain of sender address bounce@news.example.org does not exist",
        "554 5.7.1 Helo command rejected: Host not found",
        "451 4.4.3 Host not found, try again",
        "550 5.1.0 192.0.2.1 is not allowed to send from <example.org> per its SPF Record",
        "5.1.0 - Unknown address error 550-'5.7.1 Access denied'",
        "550 5.7.1 relaying denied",
        "user unknown. Command output: procmail: Couldn't create /var/spool/mail/ann",
        "421 4.7.0 try later",
        "",
    ],
)
def test_everything_in_doubt_is_soft(reply: str) -> None:
    assert verdict(reply) == "soft"


def test_user_unknown_counts_where_the_recipient_was_named_and_nowhere_else() -> None:
    assert verdict("550 User unknown", AT_RCPT) == "hard"
    assert verdict("550 User unknown", AT_DATA) == "soft"
    assert verdict("550 User unknown", AT_MAIL) == "soft"
    assert verdict("550 5.2.1 User unknown", AT_RCPT) == "hard"


def test_googles_states_tell_the_command() -> None:
    assert verdict("550 550 No such user here (state 14).") == "hard"
    assert verdict("550 550 No such user here (state 17).") == "soft"
    assert verdict("550 550 Unknown user (state 18).") == "soft"


def test_a_domain_named_in_a_policy_or_at_the_greeting_is_ours() -> None:
    assert verdict("501 5.5.4 Invalid domain name") == "soft"
    assert verdict("553 5.7.1 sorry, no such domain") == "soft"
    assert verdict("550 Unknown domain", AT_MAIL) == "soft"
    assert verdict("550 Unknown domain", AT_RCPT) == "hard"


def test_a_temporary_unknown_user_counts_only_when_every_try_said_so_to_the_recipient() -> None:
    reply = "450 4.1.1 <ann@example.com>: Recipient address rejected: User unknown in virtual alias table"
    assert verdict(reply, AT_RCPT) == "hard"
    assert verdict("450 4.1.1 try again later", AT_RCPT) == "soft"


def test_the_remote_code_is_worth_more_than_the_reporters_translation() -> None:
    assert verdict("550 5.7.1 IP address blacklisted by recipient", status="5.1.1") == "soft"
    assert verdict("User unknown", status="5.1.1") == "hard"
    judgement = classify.judge(Evidence(text="550 5.2.2 mailbox full", status="5.0.0"))
    assert (judgement.status, judgement.reply_code) == ("5.2.2", 550)


def test_names_of_machines_say_nothing() -> None:
    host = "host spam-filter.example.com[192.0.2.1] said: 550 5.1.1 user unknown at virus.example.com"
    assert (verdict(host), cause(host)) == ("hard", Cause.UNKNOWN_USER)
    assert cause("554 5.7.1 see https://www.spamhaus.org/query/ip/192.0.2.1") is Cause.REPUTATION


def test_au_names_the_address_when_the_mailbox_is_missing_and_none_when_a_filter_refuses() -> None:
    assert verdict("550 <ann@au.com>: User unknown", address="ann@au.com") == "hard"
    assert verdict("550 : User unknown", address="ann@au.com") == "soft"
    assert verdict("550 <ann@example.com>: User unknown") == "soft"


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("552 5.2.2 over quota", Cause.MAILBOX_FULL),
        ("552 5.3.4 message size exceeds fixed maximum message size", Cause.TOO_BIG),
        ("550 5.7.26 Unauthenticated email is not accepted due to DMARC policy", Cause.AUTHENTICATION),
        ("550 5.7.1 Fix reverse DNS for 192.0.2.1", Cause.REPUTATION),
        ("450 4.2.0 Greylisted, come back later", Cause.REPUTATION),
        ("550 High probability of spam", Cause.CONTENT),
        ("550 5.6.0 something", Cause.CONTENT),
        ("554 5.4.6 Too many hops", Cause.ROUTING),
        ("connect to mx.example.com[192.0.2.1]:25: Connection refused", Cause.ROUTING),
        ("I'm not going to try again; this message has been in the queue too long.", Cause.EXPIRED),
        ("550 5.2.1 Mailbox disabled, not accepting messages", Cause.INACTIVE),
        ("550 5.7.1 Denied by policy", Cause.POLICY),
        ("550 no", Cause.OTHER),
    ],
)
def test_the_cause_is_named(reply: str, expected: Cause) -> None:
    assert cause(reply) is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("5.1.1", Cause.UNKNOWN_USER),
        ("5.1.2", Cause.BAD_DOMAIN),
        ("4.4.4", Cause.ROUTING),
        ("5.4.4", Cause.BAD_DOMAIN),
        ("5.2.1", Cause.INACTIVE),
        ("5.2.2", Cause.MAILBOX_FULL),
        ("5.3.4", Cause.TOO_BIG),
        ("4.4.7", Cause.EXPIRED),
        ("5.6.1", Cause.CONTENT),
        ("5.7.27", Cause.AUTHENTICATION),
        ("5.7.25", Cause.REPUTATION),
        ("5.0.0", Cause.OTHER),
    ],
)
def test_without_words_the_code_decides(code: str, expected: Cause) -> None:
    assert cause("", status=code) is expected
