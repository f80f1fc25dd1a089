"""What replies mean: one line of the table after the other."""

from __future__ import annotations

import pytest

from newsletter.domain import replies
from newsletter.domain.replies import Reply, Stage
from newsletter.domain.verdicts import Kind, Scope

MEANINGS = [
    # code, text, stage, kind, scope
    (250, "2.0.0 Ok: queued as 4Xy", Stage.CONTENT, Kind.ACCEPTED, Scope.RECIPIENT),
    (251, "user not local; will forward", Stage.RCPT, Kind.ACCEPTED, Scope.RECIPIENT),
    (421, "4.7.0 Try again later, closing connection", Stage.RCPT, Kind.RETRY, Scope.DOMAIN),
    (421, "4.7.28 unusual rate of mail from your IP", Stage.CONTENT, Kind.RETRY, Scope.DOMAIN),
    (450, "4.2.1 The user is receiving mail too quickly", Stage.RCPT, Kind.RETRY, Scope.RECIPIENT),
    (450, "4.7.1 Greylisted, see http://example.org", Stage.RCPT, Kind.RETRY, Scope.RECIPIENT),
    (451, "4.7.1 Graylisting in action", Stage.RCPT, Kind.RETRY, Scope.RECIPIENT),
    (451, "4.7.650 put off", Stage.RCPT, Kind.RETRY, Scope.DOMAIN),
    (451, "4.3.0 Temporary lookup failure", Stage.RCPT, Kind.RETRY, Scope.RECIPIENT),
    (451, "4.4.2 Timeout", Stage.CONTENT, Kind.RETRY, Scope.RECIPIENT),
    (452, "4.2.2 Mailbox full", Stage.RCPT, Kind.RETRY, Scope.RECIPIENT),
    (452, "4.3.1 Insufficient system storage", Stage.MAIL, Kind.RETRY, Scope.MAILING),
    (452, "4.5.3 Too many recipients", Stage.RCPT, Kind.RETRY, Scope.RECIPIENT),
    (454, "4.7.0 Temporary authentication failure", Stage.AUTH, Kind.RETRY, Scope.MAILING),
    (454, "Throttling failure: Maximum sending rate exceeded.", Stage.CONTENT, Kind.RETRY, Scope.MAILING),
    (530, "5.7.0 Authentication required", Stage.MAIL, Kind.STOP, Scope.MAILING),
    (535, "5.7.8 Username and password not accepted", Stage.AUTH, Kind.STOP, Scope.MAILING),
    (538, "5.7.11 Encryption required", Stage.AUTH, Kind.STOP, Scope.MAILING),
    (503, "5.5.1 nested MAIL command", Stage.MAIL, Kind.RETRY, Scope.RECIPIENT),
    (554, "SMTP synchronization error", Stage.RCPT, Kind.RETRY, Scope.RECIPIENT),
    (550, "5.1.1 The email account does not exist", Stage.RCPT, Kind.SUPPRESS, Scope.RECIPIENT),
    (553, "5.1.3 bad destination mailbox address syntax", Stage.RCPT, Kind.SUPPRESS, Scope.RECIPIENT),
    (551, "5.1.6 recipient has moved", Stage.RCPT, Kind.SUPPRESS, Scope.RECIPIENT),
    (556, "5.1.10 null MX", Stage.RCPT, Kind.SUPPRESS, Scope.RECIPIENT),
    (550, "5.1.10 RESOLVER.ADR.RecipientNotFound", Stage.RCPT, Kind.SUPPRESS, Scope.RECIPIENT),
    (556, "domain does not accept mail", Stage.RCPT, Kind.SUPPRESS, Scope.RECIPIENT),
    (550, "5.1.2 Host unknown", Stage.RCPT, Kind.REJECT, Scope.RECIPIENT),
    (550, "5.4.4 unrouteable", Stage.RCPT, Kind.REJECT, Scope.RECIPIENT),
    (550, "5.2.1 account disabled", Stage.RCPT, Kind.SUPPRESS, Scope.RECIPIENT),
    (552, "5.2.2 over quota", Stage.RCPT, Kind.REJECT, Scope.RECIPIENT),
    (552, "5.2.2 The inbox is over quota and inactive", Stage.RCPT, Kind.SUPPRESS, Scope.RECIPIENT),
    (552, "too many recipients", Stage.RCPT, Kind.RETRY, Scope.RECIPIENT),
    (552, "no room", Stage.RCPT, Kind.RETRY, Scope.RECIPIENT),
    (552, "no room", Stage.CONTENT, Kind.REJECT, Scope.RECIPIENT),
    (552, "message size exceeds fixed limit", Stage.MAIL, Kind.STOP, Scope.MAILING),
    (552, "5.3.4 Message size exceeds fixed limit", Stage.MAIL, Kind.STOP, Scope.MAILING),
    (552, "5.2.3 Message exceeds maximum fixed size", Stage.CONTENT, Kind.STOP, Scope.MAILING),
    (550, "5.7.1 Message contains spam", Stage.CONTENT, Kind.REJECT, Scope.DOMAIN),
    (550, "message looks like spam", Stage.CONTENT, Kind.REJECT, Scope.DOMAIN),
    (554, "5.7.1 <a@b>: Relay access denied", Stage.RCPT, Kind.STOP, Scope.MAILING),
    (550, "relaying denied", Stage.RCPT, Kind.STOP, Scope.MAILING),
    (
        550,
        "5.7.60 SMTP; Client does not have permissions to send as this sender",
        Stage.CONTENT,
        Kind.STOP,
        Scope.MAILING,
    ),
    (550, "5.7.26 This mail is unauthenticated", Stage.CONTENT, Kind.STOP, Scope.DOMAIN),
    (
        550,
        "5.7.515 Access denied, sending domain does not meet requirements",
        Stage.CONTENT,
        Kind.STOP,
        Scope.DOMAIN,
    ),
    (
        554,
        "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
        Stage.RCPT,
        Kind.STOP,
        Scope.MAILING,
    ),
    (550, "5.7.1 messages from [192.0.2.1] weren't sent (S3150)", Stage.MAIL, Kind.STOP, Scope.MAILING),
    (550, "5.6.0 malformed message", Stage.CONTENT, Kind.STOP, Scope.MAILING),
    (553, "5.6.7 SMTPUTF8 needed", Stage.RCPT, Kind.REJECT, Scope.RECIPIENT),
    (550, "5.4.5 Daily sending quota exceeded", Stage.CONTENT, Kind.STOP, Scope.MAILING),
    (554, "Daily message quota exceeded.", Stage.CONTENT, Kind.STOP, Scope.MAILING),
    (550, "5.1.8 sender rejected", Stage.RCPT, Kind.STOP, Scope.MAILING),
    (550, "sender rejected", Stage.MAIL, Kind.STOP, Scope.MAILING),
    (550, "No such user here", Stage.RCPT, Kind.SUPPRESS, Scope.RECIPIENT),
    (550, "mailbox unavailable", Stage.RCPT, Kind.REJECT, Scope.RECIPIENT),
    (554, "transaction failed", Stage.CONTENT, Kind.REJECT, Scope.RECIPIENT),
    (334, "go on", Stage.CONTENT, Kind.UNKNOWN, Scope.RECIPIENT),
]


@pytest.mark.parametrize(("code", "text", "stage", "kind", "scope"), MEANINGS)
def test_a_reply_means(code: int, text: str, stage: Stage, kind: Kind, scope: Scope) -> None:
    verdict = replies.judge(Reply(code, text), stage)
    assert (verdict.kind, verdict.scope) == (kind, scope)
    assert verdict.reason or kind is Kind.ACCEPTED


def test_content_and_policy_blocks_never_suppress_an_address() -> None:
    for text in (
        "5.7.1 blocked by policy",
        "5.7.0 reputation",
        "5.7.9 spam",
        "rejected as spam: no such user agent",
    ):
        assert replies.judge(Reply(550, text), Stage.CONTENT).kind is Kind.REJECT


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("4.7.1 Greylisted, please try again in 300 seconds", 300),
        ("4.7.1 greylisted, come back after 5 minutes", 300),
        ("4.7.0 wait for 1 hour", 3600),
        ("4.7.0 later", None),
    ],
)
def test_a_temporary_refusal_may_say_how_long_to_wait(text: str, seconds: float | None) -> None:
    assert replies.judge(Reply(451, text), Stage.RCPT).retry_after == seconds


def test_a_status_that_contradicts_its_code_is_none() -> None:
    assert Reply(550, "2.1.1 odd").status == ""
    assert Reply(550, "5.1.1").status == "5.1.1"
    assert Reply(550, "5.1.1.9 is a host").status == ""


def test_a_reply_reads_as_one_line() -> None:
    assert str(Reply(550, "5.1.1 first\n5.1.1 second")) == "550 5.1.1 first / 5.1.1 second"
    assert str(Reply(250, "")) == "250"


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("550 5.1.1 no such user", Reply(550, "5.1.1 no such user")),
        (" 450-4.2.1 busy", Reply(450, "4.2.1 busy")),
        ("connection refused", None),
        ("999 what", None),
    ],
)
def test_a_quoted_reply_is_read(text: str, reply: Reply | None) -> None:
    assert replies.read(text) == reply
