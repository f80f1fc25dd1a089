"""Issue files: read one, and say everything that is wrong in it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from newsletter.authoring import bodies, flaws, front_matter, issue_fields, loose_ends, shelf
from newsletter.domain import errors, findings, issues, numbering

find = shelf.find
listing = shelf.listing


def read(path: Path, *, title: str = "", language: str = "en", timezone: str = "UTC") -> issues.Issue:
    """Read an issue file; ``title`` and ``language`` are the publication's, ``timezone`` that of its times.

    Raises:
        IssueError: the file cannot be read or understood; every problem of it is listed.
    """
    issue, found = _parse(path, title=title, language=language, timezone=timezone)
    found.stop(hint=f"newsletter issue check {path.stem} lists everything that is to be mended")
    return issue


def problems(path: Path) -> list[findings.Finding]:
    """Return everything wrong in the file itself, in the order of its lines.

    Beside what keeps it from being read there is what only keeps it from going out: a TK, a picture
    without alt text, a link that runs code, a number that another file has too.
    """
    try:
        issue, found = _parse(path, title="", language="en", timezone="UTC")
    except errors.IssueError as error:
        severity = findings.Severity.ERROR
        return [
            findings.Finding(rule="unreadable", severity=severity, message=one.message, path=one.path)
            for one in error.problems
        ]
    shelf.note_twins(issue, found)
    return [flaws.finding(flaw, path) for flaw in found]


def _parse(path: Path, *, title: str, language: str, timezone: str) -> tuple[issues.Issue, flaws.Flaws]:
    found = flaws.Flaws(path)
    text = front_matter.decode(front_matter.load(path), found)
    document = front_matter.Document(fields=front_matter.Block(), body="", body_line=1)
    if text or not found.blocking:
        document = front_matter.parse(text, found)
    body = bodies.read(document.body, document.body_line, found)
    reader = issue_fields.Reader(document.fields, found)
    if not found.blocking_as("encoding", "front-matter", "yaml"):
        reader.known(issue_fields.KEYS)
        named = shelf.language_in(path)
        issue = _issue(reader, body, title=title, language=named or language, timezone=timezone)
        if named and issue.language != named:
            reader.wrong(
                "language",
                f"the file is named as the “{named}” edition, and its language is “{issue.language}”",
                fix=f"write “language: {named}”, or rename the file",
            )
        loose_ends.note(issue, found)
        return issue, found
    return _blank(path), found


def _issue(
    reader: issue_fields.Reader, body: bodies.Body, *, title: str, language: str, timezone: str
) -> issues.Issue:
    number = issue_fields.number(reader)
    day = reader.day("date", required=True)
    title = reader.text("title", title)
    lines = reader.block.lines
    intro, intro_line = _intro(reader, body)
    return issues.Issue(
        # Placeholders stand only where a blocking flaw was noted.
        number=number or numbering.IssueNumber(1, 1),
        date=day or date.min,
        title=title,
        subject=reader.text("subject") or _subject(title, number, body.entries),
        preheader=reader.text("preheader") or " · ".join(_short(entry) for entry in body.entries[:2]),
        language=issue_fields.language(reader, language),
        layout=reader.choice("layout", issues.Layout.DIGEST),
        hero=issue_fields.hero(reader),
        intro=intro,
        intro_line=intro_line,
        entries=body.entries,
        closing=reader.text("closing"),
        closing_line=reader.text_line("closing"),
        status=reader.choice("status", issues.Status.DRAFT),
        send_at=reader.moment("send_at", timezone),
        waivers=issue_fields.waivers(reader),
        lines=lines,
        path=reader.found.path,
    )


def _intro(reader: issue_fields.Reader, body: bodies.Body) -> tuple[str, int]:
    intro = reader.text("intro")
    if intro and body.intro:
        reader.found.block(
            "two-intros",
            body.intro_line,
            f"text stands before the first entry, and “intro” is on line {reader.block.lines['intro']} too",
            fix="keep one of them",
        )
    return (intro, reader.text_line("intro")) if intro else (body.intro, body.intro_line)


def _subject(title: str, number: numbering.IssueNumber | None, entries: tuple[issues.Entry, ...]) -> str:
    start = " ".join(part for part in (title, number.label if number else "") if part)
    return f"{start}: {_short(entries[0])}" if entries else start


def _short(entry: issues.Entry) -> str:
    return entry.headline_short or entry.headline


def _blank(path: Path) -> issues.Issue:
    return issues.Issue(
        number=numbering.IssueNumber(1, 1),
        date=date.min,
        title="",
        subject="",
        preheader="",
        language="en",
        entries=(),
        path=path,
    )
