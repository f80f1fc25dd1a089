"""Write subscribers out as CSV or JSON lines: what our own import reads back."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from typing import Any, TextIO

from newsletter.domain.subscribers import Subscriber

COLUMNS = (
    "email",
    "name",
    "status",
    "language",
    "timezone",
    "topics",
    "tags",
    "joined_at",
    "paused_until",
    "attributes",
)

#: A cell that begins so is run as a formula by spreadsheets (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(people: Iterable[Subscriber], out: TextIO) -> int:
    """Write one row each under a heading, safe to open in a spreadsheet; return how many."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    count = 0
    for person in people:
        writer.writerow([guarded(_cell(value)) for value in record(person).values()])
        count += 1
    return count


def write_json_lines(people: Iterable[Subscriber], out: TextIO) -> int:
    """Write one JSON object each on a line of its own; return how many."""
    count = 0
    for person in people:
        out.write(json.dumps(record(person), ensure_ascii=False) + "\n")
        count += 1
    return count


def record(person: Subscriber) -> dict[str, Any]:
    """Return what an export says of one person, by column."""
    return {
        "email": person.email,
        "name": person.name,
        "status": person.status.value,
        "language": person.language,
        "timezone": person.timezone,
        "topics": list(person.topics),
        "tags": list(person.tags),
        "joined_at": person.joined_at.isoformat(),
        "paused_until": person.paused_until.isoformat() if person.paused_until else None,
        "attributes": dict(person.attributes),
    }


def guarded(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def unguarded(text: str) -> str:
    """Return a cell as it was before `guarded`."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(FORMULA) else text


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return value or ""
