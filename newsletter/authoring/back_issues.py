"""Back issues: take in what was published before, as issue files that need no more than a look."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from newsletter.authoring import digest_texts, saving
from newsletter.authoring.manuscripts import Kind, Manuscript, Note
from newsletter.domain import errors, numbering

#: A text of this size is no issue.
LARGEST = 8_000_000
_TEXTS = (".txt", ".md", ".markdown", ".text", "")


@dataclass(frozen=True, kw_only=True)
class Imported:
    """One issue that was taken in."""

    source: str
    path: Path
    number: numbering.IssueNumber
    date: datetime.date
    entries: int
    notes: tuple[Note, ...]


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the editor says of an issue that its text does not."""

    number: numbering.IssueNumber | None = None
    date: datetime.date | None = None
    #: The number that comes next on the shelf, and today: taken where nothing else is known.
    next_number: numbering.IssueNumber
    today: datetime.date


def take_in(source: Path, folder: Path, wishes: Wishes) -> Imported:
    """Read an issue from a text and write it into the folder of issues.

    Raises:
        IssueError: the text cannot be read, or is not in a layout that is known.
        WorkspaceError: an issue of that number is there already.
    """
    script = read(source)
    return write(script, source.name, folder, wishes)


def read(source: Path) -> Manuscript:
    """Read an issue from a text in the digest's own layout.

    Raises:
        IssueError: it cannot be read, or has another layout.
    """
    if source.suffix.lower() not in _TEXTS:
        raise _cannot(
            source, f"a “{source.suffix}” file cannot be read as an issue", hint="save it as text or Markdown"
        )
    text, guess = _decode(_load(source))
    if not digest_texts.is_digest(text):
        raise _cannot(
            source,
            "no line “Headlines:” and below it “Details:”",
            hint="the layout is: title, Vol: 2.23, date, Headlines: with bullets, Details: with bullets",
        )
    script = digest_texts.read(text)
    if guess:
        script.notes.insert(0, Note(Kind.GUESSED, guess))
    if not script.pieces:
        raise _cannot(source, "neither headlines nor details have bullets", hint="begin each with “- ”")
    return script


def write(script: Manuscript, source: str, folder: Path, wishes: Wishes) -> Imported:
    """Write what was read as an issue file of its own."""
    script.number = wishes.number or script.number or _guessed_number(script, wishes)
    script.date = wishes.date or script.date or _guessed_date(script, wishes)
    script.status = script.status or "ready"
    path = folder / f"{script.number.slug}.md"
    saving.save_new(path, script.text(), hint="give it another number with --number, or move that file away")
    return Imported(
        source=source,
        path=path,
        number=script.number,
        date=script.date,
        entries=len(script.pieces),
        notes=tuple(script.notes),
    )


def _guessed_number(script: Manuscript, wishes: Wishes) -> numbering.IssueNumber:
    script.note(Kind.GUESSED, f"the text has no number; it became {wishes.next_number.label}")
    return wishes.next_number


def _guessed_date(script: Manuscript, wishes: Wishes) -> datetime.date:
    script.note(Kind.GUESSED, f"the text has no date; it became {wishes.today}")
    return wishes.today


def _load(source: Path) -> bytes:
    try:
        if source.stat().st_size > LARGEST:
            raise _cannot(source, f"larger than {LARGEST:,} bytes", hint="an issue is a text of a few pages")
        return source.read_bytes()
    except OSError as error:
        raise _cannot(source, f"cannot be read: {error.strerror or error}") from error


def _decode(data: bytes) -> tuple[str, str]:
    """Return the text with LF line ends, and what had to be guessed of its encoding."""
    guess = ""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text, guess = (
                data.decode("cp1252", "replace"),
                "the text is not UTF-8; it was read as Windows-1252",
            )
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", ""), guess


def _cannot(source: Path, message: str, *, hint: str = "") -> errors.IssueError:
    return errors.IssueError([errors.Problem(path=str(source), line=0, message=message)], hint=hint)
