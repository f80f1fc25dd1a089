"""Builds what the checks look at: a clean issue to start from, and one fault put into it."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path
from typing import Any

from newsletter import checking
from newsletter.domain import findings, issues, messages, numbering, publications

PUBLICATION = publications.Publication(
    title="Harbour Digest",
    url="https://digest.example.org",
    language="en",
    postal_address="1 Quay Street, Harbour Town 12345",
    contact="editors@example.org",
    about="Harbour Digest is compiled every two weeks.",
    sender=publications.Sender(
        name="Harbour Digest", email="news@example.org", reply_to="editors@example.org"
    ),
)

HEAD = """---
volume: 2
number: 3
date: 2026-02-06
subject: Ports agree on one timetable for night trains
preheader: Also this fortnight, a bridge opens early and two archives are joined
---
"""

ENTRIES = """
## Ports agree on one timetable

Both ports [signed](https://ports.example.org/timetable) a paper that puts every night train on one timetable.

## Bridge opens ahead of schedule

The bridge [opened](https://bridge.example.org/opening) two weeks early, and its first day was quiet.

## Two archives are joined

The archives [said](https://archive.example.org/joined) that readers find both collections under one roof.

## Students measure the tide

A school class [published](https://school.example.org/tide) its first year of measurements in a short report.
"""

CLEAN = HEAD + ENTRIES


def write(folder: Path, text: str, name: str = "vol-2-3.md") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str, name: str = "vol-2-3.md") -> issues.Issue:
    from newsletter.authoring import issue_files

    return issue_files.read(write(folder, text, name), title=PUBLICATION.title)


def subject(folder: Path, source: str = CLEAN, **changes: Any) -> checking.Subject:
    """Return a subject for an issue file's text; ``html`` and ``text`` stand for the rendered parts."""
    issue = read(folder, source)
    publication = changes.get("publication", PUBLICATION)
    values = checking.sample_values(publication, issue)
    subject = checking.Subject(
        issue=issue,
        publication=publication,
        path="issues/vol-2-3.md",
        lines=source.split("\n"),
        values=values,
    )
    return dataclasses.replace(subject, **changes)


def found(subject: checking.Subject, rule: str) -> list[findings.Finding]:
    return checking.check(subject, only=[rule])


def line_of(text: str, words: str) -> int:
    """Return the 1-based line on which some words stand."""
    return text[: text.index(words)].count("\n") + 1


def rendered(html: str = "", text: str = "", **changes: Any) -> messages.Rendered:
    """Return a rendered edition whose parts hold the field to leave by."""
    leave = messages.Field("unsubscribe_url")
    parts: dict[str, Any] = {
        "html": (html or "<p>", leave, "</p>"),
        "text": (text, leave),
        "language": "en",
        "subject": "",
        "preheader": "",
    }
    return messages.Rendered(**{**parts, **changes})


def earlier(number: tuple[int, int], *urls: str) -> issues.Issue:
    """Return a past issue that linked to some pages."""
    body = " ".join(f"[page]({url})" for url in urls)
    entry = issues.Entry(id="old", headline="Old news", body=body, line=8, body_line=10)
    return issues.Issue(
        number=numbering.IssueNumber(*number),
        date=date(2026, 1, 9),
        title="",
        subject="",
        preheader="",
        language="en",
        entries=(entry,),
    )
