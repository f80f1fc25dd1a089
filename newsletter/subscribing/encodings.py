"""Find out how a file of people is encoded: the encodings that exports and spreadsheets really use."""

from __future__ import annotations

import codecs
import re
from typing import IO

_BLOCK = 1 << 20
#: Enough of a file that is not UTF-8 to tell the others apart.
_SAMPLE = 1 << 18

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# Lead bytes 81-9F carry kana and everyday kanji; E0-FC carry rare ones, and are accented letters
# in Windows-1252. The second byte is what keeps most European words from looking Japanese at all.
_EVERYDAY = re.compile(rb"[\x81-\x9f][\x40-\x7e\x80-\xfc]")
_RARE = re.compile(rb"[\xe0-\xfc][\x40-\x7e\x80-\xfc]")


def detect(binary: IO[bytes]) -> str:
    """Return the encoding of a file: by its mark, then UTF-8 if it is that throughout, then by likelihood."""
    start = binary.read(_BLOCK)
    for mark, encoding in _BOMS:
        if start.startswith(mark):
            return encoding
    if (wide := _unmarked_utf16(start)) or _is_utf8(start, binary):
        return wide or "utf-8"
    sample = start[:_SAMPLE]
    japanese, other = len(_EVERYDAY.findall(sample)), len(_RARE.findall(sample))
    return "cp932" if japanese > other and _decodes(sample, "cp932") else "cp1252"


def _unmarked_utf16(start: bytes) -> str:
    """Every second byte of a Latin text in UTF-16 is zero."""
    head = start[:200]
    if head.count(0) < len(head) // 3:
        return ""
    return "utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be"


def _is_utf8(start: bytes, rest: IO[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    block = start
    try:
        while block:
            decoder.decode(block)
            block = rest.read(_BLOCK)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _decodes(sample: bytes, encoding: str) -> bool:
    # The sample may end within a character.
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return False
    return True
