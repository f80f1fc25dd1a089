"""Dates as people write them, in English and Japanese: for texts that were never meant for a machine."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_ISO = re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_MONTH_FIRST = re.compile(
    rf"(?<![a-z]){_MONTH}\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}})(?!\d)", re.IGNORECASE
)
_DAY_FIRST = re.compile(
    rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th)?\.?\s+(?:of\s+)?{_MONTH},?\s+(\d{{4}})(?!\d)", re.IGNORECASE
)
_JAPANESE = re.compile(r"(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日")
_ERA = re.compile(
    r"(令和|平成|昭和|[RHS](?=\s*\d))\s*(元|\d{1,2})\s*[年.]\s*(\d{1,2})\s*[月.]\s*(\d{1,2})\s*日?"
)
#: Year before the first of each era (Reiwa 1 is 2019).
_ERAS = {"令和": 2018, "R": 2018, "平成": 1988, "H": 1988, "昭和": 1925, "S": 1925}
_COMPACT = re.compile(r"(?<!\d)(20\d{2})(\d{2})(\d{2})(?:T\d{4,6}Z?)?(?!\d)")


def guess(text: str) -> date | None:
    """Return the first date a text names, or None.

    Read are 2023-12-15, December 15, 2023, 15 Dec. 2023, 2023年12月15日 and 令和5年12月15日. Days and
    months in figures alone (12/11/2023) are left unread: nobody can tell which is which.
    """
    plain = unicodedata.normalize("NFKC", text)
    found: list[tuple[int, date]] = []
    for pattern, order in _PATTERNS:
        for match in pattern.finditer(plain):
            day = _date(*order(match))
            if day:
                found.append((match.start(), day))
                break
    return min(found)[1] if found else None


def only(text: str) -> date | None:
    """Return the date when a short text says a date and hardly anything else, such as a weekday."""
    return guess(text) if len(text.strip()) <= 40 else None


def stamp(text: str) -> date | None:
    """Return the day of a machine's time stamp (ISO 8601 or RFC 5322), or None."""
    from email.utils import parsedate_to_datetime

    try:
        return datetime.fromisoformat(text.strip()).date()
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(text).date()
    except ValueError:
        return guess(text)


def _date(year: str, month: str, day: str) -> date | None:
    number = _MONTHS.index(month[:3].lower()) + 1 if month[:3].lower() in _MONTHS else month
    try:
        return date(int(year), int(number), int(day))
    except ValueError:
        return None


def _era(match: re.Match[str]) -> tuple[str, str, str]:
    year = 1 if match[2] == "元" else int(match[2])
    return str(_ERAS[match[1]] + year), match[3], match[4]


_PATTERNS = (
    (_ISO, lambda match: (match[1], match[2], match[3])),
    (_MONTH_FIRST, lambda match: (match[3], match[1], match[2])),
    (_DAY_FIRST, lambda match: (match[3], match[2], match[1])),
    (_JAPANESE, lambda match: (match[1], match[2], match[3])),
    (_COMPACT, lambda match: (match[1], match[2], match[3])),
    (_ERA, _era),
)
