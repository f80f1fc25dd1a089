"""The almanac as an iCalendar file (RFC 5545), for the editors' own calendars."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator

from newsletter.authoring.almanac import IssueDay

#: Octets of one line, without its end (RFC 5545, section 3.1).
_LONGEST = 75
#: How long an entry takes in a calendar.
_MINUTES = 30


def dumps(days: Iterable[IssueDay], *, title: str, domain: str, now: datetime.datetime) -> bytes:
    """Write issue days and their deadlines; the same ones have the same UID in every file."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:-//{domain}//newsletter//EN", "CALSCALE:GREGORIAN"]
    lines.append(f"X-WR-CALNAME:{_text(title)}")
    for day in days:
        for step, words, when in _steps(day):
            lines += _event(day, step, f"{title} {day.number.label}: {words}", when, domain=domain, now=now)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _steps(day: IssueDay) -> Iterator[tuple[str, str, datetime.datetime]]:
    yield "collect", "collect sources until now", day.collect_until
    yield "draft", "the draft is due", day.draft_by
    yield "approve", "the approval is due", day.approve_by
    yield "send", "goes out", day.goes_out


def _event(
    day: IssueDay, step: str, summary: str, when: datetime.datetime, *, domain: str, now: datetime.datetime
) -> list[str]:
    lines = [
        "BEGIN:VEVENT",
        f"UID:{day.number.key}-{step}@{domain}",
        f"DTSTAMP:{_utc(now)}",
        f"DTSTART:{_utc(when)}",
        f"DURATION:PT{_MINUTES}M",
        f"SUMMARY:{_text(summary)}",
    ]
    if day.clashes and step == "send":
        lines.append(f"DESCRIPTION:{_text('; '.join(day.clashes))}")
    return [*lines, "END:VEVENT"]


def _utc(when: datetime.datetime) -> str:
    return f"{when.astimezone(datetime.UTC):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\r\n", "\\n").replace("\n", "\\n")


def _folded(line: str) -> bytes:
    """Break a line between characters, so that no piece is longer than a line may be."""
    pieces: list[bytes] = [b""]
    for character in line:
        octets = character.encode()
        if len(pieces[-1]) + len(octets) > _LONGEST:
            pieces.append(b" ")
        pieces[-1] += octets
    return b"\r\n".join(pieces) + b"\r\n"
