"""SMTP replies and what each of them means: one table, read from the top, the first line that fits decides.

Sources: RFC 5321 §4.2, RFC 3463 and the IANA registry of enhanced status codes, RFC 7504, RFC 7505, RFC 6531,
and the published reply texts of the large mailbox providers.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import NamedTuple

from newsletter.domain import verdicts
from newsletter.domain.verdicts import Kind, Scope


class Stage(enum.Enum):
    """What a reply answers."""

    GREETING = "greeting"
    HELLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    #: The final dot, or BDAT … LAST.
    CONTENT = "message"
    RSET = "RSET"
    QUIT = "QUIT"


class Reply(NamedTuple):
    """A whole reply: its code and its text, lines joined by a line feed."""

    code: int
    text: str

    def __str__(self) -> str:
        text = self.text
        if "\n" in text:
            text = text.replace("\n", " / ")
        return f"{self.code} {text}".rstrip()

    @property
    def status(self) -> str:
        """The enhanced status code (RFC 3463), as ``5.1.1``, or an empty string."""
        match = _STATUS.match(self.text)
        # A class that contradicts the code is not a status code but a number in the text.
        return match[0] if match and match[0][0] == str(self.code)[0] else ""


_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?=\s|$)")
_WAIT = re.compile(
    r"(?:in|after|wait|for) (\d{1,5}) ?(s|sec|seconds?|m|min|minutes?|hours?)\b", re.IGNORECASE
)


class _Rule(NamedTuple):
    """One line of the table; an empty field fits everything."""

    kind: Kind
    reason: str
    scope: Scope = Scope.RECIPIENT
    codes: tuple[int, ...] = ()
    #: Enhanced status codes without their class: ``1.1``, or ``6.`` for a whole subject.
    statuses: tuple[str, ...] = ()
    text: str = ""
    stages: tuple[Stage, ...] = ()


_RELAY = (
    r"relay(?:ing)? (?:access )?(?:denied|not|prohibited)|unable to relay"
    r"|not (?:permitted|allowed) to (?:relay|send)"
)
_LISTED = (
    r"spamhaus|spamcop|barracuda|dnsbl|\brbl\b|block ?list|black ?list|client host .*blocked"
    r"|\bS31[45]0\b|\bBL21\b"
)
_NOBODY = (
    r"user unknown|unknown user|no such (?:user|recipient|mailbox|person|address)"
    r"|(?:user|recipient|mailbox|address) (?:not found|does ?n[o']t exist|unknown)"
    r"|does not exist|no mailbox here|invalid (?:recipient|mailbox)"
)
_LIMIT = r"(?:daily|sending).*(?:quota|limit).*exceed"
_TOO_BIG = r"(?:message|mail|size).*(?:too (?:big|large)|exceed)|exceeds.*size"
_CONTENT = r"spam|content|virus|malware|phish|reputation|policy|unsolicited|bulk"
_STEP = re.compile(r"synchroni[sz]ation|improper.*pipelining|nested MAIL", re.IGNORECASE)

_TEMPORARY = (
    _Rule(Kind.RETRY, "authentication or TLS is not available now", Scope.MAILING, codes=(454,)),
    _Rule(Kind.RETRY, "greylisted", text=r"gr[ea]y-?list"),
    _Rule(Kind.RETRY, "too many recipients in one transaction", statuses=("5.3",)),
    _Rule(Kind.RETRY, "the server's disk is full", Scope.MAILING, codes=(452,), statuses=("3.1",)),
    _Rule(Kind.RETRY, "mailbox full", statuses=("2.2",)),
    _Rule(Kind.RETRY, "mailbox busy, or receiving too fast", statuses=("2.1",)),
    _Rule(Kind.RETRY, "the server closes, or limits our rate", Scope.DOMAIN, codes=(421,)),
    _Rule(Kind.RETRY, "put off by policy or rate limit", Scope.DOMAIN, statuses=("7.",)),
    _Rule(Kind.RETRY, "temporary refusal"),
)

_PERMANENT = (
    _Rule(Kind.STOP, "our credentials are refused", Scope.MAILING, codes=(530, 534, 535, 538)),
    _Rule(Kind.RETRY, "commands out of step", codes=(503,)),
    _Rule(Kind.RETRY, "commands out of step", codes=(550, 554), text=_STEP.pattern),
    _Rule(Kind.STOP, "our daily limit is used up", Scope.MAILING, statuses=("4.5",)),
    _Rule(
        Kind.STOP,
        "our daily limit is used up",
        Scope.MAILING,
        text=_LIMIT,
    ),
    _Rule(Kind.STOP, "the server does not relay for us", Scope.MAILING, text=_RELAY),
    _Rule(Kind.STOP, "we may not send as this sender", Scope.MAILING, statuses=("7.60",)),
    _Rule(
        Kind.STOP,
        "our mail is not authenticated (SPF, DKIM, DMARC, PTR)",
        Scope.DOMAIN,
        statuses=("7.20", "7.21", "7.22", "7.23", "7.24", "7.25", "7.26", "7.27", "7.30", "7.515"),
    ),
    _Rule(Kind.STOP, "our address is on a block list", Scope.MAILING, codes=(550, 553, 554), text=_LISTED),
    _Rule(Kind.RETRY, "too many recipients in one transaction", text=r"too many recipients"),
    _Rule(Kind.STOP, "the message is too big for the server", Scope.MAILING, statuses=("3.4", "2.3")),
    _Rule(Kind.STOP, "the message is too big for the server", Scope.MAILING, codes=(552,), text=_TOO_BIG),
    _Rule(Kind.SUPPRESS, "mailbox full and no longer used", statuses=("2.2",), text=r"inactive"),
    _Rule(Kind.REJECT, "mailbox full", statuses=("2.2",)),
    # RFC 5321 §4.5.3.1.10: a 552 to RCPT is to be treated as a 452.
    _Rule(Kind.RETRY, "too many recipients in one transaction", codes=(552,), stages=(Stage.RCPT,)),
    _Rule(Kind.REJECT, "mailbox full", codes=(552,)),
    _Rule(Kind.REJECT, "the address needs SMTPUTF8, which the server lacks", statuses=("6.7",)),
    _Rule(Kind.STOP, "the message's form is refused", Scope.MAILING, statuses=("6.",)),
    _Rule(Kind.STOP, "our sender address is refused", Scope.MAILING, statuses=("1.7", "1.8")),
    _Rule(Kind.SUPPRESS, "no such mailbox", statuses=("1.1", "1.3", "1.6")),
    _Rule(Kind.SUPPRESS, "the domain takes no mail", statuses=("1.10",)),
    _Rule(Kind.SUPPRESS, "the domain takes no mail", codes=(556,)),
    _Rule(Kind.REJECT, "no such domain", statuses=("1.2", "4.4")),
    _Rule(Kind.SUPPRESS, "mailbox disabled", statuses=("2.1",)),
    _Rule(Kind.STOP, "our sender address is refused", Scope.MAILING, stages=(Stage.MAIL,)),
    _Rule(Kind.REJECT, "refused for content or reputation", Scope.DOMAIN, statuses=("7.",)),
    _Rule(Kind.SUPPRESS, "no such mailbox", text=_NOBODY, codes=(550, 551, 553, 554), stages=(Stage.RCPT,)),
    _Rule(Kind.REJECT, "refused for content or reputation", Scope.DOMAIN, text=_CONTENT),
    _Rule(Kind.REJECT, "refused"),
)

_Fits = Callable[[Reply, str, Stage], bool]


def _compiled(rule: _Rule) -> _Fits:
    pattern = re.compile(rule.text, re.IGNORECASE | re.DOTALL) if rule.text else None

    def fits(reply: Reply, status: str, stage: Stage) -> bool:
        return (
            (not rule.codes or reply.code in rule.codes)
            and (not rule.stages or stage in rule.stages)
            and (not rule.statuses or _has(status, rule.statuses))
            and (pattern is None or pattern.search(reply.text) is not None)
        )

    return fits


def _has(status: str, statuses: tuple[str, ...]) -> bool:
    return any(status.startswith(one) if one.endswith(".") else status == one for one in statuses)


_TABLES = {
    4: tuple((_compiled(rule), rule) for rule in _TEMPORARY),
    5: tuple((_compiled(rule), rule) for rule in _PERMANENT),
}


def judge(reply: Reply, stage: Stage) -> verdicts.Verdict:
    """Say what a reply at a stage of the transaction means for its delivery."""
    family = reply.code // 100
    if family == 2:
        return verdicts.ACCEPTED
    if family not in _TABLES:
        return verdicts.Verdict(kind=Kind.UNKNOWN, reason="a reply that fits nothing we asked")
    status = reply.status[2:]
    rule = next(rule for fits, rule in _TABLES[family] if fits(reply, status, stage))
    wait = _asked_to_wait(reply) if rule.kind is Kind.RETRY else None
    return verdicts.Verdict(kind=rule.kind, scope=rule.scope, reason=rule.reason, retry_after=wait)


def out_of_step(reply: Reply) -> bool:
    """Say whether a refusal blames the order of our commands, not sender, recipient or message."""
    return reply.code == 503 or (reply.code in (550, 554) and _STEP.search(reply.text) is not None)


def _asked_to_wait(reply: Reply) -> float | None:
    match = _WAIT.search(reply.text)
    if match is None:
        return None
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2][0].lower()]


def read(text: str) -> Reply | None:
    """Read a reply quoted in a report or a log, as in ``550 5.1.1 no such user``; None if there is none."""
    match = re.match(r"\s*([2-5]\d\d)[ -]?(.*)", text, re.DOTALL)
    return Reply(int(match[1]), match[2].strip()) if match else None
