"""Decide what a refusal says about the address: its cause, and hard or soft.

Hard means that the address is dead, and it is said only on good evidence: a subscriber dropped for a
filter's whim does not come back, a dead address mailed once more costs nothing. “User unknown” therefore
needs a witness: an RFC 3463 code of the 5.1 family, or that it answered RCPT TO. In answer to DATA it is
some filter's way to say no: the mailbox is known by then.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from newsletter.bounces import phrases
from newsletter.bounces.report import Cause, Verdict

_MAX_TEXT = 3000
_GAP = 80

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d)\.(\d{1,3})(?!\.?\d)")
_REPLY = re.compile(r"(?<![\d.#:\[-])([45][0-5]\d)(?=[ :-]|$)(?!-\d\d)")
_CONTINUED = re.compile(r"(?<= )[45]\d\d-(?:[245]\.\d\.\d{1,3})?")
#: Names of machines and addresses say nothing, and may hold any word: antispam.example.org.
_NAME = re.compile(r"[^\s<>\"'(),;]*(?:@|://|[a-z0-9_-]\.(?=[a-z]{2,}|\d+\.\d))[^\s<>\"'(),;]*")
#: Postfix says so of every refusal at RCPT; the reason is what follows.
_INTRODUCTION = re.compile(r"recipient address rejected: (?=[a-z])")
#: Cisco's mail gateway puts its own guess before the remote reply: 5.1.0 - Unknown address error 550-'5.7.1 …'
_GUESS = re.compile(r"[45]\.\d\.\d - (?:unknown address error|other mail system problem|bad destination host) (?=\d{3}-)")
_TELLING_NAME = re.compile(
    r"spamhaus|spamcop|sorbs|barracudacentral|abuseat|openspf|spf\.pobox|resolver\.[a-z]+\.[a-z]+|dmarc"
    r"|uceprotect|senderscore|senderbase|dnsbl|rbl\."
)


class Stage(enum.StrEnum):
    """Which SMTP command the refusal answered."""

    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    UNKNOWN = ""


#: How mailers say which command was refused, in the order of trust.
_STAGES: Sequence[tuple[re.Pattern[str], Stage | None]] = (
    # Postfix: (in reply to RCPT TO command)
    (re.compile(r"\(?in reply to (rcpt to|end of data|data|mail from|helo|ehlo|starttls)"), None),
    # Exim: SMTP error from remote mail server after RCPT TO:<…>: · GMX: after RCPT command
    (
        re.compile(
            r"(?:error|response|deferred) from remote (?:mail |mailer |)(?:server |)(?:after|for) (?:pipelined |)"
            r"(rcpt|mail|end of data|data|text|initial connection|helo|ehlo|starttls|auth)"
        ),
        None,
    ),
    # DragonFly: did not like our RCPT TO · Sun: Remote SMTP server has rejected address
    (re.compile(r"did not like our (rcpt|mail|data|final dot|helo|ehlo)"), None),
    (re.compile(r"remote smtp server has rejected address"), Stage.RCPT),
    (re.compile(r"smtp transmission failure has occurred"), Stage.DATA),
    # qmail-remote.c
    (re.compile(r"does not like recipient"), Stage.RCPT),
    (re.compile(r"failed (?:on data command|after i sent the message)"), Stage.DATA),
    (re.compile(r"but sender was rejected"), Stage.MAIL),
    (re.compile(r"but (?:my name was rejected|greeting failed)"), Stage.CONNECT),
    # Yahoo: [RCPT_TO] · Axigen: SMTP:RCPT host · hMailServer sent: RCPT TO · IMail: RCPT TO generated
    (re.compile(r"\[(rcpt_to|mail_from|data)\]"), None),
    (re.compile(r"smtp:(rcpt|mail|data) host"), None),
    (re.compile(r"\((rcpt|mail|data)(?: to| from|)\), with the following error"), None),
    (re.compile(r"(rcpt) to generated following response|body of message (generated) response"), None),
    # m-FILTER
    (re.compile(r"-smtp command (rcpt|mail|data|helo|ehlo)\b"), None),
)
_BY_WORD = {
    "rcpt": Stage.RCPT,
    "rcpt to": Stage.RCPT,
    "rcpt_to": Stage.RCPT,
    "mail": Stage.MAIL,
    "mail from": Stage.MAIL,
    "mail_from": Stage.MAIL,
    "data": Stage.DATA,
    "text": Stage.DATA,
    "generated": Stage.DATA,
    "final dot": Stage.DATA,
    "end of data": Stage.DATA,
}
#: A transcript: >>> RCPT TO:<…> followed by <<< 550 …, or as InterScan turns it, Sent <<< and Received >>>.
_TRANSCRIPT = re.compile(
    r"(?:>>>|-->|sent <<<|sent:|c:) ?(rcpt|mail|data|helo|ehlo|\.)[^\n]{0,300}?(?:<<<|<--|received >>>|replied:|s:) ?5\d\d"
)

#: RFC 3463 and the IANA registry of enhanced status codes.
_BY_STATUS = {
    "1.1": Cause.UNKNOWN_USER,
    "1.2": Cause.BAD_DOMAIN,
    "1.3": Cause.UNKNOWN_USER,
    "1.6": Cause.UNKNOWN_USER,
    "1.7": Cause.POLICY,
    "1.8": Cause.POLICY,
    "1.10": Cause.BAD_DOMAIN,
    "2.1": Cause.INACTIVE,
    "2.2": Cause.MAILBOX_FULL,
    "2.3": Cause.TOO_BIG,
    "3.4": Cause.TOO_BIG,
    "4.4": Cause.BAD_DOMAIN,
    "4.7": Cause.EXPIRED,
    "7.0": Cause.POLICY,
    "7.1": Cause.POLICY,
    "7.2": Cause.POLICY,
    "7.13": Cause.INACTIVE,
    "7.17": Cause.UNKNOWN_USER,
    "7.18": Cause.BAD_DOMAIN,
    "7.25": Cause.REPUTATION,
}
_BY_SUBJECT = {"4": Cause.ROUTING, "6": Cause.CONTENT, "7": Cause.AUTHENTICATION}
#: RFC 5321 §4.2.2 and RFC 7504: what a bare reply code says.
_BY_REPLY = {551: Cause.UNKNOWN_USER, 552: Cause.MAILBOX_FULL, 556: Cause.BAD_DOMAIN, 553: Cause.OTHER}
#: au/KDDI tells above a “user unknown” what is the matter with the account.
_NAMED_INACTIVE = "the user(s) account is"
#: Microsoft's edge says so of an address that is not in the directory; with any other code it is a policy.
_NOT_IN_DIRECTORY = "recipient address rejected: access denied"
#: Codes that by themselves name the address: bad mailbox, bad syntax, moved.
_DEAD_MAILBOX = frozenset({"5.1.1", "5.1.3", "5.1.6", "5.7.17"})
#: Codes that agree with “user unknown” without saying it themselves.
_AGREEING = _DEAD_MAILBOX | {"5.1.0", "5.1.10", "5.1.351", "5.4.1"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """All that is known about one refusal."""

    #: The refusing server's words, or the reporting mailer's.
    text: str
    #: The words around: the human part of the report, where the refused command is often named.
    context: str = ""
    #: The Status field.
    status: str = ""
    #: The recipient's address, whose server may have habits of its own.
    address: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What the evidence amounts to."""

    cause: Cause
    verdict: Verdict
    status: str
    reply_code: int


def judge(evidence: Evidence) -> Judgement:
    """Weigh the evidence."""
    text = _flatten(evidence.text)
    context = _flatten(evidence.context)
    status = _status(text, evidence.status)
    reply = _reply_code(text)
    stage = _stage(text) or _stage(context)
    words = _words(text)
    cause = Cause.UNKNOWN_USER if status == "5.4.1" and _NOT_IN_DIRECTORY in text else _cause(words, status, reply)
    if cause is Cause.OTHER and context:
        words = _words(context)
        status = status or _status(context, "")
        reply = reply or _reply_code(context)
        cause = _cause(words, status, reply)
    elif cause is Cause.UNKNOWN_USER and _NAMED_INACTIVE in context:
        cause = Cause.INACTIVE
    verdict: Verdict = "hard" if _is_dead(cause, status, reply, stage, words, evidence.address) else "soft"
    return Judgement(cause=_settle(cause, verdict, stage), verdict=verdict, status=status, reply_code=reply)


def _is_dead(  # noqa: PLR0913 - six small facts, one decision
    cause: Cause, status: str, reply: int, stage: Stage, words: str, address: str
) -> bool:
    if status.startswith("4") or (400 <= reply < 500 and not status.startswith("5")):
        return False
    if cause is Cause.BAD_DOMAIN:
        return stage not in (Stage.MAIL, Stage.CONNECT)
    if cause is not Cause.UNKNOWN_USER:
        return False
    if status in _DEAD_MAILBOX or mentions(words, phrases.CERTAIN_USER):
        return True
    if stage is not Stage.UNKNOWN:
        return stage is Stage.RCPT
    return status in _AGREEING or _carrier_says_so(words, address)


def _carrier_says_so(words: str, address: str) -> bool:
    """Read the habit of au/KDDI: RCPT is refused by the address, DATA (a filter) by an empty one."""
    domain = address.rpartition("@")[2]
    return domain in ("ezweb.ne.jp", "au.com") and "<>: user unknown" in words


def _settle(cause: Cause, verdict: Verdict, stage: Stage) -> Cause:
    """Give an “unknown user” that cannot be one its real name."""
    if verdict == "soft" and cause in (Cause.UNKNOWN_USER, Cause.OTHER):
        if stage is Stage.DATA or stage is Stage.MAIL:
            return Cause.POLICY
        if stage is Stage.CONNECT:
            return Cause.REPUTATION
    return cause


def _cause(words: str, status: str, reply: int) -> Cause:
    for cause, needles in phrases.BY_CAUSE:
        if mentions(words, needles):
            if cause is Cause.POLICY and needles is phrases.BY_CAUSE[-1][1]:
                return _cause_of_code(status, reply, cause)
            return cause
    return _cause_of_code(status, reply, Cause.OTHER)


def _cause_of_code(status: str, reply: int, otherwise: Cause) -> Cause:
    kind, _, detail = status.partition(".")
    if detail in _BY_STATUS:
        return Cause.ROUTING if detail == "4.4" and kind == "4" else _BY_STATUS[detail]
    subject = detail.partition(".")[0]
    if subject in _BY_SUBJECT:
        return _BY_SUBJECT[subject]
    return _BY_REPLY.get(reply, otherwise)


def mentions(text: str, needles: Iterable[str]) -> bool:
    """Say whether a text has one of the phrases; ``*`` in a phrase is a gap of up to 80 characters."""
    for needle in needles:
        if "*" not in needle:
            if needle in text:
                return True
        elif _has_gapped(text, needle):
            return True
    return False


def _has_gapped(text: str, needle: str) -> bool:
    first, _, rest = needle.partition("*")
    at = text.find(first.rstrip())
    if at < 0:
        return False
    at += len(first.rstrip())
    return rest.lstrip() in text[at : at + _GAP]


def _flatten(text: str) -> str:
    """Put a reply on one line in lower case, without the marks of its continuation lines."""
    text = " ".join(text[:_MAX_TEXT].lower().replace("’", "'").split())
    quoted = _GUESS.sub("", text)
    if _STATUS.search(quoted):
        text = quoted
    return _CONTINUED.sub(" ", text)


def _words(text: str) -> str:
    """Drop names of machines and what only introduces the reason; padded, so that a phrase may ask for a blank."""
    bare = " ".join(_NAME.sub(lambda found: _telling(found[0]), text).split())
    return f" {_INTRODUCTION.sub('', bare)} "


def _telling(name: str) -> str:
    return name if _TELLING_NAME.search(name) else ""


def _status(text: str, field: str) -> str:
    """Prefer the refusing server's own code to the reporting mailer's translation of it."""
    codes = ["".join(found[0]) for found in _STATUS.finditer(text[:_MAX_TEXT])]
    given = _STATUS.search(field)
    codes = [code for code in codes if not code.startswith("2")] or ([given[0]] if given else [])
    telling = [code for code in codes if not code.endswith(".0.0")]
    if not telling and given:
        return given[0]
    return (telling or codes or [""])[0]


def _reply_code(text: str) -> int:
    found = _REPLY.search(text)
    return int(found[1]) if found else 0


def _stage(text: str) -> Stage:
    if not text:
        return Stage.UNKNOWN
    for pattern, stage in _STAGES:
        if found := pattern.search(text):
            return stage or _BY_WORD.get(next((word for word in found.groups() if word), ""), Stage.CONNECT)
    if found := _TRANSCRIPT.search(text):
        return Stage.DATA if found[1] == "." else _BY_WORD.get(found[1], Stage.CONNECT)
    return Stage.UNKNOWN
