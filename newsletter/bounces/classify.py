"""Decide what a refusal says about the address: its cause, and hard or soft.

Hard means that the address is dead, and it is said only on good evidence: a subscriber dropped for a
filter's whim does not come back, a dead address mailed once more costs nothing. “User unknown” therefore
needs a witness: an RFC 3463 code of the 5.1 family, or that it answered RCPT TO. In answer to DATA it is
some filter's way to say no: the mailbox is known by then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from newsletter.bounces import absences, phrases, refusals, stages
from newsletter.bounces.report import Verdict
from newsletter.domain.events import Cause

_MAX_TEXT = 3000

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d)\.(\d{1,3})(?!\.?\d)")
_REPLY = re.compile(r"(?<![\d.#:\[-])([45][0-5]\d)(?=[ :-]|$)(?!-\d\d)")
_CONTINUED = re.compile(r"(?<= )[45]\d\d-(?:[245]\.\d\.\d{1,3})?")
_HOST = re.compile(r"@|://|[a-z0-9_-]\.[a-z]{2}|\d\.\d{1,3}\.\d{1,3}\.\d")
#: Names that tell something by themselves.
_TELLING_HOST = re.compile(
    r"spamhaus|spamcop|sorbs|barracudacentral|abuseat|openspf|spf\.pobox|resolver\.[a-z]+\.[a-z]+"
    r"|smtpsend\.dns\.|queue\.expired|dmarc"
    r"|uceprotect|\.i\.ua/err/|senderscore|senderbase|dnsbl|rbl\."
)
#: Postfix says so of every refusal at RCPT; the reason is what follows.
_INTRODUCTION = re.compile(r"recipient address rejected: (?=[a-z])")
#: Cisco's gateway puts a guess before the remote reply: 5.1.0 - Unknown address error 550-'5.7.1 …'
_GUESS = re.compile(
    r"[45]\.\d\.\d - (?:unknown address error|other mail system problem|bad destination host) (?=\d{3}-)"
)

#: RFC 3463 and the IANA registry of enhanced status codes, without the class.
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
_BY_REPLY = {521: Cause.BAD_DOMAIN, 551: Cause.UNKNOWN_USER, 552: Cause.MAILBOX_FULL, 556: Cause.BAD_DOMAIN}
#: Enhanced codes that leave it to the reply code: none, “other”, the address, the mailbox.
_OPEN_SUBJECTS = frozenset({"", "0", "1", "2"})
#: au/KDDI tells above a “user unknown” what is the matter with the account.
_NAMED_INACTIVE = "the user(s) account is"
_AU = frozenset({"ezweb.ne.jp", "au.com"})
#: Microsoft's edge says so of an address that is not in the directory, and Postfix of one that its access map
#: closes; with 5.7.50x Microsoft means a rule.
_NOT_ADMITTED = "recipient address rejected: access denied"
#: IMail, of its own users, without a reply code.
_OWN_WORDS = "unknown user: "
#: Symantec's cloud, of an address that its customer has not registered.
_NOT_REGISTERED = 542
#: Codes that by themselves name the address: bad mailbox, bad syntax, moved, owner changed.
_DEAD_MAILBOX = frozenset({"5.1.1", "5.1.3", "5.1.6", "5.7.17"})
#: Sender's address, protocol, message and policy: a domain named with these is ours.
_SENDERS_CODE = re.compile(r"5\.(?:1\.[78]|5\.[1-9]|[67]\.)")
#: “Something about the address”; in answer to RCPT TO it is the recipient's.
_ADDRESS_STATUS = "5.1.0"
#: Codes that agree with “user unknown” without saying it themselves.
_AGREEING = frozenset({"5.1.0", "5.1.10", "5.1.351", "5.4.1"})


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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Refusal:
    """Evidence, read."""

    #: In lower case on one line.
    text: str
    #: The same without names of machines.
    words: str
    status: str
    reply: int
    stage: stages.Stage
    address: str


def judge(evidence: Evidence) -> Judgement:
    """Weigh the evidence."""
    text, context = _flatten(evidence.text), _flatten(evidence.context)
    words, status, reply = _words(text), _status(text, evidence.status), _reply_code(text)
    cause = _cause(text, words, status, reply)
    if cause is None and context:
        words = _words(context)
        status, reply = _status(context, status), reply or _reply_code(context)
        cause = _cause(context, words, status, reply)
    elif cause is Cause.UNKNOWN_USER and _NAMED_INACTIVE in context:
        cause = Cause.INACTIVE
    refusal = _Refusal(
        text=f"{text} {context}",
        words=words,
        status=status,
        reply=reply,
        stage=stages.stage_of(text) or stages.stage_of(context),
        address=evidence.address.lower(),
    )
    if cause is None and status == _ADDRESS_STATUS and refusal.stage is stages.Stage.RCPT:
        cause = Cause.UNKNOWN_USER
    cause = cause or Cause.OTHER
    verdict: Verdict = "hard" if _is_dead(cause, refusal) else "soft"
    return Judgement(
        cause=_settle(cause, verdict, refusal.stage), verdict=verdict, status=status, reply_code=reply
    )


def _is_dead(cause: Cause, refusal: _Refusal) -> bool:
    if cause is Cause.UNKNOWN_USER:
        return _is_certain(refusal) if _is_permanent(refusal) else _was_unknown_to_the_end(refusal)
    if cause is Cause.BAD_DOMAIN:
        return _is_permanent(refusal) and not _is_about_sender(refusal)
    return False


def _is_about_sender(refusal: _Refusal) -> bool:
    """Tell our own domain (in MAIL FROM, EHLO or a policy) from the recipient's."""
    early = refusal.stage in (stages.Stage.MAIL, stages.Stage.CONNECT)
    return early or bool(_SENDERS_CODE.match(refusal.status))


def _is_permanent(refusal: _Refusal) -> bool:
    return not refusal.status.startswith("4") and not 400 <= refusal.reply < 500


def _is_certain(refusal: _Refusal) -> bool:
    """Ask for a second witness to “user unknown”: a code, or that it answered RCPT TO."""
    if refusal.status in _DEAD_MAILBOX or refusal.reply == _NOT_REGISTERED:
        return True
    if refusal.text.startswith(_OWN_WORDS) or phrases.mentions(refusal.words, absences.CERTAIN_USER):
        return True
    if refusal.stage is not stages.Stage.UNKNOWN:
        return refusal.stage is stages.Stage.RCPT
    # au/KDDI names the address when it refuses RCPT, and an empty one when a filter refuses DATA.
    named = f"<{refusal.address}>: user unknown" in refusal.text
    return refusal.status in _AGREEING or (named and refusal.address.rpartition("@")[2] in _AU)


def _was_unknown_to_the_end(refusal: _Refusal) -> bool:
    """Accept 4.1.1 of a mail given up on: refused as unknown at every try (Postfix with soft_bounce)."""
    if refusal.status not in ("4.1.1", "4.0.0", ""):
        return False
    if phrases.mentions(refusal.words, absences.CERTAIN_USER):
        return True
    return refusal.stage is stages.Stage.RCPT and phrases.mentions(refusal.words, absences.UNKNOWN_USER)


def _settle(cause: Cause, verdict: Verdict, stage: stages.Stage) -> Cause:
    """Give an “unknown user” that cannot be one its real name."""
    if verdict == "soft" and cause in (Cause.UNKNOWN_USER, Cause.OTHER):
        if stage in (stages.Stage.DATA, stages.Stage.MAIL):
            return Cause.POLICY
        if stage is stages.Stage.CONNECT:
            return Cause.REPUTATION
    return cause


def _cause(text: str, words: str, status: str, reply: int) -> Cause | None:
    """Return what words and codes say; nothing when they say nothing."""
    if (_NOT_ADMITTED in text and not status.startswith("5.7.5")) or reply == _NOT_REGISTERED:
        return Cause.UNKNOWN_USER
    for cause, needles in refusals.BY_CAUSE:
        if phrases.mentions(words, needles):
            # 5.2.1 says of an “unavailable” mailbox that it is there and closed.
            closed = cause is Cause.UNKNOWN_USER and status.endswith(".2.1") and "available" in words
            return Cause.INACTIVE if closed else cause
    vague = Cause.POLICY if phrases.mentions(words, refusals.VAGUE) else None
    return _cause_of_code(status, reply, vague)


def _cause_of_code(status: str, reply: int, otherwise: Cause | None) -> Cause | None:
    kind, _, detail = status.partition(".")
    if detail in _BY_STATUS:
        return Cause.ROUTING if detail == "4.4" and kind == "4" else _BY_STATUS[detail]
    subject = detail.partition(".")[0]
    told = _BY_REPLY.get(reply) if subject in _OPEN_SUBJECTS else None
    return _BY_SUBJECT.get(subject) or told or otherwise


def _flatten(text: str) -> str:
    """Put a reply on one line in lower case, without the marks of its continuation lines."""
    text = phrases.fold(text[:_MAX_TEXT])
    quoted = _GUESS.sub("", text)
    if _STATUS.search(quoted):
        text = quoted
    return _CONTINUED.sub(" ", text)


def _words(text: str) -> str:
    """Drop names of machines, which may hold any word (antispam.example.org), and mere introductions.

    The result is padded, so that a phrase may ask for a blank at its edge.
    """
    tokens = text.replace("...", " ").replace(",", ", ").split()
    bare = " ".join(token for token in tokens if not _HOST.search(token) or _TELLING_HOST.search(token))
    return f" {_INTRODUCTION.sub('', bare)} "


def _status(text: str, field: str) -> str:
    """Prefer the refusing server's own code to the reporting mailer's translation of it."""
    codes = [found[0] for found in _STATUS.finditer(text) if found[1] != "2"]
    given = _STATUS.search(field)
    telling = [code for code in codes if not code.endswith(".0.0")]
    if telling:
        return telling[0]
    return given[0] if given else (codes or [""])[0]


def _reply_code(text: str) -> int:
    found = _REPLY.search(text)
    return int(found[1]) if found else 0
