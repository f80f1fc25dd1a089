"""Quoted-printable (RFC 2045 §6.7) that needs no second look.

What it writes has no line that begins with a dot (SMTP's dot-stuffing leaves it alone) or with
“From ”, no white space that DKIM's relaxed canonicalisation (RFC 6376 §3.4.4) would change, and no
line over 76 characters. Encoded pieces can be put together by soft line breaks at any place.
"""

from __future__ import annotations

import re

SOFT_BREAK = b"=\r\n"
#: Characters of a line before the “=” of its soft break (RFC 2045: 76 with it).
_WIDTH = 75
_UNSAFE = re.compile(rb"[^\x20-\x3c\x3e-\x7e]+")
#: What no line of a value can hold.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_ESCAPES = {bytes((byte,)): b"=%02X" % byte for byte in range(256)}
#: Blanks that a relay or DKIM's relaxed form might drop or fold.
_BLANKS = re.compile(rb"(?<= ) |^ | $")
_LINE_START = re.compile(rb"[. ]|From ")


def encode(text: str) -> bytes:
    """Encode text with LF line ends; the first and the last line are open to be joined by soft breaks."""
    return b"\r\n".join(map(_encode_line, text.split("\n")))


def encode_value(value: str) -> bytes:
    """Encode what fills a field; control characters and line ends become blanks."""
    return _encode_line(_CONTROL.sub(" ", value))


def _escape(match: re.Match[bytes]) -> bytes:
    return b"=" + match[0].hex("=").upper().encode()


def _encode_line(line: str) -> bytes:
    escaped = _UNSAFE.sub(_escape, line.encode("utf-8", "replace"))
    escaped = _BLANKS.sub(b"=20", escaped)
    lines = []
    while True:
        if _LINE_START.match(escaped):
            escaped = _ESCAPES[escaped[:1]] + escaped[1:]
        if len(escaped) <= _WIDTH:
            lines.append(escaped)
            return SOFT_BREAK.join(lines)
        cut = _WIDTH
        if b"=" in escaped[cut - 2 : cut]:
            # An escape is not torn apart.
            cut = escaped.index(b"=", cut - 2)
        lines.append(escaped[:cut])
        escaped = escaped[cut:]
