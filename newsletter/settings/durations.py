"""Read lengths of time as people write them: `6h`, `90 seconds`, `2 days`."""

from __future__ import annotations

import re
from datetime import timedelta

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LENGTH = re.compile(
    r"(\d+(?:\.\d+)?)\s*(s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?|w|weeks?)\b", re.IGNORECASE
)


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
