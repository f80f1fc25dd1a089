"""Take a mail apart without trusting it: old mailers break every rule of RFC 2045.

Everything here works on a bounded slice and never raises on any bytes.
"""

from __future__ import annotations

import binascii
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

#: A report says what it has to say at its beginning; the rest is the returned message.
_MAX_BYTES = 256 * 1024
#: What one leaf may cost: decoding and reading stay under the budget of a mail.
_MAX_LEAF = 48 * 1024
_MAX_DEPTH = 6
_MAX_PARTS = 40
_MAX_HEADERS = 400

_HEADER = re.compile(r"([!-9;-~]{1,80})[ \t]{0,8}:[ \t]*(.*)", re.DOTALL)
#: A parameter that lost the blank before it.
_UNFOLDED = re.compile(r"(?:boundary|charset|name|filename|report-type)=", re.IGNORECASE)
_BOUNDARY = re.compile(r"boundary[ \t]*=[ \t]*(?:\"([^\"\n]{1,200})\"|([^\s;\"]{1,200}))", re.IGNORECASE)
_CHARSET = re.compile(r"charset[ \t]*=[ \t]*[\"']?([\w.:+-]{1,40})", re.IGNORECASE)
_WORD = re.compile(r"=\?([\w-]{1,40})(?:\*[\w-]{0,20})?\?([bBqQ])\?([^?\s]{0,400})\?=")
#: Python's other codecs are slow, raise odd errors, or are no charsets at all.
_SAFE_CHARSET = re.compile(
    r"utf-?8|us-ascii|ascii|latin-?1|iso-?8859-\d{1,2}|windows-\d{3,4}|cp\d{3,4}|koi8-[ru]|iso-2022-(?:jp"
    r"|kr)"
    r"|shift[_-]?jis|euc-(?:jp|kr)|gb2312|gbk|gb18030|big5"
)
_BREAK = re.compile(r"<(?:br|/?p|/?div|/?tr|/?li|/?h\d|/?table|/?pre)\b[^<>]{0,300}>", re.IGNORECASE)
_TAG = re.compile(r"<[!/a-z][^<>@]{0,600}>", re.IGNORECASE)


class Headers:
    """The header fields of one part, by lower-case name."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    def get(self, name: str) -> str:
        """Return the first value of a field, encoded words decoded, or an empty string."""
        return next((decode_words(value) for key, value in self._fields if key == name), "")

    def all(self, *names: str) -> list[str]:
        """Return every value of the named fields, in their order."""
        return [decode_words(value) for key, value in self._fields if key in names]

    def __contains__(self, name: object) -> bool:
        return any(key == name for key, _ in self._fields)


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One leaf of a mail."""

    #: Lower case, without parameters; a part that says nothing is text/plain.
    kind: str
    headers: Headers
    #: Decoded text.
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """A mail taken apart."""

    headers: Headers
    #: Content type of the whole, lower case.
    kind: str
    leaves: tuple[Part, ...]


def split(raw: bytes) -> Mail:
    """Take the bytes of a mail apart; CR, CRLF and LF are the same."""
    text = raw[:_MAX_BYTES].replace(b"\r\n", b"\n").replace(b"\r", b"\n").decode("latin-1").lstrip()
    if text.startswith("From ") and "\n" in text:
        text = text.partition("\n")[2]
    headers, body = read_headers(text)
    kind = content_kind(headers)
    leaves = []
    for leaf in _leaves(headers, body, 0):
        leaves.append(leaf)
        if len(leaves) >= _MAX_PARTS:
            break
    return Mail(headers=headers, kind=kind, leaves=tuple(leaves))


def read_headers(text: str) -> tuple[Headers, str]:
    """Split a header block from what follows it; a block that is none leaves all of it as body."""
    fields: list[tuple[str, str]] = []
    start = 0
    while len(fields) < _MAX_HEADERS:
        end = text.find("\n", start)
        line = text[start:] if end < 0 else text[start:end]
        folded = line[:1] in (" ", "\t") or _UNFOLDED.match(line)
        if folded and line.strip() and fields:
            name, value = fields[-1]
            if len(value) < 8000:
                fields[-1] = (name, f"{value} {line.strip()}")
        elif found := _HEADER.fullmatch(line[:8000]):
            fields.append((found[1].lower(), found[2].strip()))
        else:
            break
        if end < 0:
            return Headers(fields), ""
        start = end + 1
    if text[start : start + 1] == "\n":
        start += 1
    return Headers(fields), text[start:]


def content_kind(headers: Headers) -> str:
    """Return a part's content type in lower case; without one it is plain text (RFC 2045 §5.2)."""
    kind = headers.get("content-type").partition(";")[0].lower().split()
    return kind[0] if kind and "/" in kind[0] else "text/plain"


def decode_words(value: str) -> str:
    """Decode RFC 2047 encoded words; what does not decode stays as it is."""
    if "=?" not in value:
        return _decode_charset(value, "utf-8") if not value.isascii() else value
    value = re.sub(r"\?=[ \t]{1,40}=\?", "?==?", value)
    return _WORD.sub(_decode_word, value)


def _decode_word(found: re.Match[str]) -> str:
    charset, encoding, payload = found.groups()
    if encoding in "bB":
        raw = _from_base64(payload)
    else:
        raw = binascii.a2b_qp(payload.encode("latin-1", "replace"), header=True)
    return _decode_charset(raw.decode("latin-1"), charset)


def _leaves(headers: Headers, body: str, depth: int) -> Iterator[Part]:
    kind = content_kind(headers)
    if kind.startswith("multipart/") and depth < _MAX_DEPTH:
        pieces = _pieces(headers, body)
        if pieces:
            for piece in pieces:
                inner, rest = read_headers(piece.lstrip("\n") if piece[:1] != "\n" else piece)
                yield from _leaves(inner, rest, depth + 1)
            return
        kind = "text/plain"
    yield Part(kind=kind, headers=headers, text=_decode(headers, kind, body))


def _pieces(headers: Headers, body: str) -> list[str]:
    """Cut a multipart body at its boundary; the preamble is dropped, a missing end is forgiven."""
    found = _BOUNDARY.search(headers.get("content-type"))
    if found is None:
        return []
    mark = "\n--" + (found[1] or found[2]).rstrip()
    chunks = ("\n" + body).split(mark, _MAX_PARTS + 1)
    pieces = []
    for chunk in chunks[1:]:
        if chunk.startswith("--"):
            break
        tail, newline, piece = chunk.partition("\n")
        if newline and not tail.strip():
            pieces.append(piece)
    return pieces


def _decode(headers: Headers, kind: str, body: str) -> str:
    body = body[:_MAX_LEAF]
    if kind == "message/rfc822":
        return body
    encoding = headers.get("content-transfer-encoding").strip().lower()
    if encoding == "base64":
        body = _from_base64(body).decode("latin-1")
    elif encoding == "quoted-printable":
        body = binascii.a2b_qp(body.encode("latin-1", "replace")).decode("latin-1")
    if encoding in ("base64", "quoted-printable"):
        body = body.replace("\r\n", "\n").replace("\r", "\n")
    found = _CHARSET.search(headers.get("content-type"))
    body = _decode_charset(body, found[1] if found else "utf-8")
    return _strip_html(body) if kind == "text/html" else body


def _from_base64(text: str) -> bytes:
    letters = re.sub(r"[^A-Za-z0-9+/]", "", text)
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    try:
        return binascii.a2b_base64(letters + "=" * (-len(letters) % 4))
    except (binascii.Error, ValueError):
        return b""


def _decode_charset(text: str, charset: str) -> str:
    """Give latin-1 text its real charset; seven-bit ISO-2022 counts as ASCII until an escape shows up."""
    if text.isascii() and "\x1b" not in text:
        return text
    if "\x1b$" in text:
        charset = "iso-2022-jp"
    raw = text.encode("latin-1", "replace")
    for name in (charset.lower(), "utf-8"):
        if _SAFE_CHARSET.fullmatch(name):
            try:
                return raw.decode(name, "strict" if name == "utf-8" else "replace")
            except (LookupError, ValueError):
                continue
    return text


def _strip_html(text: str) -> str:
    for name in ("style", "script", "head"):
        text = _without_element(text, name)
    text = _BREAK.sub("\n", text)
    text = html.unescape(_TAG.sub(" ", text))
    return text.replace("\xa0", " ")


def _without_element(text: str, name: str) -> str:
    """Cut the first two elements of a name; a regular expression would look for the end again and again."""
    for _ in range(2):
        lower = text.lower()
        start = lower.find(f"<{name}")
        end = lower.find(f"</{name}", start)
        if (
            start < 0
            or end < 0
            or lower[start + len(name) + 1 : start + len(name) + 2] not in (">", " ", "\n")
        ):
            break
        text = text[:start] + " " + text[text.find(">", end) + 1 or end :]
    return text
