"""Names that stand in addresses and file names: lower-case ASCII words with hyphens."""

from __future__ import annotations

import re
import unicodedata

#: Longer names are cut at a word, so that addresses stay readable.
LONGEST = 60

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def slug(text: str, *, default: str = "") -> str:
    """Return the slug of a text, or the default where nothing of it is left in ASCII."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain.replace("'", ""))
    name = ""
    for word in words:
        longer = f"{name}-{word}" if name else word[:LONGEST]
        if len(longer) > LONGEST:
            break
        name = longer
    return name or default


def is_slug(text: str) -> bool:
    """Whether a text is a slug already."""
    return _SLUG.fullmatch(text) is not None
