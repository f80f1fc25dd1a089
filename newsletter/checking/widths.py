"""How wide a text is: in columns of a terminal, and in effect to the eye."""

from __future__ import annotations

import unicodedata


def columns(text: str) -> int:
    """Count columns: East Asian wide characters take two, combining marks none (Unicode UAX #11)."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )
