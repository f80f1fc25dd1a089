"""Find out which SMTP command a refusal answered: every mailer has its own words for it."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence


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
            r"(?:error|response|deferred) from remote (?:mail |mailer |)(?:server |)(?:after|for) "
            r"(?:pipelined |)(rcpt|mail|end of data|data|text|initial connection|helo|ehlo|starttls|auth)"
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
    # Google, until 2014: the states of its SMTP client
    (re.compile(r"\(state 14\)"), Stage.RCPT),
    (re.compile(r"\(state 13\)"), Stage.MAIL),
    (re.compile(r"\(state 1[578]\)"), Stage.DATA),
    (re.compile(r"\(state (?:6|8|9|12)\)"), Stage.CONNECT),
    # LMTP error after RCPT TO · Error following RCPT command · in response to the RCPT command
    (
        re.compile(
            r"(?:after|following|during|in response to|answer to) (?:the |our |end of )?"
            r"(?:smtp )?(rcpt|mail from|data|helo|ehlo)\b"
        ),
        None,
    ),
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
    r"(?:>>>|-->|sent <<<|sent:|c:) ?(rcpt|mail|data|helo|ehlo|\.)[^\n]{0,300}?"
    r"(?:<<<|<--|received >>>|replied:|s:) ?5\d\d"
)


def stage_of(text: str) -> Stage:
    """Return the command that a refusal, in lower case and on one line, answered."""
    if not text:
        return Stage.UNKNOWN
    for pattern, stage in _STAGES:
        if found := pattern.search(text):
            return stage or _BY_WORD.get(next((word for word in found.groups() if word), ""), Stage.CONNECT)
    if found := _TRANSCRIPT.search(text):
        return Stage.DATA if found[1] == "." else _BY_WORD.get(found[1], Stage.CONNECT)
    return Stage.UNKNOWN
