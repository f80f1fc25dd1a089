"""Read lengths of time as people write them: `6h`, `90 seconds`, `2 weeks`."""

from __future__ import annotations

import re
from datetime import timedelta

from newsletter.domain import cadence

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LENGTH = re.compile(
    r"(\d+(?:\.\d+)?)\s*(s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?|w|weeks?)\b", re.IGNORECASE
)
_EVERY = re.compile(r"(?:(\d+)\s*)?(day|week|month)s?", re.IGNORECASE)


def parse(value: object) -> timedelta:
    """Return the length of time that a text such as `6h` or `1 day 12 hours` names.

    Raises:
        ValueError: it names none.
    """
    if isinstance(value, timedelta):
        return value
    text = str(value).strip() if isinstance(value, str) else ""
    parts = list(_LENGTH.finditer(text))
    if not parts or _LENGTH.sub("", text).strip(" ,"):
        raise ValueError("expected a length of time such as 30s, 15 minutes, 6h or 2 days")
    return timedelta(seconds=sum(float(part[1]) * _SECONDS[part[2][0].lower()] for part in parts))


def every(value: object) -> tuple[int, cadence.Unit]:
    """Return count and unit of a rhythm such as `2 weeks` or `month`.

    Raises:
        ValueError: it is none.
    """
    match = _EVERY.fullmatch(value.strip()) if isinstance(value, str) else None
    count = int(match[1] or 1) if match else 0
    if not match or count < 1:
        raise ValueError("expected a rhythm such as 1 week, 2 weeks, 10 days or 1 month")
    return count, cadence.Unit(f"{match[2].lower()}s")
