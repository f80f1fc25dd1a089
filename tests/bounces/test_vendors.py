"""The replies that providers and products document, and what each says about the address."""

from __future__ import annotations

import pytest

from newsletter.bounces import classify
from newsletter.bounces.classify import Evidence
from newsletter.domain.events import Cause

AT_RCPT = " (in reply to RCPT TO command)"

#: The address is dead. Google: support.google.com/a/answer/3726730. Microsoft: NDR codes of Exchange Online.
DEAD = [
    "550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking",
    "553-5.1.2 We weren't able to find the recipient domain. Please check for any spelling errors",
    "553-5.1.3 The recipient address <ann> is not a valid RFC 5321 address.",
    "550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found",
    "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
    "550 5.4.1 Recipient address rejected: Access denied. [mx.prod.protection.outlook.com]",
    "554 5.4.4 SMTPSEND.DNS.NonExistentDomain; nonexistent domain",
    "550 5.5.0 Requested action not taken: mailbox unavailable" + AT_RCPT,
    "554 delivery error: dd This user doesn't have a yahoo.com account (ann@yahoo.com) [0]",
    "552 1 Requested mail action aborted, mailbox not found (in reply to end of DATA command)",
    "550 5.1.1 unknown or illegal alias: ann@icloud.com",
    "550 5.1.6 recipient no longer on server: ann@icloud.com",
    "550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]" + AT_RCPT,
    "550 5.1.1 RCP-P1 http://postmaster.facebook.com/response_codes?ip=192.0.2.1#rcp",
    "550 <ann@example.com> User not found http://mail.i.ua/err/2/" + AT_RCPT,
    "542 ann@example.com Rejected",
    "550 Recipient mailbox is not allowed" + AT_RCPT,
    "550 Mailbox not found. http://service.mail.qq.com/cgi-bin/help?subtype=1" + AT_RCPT,
    "550 5.1.0 <ann@cox.net> recipient rejected" + AT_RCPT,
    "550 Unknown user ann@docomo.ne.jp" + AT_RCPT,
    "550 5.1.0 <ann@example.com> no" + AT_RCPT,
    "553 sorry, this recipient is not in my validrcptto list (#5.7.1)" + AT_RCPT,
    "550 User (ann@example.com) unknown." + AT_RCPT,
    "550 sorry, that recipient doesn't exist (#5.7.1)" + AT_RCPT,
    "553 5.3.0 <ann@example.com>... Addressee unknown, relay=[192.0.2.1]" + AT_RCPT,
    "5.1.0 - Unknown address error 550-'5.1.1 unknown user' (delivery attempts: 0)",
    "554 5.7.1 <ann@example.com>: Recipient address rejected: Access denied" + AT_RCPT,
    "450 <ann@example.com>: Recipient address rejected: User unknown in local recipient table" + AT_RCPT,
    "User ann (ann@example.com) not listed in Domino Directory",
    "all relevant MX records point to non-existent hosts",
    "an MX or SRV record indicated no SMTP service",
    "DNS Error: DNS type 'mx' lookup of gone.example responded with code NXDOMAIN Domain name not found",
    "550 5.1.1 Empfänger unbekannt",
    "550 Destinatário não encontrado" + AT_RCPT,
    "550 Нет такого пользователя" + AT_RCPT,
    "550 用户不存在" + AT_RCPT,
    "550 Nessun utente simile in questo indirizzo" + AT_RCPT,
    "550 5.1.1 <ann@comcast.net> recipient mailbox unallocated",
    "550 5.7.1 <ann@example.com>: Recipient address rejected: User is marked as invalid." + AT_RCPT,
    "554 5.7.1 <ann@example.com>: Recipient address rejected: Not in recipient list" + AT_RCPT,
]

#: Nothing of the kind, however much the code or a word may look like it; and what it is.
ALIVE = [
    ("452-4.2.2 The recipient's inbox is out of storage space.", Cause.MAILBOX_FULL),
    ("552-5.2.2 The recipient's inbox is out of storage space and inactive.", Cause.MAILBOX_FULL),
    ("550-5.2.1 The email account that you tried to reach is inactive.", Cause.INACTIVE),
    ("550-5.7.26 This mail has been blocked because the sender is unauthenticated.", Cause.AUTHENTICATION),
    ("550-5.7.1 Our system has detected that this message is likely unsolicited mail.", Cause.CONTENT),
    ("550 5.4.5 Daily SMTP relay limit exceeded for user.", Cause.REPUTATION),
    (
        "550-5.7.1 The user or domain that you are sending to (or from) has a policy that prohibited it",
        None,
    ),
    ("550 5.7.504 [Recipient address rejected: Access denied]", None),
    ("550 5.7.505 Access denied, banned recipient", Cause.INACTIVE),
    ("550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required", Cause.POLICY),
    ("550 5.2.122 The recipient has exceeded their limit for the number of messages they can receive", None),
    (
        "554 5.4.4 SMTPSEND.DNS.MxLoopback; DNS records for this domain are configured in a loop",
        Cause.ROUTING,
    ),
    ("550 5.1.8 Access denied, bad outbound sender", None),
    ("451 4.7.650 The mail server has been temporarily rate limited due to IP reputation.", Cause.REPUTATION),
    (
        "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints",
        Cause.REPUTATION,
    ),
    (
        "553 5.7.2 [TSS09] All messages from 192.0.2.1 will be permanently deferred; Retrying will NOT",
        None,
    ),
    (
        "554 delivery error: dd Sorry, your message cannot be delivered. This mailbox is disabled (554.30).",
        None,
    ),
    ("550 5.1.1 RCP-P2 Refused due to recipient preferences", Cause.POLICY),
    ("550 5.5.0 Boite du destinataire archivee. Archived recipient. LPN007_420" + AT_RCPT, Cause.INACTIVE),
    (
        "552 5.1.1 Boîte du destinataire pleine. Recipient overquota. OFR_417 [417]" + AT_RCPT,
        Cause.MAILBOX_FULL,
    ),
    (
        "554 This IP has been blocked for attempting to mail too many invalid recipients. IB112",
        Cause.REPUTATION,
    ),
    ("550 5.1.1 Envelope blocked - User Entry" + AT_RCPT, Cause.POLICY),
    ("550 5.1.1 Administrative prohibition" + AT_RCPT, Cause.POLICY),
    ("550 5.1.1 mailbox would exceed maximum allowed storage" + AT_RCPT, Cause.MAILBOX_FULL),
    ("550 5.1.1 Email not accepted for policy reasons", Cause.POLICY),
    ("550 5.1.1 Go away" + AT_RCPT, Cause.REPUTATION),
    ("550 5.1.1 we don't handle mail for example.com" + AT_RCPT, Cause.ROUTING),
    ("550 mail is rejected by recipients http://service.mail.qq.com" + AT_RCPT, Cause.POLICY),
    ("554 Error: no valid recipients from 192.0.2.1" + AT_RCPT, Cause.REPUTATION),
    ("554 (RTR:BL) http://postmaster.info.aol.com/errors/554rtrbl.html", Cause.REPUTATION),
    ("550 Verify mailfrom failed,blocked" + AT_RCPT, Cause.POLICY),
    ("553 User refused to receive this mail." + AT_RCPT, Cause.POLICY),
    ("The user does not accept email in non-Western (non-Latin) character sets.", Cause.POLICY),
    ("550 <ann@example.com>: User status is locked." + AT_RCPT, Cause.INACTIVE),
    ("550 This message has an illegal attachment", Cause.CONTENT),
    ('procmail: Couldn\'t create "/var/spool/mail/ann": No such user', Cause.OTHER),
    ("Several matches found in Domino Directory", Cause.OTHER),
    ("Unable to contact LDAP server. (#4.4.3)", Cause.OTHER),
    ("550 5.1.1 Postfach voll" + AT_RCPT, Cause.MAILBOX_FULL),
    ("550 почтовый ящик переполнен" + AT_RCPT, Cause.MAILBOX_FULL),
    ("551 5.3.0 Unknown error" + AT_RCPT, None),
    ("553 Relaying disallowed,mx.zoho.com" + AT_RCPT, Cause.ROUTING),
    ("550 rejecting spoofed message", Cause.POLICY),
    ("550 Requested mail action not taken: Fake sender", Cause.POLICY),
    ("550 IP is Hangup", Cause.REPUTATION),
    ("550 User hangup" + AT_RCPT, Cause.INACTIVE),
    ("554 Message not allowed - [299]", Cause.POLICY),
    ("550 Sorry, no access for this domain", Cause.POLICY),
    ("451 qq trouble in home directory" + AT_RCPT, Cause.OTHER),
    ("451 try it again" + AT_RCPT, None),
]


@pytest.mark.parametrize("reply", DEAD)
def test_a_documented_reply_about_a_dead_address_is_hard(reply: str) -> None:
    assert classify.judge(Evidence(text=reply, address="ann@example.com")).verdict == "hard"


@pytest.mark.parametrize(("reply", "cause"), ALIVE)
def test_a_documented_reply_about_anything_else_is_soft(reply: str, cause: Cause | None) -> None:
    judgement = classify.judge(Evidence(text=reply, address="ann@example.com"))
    assert judgement.verdict == "soft"
    assert cause is None or judgement.cause is cause


@pytest.mark.parametrize(("reply", "cause"), ALIVE)
def test_a_reporters_5_1_1_does_not_make_it_hard(reply: str, cause: Cause | None) -> None:
    """Sendmail writes 5.1.1 for every 550 in answer to RCPT TO."""
    del cause
    assert classify.judge(Evidence(text=reply, status="5.1.1", address="ann@example.com")).verdict == "soft"
