"""Lists of phrases, and whether a text has one of them.

Phrases are lower case and separated by semicolons. ``*`` stands for up to 40 characters, ``_`` at either end
for a blank. Accents do not count: servers write them, leave them out, or lose them on the way.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_GAP = 40
#: Where a phrase with a gap is looked for: its first places.
_PLACES = 6
#: Latin, Greek and Cyrillic accents; the marks of kana have a block of their own and make other letters.
_ACCENT = re.compile("[\u0300-\u036f]")


def fold(text: str) -> str:
    """Put a text on one line in lower case, without accents and typographic apostrophes."""
    text = " ".join(text.lower().replace("’", "'").split())
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _ACCENT.sub("", unicodedata.normalize("NFD", text)))


def listed(text: str) -> tuple[str, ...]:
    """Return the phrases of a text that separates them by semicolons."""
    phrases = (fold(phrase) for phrase in text.split(";"))
    return tuple(_with_blanks(phrase) for phrase in phrases if phrase)


def _with_blanks(phrase: str) -> str:
    start = " " if phrase.startswith("_") else ""
    return start + phrase.strip("_") + (" " if phrase.endswith("_") else "")


def mentions(text: str, phrases: Iterable[str]) -> bool:
    """Say whether a folded text has one of the phrases."""
    return any(phrase in text if "*" not in phrase else _has_gapped(text, phrase) for phrase in phrases)


def _has_gapped(text: str, phrase: str) -> bool:
    first, _, rest = phrase.partition("*")
    first, rest = first.rstrip(), rest.lstrip()
    at = text.find(first)
    for _ in range(_PLACES):
        if at < 0:
            return False
        at += len(first)
        if rest in text[at : at + _GAP + len(rest)]:
            return True
        at = text.find(first, at)
    return False
