"""Header fields, written by ourselves.

Python's own policies turn a List-Unsubscribe of more than 78 characters into an encoded-word, and
the button disappears from mail programs.
"""

from __future__ import annotations

import binascii
import re

from newsletter.domain import errors

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f]")
_ADDRESS = re.compile(r"[^\x00-\x20\x7f<>,;:\"()\[\]\\@]+@[^\x00-\x20\x7f<>,;:\"()\\@]+")
#: RFC 2047 §2: an encoded-word has at most 75 characters, a line that holds one at most 76.
_WORD = 75
_LINE = 76
#: RFC 5322 §2.1.1, without CRLF.
MAX_LINE = 998


def field(name: str, value: str) -> bytes:
    """Write one header field on one line, however long; the value is ASCII already.

    Raises:
        RenderError: the value holds a line end or another control character, or is too long to be sent.
    """
    check(name, value)
    if not value.isascii():
        raise errors.RenderError(f"the header {name} takes ASCII only, and is “{value}”")
    line = f"{name}: {value}"
    if len(line) > MAX_LINE:
        raise errors.RenderError(f"the header {name} is {len(line)} characters long; mail allows {MAX_LINE}")
    return line.encode() + b"\r\n"


def text(name: str, value: str) -> bytes:
    """Write one header field of free text, as encoded-words where it is not plain ASCII.

    Raises:
        RenderError: the value holds a line end or another control character.
    """
    check(name, value)
    if value.isascii() and "=?" not in value:
        return _folded(name, value.split(" "))
    return _folded(name, _encoded_words(value, first=_LINE - len(name) - 2))


def mailbox(name: str, display: str, address: str) -> bytes:
    """Write one header field that names one mailbox.

    Raises:
        RenderError: the name holds a control character, or the address is none.
    """
    if _ADDRESS.fullmatch(address) is None:
        check(name, address)
        raise errors.RenderError(f"the header {name} cannot hold the address “{address}”")
    if not display.strip():
        return _folded(name, [ascii_address(address)])
    return identified(name, display, ascii_address(address))


def ascii_domain(domain: str) -> str:
    """Return a domain as it stands in ASCII headers (IDNA 2008, UTS 46).

    Raises:
        RenderError: it is no domain.
    """
    if domain.isascii():
        return domain
    import idna

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise errors.RenderError(f"“{domain}” is no domain: {error}") from error


def ascii_address(address: str) -> str:
    """Return an address with its domain in ASCII; the part before the @ stays as it is."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{ascii_domain(domain)}"


def identified(name: str, display: str, identifier: str) -> bytes:
    """Write one header field of a display name and what it stands for in angle brackets.

    Raises:
        RenderError: a control character stands in one of them.
    """
    check(name, display)
    check(name, identifier)
    return _folded(name, [*_phrase(display, first=_LINE - len(name) - 2), f"<{identifier}>"])


def _phrase(display: str, *, first: int) -> list[str]:
    """Return a display name as a quoted string, or as encoded-words."""
    if display.isascii() and "=?" not in display:
        escaped = display.replace("\\", "\\\\").replace('"', '\\"')
        return [f'"{escaped}"']
    return _encoded_words(display, first=first)


def check(name: str, value: str) -> None:
    """Refuse what would end a header field early (RFC 5322 §2.2).

    Raises:
        RenderError: the value holds a line end, NUL or another control character.
    """
    found = _FORBIDDEN.search(value)
    if found:
        raise errors.RenderError(
            f"the header {name} cannot hold the control character U+{ord(found[0]):04X} of {value!r}"
        )


def _encoded_words(value: str, *, first: int) -> list[str]:
    """Encode text as RFC 2047 words, torn between characters only; the first may be shorter than 75."""
    room = min(_WORD, first)
    if len(value) <= room and len(whole := _word(value)) <= room:
        return [whole]
    words: list[str] = []
    chunk = ""
    for cluster in _clusters(value):
        if chunk and _size(chunk + cluster) > room:
            words.append(_word(chunk))
            chunk, room = "", _WORD
        chunk += cluster
    return [*words, _word(chunk)]


def _clusters(value: str) -> list[str]:
    """Split before each character, but never off a joiner, variation selector or combining mark."""
    clusters: list[str] = []
    for character in value:
        joined = clusters and (_clings(character) or clusters[-1].endswith("\u200d"))
        if joined and _size(clusters[-1] + character) <= _WORD // 2:
            clusters[-1] += character
        else:
            clusters.append(character)
    return clusters


def _clings(character: str) -> bool:
    return (
        character in "\u200d\ufe0e\ufe0f"
        or "\u0300" <= character <= "\u036f"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def _size(chunk: str) -> int:
    return len(_word(chunk))


def _word(chunk: str) -> str:
    raw = chunk.encode("utf-8", "replace")
    in_base64 = f"=?utf-8?b?{binascii.b2a_base64(raw, newline=False).decode()}?="
    in_q = f"=?utf-8?q?{''.join([_Q[byte] for byte in raw])}?="
    return min(in_q, in_base64, key=len)


def _q(byte: int) -> str:
    """Write a byte for a Q word that may stand in a display name (RFC 2047 §5.3)."""
    if byte == 0x20:
        return "_"
    character = chr(byte)
    return (
        character if character.isascii() and (character.isalnum() or character in "!*+-/") else f"={byte:02X}"
    )


_Q = [_q(byte) for byte in range(256)]


def _folded(name: str, words: list[str]) -> bytes:
    """Write a field, folded between words at 76 characters where that is possible."""
    lines, line = [], f"{name}:"
    for word in words:
        if len(line) + 1 + len(word) > _LINE and word and line.strip() and line != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {word}"
    lines.append(line)
    too_long = max(map(len, lines))
    if too_long > MAX_LINE:
        raise errors.RenderError(f"the header {name} is {too_long} characters long; mail allows {MAX_LINE}")
    return "\r\n".join(lines).encode() + b"\r\n"
