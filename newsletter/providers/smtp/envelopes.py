"""Envelopes: MAIL and RCPT with the parameters that the server takes, and what cannot be put in one."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from newsletter.domain import messages, verdicts
from newsletter.domain.verdicts import Kind, Scope, Verdict
from newsletter.providers.smtp.terms import Terms

#: Nothing that would end the path or the command line and let an address speak SMTP, and nothing that cannot
#: be written in UTF-8.
_FITS = re.compile(r"[^\x00-\x1f\x7f<>\ud800-\udfff]*").fullmatch
#: RFC 3461 §4: everything but these printable characters is written as +XX.
_NO_XTEXT = re.compile(rb"[^!-*,-<>-~]")
_NEEDS_XTEXT = re.compile(r"[^!-*,-<>-~]").search
_DOT = re.compile(rb"[\r\n]\.").search
_LINE_END = re.compile(rb"\r\n?|\n")
_LEADING_DOT = re.compile(rb"(?m)^\.")
#: RFC 5321 §4.5.3.1.3: a path has 256 octets at most.
_LONGEST_PATH = 254
#: RFC 3461 §4.4.
_LONGEST_ENVID = 100

_BAD_ADDRESS = Verdict(kind=Kind.REJECT, reason="the address cannot be written in an envelope")
_NEEDS_UTF8 = Verdict(kind=Kind.REJECT, reason="the address needs SMTPUTF8, which this server does not offer")
_NEEDS_EIGHT_BIT = Verdict(
    kind=Kind.REJECT, reason="the message has 8-bit bytes, and the server does not offer 8BITMIME"
)


class Writer:
    """Writes the envelopes of one session."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._dsn = terms.dsn
        self._sized = bool(terms.size)
        self._most = terms.size or sys.maxsize

    def write(self, message: messages.Message, size: int) -> bytes | Verdict:
        """Write MAIL and RCPT, each with its line end, or say why a message of a size cannot be offered."""
        if not (message.plain and message.canonical and size <= self._most):
            return self._write_any(message)
        recipient, envid = message.recipient, message.message_id
        if not 0 < len(recipient) <= _LONGEST_PATH or len(envid) > _LONGEST_ENVID:
            return self._write_any(message)
        sized = f" SIZE={size}" if self._sized else ""
        if self._dsn:
            return (
                f"MAIL FROM:<{message.sender}>{sized} RET=HDRS ENVID={envid}\r\n"
                f"RCPT TO:<{recipient}> NOTIFY=FAILURE ORCPT=rfc822;{recipient}\r\n"
            ).encode()
        return f"MAIL FROM:<{message.sender}>{sized}\r\nRCPT TO:<{recipient}>\r\n".encode()

    def _write_any(self, message: messages.Message) -> bytes | Verdict:
        terms = self._terms
        refused = refusal(message, terms)
        return refused or b"%b\r\n%b\r\n" % (mail(message, terms), rcpt(message, terms))


def refusal(message: messages.Message, terms: Terms) -> verdicts.Verdict | None:
    """Say why a message cannot be offered to this server, or None when it can."""
    sender, recipient = message.sender, message.recipient
    if terms.size and message.size > terms.size:
        reason = f"the message has {message.size:,} bytes, and the server takes {terms.size:,}"
        return Verdict(kind=Kind.STOP, scope=Scope.MAILING, reason=reason)
    if not recipient or not _FITS(sender + recipient) or len(recipient) > _LONGEST_PATH:
        return _BAD_ADDRESS
    if not (terms.utf8 or recipient.isascii() or _as_ascii(recipient).isascii()):
        return _NEEDS_UTF8
    if not terms.eight_bit and not is_ascii(message):
        return _NEEDS_EIGHT_BIT
    return None


def is_ascii(message: messages.Message) -> bool:
    """Say whether every byte of a message is ASCII."""
    return message.canonical or all(piece.isascii() for piece in message.pieces)


def mail(message: messages.Message, terms: Terms) -> bytes:
    """Write the MAIL command (RFC 5321 §4.1.1.2), without its line end."""
    line = f"MAIL FROM:<{message.sender}>"
    if terms.size:
        line += f" SIZE={message.size}"
    if terms.dsn:
        line += " RET=HDRS"
        envid = _xtext(message.message_id)
        if len(envid) <= _LONGEST_ENVID:
            line += f" ENVID={envid}"
    if terms.eight_bit and not is_ascii(message):
        line += " BODY=8BITMIME"
    if terms.utf8 and not (message.sender.isascii() and message.recipient.isascii()):
        line += " SMTPUTF8"
    return line.encode()


def rcpt(message: messages.Message, terms: Terms) -> bytes:
    """Write the RCPT command (RFC 5321 §4.1.1.3), without its line end."""
    recipient = message.recipient
    is_plain = recipient.isascii()
    if not is_plain and not terms.utf8:
        recipient, is_plain = _as_ascii(recipient), True
    if not terms.dsn:
        return f"RCPT TO:<{recipient}>".encode()
    if not is_plain:
        return f"RCPT TO:<{recipient}> NOTIFY=FAILURE".encode()
    return f"RCPT TO:<{recipient}> NOTIFY=FAILURE ORCPT=rfc822;{_xtext(recipient)}".encode()


def content(message: messages.Message) -> Sequence[bytes]:
    """Return the message in pieces as DATA wants it (RFC 5321 §4.5.2), up to but without the final dot."""
    if message.canonical:
        return message.pieces
    raw = message.raw
    if raw.startswith(b".") or _DOT(raw):
        # Some servers take a bare CR or LF for an end of line, and so a dot between two of them for the end.
        raw = _LEADING_DOT.sub(b"..", _LINE_END.sub(b"\r\n", raw))
    return (raw,) if raw.endswith(b"\r\n") else (raw, b"\r\n")


def _as_ascii(address: str) -> str:
    """Return an address with its domain in A-labels; unchanged where that cannot be."""
    if address.isascii():
        return address
    import idna

    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError:
        return address


def _xtext(text: str) -> str:
    if not _NEEDS_XTEXT(text):
        return text
    return _NO_XTEXT.sub(lambda match: b"+%02X" % match[0][0], text.encode()).decode()
